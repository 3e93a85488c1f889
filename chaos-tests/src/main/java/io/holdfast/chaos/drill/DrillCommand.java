package io.holdfast.chaos.drill;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.cluster.Training;
import io.holdfast.node.cli.ExitCode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code holdfast drill}: see {@link Drill}. */
@Command(
        name = "drill",
        description = {
            "Loses a whole site, on your own files, and comes home again.",
            "Starts a throw-away cluster of two sites on loopback addresses of this machine, backs up"
                    + " copies of DIR, kills the local site, goes on at DR, returns, and compares every"
                    + " byte. DIR is only read. Everything lies in one temporary folder (below TMPDIR),"
                    + " which is removed at the end; it grows to five times DIR and 1.5 GB, with --keep"
                    + " to nine times."
        },
        footer = {
            "",
            "Example: holdfast drill ~/projects --json > drill.json",
            "With a witness and no failover command: holdfast drill ~/projects --profile p3-small"
        })
final class DrillCommand implements Callable<Integer> {
    @Spec @Nullable CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "DIR",
            description = "Folder to protect; default: the checkout that this command is run from.")
    @Nullable Path directory;

    @Option(
            names = "--json",
            description = "Print the result as one JSON object; progress goes to stderr.")
    boolean json;

    @Option(
            names = "--keep",
            description =
                    "Leave the cluster running at the end, also when the drill failed, and say how to"
                            + " look at it.")
    boolean keep;

    @Option(
            names = "--profile",
            paramLabel = "p2-small|p2|p3-small|p3",
            defaultValue = "p2-small",
            description = {
                "Two servers, or six; with p3-small and p3 three or five, one of them a witness, and",
                "DR takes over by itself. Default: ${DEFAULT-VALUE}."
            })
    String profile = "p2-small";

    @Override
    public Integer call() throws InterruptedException {
        CommandSpec command = Objects.requireNonNull(spec);
        PrintWriter out = command.commandLine().getOut();
        PrintWriter err = command.commandLine().getErr();
        Topology topology;
        Path source;
        try {
            topology = Topology.of(profile);
            source = source(directory, home());
        } catch (IllegalArgumentException e) {
            return notBegun(ExitCode.USAGE, String.valueOf(e.getMessage()), out, err);
        }
        Workspace.Size size;
        Workspace workspace;
        ClusterProcesses processes;
        try {
            topology.requireFreeAddresses();
            source = source.toRealPath();
            size = Workspace.measure(source);
            workspace = Workspace.create(source, size, keep);
            processes = processes(workspace, json ? err : out);
        } catch (DrillFailed | IOException | RuntimeException e) {
            return notBegun(ExitCode.FAILED, words(e), out, err);
        }
        Screen screen = new Screen(json ? err : out, !json && isTerminal());
        return run(source, size, topology, workspace, processes, screen, json ? err : out, out);
    }

    /** The checkout, as {@code ./holdfast} says; empty when something else has started this. */
    private static String home() {
        return System.getProperty("holdfast.home", "");
    }

    /**
     * What is to be protected.
     *
     * @throws IllegalArgumentException when that is no folder
     */
    static Path source(@Nullable Path given, String home) {
        if (given == null && home.isBlank()) {
            throw new IllegalArgumentException("Which folder? There is no checkout to begin with.");
        }
        Path folder = given == null ? Path.of(home) : given;
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(
                    "No such folder: "
                            + folder.toAbsolutePath()
                            + ". Name a folder to try it with, or none for this checkout.");
        }
        return folder;
    }

    /** Says why there is no drill; with {@code --json} in the form of a drill's result. */
    private int notBegun(int exit, String message, PrintWriter out, PrintWriter err) {
        err.println("holdfast drill: " + message);
        if (exit == ExitCode.USAGE) {
            err.println("See: holdfast drill --help");
        }
        if (json) {
            Report report = new Report(profile);
            report.failed(message);
            out.println(report.json(List.of()));
        }
        return exit;
    }

    /** A file's exception says only which file, and one that nobody expected perhaps nothing. */
    private static String words(Exception e) {
        return e instanceof FileSystemException || e instanceof RuntimeException
                ? e.toString()
                : String.valueOf(e.getMessage());
    }

    @SuppressWarnings("SystemConsoleNull") // a JVM may be run without jdk.internal.le
    private static boolean isTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    private static ClusterProcesses processes(Workspace workspace, PrintWriter people)
            throws IOException {
        Path logs = workspace.resolve("logs");
        return new ClusterProcesses(
                logs,
                () -> {
                    people.println();
                    people.println(
                            "Interrupted: all processes were ended. Logs: "
                                    + logs
                                    + "; remove "
                                    + workspace.root()
                                    + " when done.");
                    people.flush();
                });
    }

    private int run(
            Path source,
            Workspace.Size size,
            Topology topology,
            Workspace workspace,
            ClusterProcesses processes,
            Screen screen,
            PrintWriter people,
            PrintWriter out)
            throws InterruptedException {
        Report report = new Report(topology.profile());
        report.source(size);
        boolean stays = false;
        try {
            begin(source, size, topology, workspace, screen);
            if (Training.prepare(workspace.resolve("training"), processes, screen::plain)) {
                // The caches lie in the checkout, which may be what is protected.
                Workspace.Size now = Workspace.measure(source);
                workspace.requireSpace(now);
                report.source(now);
            }
            awaitTheEndIfInterrupted(processes);
            Path cluster = workspace.resolve("cluster");
            Commands commands = new Commands(new InProcess(), screen::command, cluster);
            Launch launch = new Launch(processes, cluster);
            new Drill(source, topology, workspace, processes, launch, commands, screen, report)
                    .run();
            screen.step(9, "Result");
            stays = keep;
        } catch (DrillFailed | Commands.CommandFailed | IOException | RuntimeException e) {
            awaitTheEndIfInterrupted(processes);
            screen.abandon();
            report.failed(words(e));
            explain(e, processes, people);
            stays = keep && !processes.alive().isEmpty();
        } finally {
            screen.end();
            if (!stays) {
                processes.close();
            }
        }
        double seconds = screen.elapsed();
        if (stays) {
            leave(processes);
        } else if (report.ok()) {
            delete(workspace, report, people);
        }
        report.table(people, seconds);
        if (json) {
            out.println(report.json(screen.phases()));
            out.flush();
        }
        if (!report.ok()) {
            people.println(
                    "Kept for you to look at: "
                            + workspace.root()
                            + " (logs in "
                            + processes.logs()
                            + ")");
        }
        if (stays) {
            farewell(people, workspace, processes);
        }
        people.flush();
        return report.ok() ? ExitCode.DONE : ExitCode.FAILED;
    }

    private void begin(
            Path source,
            Workspace.Size size,
            Topology topology,
            Workspace workspace,
            Screen screen) {
        screen.plain(
                "Holdfast drill, profile "
                        + topology.profile()
                        + ": "
                        + source
                        + ", "
                        + Units.plural(size.files(), "file")
                        + ", "
                        + Units.bytes(size.bytes()));
        screen.plain(
                "Everything happens in D="
                        + workspace.root()
                        + ", which may grow to "
                        + Units.bytes(Workspace.needed(size, keep)));
        screen.shorten(workspace.root().toString());
    }

    /** After Ctrl-C the hook has the last word: what fails here fails because of it. */
    private static void awaitTheEndIfInterrupted(ClusterProcesses processes)
            throws InterruptedException {
        if (processes.isEnding()) {
            new CountDownLatch(1).await();
        }
    }

    /** Lets the cluster go on by itself, also what stands still since a step that failed. */
    private static void leave(ClusterProcesses processes) {
        for (String name : processes.alive()) {
            try {
                processes.resume(List.of(name));
            } catch (IOException endedJustNow) {
                // Then there is nothing to resume.
            }
        }
        processes.release();
    }

    private static void delete(Workspace workspace, Report report, PrintWriter people)
            throws InterruptedException {
        try {
            workspace.delete();
        } catch (IOException e) {
            report.failed(words(e));
            people.println("FAILED: " + words(e));
        }
    }

    /** What went wrong, and the last words of whoever may know why. */
    private static void explain(Exception e, ClusterProcesses processes, PrintWriter people) {
        people.println();
        people.println("FAILED: " + e.getMessage());
        if (e instanceof RuntimeException) {
            e.printStackTrace(people);
        }
        for (String name : processes.names()) {
            List<String> tail = processes.tail(name, processes.isAlive(name) ? 8 : 25);
            if (!tail.isEmpty()) {
                people.println(
                        "-- "
                                + name
                                + processes.ending(name)
                                + ", last lines of "
                                + processes.get(name).log());
                tail.forEach(line -> people.println("   " + line));
            }
        }
        people.flush();
    }

    private static void farewell(
            PrintWriter people, Workspace workspace, ClusterProcesses processes) {
        List<Long> pids =
                processes.alive().stream().map(n -> processes.get(n).process().pid()).toList();
        people.println();
        Farewell.lines(home(), workspace.root(), pids).forEach(people::println);
    }
}
