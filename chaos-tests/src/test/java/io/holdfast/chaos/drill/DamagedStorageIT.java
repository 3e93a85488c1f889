package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.fault.BitFlip;
import io.holdfast.chaos.fault.DiskFull;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.chaos.fault.Required;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.StatusView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The storage of a cluster of real processes runs full, and loses a bit. One cluster for all tests,
 * on addresses of its own, beside any drill; each test leaves it well.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DamagedStorageIT {
    private static final String CLIENT = SmallCluster.CLIENT;
    private static final long STORE_BYTES = 500L << 20;

    private SmallCluster cluster;
    private @Nullable DiskFull storeDisk;
    private String noDisk = "";
    private UUID goodPiece;
    private TreeDigest goodDigest;

    @BeforeAll
    void startACluster() throws Exception {
        cluster = new SmallCluster(20, this::limitTheStore);
        goodDigest = TreeDigest.of(cluster.source);
        JobView full = cluster.holdfast.backup(CLIENT, true);
        assertThat(full.state()).isEqualTo(JobView.State.COMPLETE);
        goodPiece = full.piece();
    }

    private void limitTheStore(Launch launch) throws IOException {
        try {
            storeDisk = DiskFull.mount(Files.createDirectories(launch.store("l1")), STORE_BYTES);
        } catch (FaultUnavailable e) {
            noDisk = String.valueOf(e.getMessage());
        }
    }

    @AfterAll
    void endIt() throws Exception {
        if (cluster != null) {
            cluster.processes.close();
        }
        if (storeDisk != null) {
            storeDisk.close();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    /** The cluster works: what was there can be restored, and a backup succeeds. */
    private void allIsWell(String name) throws Exception {
        cluster.awaitStatus(s -> s.role().equals("ACTIVE") && s.replication().equals("SYNC"));
        var _ = cluster.backup();
        cluster.restoresTo(goodPiece, goodDigest, name);
    }

    @Test
    @Order(1)
    void aFullDiskAtTheStorage() throws Exception {
        DiskFull disk =
                Required.orSkip(() -> {
                    DiskFull mounted = storeDisk;
                    if (mounted == null) {
                        throw new FaultUnavailable(noDisk);
                    }
                    return mounted;
                });
        disk.fill(60 << 20);
        TreeChanges.writeRandom(cluster.source.resolve("too-big.bin"), 120L << 20, 8);
        JobView job = cluster.ended(cluster.holdfast.startBackup(CLIENT).id());
        assertThat(job.state()).isEqualTo(JobView.State.FAILED);
        assertThat(job.message()).containsIgnoringCase("space");
        disk.free();
        allIsWell("after-full");
    }

    @Test
    @Order(2)
    void aFlippedBitInAPackIsRefusedAndNamed() throws Exception {
        Path pack = packs().getFirst();
        long offset = Files.size(pack) / 3;
        BitFlip.flip(pack, offset, 4);
        Path target = cluster.folder.resolve("from-a-damaged-pack");
        boolean named = false;
        // The first pack is old; one of the pieces has a chunk there.
        for (var piece : cluster.holdfast.pieces()) {
            JobView job =
                    cluster.ended(
                            cluster.holdfast
                                    .startRestore(
                                            piece.piece(),
                                            CLIENT,
                                            target.resolve(piece.piece().toString()))
                                    .id());
            String said = job.message() + job.log();
            if (job.state() == JobView.State.FAILED || job.warnings() > 0) {
                named |= said.contains(pack.getFileName().toString()) || said.contains("chunk");
            }
        }
        assertThat(named).as("a restore names the damage").isTrue();
        BitFlip.flip(pack, offset, 4);
        cluster.processes.kill(List.of("l1"));
        cluster.launch.server("l1");
        allIsWell("after-flip");
    }

    @Test
    @Order(3)
    void aFlippedBitIsNotReplicatedAndIsNamed() throws Exception {
        cluster.processes.pause(List.of("d1"));
        UUID damaged;
        Path pack;
        long offset;
        try {
            TreeChanges.writeRandom(cluster.source.resolve("not-at-dr-yet.bin"), 6L << 20, 9);
            JobView job = cluster.holdfast.backup(CLIENT, false);
            assertThat(job.protection()).isEqualTo(Protection.UNPROTECTED);
            damaged = job.piece();
            pack = packs().getLast();
            // In the last chunks of the file, well before the manifest at the very end.
            offset = Files.size(pack) - (2L << 20);
            BitFlip.flip(pack, offset, 2);
        } finally {
            cluster.processes.resume(List.of("d1"));
        }
        StatusView status =
                cluster.awaitStatus(
                        s -> s.warnings().stream().anyMatch(w -> w.startsWith("Damaged frame")));
        assertThat(status.warnings().toString()).contains(pack.getFileName().toString());
        assertThat(protection(damaged)).isEqualTo(Protection.UNPROTECTED);
        BitFlip.flip(pack, offset, 2);
        cluster.processes.kill(List.of("l1"));
        cluster.launch.server("l1");
        cluster.await(() -> protection(damaged), p -> p == Protection.DR_PROTECTED);
    }

    /** A node that does not know the piece cannot call it protected. */
    private Protection protection(UUID piece) throws CommandFailed {
        return cluster.holdfast.pieces().stream()
                .filter(p -> p.piece().equals(piece))
                .findFirst()
                .map(PieceView::protection)
                .orElse(Protection.UNPROTECTED);
    }

    private List<Path> packs() throws IOException {
        try (Stream<Path> all = Files.walk(cluster.launch.store("l1"))) {
            return all.filter(p -> p.toString().endsWith(".pack")).sorted().toList();
        }
    }
}
