package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.RetentionView;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The end of data, in a cluster whose grace is short: what has expired goes from both sites, everything
 * else stays and is restored byte for byte, and after a disaster nothing goes before the lost site is
 * home, or is declared lost.
 */
class CollectionIT {
    private static final long BIG = 5_000_000;
    private static final long GRACE_SECONDS = 3;

    private static void impatient(Launch launch) throws IOException {
        for (String node : List.of("l1", "d1")) {
            Path config = launch.store(node).resolve("../../node.yml").normalize();
            Files.writeString(
                    config,
                    "\ncollection: {graceSeconds: %d, everySeconds: 2, sessionSeconds: 10}\n"
                            .formatted(GRACE_SECONDS),
                    StandardOpenOption.APPEND);
        }
    }

    /** Bytes that a store takes on its disk; a hole takes none. */
    private static long onDisk(Path store) throws Exception {
        Process du =
                new ProcessBuilder("du", "-s", "-B1", store.resolve("packs").toString()).start();
        String out = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(du.waitFor()).as(out).isZero();
        return Long.parseLong(out.split("\\s")[0]);
    }

    private static Path big(SmallCluster cluster, int n) throws IOException {
        Path file = cluster.source.resolve("big");
        TreeChanges.writeRandom(file, BIG, 100 + n);
        return file;
    }

    private static void awaitGone(SmallCluster cluster, String node, long most) throws Exception {
        cluster.await(() -> onDisk(cluster.launch.store(node)), bytes -> bytes < most);
    }

    private static List<UUID> listed(Commands holdfast) throws CommandFailed {
        return holdfast.pieces().stream().map(PieceView::piece).toList();
    }

    private static String policy(Commands holdfast) throws CommandFailed {
        return holdfast.retention().policies().stream()
                .filter(p -> p.clients() > 0)
                .map(RetentionView.Policy::name)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void expiredDataGoesFromBothSitesAndNothingElse() throws Exception {
        try (SmallCluster cluster = new SmallCluster(25, CollectionIT::impatient)) {
            Commands holdfast = cluster.holdfast;
            Path local = cluster.launch.store("l1");
            Path dr = cluster.launch.store("d1");
            var _ = big(cluster, 1);
            UUID first = cluster.backup();
            var _ = big(cluster, 2);
            TreeDigest atSecond = TreeDigest.of(cluster.source);
            UUID second = cluster.backup();
            var _ = big(cluster, 3);
            TreeDigest atThird = TreeDigest.of(cluster.source);
            UUID third = cluster.backup();
            cluster.awaitStatus(s -> s.unprotectedPieces() == 0);
            long before = Math.min(onDisk(local), onDisk(dr));

            // A hold keeps what it names, and all that was to expire with it.
            HoldView hold = holdfast.hold(second);
            assertThat(SmallCluster.refused(() -> holdfast.expire(first, second)).getMessage())
                    .contains("case 4711", "holdfast hold release " + hold.id());
            assertThat(listed(holdfast)).containsExactly(third, second, first);

            holdfast.expire(first);
            cluster.await(() -> listed(holdfast), pieces -> !pieces.contains(first));
            awaitGone(cluster, "l1", before - BIG * 9 / 10);
            awaitGone(cluster, "d1", before - BIG * 9 / 10);
            cluster.restoresTo(second, atSecond, "held");
            cluster.restoresTo(third, atThird, "third");
            assertThat(
                            holdfast.say(
                                            "restore",
                                            first.toString(),
                                            "--to",
                                            SmallCluster.CLIENT,
                                            "--target",
                                            cluster.folder.resolve("gone").toString())
                                    .exit())
                    .isNotZero();
            // Gone everywhere: nothing needs to remember it.
            cluster.await(holdfast::gcStatus, g -> g.expired() == 0);

            explained(cluster, second, third);

            // What agents remember of chunks that are gone does not mislead the next backup.
            var _ = big(cluster, 1);
            TreeDigest atFourth = TreeDigest.of(cluster.source);
            UUID fourth = cluster.backup();
            cluster.awaitStatus(s -> s.unprotectedPieces() == 0);
            cluster.restoresTo(fourth, atFourth, "fourth");

            // Retention: a second old is old enough, but for the newest and for what is held.
            long full = Math.min(onDisk(local), onDisk(dr));
            localLetsGoFirst(cluster, third, atThird, full);
            holdfast.setRetention(policy(holdfast), "PT1S", "same");
            cluster.await(() -> listed(holdfast), pieces -> !pieces.contains(third));
            awaitGone(cluster, "l1", full - BIG * 9 / 10);
            awaitGone(cluster, "d1", full - BIG * 9 / 10);
            assertThat(listed(holdfast)).containsExactly(fourth, second);
            cluster.restoresTo(second, atSecond, "held-still");
            cluster.restoresTo(fourth, atFourth, "newest");

            afterADisaster(cluster, hold, second, fourth, atFourth);
        }
    }

    /**
     * DR keeps a piece longer: it goes at local alone, is listed, and is read from DR. The rest of the test
     * lets it go there, too.
     */
    private static void localLetsGoFirst(
            SmallCluster cluster, UUID piece, TreeDigest expected, long full) throws Exception {
        Commands holdfast = cluster.holdfast;
        Path local = cluster.launch.store("l1");
        Path dr = cluster.launch.store("d1");
        holdfast.setRetention(policy(holdfast), "PT1S", "P1D");
        cluster.await(() -> kept(holdfast, piece), view -> view.keptAt().equals(List.of("dr")));
        awaitGone(cluster, "l1", full - BIG * 9 / 10);

        PieceView view = kept(holdfast, piece);
        assertThat(view.state()).isEqualTo("NORMAL");
        assertThat(view.location().physical()).startsWith(cluster.dr(4));
        cluster.restoresTo(piece, expected, "from-dr");
        assertThat(cluster.says(0, "ls", piece.toString(), "-r")).contains("big");
        assertThat(onDisk(local)).as("it did not come back").isLessThan(full - BIG * 9 / 10);
        assertThat(onDisk(dr)).isGreaterThan(full - BIG / 10);
        RetentionView.Piece ruled =
                holdfast.retention().pieces().stream()
                        .filter(p -> p.piece().equals(piece))
                        .findFirst()
                        .orElseThrow();
        assertThat(ruled.verdict()).isEqualTo("KEEP");
        assertThat(ruled.sites())
                .extracting(RetentionView.AtSite::verdict)
                .containsExactly("GONE", "KEEP");
        GcView status = holdfast.gcStatus();
        assertThat(status.keptAtOneSite()).isEqualTo(1);
        assertThat(status.expired()).isZero();
        for (GcPlanView.Store store : holdfast.gcPlan().stores()) {
            boolean atDr = store.site().equals("dr");
            assertThat(store.pieces())
                    .filteredOn(p -> p.piece().equals(piece))
                    .hasSize(atDr ? 1 : 0)
                    .allMatch(p -> p.stays() && p.reason().startsWith("kept for P1D"));
        }
        assertThat(holdfast.status().unprotectedPieces()).isZero();
        assertThat(holdfast.status().replication()).isEqualTo("SYNC");
    }

    private static PieceView kept(Commands holdfast, UUID piece) throws CommandFailed {
        return holdfast.pieces().stream()
                .filter(p -> p.piece().equals(piece))
                .findFirst()
                .orElseThrow(() -> new AssertionError(piece + " is not listed"));
    }

    /** Lengths of all files below a folder, a hole counting as what was there. */
    private static long fileBytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.map(Path::toFile).filter(File::isFile).mapToLong(File::length).sum();
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                return fileBytes(folder); // a temporary file took its name
            }
            throw e;
        }
    }

    private static Map<String, Long> onBothDisks(SmallCluster cluster) throws IOException {
        return Map.of(
                "local", fileBytes(cluster.launch.store("l1")),
                "dr", fileBytes(cluster.launch.store("d1")));
    }

    private record Explained(Map<String, Long> before, GcPlanView plan, Map<String, Long> after) {}

    /**
     * Every byte of every file in the folder of a store stands in one line. A store may grow while it
     * is looked at, so a plan is believed only when the folders have as many bytes after it as before;
     * then there is no tolerance.
     */
    private static void explained(SmallCluster cluster, UUID held, UUID kept) throws Exception {
        Explained quiet =
                cluster.await(
                        () ->
                                new Explained(
                                        onBothDisks(cluster),
                                        cluster.holdfast.gcPlan(),
                                        onBothDisks(cluster)),
                        e -> e.before().equals(e.after()));
        GcPlanView plan = quiet.plan();
        assertThat(plan.stores()).extracting(GcPlanView.Store::site).containsExactly("local", "dr");
        for (GcPlanView.Store store : plan.stores()) {
            assertThat(store.problem()).isEmpty();
            assertThat(store.bytes())
                    .as("%s", store.groups())
                    .isEqualTo(quiet.after().get(store.site()))
                    .isGreaterThan(2 * BIG);
            assertThat(store.groups().stream().mapToLong(GcPlanView.Group::bytes).sum())
                    .isEqualTo(store.bytes());
            assertThat(store.groups())
                    .anyMatch(
                            g -> g.outcome().equals("STAYS") && g.reason().contains("legal hold"));
            assertThat(store.groups())
                    .as("what expired")
                    .anyMatch(g ->
                            g.outcome().equals("DELETED")
                                    && g.reason().contains("a hole of its pack")
                                    && g.bytes() > BIG * 9 / 10);
            assertThat(store.pieces())
                    .extracting(GcPlanView.Piece::piece)
                    .containsExactlyInAnyOrder(held, kept);
            assertThat(store.pieces()).allMatch(GcPlanView.Piece::stays);
        }
    }

    /** The held piece is released and expires at DR, which was forced: it stays until local is home. */
    private static void afterADisaster(
            SmallCluster cluster, HoldView hold, UUID held, UUID newest, TreeDigest atNewest)
            throws Exception {
        Commands holdfast = cluster.holdfast;
        cluster.processes.kill(List.of("l1", "agent-crit-local"));
        cluster.await(holdfast::preflight, p -> p.verdict() == PreflightView.Verdict.ALLOWED);
        holdfast.failover();
        holdfast.release(hold.id());
        cluster.await(
                holdfast::gcStatus, g -> g.stores().stream().anyMatch(GcView.Store::reachable));
        holdfast.expire(held);
        long before = onDisk(cluster.launch.store("d1"));
        for (int round = 0; round < 3; round++) {
            Thread.sleep(1000 * GRACE_SECONDS);
            GcView view = holdfast.gc();
            assertThat(view.waits()).anyMatch(w -> w.contains("has not acknowledged"));
            GcView.Store dr =
                    view.stores().stream()
                            .filter(s -> s.site().equals("dr"))
                            .findFirst()
                            .orElseThrow();
            assertThat(dr.freezes()).anyMatch(f -> f.contains("forced"));
            assertThat(view.runs())
                    .noneMatch(r -> r.epoch().endsWith(".dr") && r.outcome().equals("DONE"));
        }
        assertThat(onDisk(cluster.launch.store("d1"))).isGreaterThanOrEqualTo(before);

        cluster.launch.server("l1");
        cluster.launch.agent("crit-local");
        cluster.await(holdfast::reconcile, r -> r.state().equals("DONE"));
        awaitGone(cluster, "d1", before - BIG * 9 / 10);
        awaitGone(cluster, "l1", before - BIG * 9 / 10);
        cluster.restoresTo(newest, atNewest, "after-return");
    }

    @Test
    void anAbandonedSiteKeepsNothing() throws Exception {
        try (SmallCluster cluster = new SmallCluster(26, CollectionIT::impatient)) {
            Commands holdfast = cluster.holdfast;
            var _ = big(cluster, 1);
            UUID first = cluster.backup();
            var _ = big(cluster, 2);
            TreeDigest atSecond = TreeDigest.of(cluster.source);
            UUID second = cluster.backup();
            cluster.awaitStatus(s -> s.unprotectedPieces() == 0);
            assertThat(SmallCluster.refused(() -> holdfast.abandon("dr")).getMessage())
                    .contains("answers");
            cluster.processes.kill(List.of("l1", "agent-crit-local"));
            cluster.await(holdfast::preflight, p -> p.verdict() == PreflightView.Verdict.ALLOWED);
            holdfast.failover();
            holdfast.expire(first);
            long before = onDisk(cluster.launch.store("d1"));
            assertThat(holdfast.abandon("local").abandoned()).isEqualTo("local");
            awaitGone(cluster, "d1", before - BIG * 9 / 10);
            cluster.restoresTo(second, atSecond, "abandoned");
            assertThat(holdfast.status().warnings()).anyMatch(w -> w.contains("abandoned"));

            // It was not lost after all, and brings the expired piece along: it goes there as well.
            cluster.launch.server("l1");
            cluster.launch.agent("crit-local");
            cluster.await(holdfast::gcStatus, g -> g.abandoned() == null);
            awaitGone(cluster, "l1", before - BIG * 9 / 10);
            awaitGone(cluster, "d1", before - BIG * 9 / 10);
            cluster.restoresTo(second, atSecond, "returned");
        }
    }
}
