package io.holdfast.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.CollectorStatusReply;
import io.holdfast.agent.proto.v1.ExplainReply;
import io.holdfast.agent.proto.v1.ExplainRequest;
import io.holdfast.agent.proto.v1.FateGroup;
import io.holdfast.agent.proto.v1.GcOrder;
import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.GrpcTls;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TestPki;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.folder.FolderChunkStore;
import io.holdfast.chunk.gc.GcState;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Orders over the wire, to a folder whose collector has no grace. */
class CollectorServiceTest {
    private static final Epoch ONE = new Epoch(1, Site.LOCAL);
    private static final Epoch TWO = new Epoch(2, Site.DR);
    private static final UUID NOBODY = new UUID(7, 7);
    private static final TestPki PKI = new TestPki();
    private static final GcStanding CALM =
            GcStanding.newBuilder().setSettled(true).setRole("STANDBY").build();

    @TempDir Path folder;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final AtomicReference<Epoch> epoch = new AtomicReference<>(ONE);
    private final AtomicReference<CollectorService.Local> local =
            new AtomicReference<>(new CollectorService.Local(true, "STANDBY", Set.of()));
    private FolderChunkStore store;
    private GrpcServerHost host;
    private CollectorClient leader;

    @BeforeEach
    void start() throws Exception {
        store =
                FolderChunkStore.open(
                        folder.resolve("store"),
                        new FolderChunkStore.Options(
                                1 << 20, new GcState.Config(Duration.ZERO, Duration.ofMinutes(5))));
        open.add(store);
        EpochGuard guard = EpochGuard.create(folder.resolve("epoch"), ONE);
        CollectorService collector =
                new CollectorService(
                        store, guard, PKI.cluster, _ -> local.get(), InstantSource.system());
        open.add(collector);
        StorageService storage =
                new StorageService(store, guard, PKI.cluster, Set::of, StorageLimits.DEFAULT);
        open.add(storage);
        host =
                GrpcServerHost.builder(PKI.member(PeerIdentity.STORAGE, "s1"))
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(collector, CollectorService.ROLES)
                        .service(storage, StorageService.ROLES)
                        .start();
        open.add(host::abort);
        leader = new CollectorClient(channel(PeerIdentity.NODE), this::context);
    }

    private io.holdfast.agent.proto.v1.RequestContext context() {
        return Wire.context(PKI.cluster, epoch.get());
    }

    private ManagedChannel channel(String role) {
        ManagedChannel channel =
                GrpcTls.channel(
                        Endpoint.of("127.0.0.1", host.port()),
                        PKI.member(role, "x"),
                        Set.of(PeerIdentity.STORAGE));
        open.add(channel::shutdownNow);
        return channel;
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable closeable : open.reversed()) {
            closeable.close();
        }
    }

    private ChunkId put(int seed) throws Exception {
        TestFrames.Piece piece = TestFrames.piece(seed, 5, 500);
        for (byte[] frame : piece.below()) {
            store.append(NOBODY, frame, 0, frame.length);
        }
        assertThat(store.commitPiece(NOBODY, piece.header())).isEmpty();
        store.release(NOBODY);
        return TestFrames.id(piece.header());
    }

    private static GcOrder order() {
        return order(0);
    }

    private static GcOrder order(long skewMillis) {
        return GcOrder.newBuilder()
                .setLeaderMicros(
                        ChronoUnit.MICROS.between(
                                java.time.Instant.EPOCH, InstantSource.system().instant()))
                .setPeersSkewMillis(skewMillis)
                .build();
    }

    private CollectorClient.Work mark(Set<ChunkId> expired) throws Exception {
        return leader.mark(UUID.randomUUID(), order(), expired).orElseThrow();
    }

    private CollectorClient.Work sweep(GcStanding standing) throws Exception {
        return leader.sweep(UUID.randomUUID(), order(), standing).orElseThrow();
    }

    @Test
    void whatTwoMarksFindGoesAndTheRestStays() throws Exception {
        ChunkId gone = put(1);
        ChunkId stays = put(2);
        CollectorClient.Work first = mark(Set.of(gone));
        assertThat(first.outcome()).isEqualTo("DONE");
        assertThat(first.frames()).isEqualTo(7);
        assertThat(sweep(CALM).outcome()).isEqualTo("WAITS");
        UUID run = UUID.randomUUID();
        assertThat(leader.mark(run, order(), Set.of(gone)).orElseThrow().frames()).isZero();
        CollectorStatusReply status = leader.status(List.of(gone, stays));
        assertThat(CollectorClient.last(status).map(CollectorClient.Work::run)).contains(run);
        assertThat(Wire.bits(status.getHeld()).cardinality()).isEqualTo(2);
        assertThat(status.getRunsList()).singleElement().matches(r -> r.getConfirmedBy() > 0);
        CollectorClient.Work swept = sweep(CALM);
        assertThat(swept.outcome()).isEqualTo("DONE");
        assertThat(swept.frames()).isEqualTo(7);
        assertThat(swept.bytes()).isEqualTo(first.bytes());
        assertThat(Wire.bits(leader.status(List.of(gone, stays)).getHeld()))
                .isEqualTo(java.util.BitSet.valueOf(new long[] {2}));
    }

    @Test
    void anOrderOfALowerEpochIsRefused() throws Exception {
        ChunkId gone = put(1);
        mark(Set.of(gone));
        mark(Set.of(gone));
        epoch.set(TWO);
        leader.status(List.of());
        epoch.set(ONE);
        for (var stale :
                List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
                        () -> mark(Set.of(gone)), () -> sweep(CALM))) {
            assertThatThrownBy(stale)
                    .isInstanceOfSatisfying(
                            RemoteException.Refused.class,
                            e -> assertThat(e.maxEpoch()).isEqualTo(Optional.of(TWO)));
        }
        assertThat(store.holds(gone)).isTrue();
        // In the new epoch the fossils of the old one count anew.
        epoch.set(TWO);
        assertThat(sweep(CALM).outcome()).isEqualTo("WAITS");
    }

    @Test
    void onlyNodesOrder() {
        CollectorClient agent = new CollectorClient(channel(PeerIdentity.AGENT), this::context);
        assertThatThrownBy(() -> agent.mark(UUID.randomUUID(), order(), Set.of()))
                .isInstanceOf(RemoteException.Refused.class);
    }

    @Test
    void whatTheNodeKnowsOfItsSiteFreezesTheSweep() throws Exception {
        ChunkId gone = put(1);
        mark(Set.of(gone));
        mark(Set.of(gone));
        local.set(new CollectorService.Local(false, "RECONCILING", Set.of()));
        assertThat(sweep(CALM).reasons()).singleElement().asString().contains("RECONCILING");
        local.set(new CollectorService.Local(true, "STANDBY", Set.of("a rehearsal")));
        assertThat(sweep(CALM).reasons()).singleElement().asString().contains("a rehearsal");
        local.set(new CollectorService.Local(true, "STANDBY", Set.of()));
        assertThat(sweep(CALM.toBuilder().setForced(true).build()).outcome()).isEqualTo("REFUSED");
        assertThat(store.holds(gone)).isTrue();
        assertThat(sweep(CALM).outcome()).isEqualTo("DONE");
    }

    @Test
    void clocksThatDisagreeAreRefused() throws Exception {
        put(1);
        assertThat(leader.mark(UUID.randomUUID(), order(600_000), Set.of()).orElseThrow().reasons())
                .singleElement()
                .asString()
                .contains("clocks");
    }

    @Test
    void aRestoreUnderWayIsAwaited() throws Exception {
        ChunkId gone = put(1);
        StorageClient reader =
                new StorageClient(
                        channel(PeerIdentity.STORAGE),
                        this::context,
                        StorageClient.Options.DEFAULT);
        StorageSession session = reader.openSession(UUID.randomUUID(), "", Purpose.REPLICATE);
        mark(Set.of(gone));
        mark(Set.of(gone));
        assertThat(sweep(CALM).reasons()).singleElement().asString().contains("sessions");
        reader.closeSession(session);
        mark(Set.of(gone));
        assertThat(sweep(CALM).outcome()).isEqualTo("DONE");
    }

    @Test
    void aStoreThatKnowsOfDamageProvesNothingUntilItIsRepaired() throws Exception {
        TestFrames.Piece piece = TestFrames.piece(1, 5, 500);
        for (byte[] below : piece.below()) {
            store.append(NOBODY, below, 0, below.length);
        }
        assertThat(store.commitPiece(NOBODY, piece.header())).isEmpty();
        assertThat(leader.status(List.of()).getSound()).isTrue();
        byte[] frame = piece.chunks().getFirst();
        spoil(frame);
        assertThatThrownBy(() -> store.read(TestFrames.id(frame)))
                .isInstanceOf(io.holdfast.chunk.StoreException.Corrupt.class);
        assertThat(leader.status(List.of()).getSound()).isFalse();
        assertThat(mark(Set.of()).outcome()).isEqualTo("FAILED");
        store.append(NOBODY, frame, 0, frame.length);
        store.sync();
        store.release(NOBODY);
        assertThat(leader.status(List.of()).getSound()).as("not walked yet").isFalse();
        assertThat(mark(Set.of()).outcome()).isEqualTo("DONE");
        assertThat(leader.status(List.of()).getSound()).isTrue();
    }

    /** Changes the last byte of a frame in whatever pack it is. */
    private void spoil(byte[] frame) throws java.io.IOException {
        String wanted = text(frame);
        List<Path> files;
        try (var all = java.nio.file.Files.walk(folder.resolve("store"))) {
            files = all.filter(java.nio.file.Files::isRegularFile).toList();
        }
        int spoiled = 0;
        for (Path file : files) {
            byte[] bytes = java.nio.file.Files.readAllBytes(file);
            int at = text(bytes).indexOf(wanted);
            if (at >= 0) {
                try (var in = new java.io.RandomAccessFile(file.toFile(), "rw")) {
                    in.seek(at + frame.length - 1L);
                    in.write(~frame[frame.length - 1]);
                }
                spoiled++;
            }
        }
        assertThat(spoiled).isEqualTo(1);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    @Test
    void aRepeatedOrderIsDoneOnce() throws Exception {
        ChunkId gone = put(1);
        UUID run = UUID.randomUUID();
        var first = leader.mark(run, order(), Set.of(gone));
        assertThat(leader.mark(run, order(), Set.of(gone))).isEqualTo(first);
        assertThat(leader.status(List.of()).getRunsList())
                .singleElement()
                .matches(r -> r.getConfirmedBy() == 0);
    }

    @Test
    void everyByteIsExplained() throws Exception {
        ChunkId gone = put(1);
        ChunkId stays = put(2);
        put(3);
        List<ExplainReply> lines = new ArrayList<>();
        leader.explain(
                ExplainRequest.newBuilder()
                        .setOrder(order())
                        .setStanding(CALM)
                        .setUnknown(group(true, "no catalog knows it"))
                        .addGroups(group(false, "expired", gone))
                        .addGroups(group(true, "kept for P30D", stays)),
                lines::add);
        assertThat(lines.getFirst().getTotals().getFrames()).isEqualTo(21);
        assertThat(
                        lines.stream()
                                .filter(ExplainReply::hasGroup)
                                .mapToLong(l -> l.getGroup().getBytes())
                                .sum())
                .isEqualTo(lines.getFirst().getTotals().getBytes());
        assertThat(lines.stream().filter(ExplainReply::hasPiece)).hasSize(3);
        assertThat(lines.stream().filter(ExplainReply::hasGroup))
                .anyMatch(l -> l.getGroup().getReason().contains("no catalog knows it"));
    }

    private static FateGroup group(boolean stays, String reason, ChunkId... ids) {
        return FateGroup.newBuilder()
                .setStays(stays)
                .setReason(reason)
                .setIds(Wire.bytes(List.of(ids)))
                .build();
    }
}
