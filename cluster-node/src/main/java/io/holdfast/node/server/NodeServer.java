package io.holdfast.node.server;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.UnadmittedException;
import io.holdfast.agent.storage.CollectorService;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.storage.StorageLimits;
import io.holdfast.agent.storage.StorageService;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.catalog.CatalogDatabaseConfig;
import io.holdfast.catalog.CatalogService;
import io.holdfast.catalog.PieceGate;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.folder.FolderChunkStore;
import io.holdfast.chunk.gc.GcState;
import io.holdfast.modeswitch.Profile;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.config.RoleFile;
import io.holdfast.node.rest.RestClient;
import io.holdfast.node.rest.RestServer;
import io.holdfast.replication.raft.RaftEvents;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RaftSettings;
import io.holdfast.replication.raft.StorageAdmission;
import io.holdfast.replication.raft.StorageIncarnation;
import io.holdfast.replication.site.NodeStatus;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteService;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Json;
import io.holdfast.standard.JsonView;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Resource;
import io.holdfast.standard.ResourceFormat;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node: wires the parts together and holds no decision. Started by {@code holdfast server};
 * closing it ends everything that it started, in the reverse order.
 */
final class NodeServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeServer.class);
    private static final String VERSION = "0.1.0";

    private final List<AutoCloseable> started = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final NodeConfig config;
    private int exitCode;

    private NodeServer(NodeConfig config) {
        this.config = config;
    }

    /**
     * Starts a node.
     *
     * @param fatal called when this process must end, with why
     * @throws IOException with what happened, to which thing, and what to do next
     */
    static NodeServer start(NodeConfig config, Consumer<String> fatal) throws IOException {
        NodeServer server = new NodeServer(config);
        try {
            server.wire(fatal);
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /** Blocks until {@link #close}. */
    int join() throws InterruptedException {
        ended.await();
        return exitCode;
    }

    private <T extends AutoCloseable> T own(T part) {
        started.add(part);
        return part;
    }

    private void wire(Consumer<String> fatal) throws IOException {
        InstantSource clock = InstantSource.system();
        Site site = config.site();
        Files.createDirectories(config.data());
        RoleFile role =
                RoleFile.read(config.roleFile())
                        .orElseThrow(() ->
                                new UnadmittedException(
                                        "Node "
                                                + config.node()
                                                + " has no durable role at "
                                                + config.roleFile()
                                                + ": its data folder was lost, or it was never"
                                                + " initialised. It may not act. Admit it again"
                                                + " with: holdfast readmit --config "
                                                + config.file()));
        EpochGuard guard = guard(role);
        TlsMaterial tls = TlsMaterial.load(config.identity());
        UUID cluster = tls.identity().cluster();
        MbrFile mbrFile = own(MbrFile.open(config.mbr(), config.identity(), cluster));
        Peers peers = own(new Peers(cluster, tls, guard::max));
        ChannelCache siteChannels = own(new ChannelCache(tls));

        // Raft, and what listens to it.
        Path raftFolder = config.data().resolve("raft");
        UUID incarnation = StorageIncarnation.readOrCreate(raftFolder, UUID::randomUUID);
        StorageAdmission admission = StorageAdmission.of(raftFolder);
        AtomicReference<RaftHost> raftRef = new AtomicReference<>();
        PeerWatch watch =
                new PeerWatch(
                        config.node(), site, mbrFile::current, guard::max, siteChannels, clock);
        own(watch::close);
        SiteAckSender sender =
                own(
                        new SiteAckSender(
                                config.node(),
                                incarnation,
                                guard.max(),
                                lineage ->
                                        leaderElsewhere(raftRef.get(), mbrFile, lineage)
                                                .map(watch::channel),
                                answer -> {
                                    if (answer.admitted()) {
                                        admission.admit();
                                    }
                                }));
        Fan events = new Fan();
        events.to(
                new RaftEvents() {
                    @Override
                    public void leaderReady(UUID lineage, long term) {
                        admission.admit();
                    }
                });
        RaftHost raft =
                own(
                        RaftHost.start(
                                config.node(),
                                incarnation,
                                raftFolder,
                                config.listen().at(config.listen().raft()),
                                tls,
                                settings(),
                                clock,
                                fatal,
                                sender,
                                events));
        raftRef.set(raft);
        AtomicReference<SiteController> controllerRef = new AtomicReference<>();
        ClusterLog log =
                new ClusterLog(
                        raft,
                        role.lineage(),
                        guard::max,
                        seen -> {
                            SiteController c = controllerRef.get();
                            if (c != null) {
                                c.higherEpochSeen(seen);
                            }
                        });
        SiteActions actions =
                new SiteActions(
                        config.node(),
                        site,
                        mbrFile::current,
                        guard,
                        raft,
                        sender,
                        watch,
                        admission,
                        config.roleFile(),
                        config.data().resolve("site"));

        if (raft.lineages().isEmpty()) {
            actions.divergentState().ifPresent(log::remember);
        }

        // Bytes and catalog.
        Optional<FolderChunkStore> folder = openStore();
        Optional<ChunkStore> store = folder.map(s -> s);
        Optional<TlsMaterial> storageTls = Optional.empty();
        if (store.isPresent()) {
            storageTls = Optional.of(TlsMaterial.load(config.storageIdentity().orElseThrow()));
        }
        Shipping shipping =
                own(
                        new Shipping(
                                site,
                                store,
                                store.map(_ ->
                                        config.listen()
                                                .at(config.listen().storage().orElseThrow())),
                                log,
                                guard::max,
                                cluster,
                                storageTls.orElse(null),
                                config.data().resolve("ship"),
                                config.collection().grace(),
                                clock));
        AtomicReference<Rehearsals> rehearsalsRef = new AtomicReference<>();
        if (folder.isPresent()) {
            serveStorage(
                    folder.get(),
                    storageTls.orElseThrow(),
                    guard,
                    cluster,
                    epoch -> here(epoch, log, controllerRef.get(), rehearsalsRef.get()));
        }
        Optional<CatalogDatabase> catalog = Optional.empty();
        if (config.is(NodeConfig.CATALOG_SERVER)) {
            catalog =
                    Optional.of(
                            serveCatalog(
                                    tls,
                                    guard,
                                    cluster,
                                    gate(store, peers, log, site, controllerRef::get),
                                    fatal));
        }

        // Jobs and sites.
        JobJournal journal = new JobJournal(config.data().resolve("job-logs"));
        JobRunner jobs = own(new JobRunner(log, peers, journal));
        Protector protector = new Protector(log, peers);
        CatalogPump pump = new CatalogPump(log, peers);
        Scheduler scheduler = new Scheduler(log::state, clock);
        NodeSiteHandler handler =
                new NodeSiteHandler(
                        raft,
                        guard,
                        sender,
                        () -> status(site, log, watch, controllerRef.get(), shipping),
                        actions,
                        log,
                        peers);
        LeaderServices services =
                own(
                        new LeaderServices(
                                config.node(),
                                site,
                                raft,
                                log,
                                watch,
                                actions,
                                handler,
                                jobs,
                                protector,
                                pump,
                                scheduler,
                                mbrFile::current,
                                seed(),
                                clock));
        Garbage garbage =
                new Garbage(
                        config.node(),
                        site,
                        log,
                        watch,
                        peers,
                        protector::isShown,
                        config.collection().every(),
                        clock);
        services.collects(garbage::round);
        SiteOperations operations =
                new SiteOperations(
                        config.node(),
                        config.listen().host(),
                        site,
                        log,
                        watch,
                        actions,
                        services,
                        mbrFile::current);
        SiteController controller =
                own(
                        new SiteController(
                                machineConfig(mbrFile.current()),
                                cluster,
                                config.roleFile(),
                                guard,
                                sender,
                                log,
                                watch,
                                actions,
                                services,
                                operations));
        controllerRef.set(controller);
        handler.bind(controller);
        Acknowledgements acks =
                new Acknowledgements(
                        new LeaderView(log, controller, clock), config.replication().degrade());
        services.overdueWhile(acks::isOverdue);
        Metrics metrics =
                new Metrics(
                        config.node(),
                        site,
                        log,
                        controller,
                        acks,
                        shipping,
                        folder,
                        protector::isShown,
                        clock);
        Status status =
                new Status(
                        config.node(),
                        site,
                        log,
                        watch,
                        peers,
                        protector,
                        shipping,
                        acks,
                        mbrFile::current,
                        clock);
        own(status::close);
        status.bind(controller);
        Rehearsals rehearsals =
                new Rehearsals(
                        config,
                        raft,
                        settings(),
                        log,
                        guard,
                        controller,
                        machineConfig(mbrFile.current()),
                        store,
                        catalog,
                        clock,
                        new SecureRandom());
        rehearsalsRef.set(rehearsals);
        var pool = RestClient.pool(tls);
        NodeService api =
                new NodeService(
                        config.node(),
                        log,
                        controller,
                        jobs,
                        journal,
                        protector,
                        peers,
                        status,
                        acks,
                        metrics,
                        rehearsals,
                        garbage,
                        endpoint -> RestClient.of(pool, tls, endpoint),
                        clock,
                        new SecureRandom());
        scheduler.startsWith(api::startScheduled);
        services.takesUp(new Successors(log, jobs, api::requireGreenIsPossible)::round);
        scheduler.rehearsesWith(api::rehearse);
        events.to(
                new StateFollower(
                        log::lineage,
                        () -> controller.state().promise(),
                        controller::post,
                        mbrFile::update));
        events.to(services);
        services.commandsWhile(controller::mayCommand);
        services.drainsWhile(() -> controller.state().role() == SiteRole.DRAINING);
        GroupWatch group =
                own(
                        new GroupWatch(
                                raft,
                                log,
                                mbrFile::current,
                                config.node(),
                                () -> controller.state().epoch(),
                                controller::post,
                                controller::majorityAt));
        events.to(group);
        own(
                GrpcServerHost.builder(tls)
                        .listen(address(config.listen().site()))
                        .service(new SiteService(handler, incarnation), Set.of(PeerIdentity.NODE))
                        .start());
        controller.start(role);
        group.start();
        shipping.start(controller);
        own(RestServer.start(config, tls, (NodeApi) api));
        own(rehearsals);
    }

    private InetSocketAddress address(int port) {
        return new InetSocketAddress(config.listen().host(), port);
    }

    private EpochGuard guard(RoleFile role) throws IOException {
        Path file = config.data().resolve("promise");
        boolean used = Files.exists(config.data().resolve("raft"));
        if (!Files.exists(file) && !used) {
            return EpochGuard.create(file, role.epoch());
        }
        return EpochGuard.open(file);
    }

    private RaftSettings settings() {
        RaftSettings base = RaftSettings.LOOPBACK;
        return new RaftSettings(
                config.raft().electionMin(),
                config.raft().electionMax(),
                base.submitTimeout(),
                base.snapshotEntries(),
                base.preservedEntries(),
                base.segmentBytes(),
                base.freeSpaceMinBytes());
    }

    private SiteConfig machineConfig(Mbr mbr) {
        boolean witness = config.site() == Site.WITNESS;
        return new SiteConfig(
                config.site(),
                config.node(),
                ids(mbr, witness ? Site.LOCAL : config.site()),
                ids(mbr, witness ? Site.DR : config.site().peer()),
                config.replication().degrade().toMillis(),
                Math.max(1, config.replication().stable().toMillis()),
                SiteConfig.ATTEMPT_MILLIS,
                mbr.nodes(Site.WITNESS).stream()
                        .findFirst()
                        .map(w -> Profile.p3(w.id()))
                        .orElseGet(Profile::p2));
    }

    private static Set<String> ids(Mbr mbr, Site site) {
        return mbr.nodes(site).stream().map(NodeAddress::id).collect(Collectors.toSet());
    }

    /** The leader of a lineage, when it is another node: whom this member acknowledges to. */
    private Optional<NodeAddress> leaderElsewhere(RaftHost raft, MbrFile mbrFile, UUID lineage) {
        if (raft == null) {
            return Optional.empty();
        }
        return raft.leader(lineage)
                .filter(id -> !id.equals(config.node()))
                .flatMap(mbrFile.current()::node);
    }

    private static NodeStatus status(
            Site site,
            ClusterLog log,
            PeerWatch watch,
            SiteController controller,
            Shipping shipping) {
        return new NodeStatus(
                site,
                controller == null ? "BOOT" : controller.role(),
                Optional.of(log.lineage()),
                watch.lastContactMicros().orElse(0L),
                VERSION,
                shipping.report());
    }

    private List<Resource> seed() throws IOException {
        if (config.seed().isEmpty()) {
            return List.of();
        }
        Json json = Json.parse(Files.readString(config.seed().get()));
        JsonView view = new JsonView(json, "resources");
        List<JsonView> items = json instanceof Json.Arr ? view.list() : view.list("resources");
        return items.stream().map(ResourceFormat::fromJson).toList();
    }

    // ---------------------------------------------------------------- storage and catalog

    private Optional<FolderChunkStore> openStore() throws IOException {
        if (!config.is(NodeConfig.STORAGE)) {
            return Optional.empty();
        }
        FolderChunkStore store =
                FolderChunkStore.open(
                        config.data().resolve("store"),
                        new FolderChunkStore.Options(
                                FolderChunkStore.Options.DEFAULT.packBytes(),
                                new GcState.Config(
                                        config.collection().grace(), StoreCollectors.MAX_SKEW)));
        store.findings().forEach(f -> LOG.warn("Store {}: {}", config.data(), f));
        return Optional.of(own(store));
    }

    /** What this node knows of its site, for the collector of its store (G4). */
    private static CollectorService.Local here(
            Epoch epoch, ClusterLog log, SiteController controller, Rehearsals rehearsals) {
        if (controller == null || rehearsals == null) {
            return new CollectorService.Local(false, "BOOT", Set.of());
        }
        String role = controller.role();
        boolean settled =
                (role.equals("ACTIVE") || role.equals("STANDBY"))
                        && log.state().epoch().equals(epoch);
        return new CollectorService.Local(
                settled,
                settled || !(role.equals("ACTIVE") || role.equals("STANDBY"))
                        ? role
                        : role + " in epoch " + log.state().epoch(),
                rehearsals.isUnderWay() ? Set.of("a rehearsal") : Set.of());
    }

    private void serveStorage(
            FolderChunkStore store,
            TlsMaterial tls,
            EpochGuard guard,
            UUID cluster,
            Function<Epoch, CollectorService.Local> here)
            throws IOException {
        Set<String> devices = Set.copyOf(config.devices());
        StorageService service =
                own(
                        new StorageService(
                                store,
                                guard,
                                cluster,
                                () -> devices,
                                StorageLimits.DEFAULT.sessionIdle(
                                        config.collection().sessionIdle())));
        CollectorService collector =
                own(new CollectorService(store, guard, cluster, here, InstantSource.system()));
        own(
                GrpcServerHost.builder(tls)
                        .listen(address(config.listen().storage().orElseThrow()))
                        .service(service, StorageService.ROLES)
                        .service(collector, CollectorService.ROLES)
                        .start());
    }

    /**
     * Rows are applied only once the piece is durable at this site, wherever its storage runs. A piece
     * that was lost with its storage never will be, nor may one that has expired; their rows must not
     * hold up those behind them.
     */
    private static PieceGate gate(
            Optional<ChunkStore> store,
            Peers peers,
            ClusterLog log,
            Site site,
            Supplier<SiteController> controller) {
        PieceGate durable = durableAt(store, peers, log, site);
        return header ->
                durable.isDurable(header)
                        || StorageMoves.isLost(log.state(), header)
                        || isStandby(controller.get())
                                && Lifetimes.isExpired(log.state(), header, site);
    }

    private static boolean isStandby(SiteController controller) {
        return controller != null && controller.role().equals("STANDBY");
    }

    private static PieceGate durableAt(
            Optional<ChunkStore> store, Peers peers, ClusterLog log, Site site) {
        if (store.isPresent()) {
            return store.get()::holds;
        }
        return header -> {
            Lookup lookup = Lookup.in(log.state());
            for (var device : lookup.devices()) {
                Optional<Endpoint> endpoint = lookup.at(device.storage(), site);
                if (endpoint.isPresent()) {
                    StorageClient storage = peers.storage(endpoint.get());
                    if (Protector.holds(storage, new UUID(0, 0), header)) {
                        return true;
                    }
                }
            }
            return false;
        };
    }

    private CatalogDatabase serveCatalog(
            TlsMaterial tls, EpochGuard guard, UUID cluster, PieceGate gate, Consumer<String> fatal)
            throws IOException {
        NodeConfig.Catalog catalog = config.catalog().orElseThrow();
        Path home = Files.createDirectories(config.data().resolve("catalog"));
        // Where SQLite's driver unpacks its native part: the system's folder may forbid programs.
        System.setProperty("org.sqlite.tmpdir", home.toString());
        CatalogDatabaseConfig databaseConfig =
                catalog.mariaDb().isEmpty()
                        ? CatalogDatabaseConfig.embedded(home)
                        : CatalogDatabaseConfig.of(
                                catalog.mariaDb().get().url(),
                                catalog.mariaDb().get().user(),
                                Files.readAllLines(catalog.mariaDb().get().passwordFile())
                                        .getFirst());
        CatalogDatabase database = own(CatalogDatabase.open(databaseConfig, FaultPoint.catalog()));
        database.onBroken(why -> fatal.accept("The catalog must be opened again: " + why));
        own(
                GrpcServerHost.builder(tls)
                        .listen(address(config.listen().catalog().orElseThrow()))
                        .service(
                                new CatalogService(database, cluster, guard, gate),
                                Set.of(PeerIdentity.NODE, PeerIdentity.OPERATOR))
                        .start());
        return database;
    }

    // ---------------------------------------------------------------- small wires

    /** Passes Raft's events on to parts that are made after Raft has started. */
    private static final class Fan implements RaftEvents {
        private final Set<RaftEvents> targets =
                java.util.Collections.synchronizedSet(new LinkedHashSet<>());

        void to(RaftEvents target) {
            targets.add(target);
        }

        private List<RaftEvents> all() {
            synchronized (targets) {
                return List.copyOf(targets);
            }
        }

        @Override
        public void applied(UUID lineage, long term, long index, ClusterState state) {
            all().forEach(t -> t.applied(lineage, term, index, state));
        }

        @Override
        public void leaderReady(UUID lineage, long term) {
            all().forEach(t -> t.leaderReady(lineage, term));
        }

        @Override
        public void notLeader(UUID lineage) {
            all().forEach(t -> t.notLeader(lineage));
        }
    }

    @Override
    public void close() {
        for (AutoCloseable part : started.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("Closing {} failed: {}", part.getClass().getSimpleName(), e.toString());
            }
        }
        started.clear();
        ended.countDown();
    }
}
