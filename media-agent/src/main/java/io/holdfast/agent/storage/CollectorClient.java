package io.holdfast.agent.storage;

import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.holdfast.agent.proto.v1.CollectReply;
import io.holdfast.agent.proto.v1.CollectedWork;
import io.holdfast.agent.proto.v1.CollectorGrpc;
import io.holdfast.agent.proto.v1.CollectorStatusReply;
import io.holdfast.agent.proto.v1.CollectorStatusRequest;
import io.holdfast.agent.proto.v1.ExplainReply;
import io.holdfast.agent.proto.v1.ExplainRequest;
import io.holdfast.agent.proto.v1.GcOrder;
import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.proto.v1.MarkRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.SweepRequest;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.FormatException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The collector of a storage, as the leader calls it. Blocking; thread-safe. */
public final class CollectorClient {
    private static final Duration CALL = Duration.ofSeconds(30);
    private static final Duration EXPLAIN = Duration.ofMinutes(30);

    private final CollectorGrpc.CollectorBlockingStub stub;
    private final Supplier<RequestContext> contexts;

    /** A client over a channel of {@code GrpcTls}, which stays the caller's. */
    public CollectorClient(Channel channel, Supplier<RequestContext> contexts) {
        this.stub = CollectorGrpc.newBlockingStub(channel);
        this.contexts = contexts;
    }

    /** How an order ended; empty while it is under way. */
    public record Work(UUID run, String outcome, List<String> reasons, long frames, long bytes) {
        /** Copies the list. */
        public Work {
            reasons = List.copyOf(reasons);
        }

        static Optional<Work> of(CollectedWork work) {
            return work.getOutcome().isEmpty()
                    ? Optional.empty()
                    : Optional.of(
                            new Work(
                                    Wire.uuid(work.getRun(), "run id"),
                                    work.getOutcome(),
                                    work.getReasonsList(),
                                    work.getFrames(),
                                    work.getBytes()));
        }
    }

    /** What the collector knows; bit i of {@code held} stands for {@code ids.get(i)}. */
    public CollectorStatusReply status(List<ChunkId> ids) throws RemoteException {
        CollectorStatusRequest request =
                CollectorStatusRequest.newBuilder()
                        .setContext(contexts.get())
                        .setIds(Wire.bytes(ids))
                        .build();
        return call(() -> stub(CALL).collectorStatus(request));
    }

    /** The order of this id that ended last there. */
    public static Optional<Work> last(CollectorStatusReply status) throws RemoteException {
        return read(() -> Work.of(status.getLast()));
    }

    /** Orders a mark. @return how it ended; empty when it is under way */
    public Optional<Work> mark(UUID run, GcOrder order, Collection<ChunkId> expired)
            throws RemoteException {
        MarkRequest request =
                MarkRequest.newBuilder()
                        .setContext(contexts.get())
                        .setRun(Wire.bytes(run))
                        .setOrder(order)
                        .setExpired(Wire.bytes(List.copyOf(expired)))
                        .build();
        CollectReply reply = call(() -> stub(CALL).mark(request));
        return read(() -> Work.of(reply.getWork()));
    }

    /** Orders a sweep. @return how it ended; empty when it is under way */
    public Optional<Work> sweep(UUID run, GcOrder order, GcStanding standing)
            throws RemoteException {
        SweepRequest request =
                SweepRequest.newBuilder()
                        .setContext(contexts.get())
                        .setRun(Wire.bytes(run))
                        .setOrder(order)
                        .setStanding(standing)
                        .build();
        CollectReply reply = call(() -> stub(CALL).sweep(request));
        return read(() -> Work.of(reply.getWork()));
    }

    /** Asks why every byte stays or goes; the request's context is set here. */
    public void explain(ExplainRequest.Builder request, Consumer<ExplainReply> lines)
            throws RemoteException {
        ExplainRequest built = request.setContext(contexts.get()).build();
        try {
            stub(EXPLAIN).explain(built).forEachRemaining(lines);
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    private CollectorGrpc.CollectorBlockingStub stub(Duration deadline) {
        return stub.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static <T> T call(Supplier<T> call) throws RemoteException {
        try {
            return call.get();
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    private static <T> T read(Supplier<T> reading) throws RemoteException {
        try {
            return reading.get();
        } catch (FormatException e) {
            throw new RemoteException.Unknown("The storage's answer is malformed", e);
        }
    }
}
