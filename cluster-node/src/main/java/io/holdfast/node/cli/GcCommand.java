package io.holdfast.node.cli;

import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Collects garbage, or says why every byte stays. */
@Command(
        name = "gc",
        description = {
            "Collect now what nobody refers to any more, at every store: expire what is due, mark, and"
                    + " sweep what two marks have found a grace apart. The leader does so by itself.",
            "With --dry-run nothing changes: every byte of every store stands in one line, with the"
                    + " reason why it stays or goes."
        },
        subcommands = {GcCommand.Status.class},
        footer = {"", "Example: holdfast gc --dry-run"})
final class GcCommand extends ApiCommand {
    @Option(names = "--dry-run", description = "Change nothing; explain every byte.")
    private boolean dryRun;

    @Option(names = "--pieces", description = "With --dry-run: also every data piece.")
    private boolean pieces;

    @Override
    int run(ClusterClient cluster, Output output) {
        if (dryRun) {
            GcPlanView plan = cluster.write(api -> api.gcPlan());
            output.result(plan, show(plan, pieces));
            boolean all = plan.stores().stream().allMatch(s -> s.problem().isEmpty());
            return all ? ExitCode.DONE : ExitCode.FAILED;
        }
        if (pieces) {
            throw new Problem(
                    ExitCode.USAGE, "--pieces needs --dry-run.", "See: holdfast gc --help.");
        }
        GcView view = cluster.write(api -> api.collect());
        output.result(view, show(view));
        return ExitCode.DONE;
    }

    /** Shows how it stands. */
    @Command(
            name = "status",
            description = "What is marked, what it waits for, and what was done lately.",
            footer = {"", "Example: holdfast gc status"})
    static final class Status extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            GcView view = cluster.write(api -> api.gc());
            output.result(view, show(view));
            return ExitCode.DONE;
        }
    }

    private static final int RUNS = 12;

    static String show(GcView view) {
        StringBuilder text = new StringBuilder();
        text.append(Text.count(view.expired()))
                .append(" expired pieces are not known to be gone everywhere, ")
                .append(
                        view.keptAtOneSite() == 0
                                ? ""
                                : Text.count(view.keptAtOneSite())
                                        + " are kept by one site alone, ")
                .append(Text.count(view.held()))
                .append(" holds");
        if (view.abandoned() != null) {
            text.append(", site ").append(view.abandoned()).append(" is abandoned");
        }
        text.append('\n');
        view.waits().forEach(w -> text.append("waits: ").append(w).append('\n'));
        for (GcView.Store store : view.stores()) {
            text.append('\n').append(store.site()).append(' ').append(store.endpoint());
            if (!store.reachable()) {
                text.append(": no answer (")
                        .append(String.join("; ", store.freezes()))
                        .append(")\n");
                continue;
            }
            text.append(": ")
                    .append(store.role())
                    .append(", grace ")
                    .append(Text.seconds((double) store.graceSeconds()))
                    .append(", ")
                    .append(store.sessions())
                    .append(" sessions\n");
            store.freezes().forEach(f -> text.append("  frozen: ").append(f).append('\n'));
            for (GcView.Mark mark : store.marks()) {
                text.append("  mark ")
                        .append(mark.number())
                        .append(" of ")
                        .append(Text.time(mark.made()))
                        .append(": ")
                        .append(Text.count(mark.frames()))
                        .append(" frames, ")
                        .append(Text.bytes(mark.bytes()))
                        .append(
                                mark.confirmed()
                                        ? ", found twice"
                                        : mark.sessions() > 0
                                                ? ", waits for " + mark.sessions() + " sessions"
                                                : ", waits for a second mark")
                        .append('\n');
            }
        }
        Text.Table runs =
                new Text.Table("BEGAN", "SITE", "WORK", "OUTCOME", ">FRAMES", ">BYTES", "WHY");
        List<GcView.Run> newest =
                view.runs().subList(Math.max(0, view.runs().size() - RUNS), view.runs().size());
        for (GcView.Run run : newest) {
            runs.row(
                    Text.time(run.began()),
                    run.site(),
                    run.work(),
                    run.outcome().isEmpty() ? "goes on" : run.outcome(),
                    Text.count(run.frames()),
                    Text.bytes(run.bytes()),
                    String.join("; ", run.reasons()));
        }
        return text + (runs.isEmpty() ? "" : "\n" + runs);
    }

    static String show(GcPlanView plan, boolean pieces) {
        List<String> parts = new ArrayList<>();
        for (GcPlanView.Store store : plan.stores()) {
            StringBuilder text =
                    new StringBuilder("Store of site ")
                            .append(store.site())
                            .append(" for ")
                            .append(store.storage());
            if (!store.problem().isEmpty()) {
                parts.add(text.append(" could not be asked: ") + store.problem() + "\n");
                continue;
            }
            text.append(": ")
                    .append(Text.count(store.frames()))
                    .append(" frames, ")
                    .append(Text.bytes(store.bytes()))
                    .append('\n');
            Text.Table groups = new Text.Table("OUTCOME", ">BYTES", ">FRAMES", "WHY");
            for (GcPlanView.Group group : store.groups()) {
                groups.row(
                        group.outcome(),
                        Text.bytes(group.bytes()),
                        Text.count(group.frames()),
                        group.reason());
            }
            text.append(groups);
            if (pieces) {
                Text.Table table = new Text.Table("PIECE", "STAYS", ">BYTES", ">OWN", "WHY");
                for (GcPlanView.Piece piece : store.pieces()) {
                    table.row(
                            piece.piece().toString(),
                            piece.stays() ? "yes" : "no",
                            Text.bytes(piece.bytes()),
                            Text.bytes(piece.ownBytes()),
                            piece.reason());
                }
                text.append(table);
            }
            parts.add(text.toString());
        }
        return String.join("\n", parts);
    }
}
