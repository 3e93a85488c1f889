package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.compare.TreeComparer;
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
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
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
    private static final String CLIENT = "crit";
    private static final long STORE_BYTES = 500L << 20;

    private Path folder;
    private Path source;
    private Path passphrase;
    private ClusterProcesses processes;
    private Launch launch;
    private Commands holdfast;
    private @Nullable DiskFull storeDisk;
    private String noDisk = "";
    private UUID goodPiece;
    private TreeDigest goodDigest;

    @BeforeAll
    void startACluster() throws Exception {
        folder = Files.createTempDirectory("holdfast-damaged-");
        Path cluster = folder.resolve("cluster");
        source = Files.createDirectories(folder.resolve("source"));
        for (int i = 0; i < 300; i++) {
            Path file = source.resolve("d" + i % 9).resolve("file " + i);
            Files.createDirectories(file.getParent());
            TreeChanges.writeRandom(file, 1000 + i * 317L, i);
        }
        passphrase = folder.resolve("passphrase");
        Files.writeString(passphrase, "correct horse battery staple\n");
        processes = new ClusterProcesses(folder.resolve("logs"), () -> {});
        launch = new Launch(processes, cluster);
        holdfast = new Commands(new InProcess(), _ -> {}, cluster);
        holdfast.init(
                "p2-small",
                passphrase,
                "--local",
                "127.20.1.44",
                "--device",
                "127.20.1.45",
                "--dr",
                "127.20.2.4");
        try {
            storeDisk = DiskFull.mount(Files.createDirectories(launch.store("l1")), STORE_BYTES);
        } catch (FaultUnavailable e) {
            noDisk = String.valueOf(e.getMessage());
        }
        launch.server("l1");
        launch.server("d1");
        awaitStatus(s -> s.role().equals("ACTIVE") && s.leader() != null);
        holdfast.addClient(
                CLIENT,
                source,
                passphrase,
                "--address",
                "127.20.1.22:3456",
                "--dr-address",
                "127.20.2.22:3456",
                "--critical");
        launch.agent("crit-local");
        awaitStatus(s -> s.replication().equals("SYNC"));
        goodDigest = TreeDigest.of(source);
        JobView full = holdfast.backup(CLIENT, true);
        assertThat(full.state()).isEqualTo(JobView.State.COMPLETE);
        goodPiece = full.piece();
    }

    @AfterAll
    void endIt() throws Exception {
        if (processes != null) {
            processes.close();
        }
        if (storeDisk != null) {
            storeDisk.close();
        }
        new ProcessBuilder("rm", "-rf", "--one-file-system", folder.toString()).start().waitFor();
    }

    private StatusView awaitStatus(Predicate<StatusView> wish) throws Exception {
        return await(holdfast::status, wish);
    }

    private <T> T await(Callable<T> asked, Predicate<T> wish) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        String last = "";
        while (System.nanoTime() < end) {
            try {
                T now = asked.call();
                if (wish.test(now)) {
                    return now;
                }
                last = String.valueOf(now);
            } catch (CommandFailed notYet) {
                last = notYet.getMessage();
            }
            Thread.sleep(100);
        }
        throw new AssertionError(
                "waited 120 s; last seen: "
                        + last
                        + "\n"
                        + String.join("\n", processes.tail("l1", 40)));
    }

    private JobView ended(UUID job) throws Exception {
        return await(() -> holdfast.job(job), j -> j.state() != JobView.State.OPEN);
    }

    /** The cluster works: what was there can be restored, and a backup succeeds. */
    private void allIsWell(String name) throws Exception {
        awaitStatus(s -> s.role().equals("ACTIVE") && s.replication().equals("SYNC"));
        JobView backup = holdfast.backup(CLIENT, false);
        assertThat(backup.state()).as(backup.message()).isEqualTo(JobView.State.COMPLETE);
        Path target = folder.resolve("restored-" + name);
        JobView restore = ended(holdfast.startRestore(goodPiece, CLIENT, target).id());
        assertThat(restore.state()).as(restore.message()).isEqualTo(JobView.State.COMPLETE);
        assertThat(new TreeComparer(0, 0).compare(goodDigest, TreeDigest.of(target)).differences())
                .isEmpty();
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
        TreeChanges.writeRandom(source.resolve("too-big.bin"), 120L << 20, 8);
        JobView job = ended(holdfast.startBackup(CLIENT).id());
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
        Path target = folder.resolve("from-a-damaged-pack");
        boolean named = false;
        // The first pack is old; one of the pieces has a chunk there.
        for (var piece : holdfast.pieces()) {
            JobView job =
                    ended(
                            holdfast.startRestore(
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
        processes.kill(List.of("l1"));
        launch.server("l1");
        allIsWell("after-flip");
    }

    @Test
    @Order(3)
    void aFlippedBitIsNotReplicatedAndIsNamed() throws Exception {
        processes.pause(List.of("d1"));
        UUID damaged;
        Path pack;
        long offset;
        try {
            TreeChanges.writeRandom(source.resolve("not-at-dr-yet.bin"), 6L << 20, 9);
            JobView job = holdfast.backup(CLIENT, false);
            assertThat(job.protection()).isEqualTo(Protection.UNPROTECTED);
            damaged = job.piece();
            pack = packs().getLast();
            // In the last chunks of the file, well before the manifest at the very end.
            offset = Files.size(pack) - (2L << 20);
            BitFlip.flip(pack, offset, 2);
        } finally {
            processes.resume(List.of("d1"));
        }
        StatusView status =
                awaitStatus(
                        s -> s.warnings().stream().anyMatch(w -> w.startsWith("Damaged frame")));
        assertThat(status.warnings().toString()).contains(pack.getFileName().toString());
        assertThat(protection(damaged)).isEqualTo(Protection.UNPROTECTED);
        BitFlip.flip(pack, offset, 2);
        processes.kill(List.of("l1"));
        launch.server("l1");
        await(() -> protection(damaged), p -> p == Protection.DR_PROTECTED);
    }

    /** A node that does not know the piece cannot call it protected. */
    private Protection protection(UUID piece) throws CommandFailed {
        return holdfast.pieces().stream()
                .filter(p -> p.piece().equals(piece))
                .findFirst()
                .map(PieceView::protection)
                .orElse(Protection.UNPROTECTED);
    }

    private List<Path> packs() throws IOException {
        try (Stream<Path> all = Files.walk(launch.store("l1"))) {
            return all.filter(p -> p.toString().endsWith(".pack")).sorted().toList();
        }
    }
}
