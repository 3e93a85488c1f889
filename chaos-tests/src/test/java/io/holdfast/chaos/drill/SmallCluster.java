package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.cluster.Training;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.StatusView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A cluster of real processes for a test: one server at each site, and a critical client with an agent
 * at each. On loopback addresses of its own.
 */
final class SmallCluster implements AutoCloseable {
    static final String CLIENT = "crit";

    private final int network;
    final Path folder;
    final Path source;
    final ClusterProcesses processes;
    final Launch launch;
    final Commands holdfast;

    /**
     * Starts it and waits for SYNC.
     *
     * @param network second number of its addresses: 127.NETWORK.SITE.x
     */
    SmallCluster(int network) throws Exception {
        this(network, made -> {});
    }

    /** The same; {@code before} acts between the making of the cluster and its start. */
    SmallCluster(int network, Before before) throws Exception {
        this.network = network;
        folder = Files.createTempDirectory("holdfast-small-");
        Path cluster = folder.resolve("cluster");
        source = Files.createDirectories(folder.resolve("source"));
        for (int i = 0; i < 200; i++) {
            Path file = source.resolve("d" + i % 7).resolve("file " + i);
            Files.createDirectories(file.getParent());
            TreeChanges.writeRandom(file, 1000 + i * 317L, i);
        }
        Training.prepare(System.out::println);
        processes = new ClusterProcesses(folder.resolve("logs"), () -> {});
        launch = new Launch(processes, cluster);
        holdfast = new Commands(new InProcess(), _ -> {}, cluster);
        try {
            start(before);
        } catch (Exception | AssertionError e) {
            try {
                close();
            } catch (IOException | AssertionError later) {
                e.addSuppressed(later);
            }
            throw e;
        }
    }

    String local(int host) {
        return "127." + network + ".1." + host;
    }

    String dr(int host) {
        return "127." + network + ".2." + host;
    }

    /** What a test prepares on a cluster that was made and not started. */
    interface Before {
        /** Does it. */
        void act(Launch launch) throws Exception;
    }

    private void start(Before before) throws Exception {
        Path passphrase = folder.resolve("passphrase");
        Files.writeString(passphrase, "correct horse battery staple\n");
        holdfast.init(
                "p2-small", passphrase, "--local", local(44), "--device", local(45), "--dr", dr(4));
        before.act(launch);
        launch.server("l1");
        launch.server("d1");
        awaitStatus(s -> s.role().equals("ACTIVE") && s.leader() != null);
        holdfast.addClient(
                CLIENT,
                source,
                passphrase,
                "--address",
                local(22) + ":3456",
                "--dr-address",
                dr(22) + ":3456",
                "--critical");
        launch.agent("crit-local");
        launch.agent("crit-dr");
        awaitStatus(s -> s.replication().equals("SYNC"));
    }

    StatusView awaitStatus(Predicate<StatusView> wish) throws Exception {
        return await(holdfast::status, wish);
    }

    /** Asks until the answer is as wished; two minutes at most. */
    <T> T await(Callable<T> asked, Predicate<T> wish) throws Exception {
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
                        + String.join("\n", processes.tail("l1", 30))
                        + "\n"
                        + String.join("\n", processes.tail("d1", 30)));
    }

    /** A backup that must succeed. @return its piece */
    UUID backup() throws Exception {
        JobView job = holdfast.backup(CLIENT, false);
        assertThat(job.state()).as(job.message()).isEqualTo(JobView.State.COMPLETE);
        return java.util.Objects.requireNonNull(job.piece());
    }

    JobView ended(UUID job) throws Exception {
        return await(() -> holdfast.job(job), j -> j.state() != JobView.State.OPEN);
    }

    /** Restores a piece and compares it with what was backed up. */
    void restoresTo(UUID piece, TreeDigest expected, String name) throws Exception {
        Path target = folder.resolve("restored-" + name);
        JobView restore = ended(holdfast.startRestore(piece, CLIENT, target).id());
        assertThat(restore.state()).as(restore.message()).isEqualTo(JobView.State.COMPLETE);
        assertThat(new TreeComparer(0, 0).compare(expected, TreeDigest.of(target)).differences())
                .isEmpty();
    }

    /** Any command. @return what it printed as its result */
    String says(int exit, String... args) {
        Commands.Said said = holdfast.say(args);
        assertThat(said.exit()).as(String.join(" ", args) + ": " + said.err()).isEqualTo(exit);
        return said.out();
    }

    /** A command that must be refused. @return what it said */
    static CommandFailed refused(Callable<?> command) throws Exception {
        try {
            Object answer = command.call();
            throw new AssertionError("was not refused: " + answer);
        } catch (CommandFailed e) {
            assertThat(e.exit()).as(e.getMessage()).isEqualTo(3);
            return e;
        }
    }

    /** The cluster's end, and what the end of its folder needs. */
    @Override
    public void close() throws IOException {
        processes.close();
        try {
            deleteTree(folder);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while " + folder + " was deleted", e);
        }
    }

    static void deleteTree(Path tree) throws IOException, InterruptedException {
        int exit =
                new ProcessBuilder(List.of("rm", "-rf", "--one-file-system", tree.toString()))
                        .start()
                        .waitFor();
        assertThat(exit).isZero();
    }
}
