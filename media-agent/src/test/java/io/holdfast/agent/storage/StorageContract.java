package io.holdfast.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.CommitPieceRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.HaveRequest;
import io.holdfast.agent.proto.v1.InventoryRequest;
import io.holdfast.agent.proto.v1.OpenSessionRequest;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.PutRequest;
import io.holdfast.agent.proto.v1.ReadReply;
import io.holdfast.agent.proto.v1.ReadRequest;
import io.holdfast.agent.proto.v1.StorageGrpc;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.GrpcTls;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TestPki;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a storage promises over the wire, whatever store is below. Real sockets, real TLS. */
abstract class StorageContract {
    static final Epoch ONE = new Epoch(1, Site.LOCAL);
    static final Epoch TWO = new Epoch(2, Site.DR);
    static final String OUTPUT = "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe?/mtree/backup/c";
    static final String INPUT = "127.10.11.44:6543?READ:IP:127.10.11.45,dedupe?/mtree/backup/c";
    private static final TestPki PKI = new TestPki();

    @TempDir Path folder;
    final List<AutoCloseable> open = new ArrayList<>();
    final AtomicReference<Epoch> epoch = new AtomicReference<>(ONE);
    final AtomicLong nanos = new AtomicLong();
    FaultyStore store;
    EpochGuard guard;
    StorageService service;
    GrpcServerHost host;

    /** A new store. */
    abstract ChunkStore newStore(Path below) throws IOException;

    @BeforeEach
    void start() throws Exception {
        store = new FaultyStore(newStore(folder));
        open.add(store);
        guard = EpochGuard.create(folder.resolve("epoch"), ONE);
        service =
                new StorageService(
                        store,
                        guard,
                        PKI.cluster,
                        () -> Set.of("127.10.11.45"),
                        new StorageLimits(4, Duration.ofMinutes(5), 2, 2, 1 << 20),
                        nanos::get);
        open.add(service);
        host =
                GrpcServerHost.builder(PKI.member(PeerIdentity.STORAGE, "s1"))
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(service, StorageService.ROLES)
                        .start();
        open.add(host::abort);
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable closeable : open.reversed()) {
            closeable.close();
        }
    }

    ManagedChannel channel(String role, String id) {
        ManagedChannel channel =
                GrpcTls.channel(
                        Endpoint.of("127.0.0.1", host.port()),
                        PKI.member(role, id),
                        Set.of(PeerIdentity.STORAGE));
        open.add(channel::shutdownNow);
        return channel;
    }

    StorageClient client(String role, String id) {
        return client(role, id, 32L << 20);
    }

    StorageClient client(String role, String id, long inFlight) {
        return new StorageClient(
                channel(role, id),
                Wire.contexts(PKI.cluster, epoch::get),
                new StorageClient.Options(
                        Duration.ofSeconds(20), Duration.ofSeconds(20), inFlight));
    }

    StorageClient agent() {
        return client(PeerIdentity.AGENT, "c1");
    }

    static StorageSession backup(StorageClient client) throws RemoteException {
        return client.openSession(UUID.randomUUID(), OUTPUT, Purpose.BACKUP);
    }

    static void putAll(StorageClient client, StorageSession session, List<byte[]> frames)
            throws RemoteException {
        try (StorageClient.PutStream put = client.put(session)) {
            for (byte[] frame : frames) {
                put.put(frame);
            }
            put.finish();
        }
    }

    interface Action {
        void run() throws Throwable;
    }

    static RemoteException.Refused refused(Action action, ErrorDetail.Code code) {
        Throwable thrown = catchThrowable(action::run);
        assertThat(thrown).isInstanceOf(RemoteException.Refused.class);
        RemoteException.Refused refused = (RemoteException.Refused) thrown;
        assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
        return refused;
    }

    @Test
    void backupAndRestore() throws Exception {
        TestFrames.Piece piece = TestFrames.piece(1, 20, 30_000);
        StorageClient client = agent();
        StorageSession session = backup(client);
        assertThat(session.storeIncarnation()).isEqualTo(store.incarnation());
        assertThat(client.missing(session, piece.belowIds()).cardinality()).isEqualTo(21);

        CommitResult early = client.commitPiece(session, piece.header());
        assertThat(early.committed()).isFalse();
        assertThat(early.missing()).containsExactly(TestFrames.id(piece.node()));

        try (StorageClient.PutStream put = client.put(session)) {
            AtomicLong told = new AtomicLong();
            put.onDurable(told::set);
            for (byte[] frame : piece.chunks()) {
                put.put(frame);
            }
            put.awaitDurable(20);
            assertThat(put.durableSequence()).isEqualTo(20);
            assertThat(client.missing(session, piece.belowIds()).stream()).containsExactly(20);
            byte[] padded = new byte[piece.node().length + 10];
            System.arraycopy(piece.node(), 0, padded, 7, piece.node().length);
            assertThat(put.put(padded, 7, piece.node().length)).isEqualTo(21);
            java.util.Arrays.fill(padded, (byte) 0); // free again once put returned
            put.finish();
            assertThat(told.get()).isEqualTo(21);
            assertThat(put.newFrames()).isEqualTo(21);
            assertThat(put.newBytes())
                    .isEqualTo(piece.below().stream().mapToLong(f -> f.length).sum());
        }
        CommitResult result = client.commitPiece(session, piece.header());
        assertThat(result.committed()).isTrue();
        assertThat(result.position()).isEqualTo(store.durableEnd());
        assertThat(client.commitPiece(session, piece.header()).committed()).isTrue();
        client.closeSession(session);
        client.closeSession(session);

        StorageSession restore = client.openSession(UUID.randomUUID(), INPUT, Purpose.RESTORE);
        List<ChunkId> order = new ArrayList<>(piece.belowIds().reversed());
        order.addAll(piece.belowIds());
        order.add(TestFrames.id(piece.header()));
        List<ChunkId> got = new ArrayList<>();
        client.read(
                restore,
                order,
                (id, frame) -> {
                    assertThat(TestFrames.id(frame)).isEqualTo(id);
                    got.add(id);
                });
        assertThat(got).isEqualTo(order);
        assertThat(client.read(restore, TestFrames.id(piece.header()))).isEqualTo(piece.header());

        StoreStatus status = client.status();
        assertThat(status.incarnation()).isEqualTo(store.incarnation());
        assertThat(status.frames()).isEqualTo(22);
        assertThat(status.end()).isEqualTo(store.durableEnd());
        List<ChunkStore.Tailed> listed = new ArrayList<>();
        StorageClient node = client(PeerIdentity.NODE, "l1");
        node.inventory(LogPosition.START, listed::add);
        assertThat(listed).isEqualTo(store.inventory());
        listed.clear();
        node.inventory(store.inventory().get(19).after(), listed::add);
        assertThat(listed).hasSize(2);
    }

    @Test
    void manyIdsAndManyFrames() throws Exception {
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            frames.add(TestFrames.data(i, 50));
        }
        StorageClient client = agent();
        StorageSession session = backup(client);
        putAll(client, session, frames);
        List<ChunkId> ids = new ArrayList<>(frames.stream().map(TestFrames::id).toList());
        ids.addAll(ids);
        ids.add(TestFrames.id(TestFrames.data(-1, 10)));
        assertThat(client.missing(session, ids).stream()).containsExactly(6_000);
        AtomicLong read = new AtomicLong();
        client.read(session, ids.subList(0, 6_000), (id, frame) -> read.incrementAndGet());
        assertThat(read.get()).isEqualTo(6_000);
    }

    @Test
    void smallFramesTravelTogetherAndArriveAtAFlush() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        try (StorageClient.PutStream put = client.put(session)) {
            List<byte[]> frames = new ArrayList<>();
            for (int i = 0; i < 600; i++) {
                frames.add(TestFrames.data(i, i % 7 == 0 ? 60_000 : 100 + 10 * i));
            }
            CompletableFuture<Long> durable = new CompletableFuture<>();
            put.onDurable(sequence -> {
                if (sequence == frames.size()) {
                    durable.complete(sequence);
                }
            });
            for (byte[] frame : frames) {
                put.put(frame);
            }
            put.flush();
            assertThat(durable.get(20, TimeUnit.SECONDS)).isEqualTo(frames.size());
            for (byte[] frame : frames) {
                assertThat(client.read(session, TestFrames.id(frame))).isEqualTo(frame);
            }
            put.put(TestFrames.data(600, 100));
        } // closed without a flush: the last one is not acknowledged
    }

    @Test
    void largestFramePasses() throws Exception {
        byte[] frame = TestFrames.data(3, 4 << 20);
        StorageClient client = agent();
        StorageSession session = backup(client);
        putAll(client, session, List.of(frame));
        assertThat(client.read(session, TestFrames.id(frame))).isEqualTo(frame);
    }

    @Test
    void heldFramesAreNotNew() throws Exception {
        TestFrames.Piece piece = TestFrames.piece(2, 5, 1_000);
        StorageClient client = agent();
        StorageSession session = backup(client);
        putAll(client, session, piece.below());
        try (StorageClient.PutStream put = client.put(session)) {
            for (byte[] frame : piece.below()) {
                put.put(frame);
            }
            put.finish();
            assertThat(put.newFrames()).isZero();
            assertThat(put.durableSequence()).isEqualTo(6);
        }
        try (StorageClient.PutStream empty = client.put(session)) {
            empty.finish();
        }
    }

    @Test
    void identifiersAreChecked() {
        StorageClient client = agent();
        UUID job = UUID.randomUUID();
        assertThat(
                        refused(
                                () ->
                                        client.openSession(
                                                job,
                                                OUTPUT.replace("127.10.11.45", "127.10.11.4"),
                                                Purpose.BACKUP),
                                ErrorDetail.Code.REFUSED))
                .hasMessageContaining("Device 127.10.11.4 of")
                .hasMessageContaining("[127.10.11.45]");
        refused(() -> client.openSession(job, INPUT, Purpose.BACKUP), ErrorDetail.Code.REFUSED);
        refused(() -> client.openSession(job, OUTPUT, Purpose.RESTORE), ErrorDetail.Code.REFUSED);
        refused(() -> client.openSession(job, "???", Purpose.BACKUP), ErrorDetail.Code.REFUSED);
        refused(
                () -> client.openSession(job, OUTPUT, Purpose.PURPOSE_UNSPECIFIED),
                ErrorDetail.Code.REFUSED);
    }

    @Test
    void rolesAreChecked() {
        UUID job = UUID.randomUUID();
        StorageClient agent = agent();
        StorageClient node = client(PeerIdentity.NODE, "l1");
        refused(() -> agent.openSession(job, "", Purpose.REPLICATE), ErrorDetail.Code.UNAUTHORIZED);
        refused(() -> node.openSession(job, OUTPUT, Purpose.BACKUP), ErrorDetail.Code.UNAUTHORIZED);
        refused(() -> agent.inventory(LogPosition.START, t -> {}), ErrorDetail.Code.UNAUTHORIZED);
    }

    @Test
    void staleEpochMayPutChunksButCommitNothing() throws Exception {
        TestFrames.Piece piece = TestFrames.piece(4, 3, 500);
        StorageClient client = agent();
        StorageSession session = backup(client);
        guard.promise(TWO);
        assertThat(client.missing(session, piece.belowIds()).cardinality()).isEqualTo(4);
        putAll(client, session, piece.below());
        assertThat(store.holds(TestFrames.id(piece.node()))).isTrue();
        RemoteException.Refused stale =
                refused(
                        () -> client.commitPiece(session, piece.header()),
                        ErrorDetail.Code.STALE_EPOCH);
        assertThat(stale.maxEpoch()).contains(TWO);
        assertThat(store.holds(TestFrames.id(piece.header()))).isFalse();
        refused(() -> backup(client), ErrorDetail.Code.STALE_EPOCH);
        epoch.set(TWO);
        assertThat(client.commitPiece(session, piece.header()).committed()).isTrue();
    }

    @Test
    void higherEpochIsObeyedDurably() throws Exception {
        epoch.set(TWO);
        agent().status();
        assertThat(EpochGuard.open(guard.file()).max()).isEqualTo(TWO);
        epoch.set(ONE);
        refused(() -> backup(agent()), ErrorDetail.Code.STALE_EPOCH);
    }

    @Test
    void fullDiskFailsTheStreamAndLosesNothingAcknowledged() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        byte[] first = TestFrames.data(1, 100);
        byte[] second = TestFrames.data(2, 100);
        try (StorageClient.PutStream put = client.put(session)) {
            put.awaitDurable(put.put(first));
            store.onAppend =
                    () -> {
                        throw new StoreException.Full("no space", new IOException("ENOSPC"));
                    };
            long sequence = put.put(second);
            assertThat(refused(() -> put.awaitDurable(sequence), ErrorDetail.Code.FULL))
                    .hasMessageContaining("no space")
                    .hasMessageContaining("Free space");
            refused(() -> put.put(second), ErrorDetail.Code.FULL);
            assertThat(put.durableSequence()).isEqualTo(1);
        }
        assertThat(store.holds(TestFrames.id(first))).isTrue();
        store.onAppend = FaultyStore.NONE;
        putAll(client, session, List.of(second));
        assertThat(store.holds(TestFrames.id(second))).isTrue();
    }

    @Test
    void failedSyncIsUnknownNotAcknowledged() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        store.onSync =
                () -> {
                    throw new StoreException.Failed("pack 3", new IOException("EIO"));
                };
        try (StorageClient.PutStream put = client.put(session)) {
            long sequence = put.put(TestFrames.data(1, 100));
            assertThatThrownBy(() -> put.awaitDurable(sequence))
                    .isInstanceOf(RemoteException.Unknown.class)
                    .hasMessageContaining("pack 3");
            assertThat(put.durableSequence()).isZero();
        }
    }

    @Test
    void senderBlocksWhileTooMuchIsInFlight() throws Exception {
        CountDownLatch disk = new CountDownLatch(1);
        store.onSync =
                () -> {
                    try {
                        disk.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                };
        StorageClient client = client(PeerIdentity.AGENT, "c1", 300_000);
        StorageSession session = backup(client);
        AtomicLong sent = new AtomicLong();
        try (StorageClient.PutStream put = client.put(session)) {
            CompletableFuture<Void> sender =
                    CompletableFuture.runAsync(() -> {
                        try {
                            for (int i = 0; i < 10; i++) {
                                sent.set(put.put(TestFrames.data(i, 100_000)));
                            }
                            put.finish();
                        } catch (RemoteException e) {
                            throw new IllegalStateException(e);
                        }
                    });
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (sent.get() < 2 && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
            Thread.sleep(50);
            assertThat(sent.get()).isEqualTo(2);
            assertThat(put.durableSequence()).isZero();
            disk.countDown();
            sender.get(20, TimeUnit.SECONDS);
            assertThat(put.durableSequence()).isEqualTo(10);
        }
    }

    @Test
    void storageTakesNoMoreThanItsBoundUnsynced() throws Exception {
        CountDownLatch disk = new CountDownLatch(1);
        store.onSync =
                () -> {
                    try {
                        disk.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                };
        StorageClient client = agent();
        StorageSession session = backup(client);
        AtomicLong appended = new AtomicLong();
        store.onAppend = appended::incrementAndGet;
        try (StorageClient.PutStream put = client.put(session)) {
            for (int i = 0; i < 10; i++) {
                put.put(TestFrames.data(i, 400_000)); // bound: 1 MiB
            }
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (appended.get() < 3 && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
            Thread.sleep(50);
            assertThat(appended.get()).isEqualTo(3);
            disk.countDown();
            put.finish();
            assertThat(appended.get()).isEqualTo(10);
        }
    }

    @Test
    void missingAndDamagedFramesAreNamed() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        byte[] frame = TestFrames.data(1, 100);
        putAll(client, session, List.of(frame));
        ChunkId absent = TestFrames.id(TestFrames.data(2, 100));
        List<ChunkId> got = new ArrayList<>();
        assertThat(
                        refused(
                                () ->
                                        client.read(
                                                session,
                                                List.of(TestFrames.id(frame), absent),
                                                (id, bytes) -> got.add(id)),
                                ErrorDetail.Code.NOT_FOUND))
                .hasMessageContaining(absent.toString());
        assertThat(got).containsExactly(TestFrames.id(frame));
        assertThatThrownBy(() ->
                        client.read(
                                session,
                                List.of(TestFrames.id(frame)),
                                (id, bytes) -> {
                                    throw new IOException("the target is full");
                                }))
                .hasMessage("the target is full");
        assertThat(client.read(session, TestFrames.id(frame))).isEqualTo(frame);
    }

    @Test
    void killedStorageLeavesAnUnknownOutcome() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        try (StorageClient.PutStream put = client.put(session)) {
            put.awaitDurable(put.put(TestFrames.data(1, 100)));
            host.abort();
            assertThatThrownBy(
                            () -> {
                                while (true) {
                                    put.awaitDurable(put.put(TestFrames.data(2, 100)));
                                }
                            })
                    .isInstanceOf(RemoteException.Unknown.class);
        }
        Throwable thrown = catchThrowable(client::status);
        assertThat(thrown).isInstanceOf(RemoteException.class);
    }

    @Test
    void sessionsAreBoundedIdleOnesEndAndBelongToOnePeer() throws Exception {
        StorageClient client = agent();
        StorageSession first = backup(client);
        for (int i = 0; i < 3; i++) {
            backup(client);
        }
        assertThatThrownBy(() -> backup(client))
                .isInstanceOf(RemoteException.Unavailable.class)
                .hasMessageContaining("4 open sessions");
        assertThat(
                        refused(
                                () ->
                                        client(PeerIdentity.AGENT, "c2")
                                                .missing(
                                                        first,
                                                        List.of(
                                                                TestFrames.id(
                                                                        TestFrames.data(1, 9)))),
                                ErrorDetail.Code.UNAUTHORIZED))
                .hasMessageContaining("belongs to another peer");
        nanos.addAndGet(Duration.ofMinutes(6).toNanos());
        service.expireSessions();
        assertThat(service.openSessions()).isZero();
        assertThat(store.released.get()).isEqualTo(4);
        assertThat(
                        refused(
                                () ->
                                        client.missing(
                                                first,
                                                List.of(TestFrames.id(TestFrames.data(1, 9)))),
                                ErrorDetail.Code.NOT_FOUND))
                .hasMessageContaining(first.id().toString());
    }

    @Test
    void sessionInUseDoesNotExpireAndStreamsAreBounded() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        try (StorageClient.PutStream put = client.put(session);
                StorageClient.PutStream other = client.put(session);
                StorageClient.PutStream third = client.put(session)) {
            put.awaitDurable(put.put(TestFrames.data(1, 9)));
            other.awaitDurable(other.put(TestFrames.data(2, 9)));
            assertThatThrownBy(() -> third.awaitDurable(third.put(TestFrames.data(3, 9))))
                    .isInstanceOf(RemoteException.Unavailable.class);
            nanos.addAndGet(Duration.ofMinutes(6).toNanos());
            service.expireSessions();
            put.awaitDurable(put.put(TestFrames.data(4, 9)));
            client.closeSession(session);
            long sequence = put.put(TestFrames.data(5, 9));
            refused(() -> put.awaitDurable(sequence), ErrorDetail.Code.NOT_FOUND);
        }
    }

    @Test
    void repeatedOpenWithOneOperationIdGivesOneSession() throws Exception {
        UUID operation = UUID.randomUUID();
        StorageClient client =
                new StorageClient(
                        channel(PeerIdentity.AGENT, "c1"),
                        () -> Wire.context(PKI.cluster, ONE, operation),
                        StorageClient.Options.DEFAULT);
        assertThat(backup(client)).isEqualTo(backup(client));
        assertThat(service.openSessions()).isEqualTo(1);
    }

    // ---------------------------------------------------------------- malformed requests

    @Test
    void malformedUnaryRequestsAreRefused() throws Exception {
        StorageGrpc.StorageBlockingStub stub =
                StorageGrpc.newBlockingStub(channel(PeerIdentity.AGENT, "c1"))
                        .withDeadlineAfter(20, TimeUnit.SECONDS);
        ByteString session = Wire.bytes(backup(agent()).id());
        var context = Wire.context(PKI.cluster, ONE);
        ByteString junk = ByteString.copyFrom(new byte[33]);
        List<Action> requests =
                List.of(
                        () ->
                                stub.openSession(
                                        OpenSessionRequest.newBuilder()
                                                .setContext(context)
                                                .setIdentifier(OUTPUT)
                                                .setPurpose(Purpose.BACKUP)
                                                .setJob(junk)
                                                .build()),
                        () ->
                                stub.openSession(
                                        OpenSessionRequest.newBuilder()
                                                .setContext(context)
                                                .setPurposeValue(77)
                                                .build()),
                        () ->
                                stub.have(
                                        HaveRequest.newBuilder()
                                                .setContext(context)
                                                .setSession(session)
                                                .setIds(junk)
                                                .build()),
                        () ->
                                stub.have(
                                        HaveRequest.newBuilder()
                                                .setContext(context)
                                                .setSession(session)
                                                .setIds(ByteString.copyFrom(new byte[4097 * 32]))
                                                .build()),
                        () ->
                                stub.have(
                                        HaveRequest.newBuilder()
                                                .setContext(context)
                                                .setSession(junk)
                                                .build()),
                        () ->
                                stub.commitPiece(
                                        CommitPieceRequest.newBuilder()
                                                .setContext(context)
                                                .setSession(session)
                                                .setFrame(junk)
                                                .build()),
                        () ->
                                stub.commitPiece(
                                        CommitPieceRequest.newBuilder()
                                                .setContext(context)
                                                .setSession(session)
                                                .setFrame(
                                                        ByteString.copyFrom(TestFrames.data(1, 9)))
                                                .build()),
                        () ->
                                stub.have(
                                        HaveRequest.newBuilder()
                                                .setContext(context.toBuilder().setEpoch(-5))
                                                .setSession(session)
                                                .build()));
        for (int i = 0; i < requests.size(); i++) {
            Action request = requests.get(i);
            StatusRuntimeException thrown =
                    catchThrowableOfType(StatusRuntimeException.class, request::run);
            assertThat(Errors.of(thrown))
                    .as("request %d: %s", i, thrown)
                    .isInstanceOfSatisfying(
                            RemoteException.Refused.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorDetail.Code.REFUSED));
        }
        StatusRuntimeException absent =
                catchThrowableOfType(
                        StatusRuntimeException.class,
                        () ->
                                stub.have(
                                        HaveRequest.newBuilder()
                                                .setContext(context)
                                                .setSession(Wire.bytes(UUID.randomUUID()))
                                                .build()));
        assertThat(((RemoteException.Refused) Errors.of(absent)).code())
                .isEqualTo(ErrorDetail.Code.NOT_FOUND);
        StorageGrpc.StorageBlockingStub node =
                StorageGrpc.newBlockingStub(channel(PeerIdentity.NODE, "l1"))
                        .withDeadlineAfter(20, TimeUnit.SECONDS);
        StatusRuntimeException negative =
                catchThrowableOfType(
                        StatusRuntimeException.class,
                        () ->
                                node.inventory(
                                                InventoryRequest.newBuilder()
                                                        .setContext(context)
                                                        .setFromPack(-1)
                                                        .build())
                                        .hasNext());
        assertThat(((RemoteException.Refused) Errors.of(negative)).code())
                .isEqualTo(ErrorDetail.Code.REFUSED);
    }

    private ErrorDetail.Code putting(PutRequest... requests) throws Exception {
        CompletableFuture<ErrorDetail.Code> outcome = new CompletableFuture<>();
        StreamObserver<PutRequest> stream =
                StorageGrpc.newStub(channel(PeerIdentity.AGENT, "c1")).put(observer(outcome));
        for (PutRequest request : requests) {
            stream.onNext(request);
        }
        stream.onCompleted();
        return outcome.get(20, TimeUnit.SECONDS);
    }

    private static <T> StreamObserver<T> observer(CompletableFuture<ErrorDetail.Code> outcome) {
        return new StreamObserver<>() {
            @Override
            public void onNext(T reply) {}

            @Override
            public void onError(Throwable thrown) {
                RemoteException e = Errors.of(thrown);
                if (e instanceof RemoteException.Refused refused) {
                    outcome.complete(refused.code());
                } else {
                    outcome.completeExceptionally(e);
                }
            }

            @Override
            public void onCompleted() {
                outcome.complete(ErrorDetail.Code.CODE_UNSPECIFIED);
            }
        };
    }

    @Test
    void malformedStreamsAreRefused() throws Exception {
        var context = Wire.context(PKI.cluster, ONE);
        ByteString session = Wire.bytes(backup(agent()).id());
        ByteString frame = ByteString.copyFrom(TestFrames.data(1, 50));
        PutRequest good =
                PutRequest.newBuilder()
                        .setContext(context)
                        .setSession(session)
                        .setSequence(1)
                        .addFrames(frame)
                        .build();
        assertThat(putting(good)).isEqualTo(ErrorDetail.Code.CODE_UNSPECIFIED);
        PutRequest third = PutRequest.newBuilder().setSequence(3).addFrames(frame).build();
        PutRequest two = good.toBuilder().addFrames(frame).build();
        assertThat(putting(two, third)).isEqualTo(ErrorDetail.Code.CODE_UNSPECIFIED);
        assertThat(putting(good, third)).isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(putting(good.toBuilder().clearContext().build()))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(putting(good.toBuilder().setSession(ByteString.copyFromUtf8("x")).build()))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(putting(good.toBuilder().setSequence(2).build()))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(putting(good, good)).isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(
                        putting(
                                good.toBuilder()
                                        .setFrames(0, ByteString.copyFrom(new byte[200]))
                                        .build()))
                .isEqualTo(ErrorDetail.Code.CORRUPT);
        assertThat(putting(good.toBuilder().setFrames(0, ByteString.EMPTY).build()))
                .isEqualTo(ErrorDetail.Code.CORRUPT);
        assertThat(
                        putting(
                                good.toBuilder()
                                        .setFrames(
                                                0,
                                                ByteString.copyFrom(
                                                        TestFrames.piece(1, 1, 1).header()))
                                        .build()))
                .isEqualTo(ErrorDetail.Code.REFUSED);

        assertThat(reading(r -> r.setContext(context).setSession(session).setIds(frame)))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(
                        reading(r ->
                                r.setContext(context)
                                        .setSession(session)
                                        .setIds(ByteString.copyFrom(new byte[1025 * 32]))))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(reading(r -> r.setContext(context).setSession(frame)))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(reading(r -> r.setSession(session))).isEqualTo(ErrorDetail.Code.WRONG_VERSION);
    }

    private ErrorDetail.Code reading(Consumer<ReadRequest.Builder> build) throws Exception {
        ReadRequest.Builder request = ReadRequest.newBuilder();
        build.accept(request);
        CompletableFuture<ErrorDetail.Code> outcome = new CompletableFuture<>();
        StreamObserver<ReadRequest> stream =
                StorageGrpc.newStub(channel(PeerIdentity.AGENT, "c1"))
                        .read(StorageContract.<ReadReply>observer(outcome));
        stream.onNext(request.build());
        stream.onCompleted();
        return outcome.get(20, TimeUnit.SECONDS);
    }

    @Test
    void answersOfHaveFillTheirBytes() throws Exception {
        StorageClient client = agent();
        StorageSession session = backup(client);
        byte[] held = TestFrames.data(1, 50);
        putAll(client, session, List.of(held));
        ByteString bits =
                StorageGrpc.newBlockingStub(channel(PeerIdentity.AGENT, "c1"))
                        .withDeadlineAfter(20, TimeUnit.SECONDS)
                        .have(
                                HaveRequest.newBuilder()
                                        .setContext(Wire.context(PKI.cluster, ONE))
                                        .setSession(Wire.bytes(session.id()))
                                        .setIds(
                                                Wire.bytes(
                                                        java.util.Collections.nCopies(
                                                                9, TestFrames.id(held))))
                                        .build())
                        .getMissing();
        assertThat(bits.size()).isEqualTo(2);
        assertThat(Wire.bits(bits)).isEqualTo(new BitSet());
    }
}
