package io.holdfast.node.rest;

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
import io.holdfast.node.api.Level;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.MetricsView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StepView;
import io.holdfast.node.api.StorageView;
import io.holdfast.node.api.SuspendedView;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.standard.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A node that answers with the same values every time, or with the problem it was told. */
public final class FakeNodeApi implements NodeApi {
    public static final UUID CLUSTER = new UUID(1, 1);
    public static final UUID LINEAGE = new UUID(2, 2);
    public static final UUID CLIENT = new UUID(3, 3);
    public static final UUID JOB = UUID.fromString("01920000-0000-7000-8000-00000000000a");
    public static final UUID PIECE = UUID.fromString("01920000-0000-7000-8000-00000000000b");
    public static final Moment NOON = Moment.of(1_795_262_400_000_001L);
    public static final IdentifierView LOCATION =
            new IdentifierView(
                    "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe?/mtree/backup/x",
                    "127.50.4.4:3456?WRITE:IP:127.50.4.4,dedupe?/mtree/backup/x",
                    null,
                    List.of(
                            new IdentifierView.Rewrite(
                                    "head",
                                    "127.10.11.44:6543",
                                    "127.50.4.4:3456",
                                    "replication row 127.10.11.44:6543 -> 127.50.4.4:3456")));

    private final String node;
    private final String role;
    private final boolean writable;

    /** Everything that was asked, as text. */
    public final List<String> asked = new CopyOnWriteArrayList<>();

    /** Who asked how far a move is; apart, for such a question may outlive the command that it is of. */
    public final List<String> looked = new CopyOnWriteArrayList<>();

    public final List<ResourceView> resources = new ArrayList<>();

    /** When set, every call but health ends with it. */
    public volatile ApiException problem;

    /** State of jobs that are started. */
    public volatile JobView.State outcome = JobView.State.COMPLETE;

    public FakeNodeApi(String node, String role, boolean writable) {
        this.node = node;
        this.role = role;
        this.writable = writable;
    }

    /** How safe writes are said to be. */
    public volatile Level level = Level.PROTECTED;

    /** What is at risk while {@link #level} is UNPROTECTED. */
    public static final RpoAtRisk RISK = new RpoAtRisk(NOON, 12, 3_400_000);

    /** What jobs say of themselves. */
    public volatile JobView.Safety safety =
            new JobView.Safety(Level.PROTECTED, null, "dr-data", "dr-data", true, null, false);

    private <T> Saved<T> saved(T result) {
        return new Saved<>(
                level, level == Level.PROTECTED ? null : RISK, "1.local", LINEAGE, 412, result);
    }

    private <T> Saved<T> save(String what, T result) {
        return saved(answer(what, result));
    }

    private <T> T answer(String what, T value) {
        asked.add(what + Caller.current().map(c -> " as " + c).orElse(""));
        if (problem != null) {
            throw problem;
        }
        return value;
    }

    @Override
    public StatusView status() {
        return answer(
                "status",
                new StatusView(
                        CLUSTER,
                        "test",
                        "p2-small",
                        node,
                        "local",
                        role,
                        "NORMAL",
                        "1.local",
                        "local",
                        LINEAGE,
                        "l1",
                        "SYNC",
                        NOON,
                        NOON,
                        "availability",
                        true,
                        level,
                        level == Level.PROTECTED ? null : RISK,
                        0,
                        17,
                        17,
                        List.of(
                                new StatusView.Member(
                                        "l1",
                                        "local",
                                        "127.10.11.44:8443",
                                        true,
                                        "ACTIVE",
                                        true,
                                        "1.local",
                                        17,
                                        NOON),
                                new StatusView.Member(
                                        "d1",
                                        "dr",
                                        "127.50.4.4:8443",
                                        false,
                                        "UNKNOWN",
                                        false,
                                        null,
                                        -1,
                                        null)),
                        List.of(
                                new StatusView.Store(
                                        "local", "127.10.11.44:6543", true, 1 << 20, 12, 1L << 40)),
                        List.of(
                                new StatusView.CatalogState(
                                        "main", "local", "127.10.11.44:9873", true, 3)),
                        List.of(
                                new StatusView.ClientState(
                                        CLIENT,
                                        "crit",
                                        "critical",
                                        "ACTIVE",
                                        null,
                                        "127.10.11.22:3456")),
                        0,
                        1,
                        null,
                        null,
                        List.of("1 data piece is not yet at the other site")));
    }

    @Override
    public HealthView health() {
        asked.add("health");
        return new HealthView("UP", node, "local", role, "1.local", writable, Map.of("raft", "ok"));
    }

    @Override
    public List<ResourceView> resources(String type) {
        return answer(
                "resources " + type,
                resources.stream().filter(r -> type == null || r.type().equals(type)).toList());
    }

    @Override
    public Saved<ResourceView> putResource(ResourceView resource) {
        answer("put " + resource.type() + " " + resource.name(), resource);
        resource.toResource();
        resources.removeIf(r -> r.id().equals(resource.id()));
        ResourceView stored = ResourceView.of(resource.toResource(), 5);
        resources.add(stored);
        return saved(stored);
    }

    @Override
    public Saved<UUID> deleteResource(UUID id) {
        answer("delete " + id, id);
        resources.removeIf(r -> r.id().equals(id));
        return saved(id);
    }

    /** A job in a state. */
    public JobView jobIn(JobView.State state) {
        return new JobView(
                JOB,
                "backup",
                state,
                "full",
                CLIENT,
                "crit",
                PIECE,
                "1.local",
                NOON,
                state == JobView.State.OPEN ? null : NOON,
                state == JobView.State.FAILED ? "Source /x does not exist." : "",
                null,
                state == JobView.State.CHECKPOINTED ? new UUID(0x5cc, 7) : null,
                1,
                new JobView.Progress("send", 10, 2, 1000, 500, 250, 250, 3, 2000, 8.0, 1.5, null),
                Protection.UNPROTECTED,
                null,
                null,
                safety,
                List.of(new JobView.Pair(LOCATION, LOCATION)),
                List.of(new JobView.LogLine("WARNING", "a/b", "vanished")));
    }

    @Override
    public JobView startBackup(Requests.Backup request) {
        return answer(
                "backup "
                        + request.client()
                        + " "
                        + request.level()
                        + " "
                        + request.source()
                        + (request.operation() == null ? "" : " op"),
                jobIn(JobView.State.OPEN));
    }

    @Override
    public JobView startRestore(Requests.Restore request) {
        return answer(
                "restore "
                        + request.piece()
                        + " to "
                        + request.targetClient()
                        + " "
                        + request.targetPath()
                        + " "
                        + request.include()
                        + " "
                        + request.overwrite(),
                jobIn(JobView.State.OPEN));
    }

    @Override
    public List<JobView> jobs(Requests.JobFilter filter) {
        return answer("jobs " + filter, List.of(jobIn(outcome)));
    }

    @Override
    public JobView job(UUID id) {
        if (!id.equals(JOB)) {
            throw new ApiException(
                    ApiException.Kind.NOT_FOUND,
                    "There is no job " + id + ".",
                    "See: holdfast jobs.");
        }
        return answer("job " + id, jobIn(outcome));
    }

    @Override
    public JobView cancelJob(UUID id) {
        return answer("cancel " + id, jobIn(JobView.State.CANCELLED));
    }

    private static PieceView onePiece() {
        return new PieceView(
                PIECE,
                CLIENT,
                "crit",
                "/home",
                "files/full",
                "ada",
                LOCATION,
                NOON,
                null,
                123456,
                "main",
                Protection.DR_PROTECTED,
                NOON,
                "NORMAL",
                List.of("dr"),
                Map.of("files", "10"));
    }

    @Override
    public List<PieceView> pieces(Requests.PieceFilter filter) {
        return answer("pieces " + filter, List.of(onePiece()));
    }

    @Override
    public PieceView piece(UUID id) {
        return answer("piece " + id, onePiece());
    }

    @Override
    public List<EntryView> ls(Requests.Listing request) {
        return answer(
                "ls " + request,
                List.of(
                        new EntryView("docs", "directory", 0755, 1, 2, 0, 0, null),
                        new EntryView("docs/ä b", "symlink", 0777, 1, 2, 5, 3, "x y")));
    }

    private static LossLedgerView ledger() {
        return new LossLedgerView(
                "2.dr",
                NOON,
                false,
                List.of(
                        new LossLedgerView.Entry(
                                JOB,
                                CLIENT,
                                "crit",
                                PIECE,
                                "UNPROTECTED",
                                NOON,
                                NOON,
                                5000,
                                null,
                                "completed, not protected")));
    }

    @Override
    public PreflightView failoverPreflight() {
        return answer(
                "preflight",
                new PreflightView(
                        node,
                        "dr",
                        role,
                        "1.local",
                        "2.dr",
                        PreflightView.Verdict.ALLOWED,
                        List.of(),
                        List.of("l1 127.10.11.44:9872 does not answer"),
                        "ASYNC",
                        NOON,
                        NOON,
                        ledger(),
                        List.of("crit"),
                        List.of(new SuspendedView(CLIENT, "noncrit", "it has no DR address")),
                        List.of(
                                new IdentifierView(
                                        "10.1.1.9:3456?READ?/", null, "no mapping", List.of()))));
    }

    /** Runs while a failover or switchover is outstanding. */
    public volatile Runnable meanwhile = () -> {};

    /** How far the outstanding move says that it is. */
    public volatile Supplier<List<StepView>> steps = List::of;

    private volatile @Nullable UUID moving;

    @Override
    public MoveView move(UUID operation) {
        if (!operation.equals(moving)) {
            throw new ApiException(
                    ApiException.Kind.NOT_FOUND, "no move " + operation, "", "1.local", role, null);
        }
        looked.add(Caller.current().map(Caller::toString).orElse(""));
        return new MoveView(operation, steps.get(), "reads the logs", 1400);
    }

    @Override
    public FailoverView failover(Requests.Failover request) {
        moving = request.operation();
        meanwhile.run();
        return answer(
                "failover " + request.force() + " " + request.operator() + " " + request.reason(),
                new FailoverView(
                        new UUID(9, 9),
                        List.of(new StepView("promise", 12, ""), new StepView("seed", 700, "17")),
                        2100,
                        "1.local",
                        "2.dr",
                        LINEAGE,
                        new UUID(2, 3),
                        ledger(),
                        List.of(LOCATION),
                        List.of("crit"),
                        List.of(new SuspendedView(CLIENT, "noncrit", "it has no DR address"))));
    }

    @Override
    public LossLedgerView lossLedger() {
        return answer("loss ledger", ledger());
    }

    @Override
    public Saved<StatusView> autoFailover(Requests.AutoFailover request) {
        return save(
                "auto-failover "
                        + request.on()
                        + " "
                        + request.requires()
                        + " "
                        + request.operator(),
                status());
    }

    @Override
    public Saved<StatusView> ackPolicy(Requests.ChooseAckPolicy request) {
        return save(
                "ack-policy "
                        + request.policy()
                        + " "
                        + request.operator()
                        + " "
                        + request.reason(),
                status());
    }

    @Override
    public MetricsView metrics() {
        return answer(
                "metrics",
                new MetricsView(
                        List.of(
                                new MetricsView.Metric(
                                        "holdfast_site",
                                        "1; its labels say what this node is.",
                                        MetricsView.Kind.GAUGE,
                                        List.of(
                                                new MetricsView.Sample(
                                                        Map.of("role", role, "node", "a\"b\n"),
                                                        1))),
                                new MetricsView.Metric(
                                        "holdfast_writes",
                                        "Writes by level.",
                                        MetricsView.Kind.COUNTER,
                                        List.of(
                                                new MetricsView.Sample(
                                                        Map.of("level", "protected"), 7),
                                                new MetricsView.Sample(
                                                        Map.of("level", "unprotected"), 0))))));
    }

    @Override
    public SwitchoverView switchover(Requests.Switchover request) {
        moving = request.operation();
        meanwhile.run();
        return answer(
                "switchover "
                        + request.to()
                        + " "
                        + request.operator()
                        + " "
                        + request.drainSeconds()
                        + " "
                        + request.barrierSeconds(),
                new SwitchoverView(
                        new UUID(9, 8),
                        List.of(new StepView("drain", 5, "")),
                        "dr",
                        request.to(),
                        "2.dr",
                        "3.local",
                        LINEAGE,
                        new UUID(2, 4),
                        List.of(LOCATION),
                        List.of("noncrit"),
                        List.of()));
    }

    @Override
    public ReconcileView reconcileReport() {
        return answer("reconcile", returned);
    }

    /** What {@link #reconcileReport} answers. */
    public volatile ReconcileView returned = ReconcileView.NONE;

    @Override
    public Saved<ReconcileView.Setting> reconcileApply(Requests.Reapply request) {
        return save(
                "apply " + request.item() + " " + request.oursVersion() + " " + request.operator(),
                returned.settings().stream()
                        .filter(s -> s.item().equals(request.item()))
                        .findFirst()
                        .orElseThrow());
    }

    @Override
    public Saved<ReconcileView> reconcileSign(Requests.Sign request) {
        return save("sign " + request.operator() + " " + request.reason(), returned);
    }

    private static StorageView storage(String servedAt) {
        return new StorageView(
                "disk",
                "127.10.11.44:6543",
                new StorageView.Store("local", "127.10.11.44:6543", false, -1, -1),
                new StorageView.Store("dr", "127.50.4.4:3456", true, 12, 3456),
                servedAt,
                servedAt.equals("dr") ? NOON : null,
                servedAt.equals("dr") ? "burnt" : null,
                3,
                -1,
                List.of(JOB));
    }

    @Override
    public List<StorageView> storages() {
        return answer("storages", List.of(storage("dr")));
    }

    @Override
    public Saved<StorageView> storageFailover(Requests.StorageMove request) {
        return save(
                "storage failover "
                        + request.device()
                        + " "
                        + request.force()
                        + " "
                        + request.operator()
                        + " "
                        + request.reason(),
                storage("dr"));
    }

    @Override
    public Saved<StorageView> storageFailback(Requests.StorageMove request) {
        return save("storage failback " + request.device(), storage("local"));
    }

    @Override
    public RetentionView retention() {
        return answer(
                "retention",
                new RetentionView(
                        List.of(
                                new RetentionView.Policy(
                                        "default", "P30D, last 3", 1, "P30D, last 3", false),
                                new RetentionView.Policy("longer", "P1D", 0, "P90D", true)),
                        List.of(
                                new RetentionView.Piece(
                                        PIECE,
                                        "crit",
                                        "/home",
                                        NOON,
                                        "EXPIRE",
                                        "no clause of 'P30D, last 3' keeps it",
                                        List.of(
                                                new RetentionView.AtSite(
                                                        "local",
                                                        "EXPIRE",
                                                        "no clause of 'P30D, last 3' keeps it"),
                                                new RetentionView.AtSite(
                                                        "dr",
                                                        "EXPIRE",
                                                        "no clause of 'P30D, last 3' keeps it"))),
                                new RetentionView.Piece(
                                        JOB,
                                        "crit",
                                        "/home",
                                        NOON,
                                        "KEEP",
                                        "local: no clause of 'P1D' keeps it; dr: kept for P90D",
                                        List.of(
                                                new RetentionView.AtSite(
                                                        "local",
                                                        "EXPIRE",
                                                        "no clause of 'P1D' keeps it"),
                                                new RetentionView.AtSite(
                                                        "dr", "KEEP", "kept for P90D"))))));
    }

    @Override
    public Saved<List<ExpiryView>> expire(Requests.Expire request) {
        return save(
                "expire " + request.pieces() + " " + request.operator() + " " + request.reason(),
                List.of(new ExpiryView(PIECE, NOON, "operator", "expired by name")));
    }

    private static final HoldView HOLD =
            new HoldView(JOB, null, CLIENT, "crit", NOON, "operator", "case 4711");

    @Override
    public List<HoldView> holds() {
        return answer("holds", List.of(HOLD));
    }

    @Override
    public Saved<HoldView> hold(Requests.Hold request) {
        return save(
                "hold "
                        + request.piece()
                        + " "
                        + request.client()
                        + " "
                        + request.operator()
                        + " "
                        + request.reason(),
                HOLD);
    }

    @Override
    public Saved<HoldView> release(Requests.Release request) {
        return save("release " + request.hold() + " " + request.reason(), HOLD);
    }

    /** What {@link #gc} answers. */
    public static GcView gcView() {
        return new GcView(
                List.of(
                        new GcView.Store(
                                "dr",
                                "127.10.11.44:6543",
                                "127.50.4.4:3456",
                                true,
                                "STANDBY",
                                86_400,
                                2,
                                List.of(new GcView.Mark(3, "1.local", NOON, 0, false, 7, 4711)),
                                List.of("pinned by a rehearsal"))),
                List.of(
                        new GcView.Run(
                                JOB,
                                "dr",
                                "127.10.11.44:6543",
                                "SWEEP",
                                "1.local",
                                "l1",
                                NOON,
                                NOON,
                                "REFUSED",
                                List.of("pinned by a rehearsal"),
                                0,
                                0)),
                1,
                1,
                null,
                4,
                List.of());
    }

    @Override
    public GcView gc() {
        return answer("gc", gcView());
    }

    @Override
    public GcView collect() {
        return answer("collect", gcView());
    }

    @Override
    public GcPlanView gcPlan() {
        return answer(
                "gc plan",
                new GcPlanView(
                        List.of(
                                new GcPlanView.Store(
                                        "dr",
                                        "127.10.11.44:6543",
                                        "",
                                        9,
                                        4800,
                                        List.of(
                                                new GcPlanView.Group(
                                                        "STAYS", "kept for P30D", 2, 89),
                                                new GcPlanView.Group(
                                                        "WAITS", "no mark has found it", 7, 4711)),
                                        List.of(
                                                new GcPlanView.Piece(
                                                        PIECE,
                                                        true,
                                                        "kept for P30D, until then",
                                                        89,
                                                        89))))));
    }

    @Override
    public Saved<GcView> abandonSite(Requests.Abandon request) {
        return save(
                "abandon " + request.site() + " " + request.operator() + " " + request.reason(),
                gcView());
    }

    @Override
    public IdentifierView resolve(String identifier) {
        if (identifier.startsWith("?")) {
            throw new FormatException("identifier", identifier, 0, "host:port");
        }
        return answer(
                "resolve " + identifier,
                new IdentifierView(identifier, null, "no mapping", List.of()));
    }

    /** What {@link #rehearse} answers. */
    public static RehearsalView rehearsal() {
        return new RehearsalView(
                new UUID(0x0192, 7),
                "d1",
                "dr",
                Moment.of(1_700_000_000_000_000L),
                12.5,
                RehearsalView.Verdict.GAPS,
                "1.local",
                "2.dr",
                new UUID(5, 5),
                new RehearsalView.Snapshot(420, "SYNC", 12, 7, 6, 1),
                new RehearsalView.Rto(812L, 900L, 1_350L, null),
                List.of(new StepView("snapshot", 310, "log entry 420")),
                List.of(
                        new RehearsalView.Client(
                                "crit",
                                true,
                                "GOES_ON",
                                "127.50.4.22:3456",
                                true,
                                List.of(LOCATION),
                                ""),
                        new RehearsalView.Client(
                                "noncrit",
                                false,
                                "SUSPENDED",
                                null,
                                false,
                                List.of(),
                                "SUSPENDED_IN_DR: no DR address")),
                List.of(
                        new RehearsalView.Sample(
                                new UUID(6, 6),
                                "crit",
                                "/home",
                                "FRAMES",
                                null,
                                0,
                                4096,
                                17,
                                40,
                                List.of())),
                List.of(),
                List.of("no agent that holds its key answers"),
                true,
                null);
    }

    @Override
    public RehearsalView rehearse(Requests.Rehearsal request) {
        return answer("rehearse " + request.pieces(), rehearsal());
    }
}
