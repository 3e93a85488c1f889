package io.holdfast.chaos.bench;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.NamespaceBackend;
import io.holdfast.chaos.cluster.Profile;
import io.holdfast.chaos.cluster.Programs;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.init.OperatorContext;
import io.holdfast.standard.Site;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A cluster of real processes without clients. Closed, it is killed and its folder is gone. */
final class BenchCluster implements AutoCloseable {
    private static final double PATIENCE_SECONDS = 300;

    private final Path folder;
    private final Ground ground;
    private final Commands commands;
    private final OperatorContext context;
    private final List<String> servers;

    /**
     * Makes it and starts it; it is not yet well.
     *
     * @param oneWay how much later a packet arrives at another site; null for a cluster at the loopback
     *     addresses of the worked example, where nothing is late
     * @throws FaultUnavailable where no packet can be late, with the reason
     */
    static BenchCluster start(String profile, @Nullable Duration oneWay)
            throws IOException, CommandFailed, FaultUnavailable {
        Path folder = Files.createTempDirectory("holdfast-bench-");
        try {
            Programs programs = new Programs(folder.resolve("cluster"));
            Ground ground =
                    oneWay == null
                            ? new Loopback(
                                    new ClusterProcesses(
                                            folder.resolve("logs"), () -> delete(folder)),
                                    programs)
                            : LongLine.lay(
                                    NamespaceBackend.createHere(folder, () -> delete(folder)),
                                    programs,
                                    Profile.of(profile),
                                    oneWay);
            try {
                return new BenchCluster(folder, ground, profile);
            } catch (IOException | CommandFailed | RuntimeException e) {
                ground.close();
                throw e;
            }
        } catch (IOException | CommandFailed | FaultUnavailable | RuntimeException e) {
            delete(folder);
            throw e;
        }
    }

    private BenchCluster(Path folder, Ground ground, String profile)
            throws IOException, CommandFailed {
        this.folder = folder;
        this.ground = ground;
        Path cluster = folder.resolve("cluster");
        this.commands = new Commands(new InProcess(), _ -> {}, cluster);
        Path passphrase = Files.writeString(folder.resolve("passphrase"), UUID.randomUUID() + "\n");
        commands.init(profile, passphrase, ground.hosts());
        this.context = OperatorContext.read(commands.context());
        try (Stream<Path> homes = Files.list(cluster.resolve("nodes"))) {
            this.servers = homes.map(home -> home.getFileName().toString()).sorted().toList();
        }
        ground.start(servers);
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
        ground.kill(nodes);
    }

    void restart(List<String> nodes) throws IOException {
        ground.start(nodes);
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
            Optional<String> ended = ground.ended();
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
        for (String server : servers) {
            told.accept("-- " + server);
            ground.tail(server).forEach(line -> told.accept("   " + line));
        }
    }

    @Override
    public void close() throws IOException {
        try {
            ground.close();
        } finally {
            delete(folder);
        }
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
