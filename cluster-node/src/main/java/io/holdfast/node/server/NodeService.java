package io.holdfast.node.server;

import io.grpc.StatusRuntimeException;
import io.holdfast.agent.proto.v1.ListEntry;
import io.holdfast.agent.proto.v1.ListOrder;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.CatalogFilter;
import io.holdfast.catalog.CatalogPiece;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.Profile;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Caller;
import io.holdfast.node.api.EntryView;
import io.holdfast.node.api.ExpiryView;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import io.holdfast.node.api.HealthView;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.MetricsView;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StorageView;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.server.Lookup.Client;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.DivergentResource;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.replication.state.JobTotals;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.VersionedResource;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Job;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import io.holdfast.standard.Uuid7;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node as it is seen from outside. Reads answer from this node's applied state, but for what only
 * the leader knows (running jobs). Writes are served by the leader of the active site, and sent on to
 * it once by any other node that knows it; failover is served where it is asked.
 */
final class NodeService implements NodeApi {
    private static final Logger LOG = LoggerFactory.getLogger(NodeService.class);
    private static final Set<String> SANDBOX_ROLES =
            Set.of(NodeConfig.STORAGE, NodeConfig.CATALOG_SERVER);
    private static final int MAX_LISTED = 100_000;
    private static final Duration LIST_DEADLINE = Duration.ofMinutes(2);

    /** How long a write waits for a leader: a lease, and an election after it. */
    private static final Duration ELECTION = Duration.ofSeconds(12);

    private final String self;
    private final ClusterLog log;
    private final SiteController site;
    private final JobRunner jobs;
    private final JobJournal journal;
    private final Protector protector;
    private final Peers peers;
    private final Status status;
    private final Acknowledgements acks;
    private final Metrics metrics;
    private final Rehearsals rehearsals;
    private final StorageMoves storages;
    private final Garbage garbage;
    private final Function<Endpoint, NodeApi> nodes;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final AtLeader atLeader = new AtLeader(new Leadership(), ELECTION);
    private final MovesSentOn movesSentOn = new MovesSentOn();

    NodeService(
            String self,
            ClusterLog log,
            SiteController site,
            JobRunner jobs,
            JobJournal journal,
            Protector protector,
            Peers peers,
            Status status,
            Acknowledgements acks,
            Metrics metrics,
            Rehearsals rehearsals,
            Garbage garbage,
            Function<Endpoint, NodeApi> nodes,
            InstantSource clock,
            RandomGenerator random) {
        this.self = self;
        this.log = log;
        this.site = site;
        this.jobs = jobs;
        this.journal = journal;
        this.protector = protector;
        this.peers = peers;
        this.status = status;
        this.acks = acks;
        this.metrics = metrics;
        this.rehearsals = rehearsals;
        this.storages = new StorageMoves(log, peers);
        this.garbage = garbage;
        this.nodes = nodes;
        this.clock = clock;
        this.random = random;
    }

    // ---------------------------------------------------------------- who serves

    private static boolean isSentOn() {
        return Caller.current().map(Caller::forwardedBy).isPresent();
    }

    /** The leader of the active site, when that is another node which may be asked for us. */
    private Optional<NodeApi> leader() {
        if (site.serves() || isSentOn()) {
            return Optional.empty();
        }
        return site.activeLeader()
                .filter(id -> !id.equals(self))
                .flatMap(id -> log.state().mbr().flatMap(mbr -> mbr.node(id)))
                .map(node -> nodes.apply(Endpoint.of(node.host(), node.restPort())));
    }

    private <T> T write(Function<NodeApi, T> there, java.util.function.Supplier<T> here) {
        return atLeader.write(there, here);
    }

    /**
     * Writes what the cluster's ack policy binds, here or at the leader, and says how safe it is. What can
     * not be PROTECTED now is refused where the policy asks for protection.
     */
    private <T> Saved<T> save(
            String what, Function<NodeApi, Saved<T>> there, java.util.function.Supplier<T> here) {
        return write(
                there,
                () -> {
                    acks.require(what);
                    return saved(true, log.noting(here));
                });
    }

    /** The same for what deals with the loss of a site or a store: no policy stands in its way. */
    private <T> Saved<T> saveAnyway(
            Function<NodeApi, Saved<T>> there, java.util.function.Supplier<T> here) {
        return write(there, () -> saved(false, log.noting(here)));
    }

    private <T> Saved<T> saved(boolean binds, ClusterLog.Did<T> did) {
        return acks.saved(did.lineage(), did.index(), binds, did.result());
    }

    private final class Leadership implements AtLeader.Site {
        @Override
        public boolean serves() {
            return site.serves();
        }

        @Override
        public Optional<NodeApi> leader() {
            return NodeService.this.leader();
        }

        @Override
        public boolean mayHaveOneSoon() {
            return !isSentOn() && site.role().equals("ACTIVE");
        }

        @Override
        public ApiException cannotServe() {
            return NodeService.this.cannotServe();
        }
    }

    private ApiException cannotServe() {
        boolean active = site.role().equals("ACTIVE");
        return new ApiException(
                active ? ApiException.Kind.UNAVAILABLE : ApiException.Kind.REFUSED,
                "Refused at node "
                        + self
                        + ": its site is "
                        + site.role()
                        + " in epoch "
                        + site.epoch()
                        + (active ? ", and no leader is known" : ""),
                active
                        ? "Try again when a leader is elected; see: holdfast status"
                        : "Send it to a node of site " + site.epoch().site().word(),
                site.epoch().toString(),
                site.role(),
                null);
    }

    /** Reads what the leader knows best; here when it cannot be asked. */
    private <T> T read(Function<NodeApi, T> there, java.util.function.Supplier<T> here) {
        Optional<NodeApi> leader = leader();
        if (leader.isPresent()) {
            try {
                return there.apply(leader.get());
            } catch (ApiException e) {
                if (e.kind() != ApiException.Kind.UNAVAILABLE
                        && e.kind() != ApiException.Kind.UNKNOWN) {
                    throw e;
                }
            }
        }
        return here.get();
    }

    private long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    private UUID newId() {
        return Uuid7.of(clock.millis(), random);
    }

    private UUID jobId(@Nullable UUID operation) {
        if (operation != null && operation.version() != 7) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    "Not a UUID of version 7: operation " + operation,
                    "Leave it out, or make one of version 7");
        }
        return operation == null ? newId() : operation;
    }

    /** @throws ApiException UNAVAILABLE while this node has not received the cluster's record */
    private Lookup lookup() {
        if (!log.state().isSeeded()) {
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE,
                    "Node " + self + " has not received the cluster's record yet",
                    "Ask another node, or try again; see: holdfast status",
                    site.epoch().toString(),
                    site.role(),
                    null);
        }
        return Lookup.in(log.state());
    }

    // ---------------------------------------------------------------- status

    @Override
    public StatusView status() {
        return status.status();
    }

    @Override
    public HealthView health() {
        return status.health();
    }

    @Override
    public MetricsView metrics() {
        return metrics.view();
    }

    // ---------------------------------------------------------------- resources

    @Override
    public List<ResourceView> resources(@Nullable String type) {
        Optional<Resource.Type> wanted = Optional.ofNullable(type).map(NodeService::type);
        return read(
                leader -> leader.resources(type),
                () ->
                        lookup().state().resources().stream()
                                .filter(r ->
                                        wanted.isEmpty() || r.resource().type() == wanted.get())
                                .sorted(
                                        Comparator.comparing((VersionedResource r) ->
                                                        r.resource().type())
                                                .thenComparing(r -> r.resource().name()))
                                .map(r -> ResourceView.of(r.resource(), r.version()))
                                .toList());
    }

    private static Resource.Type type(String word) {
        try {
            return ResourceView.typeOf(word);
        } catch (FormatException e) {
            throw new ApiException(ApiException.Kind.USAGE, String.valueOf(e.getMessage()), "");
        }
    }

    @Override
    public Saved<ResourceView> putResource(ResourceView view) {
        return save(
                "the write of " + view.type() + " " + view.name(),
                leader -> leader.putResource(view),
                () -> {
                    Resource resource = checked(view);
                    Written written = log.submit(new Command.PutResource(resource, view.version()));
                    return ResourceView.of(
                            resource,
                            written.reply() instanceof io.holdfast.replication.state.Reply.Done done
                                    ? done.version()
                                    : -1);
                });
    }

    /** The resource, with its typed view validated, so that nothing unreadable is ever stored. */
    private static Resource checked(ResourceView view) {
        try {
            Resource resource = view.toResource();
            Object typed =
                    switch (resource.type()) {
                        case CLIENT -> io.holdfast.standard.ClientResource.of(resource);
                        case GROUP -> io.holdfast.standard.GroupResource.of(resource);
                        case DEVICE -> io.holdfast.standard.DeviceResource.of(resource);
                        case SCHEDULE -> io.holdfast.standard.ScheduleResource.of(resource);
                        case POLICY -> io.holdfast.standard.PolicyResource.of(resource);
                        case CATALOG -> CatalogResource.of(resource);
                        case REPLICATION -> io.holdfast.standard.ReplicationResource.of(resource);
                        case DOMAIN_KEY -> io.holdfast.standard.DomainKeyResource.of(resource);
                        case REHEARSAL -> io.holdfast.standard.RehearsalResource.of(resource);
                    };
            java.util.Objects.requireNonNull(typed);
            return resource;
        } catch (FormatException e) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    "Refused resource " + view.name() + ": " + e.getMessage(),
                    "Correct it and send it again");
        }
    }

    @Override
    public Saved<UUID> deleteResource(UUID id) {
        return save(
                "the deletion of resource " + id,
                leader -> leader.deleteResource(id),
                () -> {
                    log.submit(new Command.DeleteResource(id, Command.ANY_VERSION));
                    return id;
                });
    }

    // ---------------------------------------------------------------- jobs

    @Override
    public JobView startBackup(Requests.Backup request) {
        return write(leader -> leader.startBackup(request), () -> backup(request, false));
    }

    /** Starts a backup that is due, and leaves a FAILED job where the ack policy forbids it. */
    JobView startScheduled(Requests.Backup request) {
        return write(leader -> leader.startBackup(request), () -> backup(request, true));
    }

    private JobView backup(Requests.Backup request, boolean scheduled) {
        Lookup lookup = lookup();
        Client client = lookup.client(request.client());
        requireNotSuspended(lookup, client);
        String level = request.level();
        if (!level.equals("full") && !level.equals("incremental")) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    "Not a level: '" + level + "'",
                    "Use full or incremental");
        }
        String source = request.source() == null ? client.view().sourcePath() : request.source();
        UUID id = jobId(request.operation());
        Job job = JobPlanner.backup(lookup, client, source, id, JobPlanner.pieceFor(id));
        JobPlanner.requirePossible(lookup, client, job);
        Command.JobOpened opened = new Command.JobOpened(job, "backup", client.id(), level);
        try {
            requireGreenIsPossible(lookup, client);
        } catch (ApiException refused) {
            if (scheduled) {
                log.submit(opened, id);
                log.submit(failed(id, refused));
            }
            throw refused;
        }
        open(opened);
        return job(id);
    }

    /** Under ack policy protection no backup begins that cannot become green now. */
    void requireGreenIsPossible(Lookup lookup, Client client) {
        PolicyResource.GreenAt green = Views.greenAt(lookup, client.id());
        if (green != PolicyResource.GreenAt.LOCAL) {
            acks.require(
                    "the backup of "
                            + client.view().name()
                            + ", whose policy is green at "
                            + green.word());
        }
    }

    private static Command.JobEnded failed(UUID job, ApiException refused) {
        return new Command.JobEnded(
                job,
                JobState.FAILED,
                Optional.empty(),
                Optional.empty(),
                JobTotals.NONE,
                refused.getMessage() + " " + refused.next(),
                Optional.empty());
    }

    private static void requireNotSuspended(Lookup lookup, Client client) {
        Lookup.suspension(client.view(), lookup.state().epoch().site())
                .ifPresent(why -> {
                    throw new ApiException(
                            ApiException.Kind.REFUSED,
                            "Refused: " + why,
                            "Give it one with: holdfast client add "
                                    + client.view().name()
                                    + " --dr-address HOST:PORT, or wait for the switchover home",
                            lookup.state().epoch().toString(),
                            "DR",
                            null);
                });
    }

    private void open(Command.JobOpened opened) {
        log.submit(opened, opened.job().id());
        jobs.follow(opened.job().id());
    }

    @Override
    public JobView startRestore(Requests.Restore request) {
        return write(
                leader -> leader.startRestore(request),
                () -> {
                    Lookup lookup = lookup();
                    Client target = lookup.client(request.targetClient());
                    requireNotSuspended(lookup, target);
                    CatalogRow row = row(lookup, request.piece());
                    if (!request.targetPath().startsWith("/")) {
                        throw new ApiException(
                                ApiException.Kind.USAGE,
                                "Not an absolute path: '" + request.targetPath() + "'",
                                "Name a folder on the target client, for example /restore");
                    }
                    UUID id = jobId(request.operation());
                    Job job =
                            JobPlanner.restore(
                                    row.record(),
                                    target,
                                    request.targetPath(),
                                    request.include(),
                                    request.overwrite(),
                                    id);
                    job.pairs()
                            .forEach(pair -> {
                                lookup.physicalToRead(pair.input(), row.piece());
                                lookup.physical(pair.output());
                            });
                    JobPlanner.slot(lookup, JobPlanner.keyOf(lookup, row.record()), target);
                    open(new Command.JobOpened(job, "restore", target.id(), ""));
                    return job(id);
                });
    }

    private CatalogRow row(Lookup lookup, UUID piece) {
        try {
            return peers.catalogRow(lookup, piece);
        } catch (RemoteException e) {
            throw unavailable("The catalog did not answer for piece " + piece, e);
        }
    }

    private static ApiException unavailable(String what, RemoteException e) {
        return switch (e) {
            case RemoteException.Refused refused ->
                    new ApiException(
                            refused.stale()
                                    ? ApiException.Kind.STALE_EPOCH
                                    : ApiException.Kind.REFUSED,
                            what + ": " + refused.getMessage(),
                            refused.next());
            case RemoteException.Unavailable _, RemoteException.Unknown _ ->
                    new ApiException(
                            ApiException.Kind.UNAVAILABLE,
                            what + ": " + e.getMessage(),
                            "Try again; see: holdfast status");
        };
    }

    @Override
    public List<JobView> jobs(Requests.JobFilter filter) {
        return read(
                leader -> leader.jobs(filter),
                () -> {
                    Lookup lookup = lookup();
                    Optional<UUID> client =
                            Optional.ofNullable(filter.client())
                                    .map(lookup::client)
                                    .map(Client::id);
                    return lookup.state().jobs().stream()
                            .filter(j -> client.isEmpty() || j.client().equals(client.get()))
                            .filter(j ->
                                    filter.state() == null
                                            || JobRunner.stateOf(j.state()) == filter.state())
                            .sorted(
                                    Comparator.comparingLong(JobRecord::openedMicros)
                                            .thenComparing(JobRecord::id)
                                            .reversed())
                            .limit(Math.max(1, filter.limit()))
                            .map(j -> view(lookup, j, false))
                            .toList();
                });
    }

    private JobView view(Lookup lookup, JobRecord job, boolean withLog) {
        boolean shown = protector.isShown(job);
        boolean recorded = shown || log.acknowledged().isRecorded(job, log::appliedIndex);
        return Views.job(
                lookup,
                job,
                journal.view(job.id()),
                shown,
                Views.safety(
                        lookup,
                        job,
                        shown,
                        recorded,
                        acks.isAway(),
                        recorded ? null : acks.atRisk()),
                withLog,
                nowMicros());
    }

    @Override
    public JobView job(UUID id) {
        return read(
                leader -> leader.job(id),
                () -> {
                    Lookup lookup = lookup();
                    JobRecord record = record(lookup, id);
                    return withLogsElsewhere(record, view(lookup, record, true));
                });
    }

    /** Adds what other nodes heard of a job that this process did not follow to its end. */
    private JobView withLogsElsewhere(JobRecord job, JobView view) {
        boolean askedByNode = Caller.current().filter(c -> c.role().equals("node")).isPresent();
        if (job.state() == JobState.OPEN || journal.heardEnd(job.id()) || askedByNode) {
            return view;
        }
        List<JobView.LogLine> lines = view.log();
        for (NodeAddress node : status.reachable()) {
            try {
                lines =
                        JobJournal.join(
                                lines,
                                ScopedValue.where(Caller.CURRENT, new Caller("node", self, null))
                                        .call(() ->
                                                nodes.apply(
                                                                Endpoint.of(
                                                                        node.host(),
                                                                        node.restPort()))
                                                        .job(job.id())
                                                        .log()));
            } catch (ApiException e) {
                LOG.info(
                        "Lines of job {} at node {} are not shown: {}",
                        job.id(),
                        node.id(),
                        e.getMessage());
            }
        }
        return view.withLog(lines);
    }

    private static JobRecord record(Lookup lookup, UUID id) {
        return lookup.state()
                .job(id)
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.NOT_FOUND,
                                "There is no job " + id,
                                "See the jobs with: holdfast jobs"));
    }

    @Override
    public JobView cancelJob(UUID id) {
        return write(
                leader -> leader.cancelJob(id),
                () -> {
                    JobRecord job = record(lookup(), id);
                    if (job.state() == JobState.OPEN) {
                        try {
                            jobs.cancel(job);
                        } catch (RemoteException e) {
                            throw unavailable("The agent of job " + id + " did not answer", e);
                        }
                    }
                    return job(id);
                });
    }

    // ---------------------------------------------------------------- pieces

    @Override
    public List<PieceView> pieces(Requests.PieceFilter filter) {
        return read(
                leader -> leader.pieces(filter),
                () -> {
                    Lookup lookup = lookup();
                    Optional<UUID> client =
                            Optional.ofNullable(filter.client())
                                    .map(lookup::client)
                                    .map(Client::id);
                    CatalogFilter wanted =
                            client.map(id -> CatalogFilter.all().ofClient(id))
                                    .orElseGet(CatalogFilter::all);
                    int limit = Math.clamp(filter.limit(), 1, 1000);
                    List<CatalogRow> rows = new ArrayList<>();
                    for (Endpoint endpoint :
                            Peers.at(
                                    lookup,
                                    lookup.catalogs().stream()
                                            .map(CatalogResource::address)
                                            .toList(),
                                    status.siteToRead(lookup))) {
                        try {
                            peers
                                    .catalog(endpoint)
                                    .list(wanted, Optional.empty(), limit)
                                    .pieces()
                                    .stream()
                                    .map(CatalogPiece::row)
                                    .forEach(rows::add);
                        } catch (RemoteException e) {
                            throw unavailable("Catalog " + endpoint + " did not answer", e);
                        }
                    }
                    return rows.stream()
                            .sorted(
                                    Comparator.comparingLong(
                                                    (CatalogRow r) -> r.record().backupTimeMicros())
                                            .thenComparing(CatalogRow::piece)
                                            .reversed())
                            .limit(limit)
                            .map(r -> view(lookup, r))
                            .toList();
                });
    }

    private PieceView view(Lookup lookup, CatalogRow row) {
        Optional<JobRecord> job =
                Optional.ofNullable(row.record().optional().get("job"))
                        .flatMap(Lookup::uuid)
                        .flatMap(lookup.state()::job);
        return Views.piece(
                lookup, row, job.orElse(null), job.filter(protector::isShown).isPresent());
    }

    @Override
    public PieceView piece(UUID id) {
        return read(
                leader -> leader.piece(id),
                () -> {
                    Lookup lookup = lookup();
                    return view(lookup, row(lookup, id));
                });
    }

    @Override
    public List<EntryView> ls(Requests.Listing request) {
        return read(
                leader -> leader.ls(request),
                () -> {
                    Lookup lookup = lookup();
                    CatalogRow row = row(lookup, request.piece());
                    Client via =
                            lookup.client(
                                    request.via() == null
                                            ? row.record().client().toString()
                                            : request.via());
                    Lookup.suspension(via.view(), lookup.state().epoch().site())
                            .ifPresent(why -> {
                                throw new ApiException(
                                        ApiException.Kind.REFUSED,
                                        "The agent that could open the piece is not reachable: "
                                                + why,
                                        "Name another client with --via CLIENT");
                            });
                    Endpoint agent =
                            lookup.physical(
                                            new Identifier(
                                                    via.view().address(), "READ", List.of(), ""))
                                    .endpoint();
                    Identifier input =
                            JobPlanner.readOf(
                                    Identifier.parse(row.record().location()), row.piece());
                    ListOrder order =
                            ListOrder.newBuilder()
                                    .setContext(peers.context())
                                    .setInput(lookup.physicalToRead(input, row.piece()).toString())
                                    .setKey(
                                            JobPlanner.slot(
                                                    lookup,
                                                    JobPlanner.keyOf(lookup, row.record()),
                                                    via))
                                    .setPieceHeader(Wire.bytes(row.header()))
                                    .setPath(request.path())
                                    .setRecursive(request.recursive())
                                    .build();
                    try {
                        List<EntryView> entries = new ArrayList<>();
                        Iterator<ListEntry> found = peers.agent(agent, LIST_DEADLINE).list(order);
                        while (found.hasNext() && entries.size() < MAX_LISTED) {
                            entries.add(entry(found.next()));
                        }
                        return entries;
                    } catch (StatusRuntimeException e) {
                        throw unavailable(
                                "Agent "
                                        + agent
                                        + " did not list it"
                                        + JobPlanner.keptOnly(lookup, row.piece()),
                                Errors.of(e));
                    }
                });
    }

    private static EntryView entry(ListEntry e) {
        return new EntryView(
                e.getPath().toStringUtf8(),
                e.getType(),
                e.getMode(),
                e.getUid(),
                e.getGid(),
                e.getMtimeNanos(),
                e.getSize(),
                e.getLinkTarget().isEmpty() ? null : e.getLinkTarget().toStringUtf8());
    }

    // ---------------------------------------------------------------- sites

    @Override
    public PreflightView failoverPreflight() {
        return site.preflight();
    }

    @Override
    public FailoverView failover(Requests.Failover request) {
        return site.failover(request);
    }

    @Override
    public LossLedgerView lossLedger() {
        return Views.lossLedger(log.state(), site.lastContactMicros());
    }

    @Override
    public Saved<StatusView> autoFailover(Requests.AutoFailover request) {
        return write(
                leader -> leader.autoFailover(request),
                () -> {
                    if (status.status().autoFailover() == null) {
                        throw new ApiException(
                                ApiException.Kind.REFUSED,
                                "This cluster has no witness: DR takes over by command only",
                                "See: holdfast failover");
                    }
                    return told(
                            new Command.SetAutoFailover(
                                    request.on(),
                                    requires(request.requires()),
                                    request.operator(),
                                    request.reason()));
                });
    }

    private static Optional<Profile.Requires> requires(@Nullable String word) {
        try {
            return Optional.ofNullable(word).map(Profile.Requires::ofWord);
        } catch (FormatException e) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    String.valueOf(e.getMessage()),
                    "See: holdfast auto-failover --help");
        }
    }

    /** Writes what no policy binds, and shows the cluster as it is once that is acknowledged. */
    private Saved<StatusView> told(Command command) {
        return saved(false, log.noting(() -> log.submit(command))).with(status.status());
    }

    @Override
    public Saved<StatusView> ackPolicy(Requests.ChooseAckPolicy request) {
        AckPolicy policy;
        try {
            policy = AckPolicy.ofWord(request.policy());
        } catch (FormatException e) {
            throw new ApiException(ApiException.Kind.USAGE, String.valueOf(e.getMessage()), "");
        }
        return write(
                leader -> leader.ackPolicy(request),
                () -> told(new Command.SetAckPolicy(policy, request.operator(), request.reason())));
    }

    @Override
    public SwitchoverView switchover(Requests.Switchover request) {
        return write(
                leader ->
                        movesSentOn.sendOn(
                                request.operation(), leader, () -> leader.switchover(request)),
                () -> site.switchover(request));
    }

    @Override
    public MoveView move(UUID operation) {
        return (isSentOn() ? Optional.<MoveView>empty() : movesSentOn.look(operation))
                .or(() -> site.move(operation))
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.NOT_FOUND,
                                "Node "
                                        + self
                                        + " was not asked for a failover or switchover "
                                        + operation,
                                "See: holdfast status"));
    }

    @Override
    public ReconcileView reconcileReport() {
        return read(NodeApi::reconcileReport, status::reconcile);
    }

    /** Here, where this node can hold the sandbox; else at the node of the passive site that can. */
    @Override
    public RehearsalView rehearse(Requests.Rehearsal request) {
        boolean sentOn = Caller.current().map(Caller::forwardedBy).isPresent();
        if (rehearsals.isPossible() || sentOn) {
            return rehearsals.run(
                    jobId(request.operation()), request, report -> putResource(report).result());
        }
        Mbr mbr = lookup().mbr();
        Site passive = site.epoch().site().peer();
        NodeAddress node =
                status.reachable().stream()
                        .filter(n -> mbr.siteOf(n.id()).equals(Optional.of(passive)))
                        .filter(n -> n.roles().containsAll(SANDBOX_ROLES))
                        .findFirst()
                        .orElseThrow(() ->
                                new ApiException(
                                        ApiException.Kind.REFUSED,
                                        "Refused a rehearsal: no node of the passive site "
                                                + passive.word()
                                                + " with the roles "
                                                + SANDBOX_ROLES
                                                + " answers",
                                        "Start it there; see: holdfast status",
                                        site.epoch().toString(),
                                        site.role(),
                                        null));
        return nodes.apply(Endpoint.of(node.host(), node.restPort())).rehearse(request);
    }

    @Override
    public Saved<ReconcileView.Setting> reconcileApply(Requests.Reapply request) {
        return save(
                "the change of item " + request.item(),
                leader -> leader.reconcileApply(request),
                () -> {
                    DivergentResource item = Returns.item(log.state(), request.item());
                    Optional<Command> write =
                            Returns.write(log.state(), item, request.oursVersion());
                    if (write.isPresent()) {
                        log.submit(write.get());
                        log.submit(
                                new Command.AuditNote(
                                        operator(request.operator()),
                                        "made a change of the returned site here too",
                                        item.id().toString()));
                    }
                    return Returns.setting(item, log.state());
                });
    }

    private static String operator(@Nullable String named) {
        return named == null ? "operator" : named;
    }

    @Override
    public Saved<ReconcileView> reconcileSign(Requests.Sign request) {
        return saveAnyway(
                leader -> leader.reconcileSign(request),
                () -> {
                    log.state().reports().stream()
                            .filter(ReturnReport::isOpen)
                            .forEach(r ->
                                    log.submit(
                                            new Command.ReportSigned(
                                                    r.lineage(),
                                                    operator(request.operator()),
                                                    Optional.ofNullable(request.reason())
                                                            .orElse(""))));
                    return status.reconcile();
                });
    }

    @Override
    public List<StorageView> storages() {
        return write(NodeApi::storages, storages::list);
    }

    @Override
    public Saved<StorageView> storageFailover(Requests.StorageMove request) {
        return saveAnyway(
                leader -> leader.storageFailover(request), () -> storages.failover(request));
    }

    @Override
    public Saved<StorageView> storageFailback(Requests.StorageMove request) {
        return saveAnyway(
                leader -> leader.storageFailback(request), () -> storages.failback(request));
    }

    // ---------------------------------------------------------------- the end of data

    @Override
    public RetentionView retention() {
        return write(NodeApi::retention, garbage::retention);
    }

    @Override
    public Saved<List<ExpiryView>> expire(Requests.Expire request) {
        return save(
                "the expiry",
                leader -> leader.expire(request),
                () -> garbage.lifetimes().expire(request));
    }

    @Override
    public List<HoldView> holds() {
        return read(NodeApi::holds, () -> garbage.lifetimes().holds());
    }

    @Override
    public Saved<HoldView> hold(Requests.Hold request) {
        UUID id = jobId(request.operation());
        return save(
                "the hold",
                leader -> leader.hold(request),
                () -> garbage.lifetimes().hold(request, id));
    }

    @Override
    public Saved<HoldView> release(Requests.Release request) {
        return save(
                "the release",
                leader -> leader.release(request),
                () -> garbage.lifetimes().release(request));
    }

    @Override
    public GcView gc() {
        return write(NodeApi::gc, garbage::view);
    }

    @Override
    public GcView collect() {
        return write(NodeApi::collect, garbage::collect);
    }

    @Override
    public GcPlanView gcPlan() {
        return write(NodeApi::gcPlan, garbage::plan);
    }

    @Override
    public Saved<GcView> abandonSite(Requests.Abandon request) {
        return saveAnyway(leader -> leader.abandonSite(request), () -> garbage.abandon(request));
    }

    @Override
    public IdentifierView resolve(String identifier) {
        try {
            return lookup().view(identifier);
        } catch (FormatException e) {
            throw new ApiException(ApiException.Kind.USAGE, String.valueOf(e.getMessage()), "");
        }
    }

    /** The nodes of an MBR but one. */
    static List<NodeAddress> others(Mbr mbr, String self) {
        return mbr.sites().values().stream()
                .flatMap(List::stream)
                .filter(n -> !n.id().equals(self))
                .sorted(Comparator.comparing(NodeAddress::id))
                .toList();
    }
}
