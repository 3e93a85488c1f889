package io.holdfast.node.server;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.storage.StorageService;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.ReadOnlyView;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RaftSettings;
import io.holdfast.replication.raft.StorageIncarnation;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The place of one rehearsal beside production: what it needs of the node is copied into a folder of
 * its own, or seen read-only, and everything in it speaks with a certificate of role {@code rehearsal}
 * and in the namespace DRILL. Closing it removes all of it.
 *
 * <table>
 * <caption>Production's things and the sandbox's</caption>
 * <tr><th>production</th><th>sandbox</th></tr>
 * <tr><td>log and state of the lineage</td><td>one read of both (a {@link Tail}), in a file</td></tr>
 * <tr><td>promise</td><td>an {@link EpochGuard} of its own, which begins where production's stands</td></tr>
 * <tr><td>Raft groups</td><td>a Raft server of its own with one member; random lineage ids</td></tr>
 * <tr><td>catalog</td><td>a consistent copy</td></tr>
 * <tr><td>chunk store</td><td>a {@link ReadOnlyView}, served at a port of its own</td></tr>
 * </table>
 */
final class Sandbox implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sandbox.class);

    /** Below the range of ports that outgoing connections take, so that none takes ours meanwhile. */
    private static final int FIRST_PORT = 20_000;

    private static final int PORTS = 12_000;
    private static final int TRIES = 200;

    private final Path folder;
    private final Production production;
    private final List<AutoCloseable> parts = new ArrayList<>();
    private final Tail tail;
    private final EpochGuard guard;
    private final CatalogDatabase catalog;
    private final ReadOnlyView view;
    private final RaftHost raft;
    private final ChannelCache channels;
    private final int storagePort;
    private volatile String broken = "";
    private volatile boolean stopped;

    /**
     * What a sandbox is made from. Read, never written.
     *
     * @param node this node
     * @param host where the sandbox listens
     * @param tls of role {@code rehearsal}
     * @param lineage production's, open here
     * @param promise production's
     * @param devices that the node's storage owns
     */
    record Production(
            String node,
            String host,
            TlsMaterial tls,
            RaftHost raft,
            UUID lineage,
            Epoch promise,
            ChunkStore store,
            CatalogDatabase catalog,
            Set<String> devices,
            RaftSettings settings,
            InstantSource clock,
            RandomGenerator random) {}

    /** Opens a sandbox in a folder, which is emptied first. */
    static Sandbox open(Path folder, Production production) throws IOException {
        remove(folder);
        Files.createDirectories(folder);
        return new Sandbox(folder, production);
    }

    private Sandbox(Path folder, Production of) throws IOException {
        this.folder = folder;
        this.production = of;
        try {
            Path tailFile = folder.resolve("tail");
            TailFile.write(tailFile, of.raft().readTail(of.lineage()));
            tail = TailFile.read(tailFile);
            guard = EpochGuard.create(folder.resolve("promise"), of.promise());
            catalog = own(of.catalog().copyTo(Files.createDirectory(folder.resolve("catalog"))));
            view = own(new ReadOnlyView(of.store()));
            Path raftFolder = folder.resolve("raft");
            raft =
                    own(
                            RaftHost.start(
                                    of.node(),
                                    StorageIncarnation.readOrCreate(raftFolder, UUID::randomUUID),
                                    raftFolder,
                                    Endpoint.of(of.host(), freePort(of.host(), of.random())),
                                    of.tls(),
                                    of.settings(),
                                    of.clock(),
                                    why -> broken = why));
            StorageService service =
                    own(
                            StorageService.forRehearsal(
                                    view, guard, of.tls().identity().cluster(), of::devices));
            GrpcServerHost storage =
                    own(
                            GrpcServerHost.builder(of.tls())
                                    .listen(new InetSocketAddress(of.host(), 0))
                                    .service(service, Set.of(PeerIdentity.AGENT))
                                    .start());
            storagePort = storage.port();
            channels = own(new ChannelCache(of.tls()));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T own(T part) {
        parts.add(part);
        return part;
    }

    /** Ratis ends the whole process when it cannot listen, so the port must stay free until then. */
    private static int freePort(String host, RandomGenerator random) throws IOException {
        IOException last = new IOException("no port was tried");
        for (int i = 0; i < TRIES; i++) {
            int port = FIRST_PORT + random.nextInt(PORTS);
            try (ServerSocket probe = new ServerSocket()) {
                probe.bind(new InetSocketAddress(host, port));
                return port;
            } catch (IOException taken) {
                last = taken;
            }
        }
        throw new IOException("No free port was found for the sandbox at " + host, last);
    }

    Path folder() {
        return folder;
    }

    String node() {
        return production.node();
    }

    Tail tail() {
        return tail;
    }

    EpochGuard guard() {
        return guard;
    }

    CatalogDatabase catalog() {
        return catalog;
    }

    ReadOnlyView view() {
        return view;
    }

    RaftHost raft() {
        return raft;
    }

    /** Whom it dials, as a rehearsal. */
    ChannelCache channels() {
        return channels;
    }

    /** Where agents read samples from. */
    Endpoint storage() {
        return Endpoint.of(production.host(), storagePort);
    }

    UUID cluster() {
        return production.tls().identity().cluster();
    }

    /** Why its Raft server gave up; empty while it works. */
    String broken() {
        return broken;
    }

    /**
     * Asks whoever works in it to stop, and cuts what they wait for. Never an interruption: that would
     * close production's files under the reader.
     */
    void stop() {
        stopped = true;
        channels.close();
    }

    /** @throws InterruptedException after {@link #stop} */
    void requireGoingOn() throws InterruptedException {
        if (stopped) {
            throw new InterruptedException("the rehearsal was stopped");
        }
    }

    /** Ends everything and removes the folder. */
    @Override
    public void close() {
        for (AutoCloseable part : parts.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("Closing a part of a sandbox failed: {}", e.toString());
            }
        }
        parts.clear();
        try {
            remove(folder);
        } catch (IOException e) {
            LOG.warn("The sandbox {} is removed at the next start: {}", folder, e.toString());
        }
    }

    /** Removes a folder, where there is one: also what a node that died left behind. */
    static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (UncheckedIOException e) {
            throw new IOException("Cannot remove " + folder, e);
        }
    }
}
