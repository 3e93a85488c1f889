package io.holdfast.node.cli;

import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.Saved;
import io.holdfast.standard.Retention;
import java.util.List;
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
                    + " expires by itself. Only the leader's clock counts."
        },
        subcommands = {RetentionCommand.Show.class, RetentionCommand.Set.class},
        footer = {"", "Example: holdfast retention show --pieces"})
final class RetentionCommand {
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
            Text.Table policies = new Text.Table("POLICY", "RETENTION", ">CLIENTS");
            for (RetentionView.Policy policy : view.policies()) {
                policies.row(policy.name(), policy.retention(), Text.count(policy.clients()));
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
                            piece.verdict(),
                            piece.reason(),
                            piece.source());
                }
                text.append('\n').append(table);
            } else {
                long due = view.pieces().stream().filter(p -> p.verdict().equals("EXPIRE")).count();
                text.append(Text.count(view.pieces().size()))
                        .append(" data pieces, ")
                        .append(Text.count(due))
                        .append(" expire with the next round. Each of them: --pieces\n");
            }
            output.result(view, text.toString());
            return ExitCode.DONE;
        }
    }

    /** Changes a policy. */
    @Command(
            name = "set",
            description = "Change the retention of a policy, also for the pieces that it has.",
            footer = {"", "Example: holdfast retention set keep-35-days 'P30D, last 3, yearly 5'"})
    static final class Set extends ApiCommand {
        @Parameters(index = "0", paramLabel = "POLICY", description = "Name of a policy.")
        private String policy = "";

        @Parameters(index = "1", paramLabel = "RETENTION", description = "Clauses, or: forever.")
        private String retention = "";

        @Mixin private Confirmation confirmation = new Confirmation();

        @Override
        int run(ClusterClient cluster, Output output) {
            Retention wanted = Retention.parse(retention);
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
            confirmation.require(
                    cluster.context().name(),
                    "Pieces that '" + wanted + "' does not keep expire with the next round.",
                    output);
            ResourceView changed = old.with("retention", wanted.toString());
            Saved<ResourceView> stored = cluster.write(api -> api.putResource(changed));
            output.saved(stored, "Policy " + policy + " keeps: " + wanted);
            return ExitCode.DONE;
        }
    }
}
