package io.holdfast.node.server;

import io.grpc.StatusRuntimeException;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.HelloRequest;
import io.holdfast.agent.proto.v1.RehearsalGrpc;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.SampleOrder;
import io.holdfast.agent.proto.v1.SampleReply;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.catalog.CatalogException;
import io.holdfast.catalog.CatalogPiece;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.StepView;
import io.holdfast.node.server.Lookup.Client;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One rehearsal in an open {@link Sandbox}: mode switch, rewriting, first write, sample restores, and
 * what was measured. What goes wrong is a finding, not an exception, but for an interruption. For one
 * thread.
 */
final class RehearsalRun {
    private static final Logger LOG = LoggerFactory.getLogger(RehearsalRun.class);
    private static final Duration HELLO = Duration.ofSeconds(3);

    /** Samples end by then: the command that waits for the report gives up after half an hour. */
    private static final Duration LIMIT = Duration.ofMinutes(25);

    private static final int MAX_FINDINGS = 100;
    private static final int MAX_CLIENTS = 200;

    private final UUID id;
    private final String node;
    private final SiteConfig config;
    private final int pieces;
    private final long startMicros;
    private final long startNanos = System.nanoTime();
    private final List<StepView> steps = new ArrayList<>();
    private final List<RehearsalView.Client> clients = new ArrayList<>();
    private final List<RehearsalView.Sample> samples = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private final List<String> gaps = new ArrayList<>();
    private final Map<UUID, Endpoint> answering = new HashMap<>();
    private long stepNanos = startNanos;
    private long commandNanos = startNanos;
    private @Nullable Epoch sandboxEpoch;
    private @Nullable UUID sandboxLineage;
    private RehearsalView.Snapshot snapshot = new RehearsalView.Snapshot(0, "unknown", 0, 0, 0, 0);
    private @Nullable Long writable;
    private @Nullable Long firstCritical;
    private @Nullable Long firstByte;
    private @Nullable Long allSamples;

    RehearsalRun(UUID id, String node, SiteConfig config, int pieces, long startMicros) {
        this.id = id;
        this.node = node;
        this.config = config;
        this.pieces = pieces;
        this.startMicros = startMicros;
    }

    // ---------------------------------------------------------------- findings

    void step(String name, String detail) {
        long now = System.nanoTime();
        steps.add(new StepView(name, (now - stepNanos) / 1_000_000, detail));
        stepNanos = now;
    }

    void problem(String what) {
        LOG.warn("Rehearsal {}: {}", id, what);
        if (problems.size() < MAX_FINDINGS) {
            problems.add(what);
        }
    }

    private void gap(String what) {
        if (gaps.size() < MAX_FINDINGS) {
            gaps.add(what);
        }
    }

    private Duration left() {
        return LIMIT.minusNanos(System.nanoTime() - startNanos);
    }

    private Long sinceCommand() {
        return (System.nanoTime() - commandNanos) / 1_000_000;
    }

    // ---------------------------------------------------------------- the play

    /**
     * Plays it through.
     *
     * @param production the node's own catalog, asked about rows that the copy lacks
     */
    void play(Sandbox sandbox, CatalogDatabase production)
            throws IOException, CatalogException, InterruptedException {
        ClusterState before = sandbox.tail().materialize();
        List<JobRecord> protectedJobs =
                before.jobs().stream()
                        .filter(j -> j.isProtected() && j.pieceHeader().isPresent())
                        .filter(j -> !hasExpiredHere(before, j))
                        .toList();
        snapshot =
                new RehearsalView.Snapshot(
                        sandbox.tail().lastIndex(),
                        before.repl().mode().name(),
                        before.resources().size(),
                        sandbox.catalog().status().pieces(),
                        protectedJobs.size(),
                        before.atRisk().size());
        step("snapshot", "log entry " + snapshot.entries() + ", " + snapshot.pieces() + " pieces");

        commandNanos = System.nanoTime();
        SandboxSite site = new SandboxSite(sandbox, config, this::step);
        sandboxLineage = site.lineage();
        ClusterState active = site.promote(before.epoch(), startMicros);
        sandboxEpoch = active.epoch();
        var _ = site.write(new Command.AuditNote("rehearsal", "first write", id.toString()));
        writable = sinceCommand();
        step("first write", "acknowledged in the sandbox");

        Lookup lookup = Lookup.in(active);
        RequestContext context = Wire.rehearsal(sandbox.cluster(), active.epoch());
        greet(sandbox, lookup, context);
        rewrite(lookup);
        step("rewriting", clients.size() + " clients");

        List<CatalogRow> whole = restorable(sandbox, production, protectedJobs);
        step("protected pieces", whole.size() + " of " + protectedJobs.size() + " can be found");
        List<CatalogRow> chosen = chosen(lookup, whole);
        for (CatalogRow row : chosen) {
            if (left().isNegative()) {
                gap(
                        chosen.size()
                                - samples.size()
                                + " data pieces were not sampled: "
                                + LIMIT.toMinutes()
                                + " minutes had passed");
                break;
            }
            samples.add(sample(sandbox, lookup, context, row));
        }
        allSamples = samples.isEmpty() ? null : sinceCommand();
        step("samples", samples.size() + " data pieces");
        if (samples.isEmpty()) {
            gap(
                    pieces == 0
                            ? "No data piece was sampled: --pieces 0"
                            : "No data piece was sampled: none is protected yet");
        }
    }

    /** Whether this site has let a job's piece go, while the other one keeps it. */
    private boolean hasExpiredHere(ClusterState state, JobRecord job) {
        return JobPlanner.pieceOf(job.job())
                .flatMap(state::keeper)
                .filter(keeper -> keeper != config.site())
                .isPresent();
    }

    /** Asks every agent of this site whether it is there; all at once. */
    private void greet(Sandbox sandbox, Lookup lookup, RequestContext context)
            throws InterruptedException {
        Map<UUID, Endpoint> asked = new HashMap<>();
        for (Client client : lookup.clients()) {
            if (Lookup.suspension(client.view(), config.site()).isEmpty()) {
                lookup.at(client.view().address(), config.site())
                        .ifPresent(at -> asked.put(client.id(), at));
            }
        }
        HelloRequest hello = HelloRequest.newBuilder().setContext(context).build();
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            asked.forEach((client, at) ->
                    callers.execute(() -> {
                        try {
                            var _ = agent(sandbox, at, HELLO).hello(hello);
                            synchronized (answering) {
                                answering.put(client, at);
                            }
                        } catch (StatusRuntimeException e) {
                            LOG.info("Agent {} does not answer: {}", at, Errors.of(e).getMessage());
                        }
                    }));
        }
        sandbox.requireGoingOn();
    }

    private static RehearsalGrpc.RehearsalBlockingStub agent(
            Sandbox sandbox, Endpoint at, Duration limit) {
        return RehearsalGrpc.newBlockingStub(
                        sandbox.channels().channel(at, java.util.Set.of(PeerIdentity.AGENT)))
                .withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Resolves every identifier as it would be dialled in the new epoch. */
    private void rewrite(Lookup lookup) {
        List<Client> sorted =
                lookup.clients().stream()
                        .sorted(
                                Comparator.comparing((Client c) -> !c.view().critical())
                                        .thenComparing(c -> c.view().name()))
                        .toList();
        for (Client client : sorted) {
            boolean critical = client.view().critical();
            Optional<String> suspended = Lookup.suspension(client.view(), config.site());
            List<IdentifierView> identifiers =
                    Views.identifiers(lookup, client).stream().map(lookup::view).toList();
            String refused =
                    identifiers.stream()
                            .map(IdentifierView::refusal)
                            .filter(java.util.Objects::nonNull)
                            .findFirst()
                            .orElse("");
            String reason = suspended.orElse(refused);
            String fate =
                    suspended.isPresent() ? "SUSPENDED" : refused.isEmpty() ? "GOES_ON" : "REFUSED";
            Endpoint at = answering.get(client.id());
            if (critical && !fate.equals("GOES_ON")) {
                problem("Critical client " + client.view().name() + " would not go on: " + reason);
            } else if (fate.equals("REFUSED")) {
                gap("Client " + client.view().name() + " would not go on: " + reason);
            } else if (fate.equals("GOES_ON") && at == null) {
                gap(
                        "The agent of client "
                                + client.view().name()
                                + " at "
                                + lookup.at(client.view().address(), config.site())
                                        .map(Endpoint::toString)
                                        .orElse("?")
                                + " does not answer: its backups would wait for it");
            }
            if (critical && fate.equals("GOES_ON") && at != null && firstCritical == null) {
                firstCritical = orderable(lookup, client) ? sinceCommand() : null;
            }
            if (clients.size() < MAX_CLIENTS) {
                clients.add(
                        new RehearsalView.Client(
                                client.view().name(),
                                critical,
                                fate,
                                lookup.at(client.view().address(), config.site())
                                        .map(Endpoint::toString)
                                        .orElse(null),
                                at != null,
                                identifiers,
                                reason));
            }
        }
    }

    /** Whether an order for a backup can be made: device, catalog and key slot are there. */
    private boolean orderable(Lookup lookup, Client client) {
        try {
            var _ = JobPlanner.slot(lookup, lookup.key(client), client);
            var _ = lookup.device(client);
            var _ = lookup.catalog(client);
            return true;
        } catch (ApiException e) {
            problem(
                    "Critical client "
                            + client.view().name()
                            + " could not be backed up: "
                            + e.getMessage());
            return false;
        }
    }

    /** The catalog rows of pieces that the record shows as protected; one that is not there is named. */
    private List<CatalogRow> restorable(
            Sandbox sandbox, CatalogDatabase production, List<JobRecord> jobs)
            throws IOException, CatalogException, InterruptedException {
        List<CatalogRow> rows = new ArrayList<>();
        for (JobRecord job : jobs) {
            sandbox.requireGoingOn();
            UUID piece = JobPlanner.pieceOf(job.job()).orElseThrow();
            Optional<CatalogPiece> row = sandbox.catalog().get(piece);
            if (row.isEmpty()) {
                if (!isForgotten(production, piece)) {
                    problem(
                            "Data piece "
                                    + piece
                                    + " is shown as protected, and the catalog here lacks it");
                }
            } else if (!sandbox.view().holds(row.get().row().header())) {
                problem(
                        "Data piece "
                                + piece
                                + " is shown as protected, and the storage here lacks it");
            } else {
                rows.add(row.get().row());
            }
        }
        return rows;
    }

    private static boolean isForgotten(CatalogDatabase production, UUID piece)
            throws CatalogException {
        return production.get(piece).filter(p -> p.forgotten().isPresent()).isPresent();
    }

    /** The newest piece of each client, critical ones first; then the newest of the others. */
    private List<CatalogRow> chosen(Lookup lookup, List<CatalogRow> rows) {
        List<CatalogRow> newest =
                rows.stream()
                        .sorted(
                                Comparator.comparingLong(
                                                (CatalogRow r) -> r.record().backupTimeMicros())
                                        .thenComparing(CatalogRow::piece)
                                        .reversed())
                        .toList();
        Map<UUID, CatalogRow> first = new java.util.LinkedHashMap<>();
        newest.forEach(r -> first.putIfAbsent(r.record().client(), r));
        List<CatalogRow> order =
                new ArrayList<>(
                        first.values().stream()
                                .sorted(
                                        Comparator.comparing((CatalogRow r) ->
                                                !lookup.client(r.record().client())
                                                        .filter(c -> c.view().critical())
                                                        .isPresent()))
                                .toList());
        newest.stream().filter(r -> !first.containsValue(r)).forEach(order::add);
        return order.subList(0, Math.min(pieces, order.size()));
    }

    // ---------------------------------------------------------------- samples

    private RehearsalView.Sample sample(
            Sandbox sandbox, Lookup lookup, RequestContext context, CatalogRow row)
            throws IOException, InterruptedException {
        String why = "no agent that holds its key answers";
        for (Client holder : holders(lookup, row)) {
            try {
                return restored(sandbox, lookup, context, row, holder);
            } catch (RemoteException.Refused e) {
                if (e.code() != ErrorDetail.Code.FULL && e.code() != ErrorDetail.Code.REFUSED) {
                    return broken(row, holder, String.valueOf(e.getMessage()));
                }
                why = String.valueOf(e.getMessage());
            } catch (RemoteException e) {
                why = String.valueOf(e.getMessage());
            } catch (ApiException e) {
                why = e.getMessage();
            }
            sandbox.requireGoingOn();
        }
        gap(
                "Data piece "
                        + row.piece()
                        + " was not restored but checked frame by frame, without its key: "
                        + why);
        return framed(sandbox, row);
    }

    /** Answering agents that can open a piece: its own client's first. */
    private List<Client> holders(Lookup lookup, CatalogRow row) {
        return lookup.clients().stream()
                .filter(c -> answering.containsKey(c.id()))
                .filter(c -> {
                    try {
                        var _ = JobPlanner.slot(lookup, JobPlanner.keyOf(lookup, row.record()), c);
                        return true;
                    } catch (ApiException e) {
                        return false;
                    }
                })
                .sorted(Comparator.comparing((Client c) -> !c.id().equals(row.record().client())))
                .limit(3)
                .toList();
    }

    private RehearsalView.Sample restored(
            Sandbox sandbox, Lookup lookup, RequestContext context, CatalogRow row, Client holder)
            throws RemoteException {
        Identifier dialled =
                lookup.physical(
                        JobPlanner.readOf(Identifier.parse(row.record().location()), row.piece()));
        SampleOrder order =
                SampleOrder.newBuilder()
                        .setContext(context)
                        .setSample(Wire.bytes(UUID.randomUUID()))
                        .setInput(
                                new Identifier(
                                                sandbox.storage(),
                                                dialled.method(),
                                                dialled.params(),
                                                dialled.location())
                                        .toString())
                        .setKey(
                                JobPlanner.slot(
                                        lookup, JobPlanner.keyOf(lookup, row.record()), holder))
                        .setPiece(Wire.bytes(row.piece()))
                        .setPieceHeader(Wire.bytes(row.header()))
                        .setBytes(row.record().sizeBytes())
                        .build();
        long atOrder = sinceCommand();
        SampleReply reply;
        try {
            reply =
                    agent(
                                    sandbox,
                                    java.util.Objects.requireNonNull(answering.get(holder.id())),
                                    left())
                            .sample(order);
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
        if (firstByte == null) {
            firstByte = atOrder + reply.getFirstByteMillis();
        }
        reply.getProblemsList().forEach(p -> problem("Data piece " + row.piece() + ": " + p));
        return new RehearsalView.Sample(
                row.piece(),
                row.record().clientName(),
                row.record().dataPiece(),
                "RESTORED",
                holder.view().name(),
                reply.getFiles(),
                reply.getBytes(),
                reply.getChunks(),
                reply.getMillis(),
                reply.getProblemsList());
    }

    private RehearsalView.Sample broken(CatalogRow row, Client holder, String message) {
        problem("Data piece " + row.piece() + ": " + message);
        return new RehearsalView.Sample(
                row.piece(),
                row.record().clientName(),
                row.record().dataPiece(),
                "RESTORED",
                holder.view().name(),
                0,
                0,
                0,
                0,
                List.of(message));
    }

    private RehearsalView.Sample framed(Sandbox sandbox, CatalogRow row)
            throws IOException, InterruptedException {
        long from = System.nanoTime();
        FrameCheck.Result found =
                FrameCheck.of(sandbox, row.header(), System.nanoTime() + left().toNanos());
        if (!found.whole()) {
            gap(
                    "Data piece "
                            + row.piece()
                            + " is checked in part: "
                            + LIMIT.toMinutes()
                            + " minutes had passed");
        }
        found.problems().forEach(p -> problem("Data piece " + row.piece() + ": " + p));
        return new RehearsalView.Sample(
                row.piece(),
                row.record().clientName(),
                row.record().dataPiece(),
                "FRAMES",
                null,
                0,
                found.bytes(),
                found.frames(),
                (System.nanoTime() - from) / 1_000_000,
                found.problems());
    }

    // ---------------------------------------------------------------- the report

    /** The report as it stands. */
    RehearsalView view(Epoch productionEpoch, boolean untouched) {
        return new RehearsalView(
                id,
                node,
                config.site().word(),
                Moment.of(startMicros),
                (System.nanoTime() - startNanos) / 1e9,
                !problems.isEmpty()
                        ? RehearsalView.Verdict.FAILED
                        : gaps.isEmpty()
                                ? RehearsalView.Verdict.PASSED
                                : RehearsalView.Verdict.GAPS,
                productionEpoch.toString(),
                sandboxEpoch == null ? null : sandboxEpoch.toString(),
                sandboxEpoch == null ? null : sandboxLineage,
                snapshot,
                new RehearsalView.Rto(writable, firstCritical, firstByte, allSamples),
                steps,
                clients,
                samples,
                problems,
                gaps,
                untouched,
                null);
    }
}
