package io.holdfast.chaos.cluster;

import io.holdfast.chaos.cluster.FastStart.Program;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Makes the caches of {@link FastStart}: a small cluster on addresses of its own backs up, ships and
 * restores, and its server and its agent write down what they have loaded and run. Once per build, about a
 * minute. Nobody depends on it: where it fails, starts stay slow.
 */
public final class Training {
    private static final String OFF = "HOLDFAST_NO_AOT";
    private static final long STEP_SECONDS = 120;
    private static final int FILES = 160;

    private final FastStart made;
    private final Path work;
    private final Programs programs;
    private final Commands holdfast;

    private Training(FastStart made, Path work) {
        this.made = made;
        this.work = work;
        Path cluster = work.resolve("cluster");
        this.programs = new Programs(cluster);
        this.holdfast = new Commands(new InProcess(), _ -> {}, cluster);
    }

    /**
     * Makes what is missing or does not fit. Others who want the same wait.
     *
     * @param told a line for people, before it begins and when it fails
     */
    public static synchronized void prepare(Consumer<String> told) throws InterruptedException {
        FastStart made = FastStart.here().orElse(null);
        if (made == null || "1".equals(System.getenv(OFF))) {
            return;
        }
        try {
            Files.createDirectories(made.folder());
            try (FileChannel file =
                            FileChannel.open(
                                    made.folder().resolve("lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock _ = file.lock()) {
                if (!made.isFresh(Program.SERVER) || !made.isFresh(Program.AGENT)) {
                    told.accept(
                            "Training the start of servers and agents, once per build: about a"
                                    + " minute ("
                                    + OFF
                                    + "=1 leaves it out)");
                    train(made);
                }
            }
        } catch (IOException | Commands.CommandFailed | RuntimeException e) {
            told.accept("No training, starts stay slow: " + e.getMessage());
        }
    }

    private static void train(FastStart made)
            throws IOException, Commands.CommandFailed, InterruptedException {
        Path work = Files.createTempDirectory("holdfast-training-");
        try (ClusterProcesses processes = new ClusterProcesses(work.resolve("logs"), () -> {})) {
            new Training(made, work).run(processes);
        } finally {
            new ProcessBuilder(List.of("rm", "-rf", "--one-file-system", work.toString()))
                    .start()
                    .waitFor();
        }
    }

    private void run(ClusterProcesses processes)
            throws IOException, Commands.CommandFailed, InterruptedException {
        Path source = Files.createDirectories(work.resolve("source"));
        for (int i = 0; i < FILES; i++) {
            TreeChanges.writeRandom(source.resolve("file-" + i), 2000L * i, i);
        }
        Path passphrase = Files.writeString(work.resolve("passphrase"), UUID.randomUUID() + "\n");
        holdfast.init(
                "p2-small",
                passphrase,
                "--local",
                "127.77.1.44",
                "--device",
                "127.77.1.45",
                "--dr",
                "127.77.2.4");
        processes.start("l1", learning(programs.server("l1"), Program.SERVER), work);
        processes.start("d1", programs.server("d1"), work);
        await(
                holdfast::status,
                status -> status.role().equals("ACTIVE") && status.leader() != null);
        holdfast.addClient("crit", source, passphrase, "--address", "127.77.1.22:3456");
        processes.start("agent", learning(programs.agent("crit-local"), Program.AGENT), work);
        await(holdfast::status, status -> status.replication().equals("SYNC"));
        backUp();
        for (int i = 0; i < FILES; i += 5) {
            TreeChanges.writeRandom(source.resolve("file-" + i), 3000L * i, FILES + i);
        }
        UUID piece = backUp();
        UUID restore = holdfast.startRestore(piece, "crit", work.resolve("restored")).id();
        await(() -> holdfast.job(restore), job -> job.state() != JobView.State.OPEN);
        keep(processes, "agent", Program.AGENT);
        keep(processes, "l1", Program.SERVER);
    }

    private UUID backUp() throws Commands.CommandFailed, IOException, InterruptedException {
        UUID started = holdfast.startBackup("crit").id();
        JobView ended =
                await(() -> holdfast.job(started), job -> job.state() != JobView.State.OPEN);
        if (ended.piece() == null) {
            throw new IOException("the backup ended " + ended.state() + ": " + ended.message());
        }
        return ended.piece();
    }

    /** The command of a program that writes its cache when it ends. */
    private List<String> learning(List<String> command, Program program) {
        List<String> learning = new ArrayList<>(command);
        learning.removeIf(option -> option.startsWith("-XX:AOTCache="));
        // After the program's own options. Objects are kept in a cache only by G1, and taken out by
        // any.
        learning.addAll(
                2,
                List.of(
                        "-XX:AOTCacheOutput=" + output(program),
                        "-XX:-UseSerialGC",
                        "-XX:+UseG1GC"));
        return learning;
    }

    /** Ends a program as its supervisor would, and keeps what it has learned. */
    private void keep(ClusterProcesses processes, String name, Program program)
            throws IOException, InterruptedException {
        Process process = processes.get(name).process();
        process.destroy();
        if (!process.waitFor(STEP_SECONDS, TimeUnit.SECONDS) || !Files.exists(output(program))) {
            throw new IOException(
                    name + " left no cache: " + String.join(" | ", processes.tail(name, 3)));
        }
        Path into = made.cache(program);
        Path beside = into.resolveSibling(into.getFileName() + ".new");
        Files.copy(output(program), beside, StandardCopyOption.REPLACE_EXISTING);
        Files.move(beside, into, StandardCopyOption.ATOMIC_MOVE);
    }

    private Path output(Program program) {
        return work.resolve(program + ".aot");
    }

    private static <T> T await(Callable<T> asked, Predicate<T> wish)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STEP_SECONDS);
        String last = "nothing was answered";
        while (System.nanoTime() < end) {
            try {
                T now = asked.call();
                if (wish.test(now)) {
                    return now;
                }
                last = String.valueOf(now);
            } catch (Commands.CommandFailed notYet) {
                last = notYet.getMessage();
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
            Thread.sleep(100);
        }
        throw new IOException("waited " + STEP_SECONDS + " s; last seen: " + last);
    }
}
