package io.holdfast.agent.storage;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.CollectReply;
import io.holdfast.agent.proto.v1.CollectedWork;
import io.holdfast.agent.proto.v1.CollectorGrpc;
import io.holdfast.agent.proto.v1.CollectorStatusReply;
import io.holdfast.agent.proto.v1.CollectorStatusRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.ExplainGroup;
import io.holdfast.agent.proto.v1.ExplainPiece;
import io.holdfast.agent.proto.v1.ExplainReply;
import io.holdfast.agent.proto.v1.ExplainRequest;
import io.holdfast.agent.proto.v1.ExplainTotals;
import io.holdfast.agent.proto.v1.FateGroup;
import io.holdfast.agent.proto.v1.FossilRun;
import io.holdfast.agent.proto.v1.GcOrder;
import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.proto.v1.MarkRequest;
import io.holdfast.agent.proto.v1.SweepRequest;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.CollectedStore;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcPlan;
import io.holdfast.chunk.gc.GcState;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gRPC service Collector over a store. An order runs in a thread of its own, one at a time; a lower
 * epoch is refused, durably (G7). To what the leader says of this site the storage adds what its own
 * node knows, so that a leader that has not heard of it yet deletes nothing. Thread-safe.
 */
public final class CollectorService extends CollectorGrpc.CollectorImplBase
        implements AutoCloseable {
    /** The roles to serve this to. */
    public static final Set<String> ROLES = Set.of(PeerIdentity.NODE);

    /** Ids in one request. */
    public static final int MAX_IDS = 100_000;

    private static final Logger log = LoggerFactory.getLogger(CollectorService.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration CLOSING = Duration.ofSeconds(5);
    private static final int MAX_REASONS = 20;

    private final CollectedStore store;
    private final ContextCheck check;
    private final Function<Epoch, Local> local;
    private final InstantSource clock;
    private @Nullable Running running;
    private @Nullable CollectedWork last;
    private boolean markFailed;
    private boolean closed;

    /**
     * What this storage's own node knows.
     *
     * @param settled whether its site is ACTIVE or STANDBY in the epoch of the order
     * @param role of its site
     * @param pins what must find everything here, by name
     */
    public record Local(boolean settled, String role, Set<String> pins) {
        /** Copies the set. */
        public Local {
            pins = Set.copyOf(pins);
        }
    }

    private record Running(UUID run, Thread thread, CountDownLatch ended) {}

    private interface Work {
        CollectedWork run() throws IOException;
    }

    /**
     * Serves the collector of {@code store}, which stays the caller's.
     *
     * @param guard the process's epochs
     * @param local asked for every order, with its epoch
     */
    public CollectorService(
            CollectedStore store,
            EpochGuard guard,
            UUID cluster,
            Function<Epoch, Local> local,
            InstantSource clock) {
        this.store = store;
        this.check = new ContextCheck(cluster, guard);
        this.local = local;
        this.clock = clock;
    }

    private long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    // ---- what it knows

    @Override
    public void collectorStatus(
            CollectorStatusRequest request, StreamObserver<CollectorStatusReply> replies) {
        StorageService.answer(
                replies,
                () -> {
                    Epoch epoch = check.acceptStale(request.getContext()).epoch();
                    return status(epoch, Wire.chunkIds(request.getIds(), MAX_IDS));
                });
    }

    private CollectorStatusReply status(Epoch epoch, List<ChunkId> asked) throws IOException {
        CollectedStore.Collected collected = store.collected();
        GcState state = collected.state();
        BitSet held = new BitSet();
        for (int i = 0; i < asked.size(); i++) {
            held.set(i, store.holds(asked.get(i)));
        }
        Local here = local.apply(epoch);
        CollectorStatusReply.Builder reply =
                CollectorStatusReply.newBuilder()
                        .setStoreIncarnation(Wire.bytes(store.incarnation()))
                        .setStoreMicros(nowMicros())
                        .setGraceMillis(state.config().grace().toMillis())
                        .setSessions(state.sessions().size())
                        .setHeld(Wire.bytes(held, asked.size()))
                        .setRole(here.role())
                        .addAllPins(new TreeSet<>(here.pins()));
        for (GcState.Run run : state.runs()) {
            CollectedStore.Count count =
                    collected.fossils().getOrDefault(run.number(), new CollectedStore.Count(0, 0));
            reply.addRuns(
                    FossilRun.newBuilder()
                            .setNumber(run.number())
                            .setEpoch(run.epoch().encoded())
                            .setMadeMicros(run.atMicros())
                            .setSessions(run.sessions().size())
                            .setConfirmedBy(run.confirmedBy().orElse(0))
                            .setFrames(count.frames())
                            .setBytes(count.bytes()));
        }
        synchronized (this) {
            if (running != null) {
                reply.setWorking(Wire.bytes(running.run()));
            }
            if (last != null) {
                reply.setLast(last);
            }
            reply.setSound(collected.damagedFrames() == 0 && !markFailed);
        }
        return reply.build();
    }

    // ---- orders

    @Override
    public void mark(MarkRequest request, StreamObserver<CollectReply> replies) {
        StorageService.answer(
                replies,
                () -> {
                    Epoch epoch = check.accept(request.getContext()).epoch();
                    UUID run = Wire.uuid(request.getRun(), "run id");
                    Set<ChunkId> expired =
                            new HashSet<>(Wire.chunkIds(request.getExpired(), MAX_IDS));
                    return work(run, () -> mark(run, order(epoch, request.getOrder()), expired));
                });
    }

    @Override
    public void sweep(SweepRequest request, StreamObserver<CollectReply> replies) {
        StorageService.answer(
                replies,
                () -> {
                    Epoch epoch = check.accept(request.getContext()).epoch();
                    UUID run = Wire.uuid(request.getRun(), "run id");
                    return work(
                            run,
                            () ->
                                    sweep(
                                            run,
                                            order(epoch, request.getOrder()),
                                            standing(epoch, request.getStanding())));
                });
    }

    private GcEvent.Order order(Epoch epoch, GcOrder order) {
        return new GcEvent.Order(
                epoch, order.getLeaderMicros(), nowMicros(), order.getPeersSkewMillis());
    }

    private GcEvent.Standing standing(Epoch epoch, GcStanding given) {
        Local here = local.apply(epoch);
        Set<String> pins = new TreeSet<>(given.getPinsList());
        pins.addAll(here.pins());
        return new GcEvent.Standing(
                given.getSettled() && here.settled(),
                here.settled() ? given.getRole() : here.role(),
                given.getOutOfSyncMillis(),
                given.getForced(),
                pins);
    }

    private CollectedWork mark(UUID run, GcEvent.Order order, Set<ChunkId> expired)
            throws IOException {
        GcEffect effect;
        try {
            effect = store.mark(order, expired).getLast();
        } catch (IOException | RuntimeException e) {
            markFailed(true);
            throw e;
        }
        CollectedStore.Count made = new CollectedStore.Count(0, 0);
        if (effect instanceof GcEffect.Fossilise fossils) {
            markFailed(false);
            made = store.collected().fossils().getOrDefault(fossils.run(), made);
        }
        return worked(run, effect, made);
    }

    private synchronized void markFailed(boolean failed) {
        markFailed = failed;
    }

    private CollectedWork sweep(UUID run, GcEvent.Order order, GcEvent.Standing standing)
            throws IOException {
        CollectedStore.Collected before = store.collected();
        GcEffect effect = store.sweep(order, standing).getLast();
        CollectedStore.Collected after = store.collected();
        return worked(
                run,
                effect,
                new CollectedStore.Count(
                        after.deletedFrames() - before.deletedFrames(),
                        after.deletedBytes() - before.deletedBytes()));
    }

    private static CollectedWork worked(UUID run, GcEffect effect, CollectedStore.Count count) {
        return switch (effect) {
            case GcEffect.Fossilise _, GcEffect.Delete _ ->
                    work(run, "DONE", List.of(), count.frames(), count.bytes());
            case GcEffect.Wait waits -> work(run, "WAITS", waits.reasons(), 0, 0);
            case GcEffect.Refuse refuses -> work(run, "REFUSED", refuses.reasons(), 0, 0);
            case GcEffect.Walk _, GcEffect.PersistFence _ ->
                    throw new IllegalStateException("the last effect is " + effect);
        };
    }

    private static CollectedWork work(
            UUID run, String outcome, List<String> reasons, long frames, long bytes) {
        return CollectedWork.newBuilder()
                .setRun(Wire.bytes(run))
                .setOutcome(outcome)
                .addAllReasons(reasons.subList(0, Math.min(reasons.size(), MAX_REASONS)))
                .setFrames(frames)
                .setBytes(bytes)
                .build();
    }

    /** Runs an order unless it was run before; waits a while for its end. */
    private CollectReply work(UUID run, Work work) {
        Running mine;
        synchronized (this) {
            CollectedWork before = last;
            if (before != null && before.getRun().equals(Wire.bytes(run))) {
                return CollectReply.newBuilder().setWork(before).build();
            }
            Running now = running;
            if (closed || now != null && !now.run().equals(run)) {
                throw Errors.status(
                        ErrorDetail.Code.UNAVAILABLE,
                        now == null
                                ? "This storage stops"
                                : "Mark or sweep " + now.run() + " is under way at this storage",
                        "Order again when it has ended",
                        null);
            }
            if (now == null) {
                CountDownLatch ended = new CountDownLatch(1);
                now =
                        new Running(
                                run,
                                Thread.ofPlatform()
                                        .daemon()
                                        .name("collector")
                                        .unstarted(() -> run(run, work, ended)),
                                ended);
                running = now;
                now.thread().start();
            }
            mine = now;
        }
        try {
            if (mine.ended().await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                synchronized (this) {
                    CollectedWork done = last;
                    if (done != null && done.getRun().equals(Wire.bytes(run))) {
                        return CollectReply.newBuilder().setWork(done).build();
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return CollectReply.newBuilder().setUnderWay(true).build();
    }

    private void run(UUID run, Work work, CountDownLatch ended) {
        CollectedWork done;
        try {
            done = work.run();
        } catch (IOException | RuntimeException e) {
            log.warn("Collection {} failed", run, e);
            done =
                    work(
                            run,
                            "FAILED",
                            List.of(e.getMessage() == null ? e.toString() : e.getMessage()),
                            0,
                            0);
        }
        synchronized (this) {
            last = done;
            running = null;
        }
        ended.countDown();
    }

    // ---- why

    @Override
    public void explain(ExplainRequest request, StreamObserver<ExplainReply> replies) {
        try {
            Epoch epoch = check.acceptStale(request.getContext()).epoch();
            Map<ChunkId, GcPlan.Fate> fates = new HashMap<>();
            for (FateGroup group : request.getGroupsList()) {
                GcPlan.Fate fate = new GcPlan.Fate(group.getStays(), group.getReason());
                Wire.chunkIds(group.getIds(), MAX_IDS).forEach(id -> fates.put(id, fate));
            }
            GcPlan.Fate unknown =
                    new GcPlan.Fate(
                            request.getUnknown().getStays(), request.getUnknown().getReason());
            GcPlan plan =
                    store.explain(
                            order(epoch, request.getOrder()),
                            standing(epoch, request.getStanding()),
                            id -> fates.getOrDefault(id, unknown));
            send(plan, (ServerCallStreamObserver<ExplainReply>) replies);
        } catch (IOException | RuntimeException e) {
            replies.onError(Errors.fromHandler(e));
        }
    }

    private static void send(GcPlan plan, ServerCallStreamObserver<ExplainReply> replies) {
        replies.onNext(
                ExplainReply.newBuilder()
                        .setTotals(
                                ExplainTotals.newBuilder()
                                        .setFrames(plan.frames())
                                        .setBytes(plan.bytes()))
                        .build());
        for (GcPlan.Group group : plan.groups()) {
            replies.onNext(
                    ExplainReply.newBuilder()
                            .setGroup(
                                    ExplainGroup.newBuilder()
                                            .setOutcome(group.outcome().name())
                                            .setReason(group.reason())
                                            .setFrames(group.frames())
                                            .setBytes(group.bytes()))
                            .build());
        }
        for (GcPlan.PieceLine piece : plan.pieces()) {
            if (replies.isCancelled()) {
                return;
            }
            replies.onNext(
                    ExplainReply.newBuilder()
                            .setPiece(
                                    ExplainPiece.newBuilder()
                                            .setPiece(Wire.bytes(piece.piece()))
                                            .setStays(piece.stays())
                                            .setReason(piece.reason())
                                            .setBytes(piece.bytes())
                                            .setOwnBytes(piece.ownBytes()))
                            .build());
        }
        replies.onCompleted();
    }

    /** Takes no more orders, and gives the one under way a moment to end. The store stays open. */
    @Override
    public void close() {
        Running now;
        synchronized (this) {
            closed = true;
            now = running;
        }
        if (now != null) {
            try {
                now.thread().join(CLOSING);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
