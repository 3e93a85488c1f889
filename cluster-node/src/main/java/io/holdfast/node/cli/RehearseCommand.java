package io.holdfast.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.node.api.RehearsalText;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.init.RehearsalEnrolment;
import io.holdfast.node.rest.ApiJson;
import io.holdfast.standard.CronSchedule;
import io.holdfast.standard.RehearsalResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.ScheduleResource;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Plays a failover through beside production. */
@Command(
        name = "rehearse",
        description = {
            "Play a failover through in a sandbox at the passive site, while production goes on.",
            "",
            "The sandbox is a copy of the cluster's record and catalog and a read-only view of the"
                    + " storage, in a lineage and with epochs that production refuses by type. It switches"
                    + " the mode, rewrites every identifier, restores samples onto the clients' systems"
                    + " there into folders that are thrown away, compares every chunk's hash, and measures"
                    + " how long it took. The report is kept in the resource DB; the sandbox is removed.",
            "Exit code 0: passed, or gaps are named; 1: a failover now would not keep what is promised."
        },
        subcommands = {
            RehearseCommand.Listing.class,
            RehearseCommand.Show.class,
            RehearseCommand.Schedule.class,
            RehearseCommand.Enrol.class
        },
        footer = {
            "",
            "Example: holdfast rehearse",
            "         holdfast rehearse --pieces 10 --json",
            "         holdfast rehearse schedule weekly --cron '0 4 * * 0'"
        })
final class RehearseCommand extends ApiCommand {
    @Option(
            names = "--pieces",
            paramLabel = "N",
            defaultValue = "3",
            description = "How many protected data pieces are sampled. Default: ${DEFAULT-VALUE}.")
    private int pieces;

    @Override
    int run(ClusterClient cluster, Output output) {
        Requests.Rehearsal request = new Requests.Rehearsal(pieces, Jobs.newId());
        output.note("Rehearsing at the passive site; this may take minutes ...");
        RehearsalView view = cluster.write(api -> api.rehearse(request));
        output.result(view, RehearsalText.of(view));
        return view.verdict() == RehearsalView.Verdict.FAILED ? ExitCode.FAILED : ExitCode.DONE;
    }

    private static List<ResourceView> reports(ClusterClient cluster) {
        return cluster.read(api -> api.resources(Resource.Type.REHEARSAL.word())).stream()
                .sorted(Comparator.comparing(ResourceView::name).reversed())
                .toList();
    }

    private static RehearsalResource report(ResourceView view) {
        return RehearsalResource.of(view.toResource());
    }

    private static JsonNode json(RehearsalResource report) {
        try {
            return ApiJson.read(report.report(), new TypeReference<JsonNode>() {});
        } catch (JsonProcessingException e) {
            throw new Problem(
                    ExitCode.FAILED,
                    "Report '" + report.name() + "' is no JSON: " + e.getOriginalMessage(),
                    "See it as text, without --json.");
        }
    }

    /** Lists reports. */
    @Command(
            name = "list",
            description = "List the reports that are kept, newest first.",
            footer = {"", "Example: holdfast rehearse list"})
    static final class Listing extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            List<ResourceView> all = reports(cluster);
            Text.Table table = new Text.Table("REPORT", "VERDICT", "WHEN AND WHERE");
            all.forEach(r -> table.row(r.id().toString(), report(r).verdict(), r.name()));
            output.result(
                    all.stream().map(r -> json(report(r))).toList(),
                    table.isEmpty()
                            ? "No rehearsal yet. Run one: holdfast rehearse"
                            : table.toString());
            return ExitCode.DONE;
        }
    }

    /** Shows a report. */
    @Command(
            name = "show",
            description = "Show one report: a page of text, or all of it with --json.",
            footer = {"", "Example: holdfast rehearse show 0192..."})
    static final class Show extends ApiCommand {
        @Parameters(index = "0", paramLabel = "ID", description = "The report.")
        private UUID id = new UUID(0, 0);

        @Override
        int run(ClusterClient cluster, Output output) {
            RehearsalResource report =
                    reports(cluster).stream()
                            .filter(r -> r.id().equals(id))
                            .findFirst()
                            .map(RehearseCommand::report)
                            .orElseThrow(() ->
                                    new Problem(
                                            ExitCode.FAILED,
                                            "There is no report of a rehearsal " + id + ".",
                                            "See: holdfast rehearse list"));
            output.result(json(report), report.text());
            return ExitCode.DONE;
        }
    }

    /** Makes a schedule. */
    @Command(
            name = "schedule",
            description = "Rehearse by a schedule: the active leader starts it at its times.",
            footer = {
                "",
                "Example: holdfast rehearse schedule weekly --cron '0 4 * * 0' --zone UTC"
            })
    static final class Schedule extends ApiCommand {
        @Parameters(index = "0", paramLabel = "NAME", description = "Of the schedule resource.")
        private String name = "";

        @Option(
                names = "--cron",
                required = true,
                paramLabel = "CRON",
                description = "Minute, hour, day of month, month, day of week.")
        private String cron = "";

        @Option(
                names = "--zone",
                paramLabel = "ZONE",
                defaultValue = "UTC",
                description = "In which the times are read. Default: ${DEFAULT-VALUE}.")
        private String zone = "";

        @Override
        int run(ClusterClient cluster, Output output) {
            ScheduleResource schedule =
                    new ScheduleResource(
                            name, CronSchedule.parse(cron), zone(), ScheduleResource.REHEARSAL);
            Optional<ResourceView> old =
                    cluster.read(api -> api.resources(Resource.Type.SCHEDULE.word())).stream()
                            .filter(r -> r.name().equals(name))
                            .findFirst();
            if (old.isPresent() && !ScheduleResource.of(old.get().toResource()).isOfRehearsals()) {
                throw new Problem(
                        ExitCode.FAILED,
                        "Schedule '" + name + "' starts backups; nothing was changed.",
                        "Choose another name.");
            }
            UUID id = old.map(ResourceView::id).orElseGet(Jobs::newId);
            Saved<ResourceView> stored =
                    cluster.write(api ->
                            api.putResource(
                                    ResourceView.of(
                                            schedule.toResource(id),
                                            old.map(ResourceView::version).orElse(-1L))));
            output.saved(
                    stored,
                    "Rehearsals start at '"
                            + cron
                            + "' ("
                            + zone
                            + "). See: holdfast rehearse list");
            return ExitCode.DONE;
        }

        private ZoneId zone() {
            try {
                return ZoneId.of(zone);
            } catch (DateTimeException e) {
                throw new Problem(
                        ExitCode.USAGE,
                        "There is no time zone '" + zone + "'.",
                        "Name one such as UTC or Europe/Berlin.");
            }
        }
    }

    /** Enrols nodes of an older cluster. */
    @Command(
            name = "enrol",
            description = {
                "Give the nodes of a cluster's folder the certificates that rehearsals need. init does it"
                        + " for new clusters. Restart those nodes afterwards."
            },
            footer = {"", "Example: holdfast rehearse enrol /srv/holdfast"})
    static final class Enrol implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "DIR", description = "The folder that init made.")
        private Path cluster = Path.of("");

        @Option(names = "--json", description = "Print one JSON value on stdout.")
        private boolean json;

        @Spec private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() throws Exception {
            List<String> nodes =
                    RehearsalEnrolment.enrol(cluster, InstantSource.system(), new SecureRandom());
            new Output(spec.commandLine().getOut(), spec.commandLine().getErr(), json)
                    .result(
                            nodes,
                            nodes.isEmpty()
                                    ? "Every node with a storage has its certificate already."
                                    : "Enrolled: " + String.join(", ", nodes) + ". Restart them.");
            return ExitCode.DONE;
        }
    }
}
