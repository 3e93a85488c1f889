package io.holdfast.chaos.cluster;

import io.holdfast.chaos.fault.Signals;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The processes of a cluster: real JVMs of this machine, by name. Each writes to a log file of its
 * own. They end when this is closed, or with this JVM (Ctrl-C), unless they were {@linkplain
 * #release released}. Thread-safe.
 */
public final class ClusterProcesses implements AutoCloseable {
    private static final long END_SECONDS = 10;

    private final Path logs;
    private final Map<String, Running> running = new LinkedHashMap<>();
    private final Thread hook;
    private boolean released;
    private volatile boolean ending;

    /** One process. */
    public record Running(String name, Process process, Path log) {}

    /**
     * No process yet.
     *
     * @param logs folder for the log files
     * @param atInterrupt told when the JVM ends while processes run, after they were killed
     */
    public ClusterProcesses(Path logs, Runnable atInterrupt) throws IOException {
        this.logs = Files.createDirectories(logs);
        this.hook =
                new Thread(
                        () -> {
                            end();
                            atInterrupt.run();
                        },
                        "end-the-cluster");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** What the hook does. The flag goes first: a start that waits for the monitor must see it. */
    void end() {
        ending = true;
        killAll();
    }

    /**
     * Starts a process. Its output goes to {@code NAME.log}, then {@code NAME-2.log}, ...
     *
     * @throws IOException also when this JVM is ending: nobody would be left to end the process
     */
    public synchronized Running start(String name, List<String> command, Path folder)
            throws IOException {
        if (ending) {
            throw new IOException("Refused to start " + name + ": everything is being ended");
        }
        Running old = running.get(name);
        if (old != null && old.process().isAlive()) {
            throw new IllegalStateException(name + " runs already, pid " + old.process().pid());
        }
        Path log = logs.resolve(name + ".log");
        for (int i = 2; Files.exists(log); i++) {
            log = logs.resolve(name + "-" + i + ".log");
        }
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.directory(folder.toFile());
        builder.redirectErrorStream(true);
        builder.redirectOutput(log.toFile());
        builder.redirectInput(new File("/dev/null"));
        // A locale that knows every file name, whatever the user's is.
        builder.environment().putIfAbsent("LC_ALL", "C.UTF-8");
        Running started = new Running(name, builder.start(), log);
        running.put(name, started);
        return started;
    }

    /** The process of this name. */
    public synchronized Running get(String name) {
        Running process = running.get(name);
        if (process == null) {
            throw new IllegalArgumentException("no process " + name);
        }
        return process;
    }

    /** Names of all processes that run, in the order of their start. */
    public synchronized List<String> alive() {
        return running.values().stream()
                .filter(r -> r.process().isAlive())
                .map(Running::name)
                .toList();
    }

    /** Names of all processes ever started. */
    public synchronized List<String> names() {
        return List.copyOf(running.keySet());
    }

    /** Whether this process runs. */
    public boolean isAlive(String name) {
        return get(name).process().isAlive();
    }

    /** How a process ended, for people; empty while it runs. */
    public String ending(String name) {
        Process process = get(name).process();
        return process.isAlive() ? "" : " (ended with exit code " + process.exitValue() + ")";
    }

    /** SIGKILL to all of these at once, then waits until they are gone. */
    public void kill(List<String> names) throws IOException, InterruptedException {
        for (String name : names) {
            Process process = get(name).process();
            if (process.isAlive()) {
                Signals.kill(process.pid());
            }
        }
        for (String name : names) {
            if (!get(name).process().waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(name + " still runs after SIGKILL");
            }
        }
    }

    /** SIGKILL to those of these that were started, and no word of them any more but their logs. */
    public void discard(List<String> names) throws IOException, InterruptedException {
        List<String> started = names().stream().filter(names::contains).toList();
        kill(started);
        synchronized (this) {
            started.forEach(running::remove);
        }
    }

    /** SIGSTOP. */
    public void pause(List<String> names) throws IOException {
        for (String name : names) {
            Signals.pause(get(name).process().pid());
        }
    }

    /** SIGCONT. */
    public void resume(List<String> names) throws IOException {
        for (String name : names) {
            Signals.resume(get(name).process().pid());
        }
    }

    /** The first of these processes that has ended by itself, for people; empty when all run. */
    public synchronized Optional<String> ended(List<String> names) {
        return names.stream()
                .filter(name -> !isAlive(name))
                .findFirst()
                .map(name -> name + " has ended with exit code " + get(name).process().exitValue());
    }

    /** The last lines of the newest log of a process. */
    public List<String> tail(String name, int lines) {
        Path log;
        synchronized (this) {
            Running process = running.get(name);
            if (process == null) {
                return List.of();
            }
            log = process.log();
        }
        try {
            byte[] bytes = Files.readAllBytes(log);
            List<String> all = new String(bytes, StandardCharsets.UTF_8).lines().toList();
            return all.subList(Math.max(0, all.size() - lines), all.size());
        } catch (IOException e) {
            return List.of("(" + log + ": " + e.getMessage() + ")");
        }
    }

    /** The folder of the log files. */
    public Path logs() {
        return logs;
    }

    /** Whether this JVM is ending: then the hook has the last word. */
    public boolean isEnding() {
        return ending;
    }

    /** From now on the processes outlive this JVM. */
    public void release() {
        released = true;
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException endingAlready) {
            // Then the hook runs and kills them: the user asked for the end after all.
        }
    }

    private synchronized void killAll() {
        for (Running one : running.values()) {
            one.process().destroyForcibly();
        }
        for (Running one : running.values()) {
            try {
                one.process().waitFor(END_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** Ends every process, by SIGKILL: what is acknowledged is durable anyway. */
    @Override
    public void close() {
        if (!released) {
            killAll();
            release();
        }
    }
}
