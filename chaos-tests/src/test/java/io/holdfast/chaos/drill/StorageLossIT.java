package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StorageView;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * The local chunk store is gone, and the local server lives (F9). Backups and restores go on over DR's
 * store in the same epoch; a new, empty disk is filled from there; then home takes over again.
 */
class StorageLossIT {
    @Test
    void aStoreIsLostAndHealed() throws Exception {
        try (SmallCluster cluster = new SmallCluster(24)) {
            Commands holdfast = cluster.holdfast;
            TreeDigest first = TreeDigest.of(cluster.source);
            UUID piece = cluster.backup();
            cluster.awaitStatus(s -> s.unprotectedPieces() == 0);
            String epoch = holdfast.status().epoch();

            // One piece is only in the store that is lost now.
            cluster.processes.pause(List.of("d1"));
            TreeChanges.writeRandom(cluster.source.resolve("only-local"), 400_000, 5);
            JobView lost = holdfast.backup(SmallCluster.CLIENT, false);
            cluster.processes.kill(List.of("l1"));
            SmallCluster.deleteTree(cluster.launch.store("l1"));
            cluster.processes.resume(List.of("d1"));
            cluster.launch.server("l1");
            cluster.awaitStatus(s -> s.role().equals("ACTIVE") && s.leader() != null);
            assertThat(holdfast.status().epoch()).isEqualTo(epoch);
            StorageView before = holdfast.storages().getFirst();
            assertThat(before.servedAt()).isEqualTo("local");
            assertThat(before.piecesMissing()).isPositive();

            // Its own store answers, empty: only an operator knows that it is lost.
            assertThat(
                            SmallCluster.refused(() -> holdfast.storageFailover(before.device()))
                                    .getMessage())
                    .contains("--force");
            StorageView away = holdfast.storageFailover(before.device(), "--force");
            assertThat(away.servedAt()).isEqualTo("dr");
            assertThat(away.lost()).containsExactly(lost.id());
            StatusView status = holdfast.status();
            assertThat(status.activeSite()).isEqualTo("local");
            assertThat(status.epoch()).isEqualTo(epoch);
            assertThat(status.warnings()).anyMatch(w -> w.contains("holdfast storage failback"));

            TreeChanges.writeRandom(cluster.source.resolve("over-dr"), 5_000_000, 6);
            TreeDigest second = TreeDigest.of(cluster.source);
            JobView over = holdfast.backup(SmallCluster.CLIENT, false);
            assertThat(over.state()).as(over.message()).isEqualTo(JobView.State.COMPLETE);
            assertThat(over.identifiers().getFirst().output().physical())
                    .startsWith(cluster.dr(4) + ":");
            assertThat(over.identifiers().getFirst().output().logical())
                    .startsWith(cluster.local(44) + ":");
            UUID overPiece = java.util.Objects.requireNonNull(over.piece());
            cluster.restoresTo(overPiece, second, "over-dr");
            cluster.restoresTo(piece, first, "old-over-dr");
            cluster.await(
                    holdfast::pieces,
                    pieces ->
                            pieces.stream()
                                    .anyMatch(p ->
                                            p.piece().equals(overPiece)
                                                    && p.protection() == Protection.DR_PROTECTED));

            // What home lacks flows there by itself; then, and not before, it takes over.
            cluster.await(holdfast::storages, s -> s.getFirst().piecesMissing() == 0);
            assertThat(holdfast.storageFailback(before.device()).servedAt()).isEqualTo("local");
            cluster.await(
                    () ->
                            StoreDifference.between(
                                    cluster.launch.store("l1"), cluster.launch.store("d1")),
                    d -> d.missingAtFirst() == 0);
            cluster.processes.pause(List.of("d1"));
            try {
                cluster.restoresTo(overPiece, second, "home-again");
                cluster.restoresTo(piece, first, "old-home-again");
            } finally {
                cluster.processes.resume(List.of("d1"));
            }
            JobView home = holdfast.backup(SmallCluster.CLIENT, false);
            assertThat(home.state()).as(home.message()).isEqualTo(JobView.State.COMPLETE);
            assertThat(home.identifiers().getFirst().output().physical())
                    .startsWith(cluster.local(44) + ":");
            // The lost piece stays named, and holds nothing up.
            assertThat(holdfast.storages().getFirst().lost()).containsExactly(lost.id());
            cluster.awaitStatus(s -> s.unprotectedPieces() == 0 && s.replication().equals("SYNC"));
        }
    }
}
