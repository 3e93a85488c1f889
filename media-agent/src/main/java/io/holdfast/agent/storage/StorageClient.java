package io.holdfast.agent.storage;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.holdfast.agent.proto.v1.CloseSessionRequest;
import io.holdfast.agent.proto.v1.CommitPieceReply;
import io.holdfast.agent.proto.v1.CommitPieceRequest;
import io.holdfast.agent.proto.v1.HaveReply;
import io.holdfast.agent.proto.v1.HaveRequest;
import io.holdfast.agent.proto.v1.InventoryEntry;
import io.holdfast.agent.proto.v1.InventoryRequest;
import io.holdfast.agent.proto.v1.OpenSessionReply;
import io.holdfast.agent.proto.v1.OpenSessionRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.StorageGrpc;
import io.holdfast.agent.proto.v1.StoreStatusReply;
import io.holdfast.agent.proto.v1.StoreStatusRequest;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.time.Duration;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * A storage, as an agent or another storage calls it. All calls block and may come from any number of
 * threads; each carries a context of its own. An interrupted call leaves the thread's interrupt flag
 * set and throws a {@link RemoteException}.
 */
public final class StorageClient {
    /** A CommitPiece proves a whole manifest: it may take this many times as long as other calls. */
    private static final int LONG = 10;

    private static final int SEND_AHEAD_BYTES = 2 << 20;

    /**
     * The bounds of a client.
     *
     * @param callTimeout of one call; ten times as much for commits and inventories
     * @param stallTimeout of a stream: how long the storage may be silent
     * @param maxInFlightBytes of one {@link PutStream}: sent and not yet durable
     */
    public record Options(Duration callTimeout, Duration stallTimeout, long maxInFlightBytes) {
        /** A minute for calls and for silence; 32 MiB of frames in flight. */
        public static final Options DEFAULT =
                new Options(Duration.ofSeconds(60), Duration.ofSeconds(60), 32L << 20);
    }

    private final Channel channel;
    private final Supplier<RequestContext> contexts;
    private final Options options;

    /**
     * A client over a channel of {@code GrpcTls}, which stays the caller's.
     *
     * @param contexts asked once for every call; see {@link Wire#contexts}
     */
    public StorageClient(Channel channel, Supplier<RequestContext> contexts, Options options) {
        this.channel = channel;
        this.contexts = contexts;
        this.options = options;
    }

    /**
     * Opens a session.
     *
     * @param job the job that it is for; for {@code REPLICATE} any UUID
     * @param identifier physical output of a backup or input of a restore; empty to replicate
     */
    public StorageSession openSession(
            UUID job, String identifier, OpenSessionRequest.Purpose purpose)
            throws RemoteException {
        OpenSessionReply reply =
                call(
                        StorageGrpc.getOpenSessionMethod(),
                        OpenSessionRequest.newBuilder()
                                .setContext(contexts.get())
                                .setJob(Wire.bytes(job))
                                .setIdentifier(identifier)
                                .setPurpose(purpose)
                                .build(),
                        1);
        try {
            return new StorageSession(
                    Wire.uuid(reply.getSession(), "session id"),
                    Wire.uuid(reply.getStoreIncarnation(), "store incarnation"));
        } catch (FormatException e) {
            throw new RemoteException.Unknown("The storage's answer is malformed", e);
        }
    }

    /**
     * Which of {@code ids} the storage lacks; bit i stands for {@code ids.get(i)}. What it has is
     * pinned for the session. Any number of ids: they are asked in batches of 4096.
     */
    public BitSet missing(StorageSession session, List<ChunkId> ids) throws RemoteException {
        BitSet missing = new BitSet(ids.size());
        for (int from = 0; from < ids.size(); from += StorageService.MAX_HAVE_IDS) {
            int to = Math.min(ids.size(), from + StorageService.MAX_HAVE_IDS);
            HaveReply reply =
                    call(
                            StorageGrpc.getHaveMethod(),
                            HaveRequest.newBuilder()
                                    .setContext(contexts.get())
                                    .setSession(Wire.bytes(session.id()))
                                    .setIds(Wire.bytes(ids.subList(from, to)))
                                    .build(),
                            1);
            BitSet part = Wire.bits(reply.getMissing());
            for (int i = part.nextSetBit(0); i >= 0 && i < to - from; i = part.nextSetBit(i + 1)) {
                missing.set(from + i);
            }
        }
        return missing;
    }

    /** Opens a stream of frames; its errors come from its own methods. */
    public PutStream put(StorageSession session) {
        return new PutCall(
                channel.newCall(
                        StorageGrpc.getPutMethod(),
                        CallOptions.DEFAULT.withOnReadyThreshold(SEND_AHEAD_BYTES)),
                contexts,
                session,
                options);
    }

    /**
     * Makes a data piece of a PIECE frame. Safe to repeat.
     *
     * @throws RemoteException.Refused STALE_EPOCH in an epoch lower than one obeyed there
     */
    public CommitResult commitPiece(StorageSession session, byte[] frame) throws RemoteException {
        CommitPieceReply reply =
                call(
                        StorageGrpc.getCommitPieceMethod(),
                        CommitPieceRequest.newBuilder()
                                .setContext(contexts.get())
                                .setSession(Wire.bytes(session.id()))
                                .setFrame(
                                        com.google.protobuf.UnsafeByteOperations.unsafeWrap(frame))
                                .build(),
                        LONG);
        try {
            return new CommitResult(
                    Wire.chunkIds(reply.getMissing(), 10_000),
                    new LogPosition(reply.getLogPack(), reply.getLogOffset()));
        } catch (FormatException e) {
            throw new RemoteException.Unknown("The storage's answer is malformed", e);
        }
    }

    /**
     * Reads frames and hands them to {@code sink} in the order of {@code ids}, in this thread. Ids are
     * pulled up to some hundreds ahead, so {@code ids} may be lazy; a few frames are prefetched.
     *
     * @throws RemoteException NOT_FOUND or CORRUPT name the frame; those before it have been handed on
     * @throws IOException what the sink threw
     */
    public void read(StorageSession session, Iterable<ChunkId> ids, FrameSink sink)
            throws IOException {
        Iterator<ChunkId> iterator = ids.iterator();
        if (!iterator.hasNext()) {
            return;
        }
        new ReadCall(
                        channel.newCall(ReadFrame.METHOD, CallOptions.DEFAULT),
                        contexts,
                        session,
                        options.stallTimeout().toNanos())
                .run(iterator, sink);
    }

    /** Reads one frame. */
    public byte[] read(StorageSession session, ChunkId id) throws RemoteException {
        byte[][] result = new byte[1][];
        try {
            read(session, List.of(id), (of, frame) -> result[0] = frame);
        } catch (RemoteException e) {
            throw e;
        } catch (IOException e) {
            throw new IllegalStateException("A sink that only stores threw", e);
        }
        return result[0];
    }

    /** Ends a session; harmless when it has ended. */
    public void closeSession(StorageSession session) throws RemoteException {
        var _ =
                call(
                        StorageGrpc.getCloseSessionMethod(),
                        CloseSessionRequest.newBuilder()
                                .setContext(contexts.get())
                                .setSession(Wire.bytes(session.id()))
                                .build(),
                        1);
    }

    /** Lists the storage's durable frames after {@code from} in log order, in this thread. */
    public void inventory(LogPosition from, Consumer<ChunkStore.Tailed> consumer)
            throws RemoteException {
        try {
            Iterator<InventoryEntry> entries =
                    ClientCalls.blockingServerStreamingCall(
                            channel,
                            StorageGrpc.getInventoryMethod(),
                            CallOptions.DEFAULT.withDeadlineAfter(
                                    options.callTimeout().toNanos() * LONG, TimeUnit.NANOSECONDS),
                            InventoryRequest.newBuilder()
                                    .setContext(contexts.get())
                                    .setFromPack(from.pack())
                                    .setFromOffset(from.offset())
                                    .build());
            while (entries.hasNext()) {
                consumer.accept(tailed(entries.next()));
            }
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    private static ChunkStore.Tailed tailed(InventoryEntry entry) throws RemoteException {
        try {
            return new ChunkStore.Tailed(
                    Wire.chunkId(entry.getId()),
                    kind(entry.getKind()),
                    entry.getFrameBytes(),
                    new LogPosition(entry.getAfterPack(), entry.getAfterOffset()),
                    entry.getDamage().isEmpty()
                            ? Optional.empty()
                            : Optional.of(entry.getDamage()));
        } catch (FormatException e) {
            throw new RemoteException.Unknown("The storage's inventory is malformed", e);
        }
    }

    private static FrameKind kind(int code) {
        for (FrameKind kind : FrameKind.values()) {
            if (kind.code() == code) {
                return kind;
            }
        }
        throw new FormatException("frame kind", Integer.toString(code), 0, "1, 2 or 3");
    }

    /** What the storage holds. */
    public StoreStatus status() throws RemoteException {
        StoreStatusReply reply =
                call(
                        StorageGrpc.getStoreStatusMethod(),
                        StoreStatusRequest.newBuilder().setContext(contexts.get()).build(),
                        1);
        try {
            return new StoreStatus(
                    Wire.uuid(reply.getStoreIncarnation(), "store incarnation"),
                    reply.getFrames(),
                    reply.getFrameBytes(),
                    reply.getPacks(),
                    reply.getFreeBytes(),
                    new LogPosition(reply.getEndPack(), reply.getEndOffset()));
        } catch (FormatException e) {
            throw new RemoteException.Unknown("The storage's answer is malformed", e);
        }
    }

    private <A, B> B call(MethodDescriptor<A, B> method, A request, int timeouts)
            throws RemoteException {
        try {
            return ClientCalls.blockingUnaryCall(
                    channel,
                    method,
                    CallOptions.DEFAULT.withDeadlineAfter(
                            options.callTimeout().toNanos() * timeouts, TimeUnit.NANOSECONDS),
                    request);
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    /**
     * A stream of frames to a storage. Thread-safe. After an error every method that throws throws it
     * again; frames that were not acknowledged may or may not be there: ask with {@link #missing}.
     */
    public interface PutStream extends AutoCloseable {
        /**
         * Sends a frame; blocks on back-pressure and while too much is in flight. The array is free
         * again when this returns. Small frames are gathered, until there are enough of them or a
         * call that needs them there: see {@link #flush}.
         *
         * @return its sequence number: 1, 2, 3, ...
         */
        long put(byte[] frame, int offset, int length) throws RemoteException;

        /** Sends a whole array. */
        default long put(byte[] frame) throws RemoteException {
            return put(frame, 0, frame.length);
        }

        /**
         * Sends what was gathered. Call it at a pause: {@link #awaitDurable} and {@link #finish} do so
         * by themselves.
         */
        void flush() throws RemoteException;

        /** Up to which sequence all is durable. */
        long durableSequence();

        /** Blocks until {@code sequence} is durable. */
        void awaitDurable(long sequence) throws RemoteException;

        /** Told each acknowledged sequence, in a thread of the channel; must not block. */
        void onDurable(LongConsumer listener);

        /** Frames that the storage did not hold before, of those acknowledged. */
        long newFrames();

        /** Bytes of them. */
        long newBytes();

        /** Waits until all is durable and ends the stream. */
        void finish() throws RemoteException;

        /** Ends the stream without waiting; harmless after {@link #finish}. */
        @Override
        void close();
    }
}
