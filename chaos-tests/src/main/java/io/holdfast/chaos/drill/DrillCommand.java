package io.holdfast.chaos.drill;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.cluster.Training;
import io.holdfast.node.cli.ExitCode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
            description = "Folder to protect; default: the current one.")
    @Nullable Path directory;

    @Option(
            names = "--json",
            description = "Print the result as one JSON object; progress goes to stderr.")
    boolean json;

    @Option(
            names = "--keep",
            description = "Leave the cluster running at the end, and say how to look at it.")
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
        CommandSpec command = java.util.Objects.requireNonNull(spec);
        PrintWriter out = command.commandLine().getOut();
        PrintWriter err = command.commandLine().getErr();
        boolean terminal = !json && isTerminal();
        Screen screen = new Screen(json ? err : out, terminal);
        try {
            Topology topology = Topology.of(profile);
            Path given = directory == null ? Path.of("") : directory;
            if (!Files.isDirectory(given)) {
                err.println("No such folder: " + given.toAbsolutePath());
                err.println("Name a folder to try it with, or none for this checkout.");
                return ExitCode.USAGE;
            }
            topology.requireFreeAddresses();
            Path source = given.toRealPath();
            return run(source, topology, screen, json ? err : out, out);
        } catch (DrillFailed | IOException e) {
            err.println(e.getMessage());
            return ExitCode.FAILED;
        }
    }

    @SuppressWarnings("SystemConsoleNull") // a JVM may be run without jdk.internal.le
    private static boolean isTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    private int run(
            Path source, Topology topology, Screen screen, PrintWriter people, PrintWriter out)
            throws IOException, DrillFailed, InterruptedException {
        Workspace.Size size = Workspace.measure(source);
        Workspace workspace = Workspace.create(source, size, keep);
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
        Training.prepare(screen::plain);
        Report report = new Report(topology.profile(), size.files(), size.bytes());
        Path logs = workspace.resolve("logs");
        ClusterProcesses processes =
                new ClusterProcesses(
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
        boolean good = false;
        try {
            Path cluster = workspace.resolve("cluster");
            Commands commands = new Commands(new InProcess(), screen::command, cluster);
            Launch launch = new Launch(processes, cluster);
            new Drill(source, topology, workspace, processes, launch, commands, screen, report)
                    .run();
            screen.step(9, "Result");
            good = report.ok();
        } catch (DrillFailed | Commands.CommandFailed | IOException | RuntimeException e) {
            if (processes.isEnding()) {
                new CountDownLatch(1).await();
            }
            screen.abandon();
            report.failed(String.valueOf(e.getMessage()));
            explain(e, processes, people);
        } finally {
            screen.end();
            if (good && keep) {
                processes.release();
            } else {
                processes.close();
            }
        }
        report.table(people, screen.elapsed());
        if (json) {
            out.println(report.json(screen.phases()));
            out.flush();
        }
        if (good && keep) {
            farewell(people, workspace, processes);
        } else if (good) {
            workspace.delete();
        } else {
            people.println(
                    "Kept for you to look at: " + workspace.root() + " (logs in " + logs + ")");
            people.flush();
        }
        return good ? ExitCode.DONE : ExitCode.FAILED;
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
        String context = " --context " + workspace.resolve("cluster/operator/context.json");
        people.println();
        people.println("The cluster is still running. Look at it:");
        for (String command :
                List.of("status", "pieces", "jobs", "loss-ledger", "reconcile", "client list")) {
            people.println("  ./holdfast " + command + context);
        }
        people.println("End it:");
        people.println(
                "  kill "
                        + String.join(
                                " ",
                                processes.alive().stream()
                                        .map(n -> Long.toString(processes.get(n).process().pid()))
                                        .toList())
                        + "; rm -rf "
                        + workspace.root());
        people.flush();
    }
}
