package io.holdfast.agent.storage;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.CloseSessionReply;
import io.holdfast.agent.proto.v1.CloseSessionRequest;
import io.holdfast.agent.proto.v1.CommitPieceReply;
import io.holdfast.agent.proto.v1.CommitPieceRequest;
import io.holdfast.agent.proto.v1.EpochNamespace;
import io.holdfast.agent.proto.v1.HaveReply;
import io.holdfast.agent.proto.v1.HaveRequest;
import io.holdfast.agent.proto.v1.InventoryEntry;
import io.holdfast.agent.proto.v1.InventoryRequest;
import io.holdfast.agent.proto.v1.OpenSessionReply;
import io.holdfast.agent.proto.v1.OpenSessionRequest;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.PutReply;
import io.holdfast.agent.proto.v1.ReadReply;
import io.holdfast.agent.proto.v1.ReadRequest;
import io.holdfast.agent.proto.v1.StorageGrpc;
import io.holdfast.agent.proto.v1.StoreStatusReply;
import io.holdfast.agent.proto.v1.StoreStatusRequest;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gRPC service Storage over a chunk store. Thread-safe; handlers block, so serve it on virtual
 * threads ({@code GrpcServerHost} does), to peers of {@link #ROLES}.
 *
 * <table>
 * <caption>Who may do what, and in which epoch</caption>
 * <tr><th>call</th><th>roles</th><th>a lower epoch</th></tr>
 * <tr><td>OpenSession BACKUP, RESTORE</td><td>agent</td><td>refused</td></tr>
 * <tr><td>OpenSession REPLICATE</td><td>node, storage</td><td>refused</td></tr>
 * <tr><td>Have, Put, Read, CloseSession</td><td>owner of the session</td><td>served: harmless</td>
 * </tr>
 * <tr><td>CommitPiece</td><td>owner of the session</td><td>refused</td></tr>
 * <tr><td>Inventory</td><td>node, storage, operator</td><td>served</td></tr>
 * <tr><td>StoreStatus</td><td>all</td><td>served</td></tr>
 * </table>
 *
 * A higher epoch is obeyed, durably, before anything else is done.
 */
public final class StorageService implements BindableService, AutoCloseable {
    /** The roles to serve this to. */
    public static final Set<String> ROLES =
            Set.of(
                    PeerIdentity.AGENT,
                    PeerIdentity.NODE,
                    PeerIdentity.STORAGE,
                    PeerIdentity.OPERATOR);

    private static final Set<String> AGENTS = Set.of(PeerIdentity.AGENT);
    private static final Set<String> STORAGES = Set.of(PeerIdentity.NODE, PeerIdentity.STORAGE);
    private static final Set<String> LISTERS =
            Set.of(PeerIdentity.NODE, PeerIdentity.STORAGE, PeerIdentity.OPERATOR);
    private static final Set<Purpose> WRITING = Set.of(Purpose.BACKUP, Purpose.REPLICATE);

    private static final Logger log = LoggerFactory.getLogger(StorageService.class);
    private static final int PROOF_ROUNDS = 64;

    /** Ids in one Have. */
    static final int MAX_HAVE_IDS = 4096;

    private final ChunkStore store;
    private final Supplier<Set<String>> deviceIps;
    private final StorageLimits limits;
    private final ContextCheck check;
    private final Sessions sessions;
    private final Semaphore putStreams;
    private final Semaphore readStreams;
    private final BufferPool buffers;
    private final ScheduledExecutorService sweeper;

    /**
     * Serves {@code store}, which stays the caller's.
     *
     * @param guard the process's epochs
     * @param cluster whose requests are taken
     * @param deviceIps at any time, the IPs of the devices that this storage owns
     */
    public StorageService(
            ChunkStore store,
            EpochGuard guard,
            UUID cluster,
            Supplier<Set<String>> deviceIps,
            StorageLimits limits) {
        this(store, guard, cluster, deviceIps, limits, System::nanoTime);
    }

    /**
     * Serves a rehearsal's view of a store: the same, for tokens of namespace DRILL.
     *
     * @param guard the sandbox's own epochs
     */
    public static StorageService forRehearsal(
            ChunkStore view, EpochGuard guard, UUID cluster, Supplier<Set<String>> deviceIps) {
        return new StorageService(
                view,
                new ContextCheck(cluster, guard, EpochNamespace.DRILL),
                deviceIps,
                StorageLimits.DEFAULT,
                System::nanoTime);
    }

    StorageService(
            ChunkStore store,
            EpochGuard guard,
            UUID cluster,
            Supplier<Set<String>> deviceIps,
            StorageLimits limits,
            LongSupplier nanoClock) {
        this(store, new ContextCheck(cluster, guard), deviceIps, limits, nanoClock);
    }

    private StorageService(
            ChunkStore store,
            ContextCheck check,
            Supplier<Set<String>> deviceIps,
            StorageLimits limits,
            LongSupplier nanoClock) {
        this.store = store;
        this.deviceIps = deviceIps;
        this.limits = limits;
        this.check = check;
        this.sessions =
                new Sessions(
                        limits.sessions(),
                        limits.sessionIdle().toNanos(),
                        nanoClock,
                        store::begin,
                        store::release);
        this.putStreams = new Semaphore(limits.putStreams());
        this.readStreams = new Semaphore(limits.readStreams());
        this.buffers = new BufferPool(limits.putStreams());
        this.sweeper =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("storage-sessions").factory());
        long periodMillis = Math.max(1_000, limits.sessionIdle().toMillis() / 4);
        var _ =
                sweeper.scheduleWithFixedDelay(
                        sessions::expire, periodMillis, periodMillis, TimeUnit.MILLISECONDS);
    }

    /** Ends all sessions. The store stays open. */
    @Override
    public void close() {
        sweeper.shutdownNow();
        sessions.closeAll();
    }

    /** Open sessions now. */
    public int openSessions() {
        return sessions.size();
    }

    /** Ends sessions that were idle for too long; a thread of this service does so by itself. */
    void expireSessions() {
        sessions.expire();
    }

    /** The generated service, but for Put, whose frames go from the socket into a pooled buffer. */
    @Override
    public ServerServiceDefinition bindService() {
        ServerServiceDefinition generated = new Unary().bindService();
        MethodDescriptor<PutFrames, PutReply> put =
                StorageGrpc.getPutMethod().toBuilder(
                                PutFrames.marshaller(buffers),
                                StorageGrpc.getPutMethod().getResponseMarshaller())
                        .build();
        ServerServiceDefinition.Builder builder =
                ServerServiceDefinition.builder(generated.getServiceDescriptor().getName());
        for (ServerMethodDefinition<?, ?> method : generated.getMethods()) {
            if (!method.getMethodDescriptor().getFullMethodName().equals(put.getFullMethodName())) {
                builder.addMethod(method);
            }
        }
        return builder.addMethod(put, ServerCalls.asyncBidiStreamingCall(this::put)).build();
    }

    private StreamObserver<PutFrames> put(StreamObserver<PutReply> replies) {
        return new PutHandler(
                store,
                check,
                sessions,
                putStreams,
                limits.unsyncedBytes(),
                PeerIdentity.current(),
                (ServerCallStreamObserver<PutReply>) replies);
    }

    interface Call<B> {
        B answer() throws IOException;
    }

    static <B> void answer(StreamObserver<B> replies, Call<B> call) {
        B reply;
        try {
            reply = call.answer();
        } catch (IOException | RuntimeException e) {
            replies.onError(Errors.fromHandler(e));
            return;
        }
        replies.onNext(reply);
        replies.onCompleted();
    }

    private final class Unary extends StorageGrpc.StorageImplBase {
        @Override
        public void openSession(
                OpenSessionRequest request, StreamObserver<OpenSessionReply> replies) {
            answer(replies, () -> open(request));
        }

        @Override
        public void have(HaveRequest request, StreamObserver<HaveReply> replies) {
            answer(
                    replies,
                    () -> {
                        check.acceptStale(request.getContext());
                        try (Sessions.Use use =
                                sessions.use(
                                        request.getSession(), PeerIdentity.current(), WRITING)) {
                            List<ChunkId> ids = Wire.chunkIds(request.getIds(), MAX_HAVE_IDS);
                            return HaveReply.newBuilder()
                                    .setMissing(
                                            Wire.bytes(
                                                    store.missing(use.session().id, ids),
                                                    ids.size()))
                                    .build();
                        }
                    });
        }

        @Override
        public void commitPiece(
                CommitPieceRequest request, StreamObserver<CommitPieceReply> replies) {
            answer(replies, () -> commit(request));
        }

        @Override
        public StreamObserver<ReadRequest> read(StreamObserver<ReadReply> replies) {
            return new ReadHandler(
                    store,
                    check,
                    sessions,
                    readStreams,
                    PeerIdentity.current(),
                    (ServerCallStreamObserver<ReadReply>) replies);
        }

        @Override
        public void closeSession(
                CloseSessionRequest request, StreamObserver<CloseSessionReply> replies) {
            answer(
                    replies,
                    () -> {
                        check.acceptStale(request.getContext());
                        sessions.close(
                                Wire.uuid(request.getSession(), "session id"),
                                PeerIdentity.current());
                        return CloseSessionReply.getDefaultInstance();
                    });
        }

        @Override
        public void inventory(InventoryRequest request, StreamObserver<InventoryEntry> replies) {
            try {
                check.acceptStale(request.getContext());
                PeerIdentity.currentIn(LISTERS, "the inventory");
                if (request.getFromPack() < 0 || request.getFromOffset() < 0) {
                    throw Errors.refused("An inventory begins at a position from 0:0 on", "");
                }
            } catch (RuntimeException e) {
                replies.onError(Errors.fromHandler(e));
                return;
            }
            new InventoryHandler(
                            store,
                            new LogPosition(request.getFromPack(), request.getFromOffset()),
                            (ServerCallStreamObserver<InventoryEntry>) replies)
                    .pump();
        }

        @Override
        public void storeStatus(
                StoreStatusRequest request, StreamObserver<StoreStatusReply> replies) {
            answer(
                    replies,
                    () -> {
                        check.acceptStale(request.getContext());
                        ChunkStore.Usage usage = store.usage();
                        LogPosition end = store.durableEnd();
                        return StoreStatusReply.newBuilder()
                                .setStoreIncarnation(Wire.bytes(store.incarnation()))
                                .setFrames(usage.frames())
                                .setFrameBytes(usage.frameBytes())
                                .setPacks(usage.packs())
                                .setFreeBytes(usage.freeBytes())
                                .setEndPack(end.pack())
                                .setEndOffset(end.offset())
                                .build();
                    });
        }
    }

    private OpenSessionReply open(OpenSessionRequest request) {
        ContextCheck.Accepted accepted = check.accept(request.getContext());
        Purpose purpose = request.getPurpose();
        PeerIdentity peer =
                switch (purpose) {
                    case BACKUP, RESTORE -> {
                        requireDevice(request);
                        Wire.uuid(request.getJob(), "job id");
                        yield PeerIdentity.currentIn(AGENTS, "a session to " + purpose);
                    }
                    case REPLICATE -> PeerIdentity.currentIn(STORAGES, "a session to REPLICATE");
                    case PURPOSE_UNSPECIFIED, UNRECOGNIZED ->
                            throw Errors.refused(
                                    "OpenSession has no known purpose",
                                    "Say BACKUP, RESTORE or REPLICATE");
                };
        Sessions.Session session = sessions.open(peer, purpose, accepted.operation());
        return OpenSessionReply.newBuilder()
                .setSession(Wire.bytes(session.id))
                .setStoreIncarnation(Wire.bytes(store.incarnation()))
                .build();
    }

    /** Refuses an identifier of another method, or one whose {@code IP:} is no device here. */
    private void requireDevice(OpenSessionRequest request) {
        Identifier identifier = Identifier.parse(request.getIdentifier());
        String method = request.getPurpose() == Purpose.BACKUP ? "WRITE" : "READ";
        if (!identifier.method().equals(method)) {
            throw Errors.refused(
                    "Identifier "
                            + identifier
                            + " says "
                            + identifier.method()
                            + "; a session to "
                            + request.getPurpose()
                            + " needs "
                            + method,
                    "Correct the job's identifiers");
        }
        identifier
                .param("IP")
                .ifPresent(ip -> {
                    Set<String> owned = deviceIps.get();
                    if (owned.stream().noneMatch(own -> sameHost(own, ip))) {
                        throw Errors.refused(
                                "Device "
                                        + ip
                                        + " of identifier "
                                        + identifier
                                        + " is not a device of this storage, which owns "
                                        + owned,
                                "Send the job to the storage that owns the device, or"
                                        + " correct the device's resource");
                    }
                });
    }

    private static boolean sameHost(String owned, String asked) {
        if (owned.equals(asked)) {
            return true;
        }
        try {
            return Endpoint.parse(owned).host().equals(Endpoint.parse(asked).host());
        } catch (FormatException e) {
            return false;
        }
    }

    private CommitPieceReply commit(CommitPieceRequest request) throws IOException {
        check.accept(request.getContext());
        try (Sessions.Use use =
                sessions.use(request.getSession(), PeerIdentity.current(), WRITING)) {
            byte[] frame = request.getFrame().toByteArray();
            requirePiece(frame);
            List<ChunkId> missing = prove(use.session().id, frame);
            CommitPieceReply.Builder reply =
                    CommitPieceReply.newBuilder().setMissing(Wire.bytes(missing));
            if (missing.isEmpty()) {
                LogPosition end = store.durableEnd();
                reply.setLogPack(end.pack()).setLogOffset(end.offset());
            }
            return reply.build();
        }
    }

    private static void requirePiece(byte[] frame) {
        try {
            if (Frame.parse(frame, 0, frame.length).kind() == FrameKind.PIECE) {
                var _ = PieceHeader.parse(frame);
                return;
            }
        } catch (StoreException.Corrupt | IllegalArgumentException e) {
            throw Errors.refused(
                    "The frame to commit was refused: " + e.getMessage(), "Send a PIECE frame");
        }
        throw Errors.refused("The frame to commit is no PIECE", "Send other frames by Put");
    }

    /**
     * Commits. A manifest node found damaged here counts as missing from then on, so asking again
     * names it among what the sender has to give.
     */
    private List<ChunkId> prove(UUID session, byte[] frame) throws IOException {
        for (int round = 1; ; round++) {
            try {
                return store.commitPiece(session, frame);
            } catch (StoreException.Corrupt e) {
                log.warn("While a piece was proved: {}", e.getMessage());
                if (round == PROOF_ROUNDS) {
                    throw e;
                }
            }
        }
    }
}
