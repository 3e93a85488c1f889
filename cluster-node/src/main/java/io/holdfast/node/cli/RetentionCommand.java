package io.holdfast.node.cli;

import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.Saved;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Retention;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** How long data stays. */
@Command(
        name = "retention",
        description = {
            "How long data stays: the retention of every policy, and what it means for each piece.",
            "A piece stays while one clause keeps it: P30D (for 30 days), last 3, daily 7, weekly 4,"
                    + " monthly 12, yearly 5; or: forever. The newest piece of a source never"
                    + " expires by itself. Only the leader's clock counts.",
            "DR may keep longer than local: retention set POLICY RETENTION --dr RETENTION. A piece that"
                    + " one site alone keeps is restored from there."
        },
        subcommands = {RetentionCommand.Show.class, RetentionCommand.Set.class},
        footer = {"", "Example: holdfast retention show --pieces"})
final class RetentionCommand {
    /** What a policy keeps, in one line. */
    static String kept(PolicyResource policy) {
        return policy.retention()
                + policy.retentionDr()
                        .map(dr ->
                                ", at DR "
                                        + dr
                                        + (policy.drMayExpireFirst() ? " (may go first)" : ""))
                        .orElse("");
    }

    /** Shows policies and verdicts. */
    @Command(
            name = "show",
            description = "Show the retention of every policy, and why pieces stay or expire.",
            footer = {"", "Example: holdfast retention show --pieces"})
    static final class Show extends ApiCommand {
        @Option(names = "--pieces", description = "Every data piece with the verdict.")
        private boolean pieces;

        @Override
        int run(ClusterClient cluster, Output output) {
            RetentionView view = cluster.write(api -> api.retention());
            StringBuilder text = new StringBuilder();
            Text.Table policies = new Text.Table("POLICY", "RETENTION", "AT DR", ">CLIENTS");
            for (RetentionView.Policy policy : view.policies()) {
                policies.row(
                        policy.name(),
                        policy.retention(),
                        (policy.retentionDr().equals(policy.retention())
                                        ? "the same"
                                        : policy.retentionDr())
                                + (policy.drMayExpireFirst() ? ", may go first" : ""),
                        Text.count(policy.clients()));
            }
            text.append(policies);
            if (pieces) {
                Text.Table table =
                        new Text.Table("PIECE", "CLIENT", "BACKED UP", "VERDICT", "REASON", "WHAT");
                for (RetentionView.Piece piece : view.pieces()) {
                    table.row(
                            piece.piece().toString(),
                            piece.clientName(),
                            Text.time(piece.backupTime()),
                            verdict(piece),
                            piece.reason(),
                            piece.source());
                }
                text.append('\n').append(table);
            } else {
                long due = view.pieces().stream().filter(p -> p.verdict().equals("EXPIRE")).count();
                long dueAtOne =
                        view.pieces().stream()
                                .filter(p -> p.verdict().equals("KEEP"))
                                .filter(p ->
                                        p.sites().stream()
                                                .anyMatch(s -> s.verdict().equals("EXPIRE")))
                                .count();
                text.append(Text.count(view.pieces().size()))
                        .append(" data pieces, ")
                        .append(Text.count(due))
                        .append(" expire with the next round")
                        .append(
                                dueAtOne == 0
                                        ? ""
                                        : ", "
                                                + Text.count(dueAtOne)
                                                + " of the others at one site")
                        .append(". Each of them: --pieces\n");
            }
            output.result(view, text.toString());
            return ExitCode.DONE;
        }

        /** One word where both sites do the same. */
        private static String verdict(RetentionView.Piece piece) {
            return piece.sites().stream().map(RetentionView.AtSite::verdict).distinct().count() <= 1
                    ? piece.verdict()
                    : piece.sites().stream()
                            .map(s -> s.site() + " " + s.verdict())
                            .collect(Collectors.joining(", "));
        }
    }

    /** Changes a policy. */
    @Command(
            name = "set",
            description = "Change the retention of a policy, also for the pieces that it has.",
            footer = {
                "",
                "Example: holdfast retention set keep-35-days 'P30D, last 3, yearly 5'",
                "         holdfast retention set keep-35-days P30D --dr P90D"
            })
    static final class Set extends ApiCommand {
        @Parameters(index = "0", paramLabel = "POLICY", description = "Name of a policy.")
        private String policy = "";

        @Parameters(index = "1", paramLabel = "RETENTION", description = "Clauses, or: forever.")
        private String retention = "";

        @Option(
                names = "--dr",
                paramLabel = "RETENTION",
                description =
                        "How long DR keeps: clauses, forever, or: same. Default: as it was. Not"
                                + " shorter than at local, but with --dr-may-expire-first.")
        private @Nullable String dr;

        @Option(
                names = "--dr-may-expire-first",
                description =
                        "With --dr: DR may let a piece go that local still keeps, once local is known"
                                + " to have it.")
        private boolean drMayExpireFirst;

        @Mixin private Confirmation confirmation = new Confirmation();

        @Override
        int run(ClusterClient cluster, Output output) {
            Retention wanted = Retention.parse(retention);
            if (drMayExpireFirst && dr == null) {
                throw new Problem(
                        ExitCode.USAGE,
                        "--dr-may-expire-first needs --dr.",
                        "See: holdfast retention set --help.");
            }
            List<ResourceView> policies = cluster.read(api -> api.resources("policy"));
            ResourceView old =
                    policies.stream()
                            .filter(p -> p.name().equals(policy))
                            .findFirst()
                            .orElseThrow(() ->
                                    new Problem(
                                            ExitCode.FAILED,
                                            "There is no policy '" + policy + "'.",
                                            "See: holdfast retention show."));
            ResourceView changed = changed(old.with(PolicyResource.RETENTION, wanted.toString()));
            // Refused here already, before anybody is asked for a yes.
            String kept = kept(PolicyResource.of(changed.toResource()));
            confirmation.require(
                    cluster.context().name(),
                    "Pieces that '" + kept + "' does not keep expire with the next round.",
                    output);
            Saved<ResourceView> stored = cluster.write(api -> api.putResource(changed));
            output.saved(stored, "Policy " + policy + " keeps: " + kept);
            return ExitCode.DONE;
        }

        private ResourceView changed(ResourceView view) {
            String there = dr;
            if (there == null) {
                return view;
            }
            ResourceView other =
                    there.equals("same")
                            ? view.without(PolicyResource.RETENTION_DR)
                            : view.with(
                                    PolicyResource.RETENTION_DR, Retention.parse(there).toString());
            return drMayExpireFirst
                    ? other.with(PolicyResource.DR_MAY_EXPIRE_FIRST, "true")
                    : other.without(PolicyResource.DR_MAY_EXPIRE_FIRST);
        }
    }
}
