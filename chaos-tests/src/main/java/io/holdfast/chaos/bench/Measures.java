package io.holdfast.chaos.bench;

import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StepView;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;

/** What is measured of one cluster, each as the client sees it. */
final class Measures {
    private static final int WARM_UP = 1000;
    private static final double PATIENCE_SECONDS = 120;

    /** What a write may take beside the round trips between the sites. */
    private static final int P50_MILLIS = 25;

    private final BenchCluster cluster;
    private final Writer writer;
    private final Consumer<String> told;
    private final UUID resource = UUID.randomUUID();
    private int writes;

    Measures(BenchCluster cluster, Writer writer, Consumer<String> told) {
        this.cluster = cluster;
        this.writer = writer;
        this.told = told;
    }

    private ResourceView next() {
        return Entries.small(resource, ++writes);
    }

    private static String leader(StatusView status) {
        return Objects.requireNonNull(status.leader(), "a well cluster has a leader");
    }

    private static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    /** Sequential writes of one small resource to the leader. */
    List<Row> writes(int count) throws BenchFailed, InterruptedException {
        Written written = write(count);
        return List.of(
                written.row("metadata write PROTECTED, p50", 50, P50_MILLIS, written.note()),
                written.row("metadata write PROTECTED, p99", 99, 150));
    }

    /** The same, with a long line between the sites. */
    List<Row> writes(int count, int delayMillis) throws BenchFailed, InterruptedException {
        Written written = write(count);
        int roundTrip = 2 * delayMillis;
        double p50 = Percentile.of(written.millis(), 50);
        String roundTrips =
                String.format(
                        Locale.ROOT,
                        "fastest %.1f ms, p99 %.1f ms; a round trip is %d ms, so p50 has %s of them",
                        Percentile.of(written.millis(), 1),
                        Percentile.of(written.millis(), 99),
                        roundTrip,
                        delayMillis == 0 ? "none" : Integer.toString((int) (p50 / roundTrip)));
        told.accept(roundTrips);
        return List.of(
                written.row(
                        String.format(
                                Locale.ROOT,
                                "metadata write PROTECTED with %d ms each way, p50",
                                delayMillis),
                        50,
                        roundTrip + P50_MILLIS,
                        written.note(),
                        roundTrips));
    }

    /** What became of writes. */
    private record Written(List<Double> millis, String flaw, String note) {
        Row row(String name, int percent, double limit, String... notes) {
            return new Row(name, Percentile.of(millis, percent), limit, "ms", flaw, List.of(notes));
        }
    }

    private Written write(int count) throws BenchFailed, InterruptedException {
        String leader = leader(cluster.awaitWell(Site.LOCAL));
        for (int i = 0; i < WARM_UP; i++) {
            var _ = writer.write(leader, next());
        }
        List<Double> millis = new ArrayList<>();
        int unprotected = 0;
        for (int i = 0; i < count; i++) {
            long asked = System.nanoTime();
            Saved<ResourceView> answer = writer.write(leader, next());
            millis.add(since(asked) * 1000);
            if (answer.level() != Level.PROTECTED) {
                unprotected++;
            }
        }
        String note =
                String.format(
                        Locale.ROOT,
                        "%d writes one after another to the leader, after %d to warm up; slowest"
                                + " %.1f ms",
                        count,
                        WARM_UP,
                        Percentile.of(millis, 100));
        told.accept(note);
        return new Written(millis, unprotected == 0 ? "" : unprotected + " UNPROTECTED", note);
    }

    /** SIGKILL for the leader, then for a follower beside it, for a node of the other site, and again. */
    Row node(int rounds) throws BenchFailed, IOException, InterruptedException {
        List<Double> seconds = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            String leader = leader(cluster.awaitWell(Site.LOCAL));
            List<String> others = new ArrayList<>(cluster.nodes(Site.LOCAL));
            others.remove(leader);
            String victim =
                    switch (round % 3) {
                        case 0 -> leader;
                        case 1 -> others.getFirst();
                        default -> cluster.nodes(Site.DR).getFirst();
                    };
            List<String> asked = new ArrayList<>(cluster.nodes(Site.LOCAL));
            asked.remove(victim);
            long killed = System.nanoTime();
            cluster.kill(List.of(victim));
            Writer.Accepted accepted = writer.untilAccepted(asked, next(), PATIENCE_SECONDS);
            double took = since(killed);
            seconds.add(took);
            String note =
                    String.format(
                            Locale.ROOT,
                            "%s %s killed: %.2f s, of that %.2f s in the write that was accepted, %s",
                            victim.equals(leader) ? "leader" : "follower",
                            victim,
                            took,
                            since(accepted.asked()),
                            accepted.answer().level());
            told.accept(note);
            notes.add(note);
            cluster.restart(List.of(victim));
        }
        return new Row(
                "node failure to next write, p99 of " + rounds,
                Percentile.of(seconds, 99),
                3,
                "s",
                "",
                notes);
    }

    /** There and home again; the slower of the two counts. No job runs, so nothing is drained. */
    Row switchover() throws BenchFailed, CommandFailed, InterruptedException {
        List<String> notes = new ArrayList<>();
        double slowest = 0;
        for (Site to : List.of(Site.DR, Site.LOCAL)) {
            cluster.awaitWell(to.peer());
            long began = System.nanoTime();
            SwitchoverView view = cluster.commands().switchover(to.word());
            double answered = since(began);
            var _ = writer.untilAccepted(cluster.nodes(to), next(), PATIENCE_SECONDS);
            double took = since(began);
            slowest = Math.max(slowest, took);
            String note =
                    String.format(
                            Locale.ROOT,
                            "to %s: %.2f s, the command answered after %.2f s; %s",
                            to.word(),
                            took,
                            answered,
                            steps(view.steps()));
            told.accept(note);
            notes.add(note);
        }
        cluster.awaitWell(Site.LOCAL);
        return new Row("switchover to writable, nothing to drain", slowest, 30, "s", "", notes);
    }

    /** SIGKILL for the local site, then the command as soon as the pre-flight allows it without force. */
    Row failover(int entries) throws BenchFailed, CommandFailed, IOException, InterruptedException {
        String leader = leader(cluster.awaitWell(Site.LOCAL));
        long filled = System.nanoTime();
        new Entries(writer, leader)
                .fill(entries, done -> told.accept(done + " of " + entries + " entries written"));
        double filling = since(filled);
        cluster.awaitWell(Site.LOCAL);
        long killed = System.nanoTime();
        cluster.kill(cluster.nodes(Site.LOCAL));
        double allowed = awaitAllowed(killed);
        long began = System.nanoTime();
        FailoverView view = cluster.commands().failover();
        double answered = since(began);
        var _ = writer.untilAccepted(cluster.nodes(Site.DR), next(), PATIENCE_SECONDS);
        double took = since(began);
        List<String> notes =
                List.of(
                        String.format(
                                Locale.ROOT,
                                "entries written in %.0f s, %.0f each second",
                                filling,
                                entries / filling),
                        String.format(
                                Locale.ROOT,
                                "allowed without force %.1f s after the kill; the command answered after"
                                        + " %.2f s",
                                allowed,
                                answered),
                        String.format(
                                Locale.ROOT,
                                "at the server writable after %.2f s; %s",
                                view.writableMillis() / 1000.0,
                                steps(view.steps())));
        notes.forEach(told);
        return new Row(
                String.format(Locale.ROOT, "failover to writable, %,d entries", entries),
                took,
                10,
                "s",
                "",
                notes);
    }

    private double awaitAllowed(long killed)
            throws BenchFailed, CommandFailed, InterruptedException {
        while (true) {
            PreflightView view = cluster.commands().preflight();
            if (view.verdict() == PreflightView.Verdict.ALLOWED) {
                return since(killed);
            }
            if (since(killed) > PATIENCE_SECONDS) {
                throw new BenchFailed(
                        "The failover is not allowed "
                                + PATIENCE_SECONDS
                                + " s after the kill: "
                                + view.verdict()
                                + " "
                                + view.refusals());
            }
            Thread.sleep(100);
        }
    }

    /** SIGKILL for the local site of a cluster with a witness: nobody commands anything. */
    Row witness() throws BenchFailed, IOException, InterruptedException {
        cluster.awaitWell(Site.LOCAL);
        var _ = writer.untilAccepted(cluster.nodes(Site.LOCAL), next(), PATIENCE_SECONDS);
        long killed = System.nanoTime();
        cluster.kill(cluster.nodes(Site.LOCAL));
        Writer.Accepted accepted =
                writer.untilAccepted(cluster.nodes(Site.DR), next(), PATIENCE_SECONDS);
        double took = since(killed);
        String note =
                String.format(
                        Locale.ROOT,
                        "accepted by %s in epoch %s, %.2f s in that write, %s",
                        accepted.node(),
                        accepted.answer().epoch(),
                        since(accepted.asked()),
                        accepted.answer().level());
        told.accept(note);
        return new Row(
                "witness failover (p3-small), kill to write", took, 45, "s", "", List.of(note));
    }

    private static String steps(List<StepView> steps) {
        return String.join(
                ", ",
                steps.stream()
                        .map(s ->
                                String.format(
                                        Locale.ROOT, "%s %.2f s", s.name(), s.millis() / 1000.0))
                        .toList());
    }
}
