package io.holdfast.replication.raft;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.site.NodeStatus;
import io.holdfast.replication.site.ProtectionWatch;
import io.holdfast.replication.site.RaftSiteHandler;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteClient;
import io.holdfast.replication.site.SiteService;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;

/** A node of a test: Raft server, site server, promise. {@link #kill} and start again at will. */
final class TestNode implements AutoCloseable {
    static final UUID CLUSTER = UUID.fromString("0190a000-0000-7000-8000-000000000001");

    private static final CertificateAuthority AUTHORITY =
            CertificateAuthority.createRoot(
                            CLUSTER, Duration.ofDays(1), InstantSource.system(), new SecureRandom())
                    .createIssuing("local", Duration.ofDays(1));

    final String id;
    final Site site;
    final Path folder;
    final Endpoint raft;
    final Endpoint siteAddress;
    final List<String> fatal = new CopyOnWriteArrayList<>();
    final AtomicReference<Optional<UUID>> works = new AtomicReference<>(Optional.empty());
    private final Map<String, TestNode> nodes;
    private final TlsMaterial tls;
    private final RaftSettings settings;
    private final ChannelCache channels;
    private boolean running;
    RaftHost host;
    EpochGuard guard;
    SiteAckSender sender;
    RaftSiteHandler handler;
    private GrpcServerHost server;

    TestNode(
            String id,
            Site site,
            Path base,
            String address,
            RaftSettings settings,
            Map<String, TestNode> nodes)
            throws Exception {
        this.id = id;
        this.site = site;
        this.folder = base.resolve(id);
        this.raft = Endpoint.of(address, freePort(address));
        this.siteAddress = Endpoint.of(address, freePort(address));
        this.settings = settings;
        this.nodes = nodes;
        this.tls = tls(PeerIdentity.NODE, id);
        this.channels = new ChannelCache(tls);
        nodes.put(id, this);
    }

    static Map<String, TestNode> cluster() {
        return new ConcurrentHashMap<>();
    }

    static TlsMaterial tls(String role, String id) throws Exception {
        return TlsMaterial.of(
                AUTHORITY.enrol(role, id, Duration.ofHours(2), List.of()), InstantSource.system());
    }

    static int freePort(String address) throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(address))) {
            return socket.getLocalPort();
        }
    }

    TestNode start(Epoch first) throws Exception {
        UUID incarnation =
                StorageIncarnation.readOrCreate(folder.resolve("raft"), UUID::randomUUID);
        guard = EpochGuard.openOrCreate(folder.resolve("promise"), first);
        sender =
                new SiteAckSender(
                        id,
                        incarnation,
                        guard.max(),
                        lineage ->
                                Optional.ofNullable(host)
                                        .flatMap(h -> h.leader(lineage))
                                        .map(nodes::get)
                                        .filter(leader -> leader.site != site)
                                        .map(leader ->
                                                channels.channel(
                                                        leader.siteAddress,
                                                        Set.of(PeerIdentity.NODE))),
                        answer -> {});
        host =
                RaftHost.start(
                        id,
                        incarnation,
                        folder.resolve("raft"),
                        raft,
                        tls,
                        settings,
                        InstantSource.system(),
                        fatal::add,
                        sender);
        handler =
                new RaftSiteHandler(
                        host,
                        guard,
                        sender,
                        () ->
                                new NodeStatus(
                                        site, "STANDBY", works.get(), 0, "test", ShipReport.NONE));
        server =
                GrpcServerHost.builder(tls)
                        .listen(
                                new InetSocketAddress(
                                        siteAddress.host(), siteAddress.requirePort()))
                        .service(new SiteService(handler, incarnation), Set.of(PeerIdentity.NODE))
                        .start();
        running = true;
        return this;
    }

    Member member(boolean voter, int priority) {
        return host.self(voter, priority);
    }

    /** Asks another node. */
    SiteClient ask(TestNode other) {
        return new SiteClient(
                channels.channel(other.siteAddress, Set.of(PeerIdentity.NODE)),
                Duration.ofSeconds(10));
    }

    /** Counts the acknowledgements of these nodes from now on. */
    ProtectionWatch watch(UUID lineage, Epoch epoch, int quorum, List<TestNode> members) {
        SiteAckBook book =
                new SiteAckBook(
                        lineage,
                        epoch,
                        Set.copyOf(members.stream().map(m -> m.id).toList()),
                        quorum);
        ProtectionWatch watch = new ProtectionWatch(book);
        handler.watch(Optional.of(watch));
        return watch;
    }

    ClusterState state(UUID lineage) throws IOException {
        return host.state(lineage);
    }

    /** Stops at once; without a snapshot, so that everything comes back from the log. */
    void kill() {
        if (running) {
            running = false;
            server.abort();
            sender.close();
            host.close();
        }
    }

    @Override
    public void close() {
        kill();
        channels.close();
    }
}
