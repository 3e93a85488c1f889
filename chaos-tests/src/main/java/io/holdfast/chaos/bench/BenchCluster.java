package io.holdfast.chaos.bench;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.init.OperatorContext;
import io.holdfast.standard.Site;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A cluster of real processes at the loopback addresses of the worked example, without clients. Closed,
 * it is killed and its folder is gone.
 */
final class BenchCluster implements AutoCloseable {
    private static final double PATIENCE_SECONDS = 300;

    private final Path folder;
    private final ClusterProcesses processes;
    private final Launch launch;
    private final Commands commands;
    private final OperatorContext context;
    private final List<String> servers;

    /** Makes it and starts it; it is not yet well. */
    static BenchCluster start(String profile) throws IOException, CommandFailed {
        Path folder = Files.createTempDirectory("holdfast-bench-");
        ClusterProcesses processes =
                new ClusterProcesses(folder.resolve("logs"), () -> delete(folder));
        try {
            return new BenchCluster(folder, processes, profile);
        } catch (IOException | CommandFailed | RuntimeException e) {
            processes.close();
            delete(folder);
            throw e;
        }
    }

    private BenchCluster(Path folder, ClusterProcesses processes, String profile)
            throws IOException, CommandFailed {
        this.folder = folder;
        this.processes = processes;
        Path cluster = folder.resolve("cluster");
        this.commands = new Commands(new InProcess(), _ -> {}, cluster);
        Path passphrase = Files.writeString(folder.resolve("passphrase"), UUID.randomUUID() + "\n");
        commands.init(profile, passphrase);
        this.context = OperatorContext.read(commands.context());
        this.launch = new Launch(processes, cluster);
        try (Stream<Path> homes = Files.list(cluster.resolve("nodes"))) {
            this.servers = homes.map(home -> home.getFileName().toString()).sorted().toList();
        }
        for (String server : servers) {
            var _ = launch.server(server);
        }
    }

    Commands commands() {
        return commands;
    }

    OperatorContext context() {
        return context;
    }

    /** The servers of a site that keep data. */
    List<String> nodes(Site site) {
        return context.nodes(site).stream().map(OperatorContext.Node::id).toList();
    }

    /** SIGKILL, all at once. */
    void kill(List<String> nodes) throws IOException, InterruptedException {
        processes.kill(nodes);
    }

    void restart(List<String> nodes) throws IOException {
        for (String node : nodes) {
            var _ = launch.server(node);
        }
    }

    /** Everybody answers, this site is active, and the other follows. */
    StatusView awaitWell(Site site) throws BenchFailed, InterruptedException {
        return await(
                "a well cluster, active at " + site.word(),
                s ->
                        s.activeSite().equals(site.word())
                                && s.site().equals(site.word())
                                && s.role().equals("ACTIVE")
                                && s.leader() != null
                                && s.replication().equals("SYNC")
                                && s.members().stream().allMatch(StatusView.Member::reachable)
                                && s.stores().stream().allMatch(StatusView.Store::reachable));
    }

    StatusView await(String what, Predicate<StatusView> wish)
            throws BenchFailed, InterruptedException {
        long end = System.nanoTime() + (long) (PATIENCE_SECONDS * 1e9);
        String last = "no answer";
        while (System.nanoTime() < end) {
            Optional<String> ended = processes.ended(processes.names());
            if (ended.isPresent()) {
                throw new BenchFailed(ended.get());
            }
            try {
                StatusView now = commands.status();
                if (wish.test(now)) {
                    return now;
                }
                last =
                        now.node()
                                + " is "
                                + now.role()
                                + " in epoch "
                                + now.epoch()
                                + ", replication "
                                + now.replication();
            } catch (CommandFailed notYet) {
                last = notYet.getMessage();
            }
            Thread.sleep(100);
        }
        throw new BenchFailed(
                "Waited " + PATIENCE_SECONDS + " s for " + what + "; last seen: " + last);
    }

    /** The last lines of every server. */
    void explain(Consumer<String> told) {
        for (String server : processes.names()) {
            told.accept("-- " + server + processes.ending(server));
            processes.tail(server, 15).forEach(line -> told.accept("   " + line));
        }
    }

    @Override
    public void close() {
        processes.close();
        delete(folder);
    }

    private static void delete(Path folder) {
        try {
            new ProcessBuilder("rm", "-rf", "--one-file-system", folder.toString())
                    .redirectInput(new File("/dev/null"))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            System.err.println("Could not remove " + folder + ": " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
