package io.holdfast.chaos.cluster;

import io.holdfast.chaos.cluster.FastStart.Program;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import java.io.IOException;
import java.io.UncheckedIOException;
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

    private static final String SERVER = "training-l1";
    private static final String DR = "training-d1";
    private static final String AGENT = "training-agent";

    private final FastStart made;
    private final Path work;
    private final ClusterProcesses processes;
    private final Programs programs;
    private final Commands holdfast;

    private Training(FastStart made, Path work, ClusterProcesses processes) {
        this.made = made;
        this.work = work;
        this.processes = processes;
        Path cluster = work.resolve("cluster");
        this.programs = new Programs(cluster);
        this.holdfast = new Commands(new InProcess(), _ -> {}, cluster);
    }

    private interface Course {
        void on(FastStart made) throws IOException, Commands.CommandFailed, InterruptedException;
    }

    /**
     * Makes what is missing or does not fit, in a temporary folder that is gone afterwards, also after
     * Ctrl-C. Others who want the same wait.
     *
     * @param told a line for people, before it begins and when it fails
     */
    public static void prepare(Consumer<String> told) throws InterruptedException {
        prepare(told, Training::trainApart);
    }

    /**
     * The same among the caller's files and processes, for a caller who answers for both. They are
     * gone afterwards, but for the logs.
     *
     * @param work where the small cluster lies; a folder that is not there yet
     * @param processes what ends the small cluster with this JVM, and keeps its logs
     * @return whether it was needed: then there are new files in the checkout
     */
    public static boolean prepare(Path work, ClusterProcesses processes, Consumer<String> told)
            throws InterruptedException {
        return prepare(
                line -> {
                    if (!processes.isEnding()) { // else nobody wants to hear how that looks here
                        told.accept(line);
                    }
                },
                made -> train(made, work, processes));
    }

    private static synchronized boolean prepare(Consumer<String> told, Course course)
            throws InterruptedException {
        FastStart made = FastStart.here().orElse(null);
        if (made == null || "1".equals(System.getenv(OFF))) {
            return false;
        }
        try {
            Files.createDirectories(made.folder());
            try (FileChannel file =
                            FileChannel.open(
                                    made.folder().resolve("lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock _ = file.lock()) {
                if (made.isFresh(Program.SERVER) && made.isFresh(Program.AGENT)) {
                    return false;
                }
                told.accept(
                        "Training the start of servers and agents, once per build: about a"
                                + " minute ("
                                + OFF
                                + "=1 leaves it out)");
                course.on(made);
                return true;
            }
        } catch (IOException | Commands.CommandFailed | RuntimeException e) {
            told.accept("No training, starts stay slow: " + e.getMessage());
            return true;
        }
    }

    private static void trainApart(FastStart made)
            throws IOException, Commands.CommandFailed, InterruptedException {
        Path work = Files.createTempDirectory(Temporary.base(), "holdfast-training-");
        try (ClusterProcesses processes =
                new ClusterProcesses(work.resolve("logs"), () -> delete(work))) {
            train(made, work, processes);
        } finally {
            delete(work);
        }
    }

    private static void train(FastStart made, Path work, ClusterProcesses processes)
            throws IOException, Commands.CommandFailed, InterruptedException {
        try {
            new Training(made, work, processes).run();
        } finally {
            processes.discard(List.of(SERVER, DR, AGENT));
            delete(work);
        }
    }

    private static void delete(Path folder) {
        try {
            new ProcessBuilder(List.of("rm", "-rf", "--one-file-system", folder.toString()))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() throws IOException, Commands.CommandFailed, InterruptedException {
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
        processes.start(SERVER, learning(programs.server("l1"), Program.SERVER), work);
        processes.start(DR, programs.server("d1"), work);
        await(
                holdfast::status,
                status -> status.role().equals("ACTIVE") && status.leader() != null);
        holdfast.addClient("crit", source, passphrase, "--address", "127.77.1.22:3456");
        processes.start(AGENT, learning(programs.agent("crit-local"), Program.AGENT), work);
        await(holdfast::status, status -> status.replication().equals("SYNC"));
        backUp();
        for (int i = 0; i < FILES; i += 5) {
            TreeChanges.writeRandom(source.resolve("file-" + i), 3000L * i, FILES + i);
        }
        UUID piece = backUp();
        UUID restore = holdfast.startRestore(piece, "crit", work.resolve("restored")).id();
        await(() -> holdfast.job(restore), job -> job.state() != JobView.State.OPEN);
        keep(AGENT, Program.AGENT);
        keep(SERVER, Program.SERVER);
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
    private void keep(String name, Program program) throws IOException, InterruptedException {
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
