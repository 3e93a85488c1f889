package io.holdfast.node.cli;

import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.PolicyResource.GreenAt;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Retention;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Policies: how long data stays, and when a backup is green. */
@Command(
        name = "policy",
        description = {
            "Policies: how long data stays, and at which level a backup is green.",
            "local: it is whole at the active site. dr-log: the other site has its record, too."
                    + " dr-data: it can be restored there."
        },
        subcommands = {PolicyCommand.Listing.class, PolicyCommand.Set.class},
        footer = {"", "Example: holdfast policy list"})
final class PolicyCommand {
    private static List<ResourceView> policies(ClusterClient cluster) {
        return cluster.read(api -> api.resources(Resource.Type.POLICY.word()));
    }

    private static PolicyResource policy(ResourceView view) {
        return PolicyResource.of(view.toResource());
    }

    /** Lists policies. */
    @Command(
            name = "list",
            description = "List the policies.",
            footer = {"", "Example: holdfast policy list --json"})
    static final class Listing extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            List<ResourceView> all = policies(cluster);
            Text.Table table = new Text.Table("POLICY", "GREEN AT", "RETENTION");
            all.stream()
                    .map(PolicyCommand::policy)
                    .forEach(
                            p -> table.row(p.name(), p.greenAt().word(), RetentionCommand.kept(p)));
            output.result(all, table.toString());
            return ExitCode.DONE;
        }
    }

    /** Makes a policy, or changes its level. */
    @Command(
            name = "set",
            description = {
                "Change the level at which the backups of a policy are green, or make a policy.",
                "Holds for jobs that have ended, too. To change a retention: holdfast retention set."
            },
            footer = {
                "",
                "Example: holdfast policy set keep-35-days --green-at dr-log",
                "         holdfast policy set yearly --green-at dr-data --retention 'yearly 10'"
            })
    static final class Set extends ApiCommand {
        @Parameters(index = "0", paramLabel = "POLICY", description = "Its name.")
        private String name = "";

        @Option(
                names = "--green-at",
                required = true,
                paramLabel = "LEVEL",
                description = "local, dr-log or dr-data.")
        private String greenAt = "";

        @Option(
                names = "--retention",
                paramLabel = "RETENTION",
                description = "Of a new policy: clauses, or: forever.")
        private @Nullable String retention;

        @Option(
                names = "--retention-dr",
                paramLabel = "RETENTION",
                description = "Of a new policy: how long DR keeps. Default: as long as local.")
        private @Nullable String retentionDr;

        @Override
        int run(ClusterClient cluster, Output output) {
            GreenAt level = GreenAt.ofWord(greenAt);
            Optional<ResourceView> old =
                    policies(cluster).stream().filter(p -> p.name().equals(name)).findFirst();
            String wanted = retention;
            if (old.isEmpty() == (wanted == null) || wanted == null && retentionDr != null) {
                throw new Problem(
                        ExitCode.USAGE,
                        old.isEmpty()
                                ? "There is no policy '" + name + "'."
                                : "Policy '" + name + "' exists; nothing was changed.",
                        old.isEmpty()
                                ? "To make it, add --retention; see: holdfast policy list."
                                : "To change its retention: holdfast retention set " + name + ".");
            }
            ResourceView view =
                    old.map(p -> p.with("greenAt", level.word()))
                            .orElseGet(() ->
                                    ResourceView.of(
                                            new PolicyResource(
                                                            name,
                                                            Retention.parse(
                                                                    java.util.Objects
                                                                            .requireNonNull(
                                                                                    wanted)),
                                                            Optional.ofNullable(retentionDr)
                                                                    .map(Retention::parse),
                                                            false,
                                                            level)
                                                    .toResource(Jobs.newId()),
                                            0));
            Saved<ResourceView> stored = cluster.write(api -> api.putResource(view));
            output.saved(
                    stored,
                    "Policy "
                            + name
                            + ": backups are green at "
                            + level.word()
                            + ", data stays "
                            + RetentionCommand.kept(policy(stored.result())));
            return ExitCode.DONE;
        }
    }
}
