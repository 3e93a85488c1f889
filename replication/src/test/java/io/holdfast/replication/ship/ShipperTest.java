package io.holdfast.replication.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.storage.StorageLimits;
import io.holdfast.agent.storage.StorageService;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.GrpcTls;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.DeltaPlan;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.StoreException;
import io.holdfast.chunk.folder.FolderChunkStore;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcState;
import io.holdfast.chunk.memory.MemoryChunkStore;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two stores, real sockets and TLS between them. */
class ShipperTest {
    private static final Epoch ONE = new Epoch(1, Site.LOCAL);
    private static final Epoch TWO = new Epoch(2, Site.DR);
    private static final UUID SESSION = UUID.randomUUID();
    private static final UUID CLUSTER = UUID.randomUUID();
    private static final CertificateAuthority AUTHORITY =
            CertificateAuthority.createRoot(
                            CLUSTER, Duration.ofDays(9), InstantSource.system(), new SecureRandom())
                    .createIssuing("local", Duration.ofDays(9));
    private static final ShipOptions OPTIONS =
            new ShipOptions(
                    16,
                    1 << 20,
                    Duration.ofMillis(10),
                    Duration.ofMillis(100),
                    Duration.ofSeconds(20),
                    Duration.ofMillis(10),
                    Duration.ofMillis(100),
                    Duration.ofMillis(100),
                    Duration.ofMillis(300));

    @TempDir Path folder;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final AtomicReference<Epoch> epoch = new AtomicReference<>(ONE);
    private final MemoryChunkStore local = new MemoryChunkStore(UUID.randomUUID());
    private final MemoryChunkStore peer = new MemoryChunkStore(UUID.randomUUID());
    private EpochGuard peerGuard;
    private GrpcServerHost host;
    private ManagedChannel channel;

    private static TlsMaterial member(String role, String id) throws Exception {
        return TlsMaterial.of(
                AUTHORITY.enrol(role, id, Duration.ofDays(1), List.of()), InstantSource.system());
    }

    @BeforeEach
    void start() throws Exception {
        peerGuard = EpochGuard.create(folder.resolve("peer/epoch"), ONE);
        host = serve(peer, 0);
        channel =
                GrpcTls.channel(
                        Endpoint.of("127.0.0.1", host.port()),
                        member(PeerIdentity.NODE, "l1"),
                        Set.of(PeerIdentity.STORAGE));
        open.add(channel::shutdownNow);
    }

    private GrpcServerHost serve(ChunkStore store, int port) throws Exception {
        StorageService service =
                new StorageService(store, peerGuard, CLUSTER, Set::of, StorageLimits.DEFAULT);
        open.add(service);
        GrpcServerHost started =
                GrpcServerHost.builder(member(PeerIdentity.STORAGE, "d1"))
                        .listen(new InetSocketAddress("127.0.0.1", port))
                        .service(service, StorageService.ROLES)
                        .start();
        open.add(started::abort);
        return started;
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable closeable : open.reversed()) {
            closeable.close();
        }
    }

    private Shipper shipper(ChunkStore from) {
        Shipper shipper =
                new Shipper(
                        from,
                        "127.0.0.1:" + host.port(),
                        channel,
                        CLUSTER,
                        epoch::get,
                        folder.resolve("cursors"),
                        OPTIONS,
                        InstantSource.system());
        open.add(shipper);
        return shipper;
    }

    private static void append(ChunkStore store, List<byte[]> frames) throws Exception {
        for (byte[] frame : frames) {
            store.append(SESSION, frame, 0, frame.length);
        }
        store.sync();
    }

    private static ChunkId commit(ChunkStore store, TestFrames.Piece piece) throws Exception {
        append(store, piece.below());
        assertThat(store.commitPiece(SESSION, piece.header())).isEmpty();
        return TestFrames.id(piece.header());
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(5);
        }
    }

    private static void awaitCaughtUp(Shipper shipper) throws Exception {
        await(
                "caught up: " + shipper.status(),
                () -> shipper.status().state() == ShipStatus.State.CAUGHT_UP);
    }

    @Test
    void shipsWhileTheJobRunsAndCommitsThePiece() throws Exception {
        Shipper shipper = shipper(local);
        List<ChunkId> told = new CopyOnWriteArrayList<>();
        shipper.onPieceCommitted(told::add);
        shipper.start();
        TestFrames.Piece piece = TestFrames.piece(1, 40, 20_000);
        append(local, piece.chunks());
        ChunkId last = TestFrames.id(piece.chunks().getLast());
        await("chunks before the piece is committed", () -> peer.holds(last));

        ChunkId header = commit(local, piece);
        shipper.nudge();
        await("the piece", () -> shipper.isCommitted(header));
        awaitCaughtUp(shipper);
        assertThat(peer.holds(header)).isTrue();
        assertThat(told).containsExactly(header);
        ShipStatus status = shipper.status();
        assertThat(status.position()).isEqualTo(local.durableEnd());
        assertThat(status.lagBytes()).isZero();
        assertThat(status.framesMoved()).isEqualTo(42);
        assertThat(status.bytesMoved()).isEqualTo(local.usage().frameBytes());
        assertThat(status.piecesCommitted()).isEqualTo(1);
        assertThat(status.peerIncarnation()).contains(peer.incarnation());
        assertThat(status.lastContact()).isPresent();
        assertThat(status.lastError()).isEmpty();
    }

    @Test
    void movesOnlyWhatIsMissing() throws Exception {
        List<ChunkId> pieces = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            TestFrames.Piece piece = TestFrames.piece(i, 30, 3_000);
            pieces.add(commit(local, piece));
            append(peer, piece.chunks().subList(0, 10 + i));
            if (i == 2) {
                commit(peer, piece);
            }
        }
        DeltaPlan plan = DeltaPlan.of(local.inventory(), peer.inventory());
        Shipper shipper = shipper(local).start();
        awaitCaughtUp(shipper);
        assertThat(shipper.status().bytesMoved()).isEqualTo(plan.bytes());
        assertThat(shipper.status().piecesCommitted()).isEqualTo(5);
        assertThat(pieces).allMatch(peer::holds);

        shipper.close();
        assertThat(shipper.status().state()).isEqualTo(ShipStatus.State.CLOSED);
        TestFrames.Piece more = TestFrames.piece(9, 2, 1_000);
        ChunkId header = commit(local, more);
        Shipper again = shipper(local).start();
        await("the new piece", () -> again.isCommitted(header));
        assertThat(again.status().framesMoved()).isEqualTo(4);
        assertThat(again.status().piecesCommitted())
                .isEqualTo(1); // older ones lie before the cursor
    }

    @Test
    void lostCursorCostsOffersNotBytes() throws Exception {
        commit(local, TestFrames.piece(1, 30, 1_000));
        Shipper shipper = shipper(local).start();
        awaitCaughtUp(shipper);
        shipper.close();
        try (var files = Files.list(folder.resolve("cursors"))) {
            for (Path file : files.toList()) {
                Files.writeString(file, "nonsense");
            }
        }
        Shipper again = shipper(local).start();
        awaitCaughtUp(again);
        assertThat(again.status().bytesMoved()).isZero();
        assertThat(again.status().piecesCommitted()).isEqualTo(1);
    }

    @Test
    void killedPeerComesBackAndGetsTheRest() throws Exception {
        Shipper shipper = shipper(local).start();
        List<ChunkId> headers = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            headers.add(commit(local, TestFrames.piece(i, 10, 5_000)));
            shipper.nudge();
            if (i % 4 == 2) {
                int port = host.port();
                host.abort();
                await("noticed", () -> shipper.status().state() == ShipStatus.State.CONNECTING);
                host = serve(peer, port);
            }
        }
        awaitCaughtUp(shipper);
        assertThat(headers).allMatch(peer::holds);
        assertThat(DeltaPlan.of(local.inventory(), peer.inventory()).bytes()).isZero();
        // What was in flight at each of the three kills, at most the newest piece, goes twice.
        long frameBytes = local.usage().frameBytes();
        assertThat(shipper.status().bytesMoved())
                .isLessThanOrEqualTo(frameBytes + 3 * frameBytes / 12);
    }

    @Test
    void aFullPeerIsToldOfUntilItHasSpaceAndKeepsNoSessionOfTheFailures() throws Exception {
        int sessions = 3;
        StorageService few =
                new StorageService(
                        peer,
                        peerGuard,
                        CLUSTER,
                        Set::of,
                        new StorageLimits(sessions, Duration.ofHours(1), 32, 64, 64L << 20));
        open.add(few);
        AtomicInteger refused = new AtomicInteger();
        int port = host.port();
        host.abort();
        host =
                GrpcServerHost.builder(member(PeerIdentity.STORAGE, "d1"))
                        .listen(new InetSocketAddress("127.0.0.1", port))
                        .service(few, StorageService.ROLES)
                        .start();
        open.add(host::abort);
        peer.onFull(refused::incrementAndGet);
        Shipper shipper = shipper(local);
        shipper.start();
        ChunkId header = commit(local, TestFrames.piece(1, 10, 20_000));
        await("refusals", () -> refused.get() > 3 * sessions);
        await("the reason", () -> shipper.status().lastError().contains("No space left"));
        assertThat(peer.holds(header)).isFalse();

        peer.onFull(null);
        await("the piece", () -> shipper.isCommitted(header));
        awaitCaughtUp(shipper);
        assertThat(shipper.status().lastError()).isEmpty();
    }

    @Test
    void anotherStoreAtThePeerIsBegunFromTheStart() throws Exception {
        ChunkId header = commit(local, TestFrames.piece(1, 20, 1_000));
        Shipper shipper = shipper(local).start();
        awaitCaughtUp(shipper);
        int port = host.port();
        host.abort();
        MemoryChunkStore wiped = new MemoryChunkStore(UUID.randomUUID());
        host = serve(wiped, port);
        await("everything again", () -> wiped.holds(header));
        awaitCaughtUp(shipper);
        assertThat(shipper.status().peerIncarnation()).contains(wiped.incarnation());
        assertThat(shipper.status().framesMoved()).isEqualTo(44);
    }

    @Test
    void flippedBitIsNamedStopsOnlyItsPieceAndIsShippedOnceHealed() throws Exception {
        TestFrames.Piece bad = TestFrames.piece(1, 5, 1_000);
        TestFrames.Piece good = TestFrames.piece(2, 5, 1_000);
        ChunkId badHeader = commit(local, bad);
        ChunkId flipped = TestFrames.id(bad.chunks().get(3));
        local.damage(flipped, 4711);
        ChunkId goodHeader = commit(local, good);
        Shipper shipper = shipper(local).start();
        await("the good piece", () -> shipper.isCommitted(goodHeader));
        awaitCaughtUp(shipper);
        ShipStatus status = shipper.status();
        assertThat(status.damage())
                .singleElement()
                .satisfies(damage -> {
                    assertThat(damage.id()).isEqualTo(flipped);
                    assertThat(damage.message()).contains(flipped.toString());
                });
        assertThat(shipper.report().damage())
                .singleElement()
                .satisfies(text -> assertThat(text).contains(flipped.toString()));
        assertThat(status.unshipped())
                .singleElement()
                .satisfies(stuck -> {
                    assertThat(stuck.piece()).isEqualTo(badHeader);
                    assertThat(stuck.missing()).containsExactly(flipped);
                });
        assertThat(peer.holds(flipped)).isFalse();
        assertThat(peer.holds(badHeader)).isFalse();
        assertThat(shipper.isCommitted(badHeader)).isFalse();

        append(local, List.of(bad.chunks().get(3)));
        await("the healed piece", () -> shipper.isCommitted(badHeader));
        await(
                "no problems: " + shipper.status(),
                () ->
                        shipper.status().damage().isEmpty()
                                && shipper.status().unshipped().isEmpty());
        assertThat(peer.holds(badHeader)).isTrue();
    }

    @Test
    void problemsAreFoundAgainByANewShipper() throws Exception {
        TestFrames.Piece bad = TestFrames.piece(1, 5, 1_000);
        ChunkId header = commit(local, bad);
        local.damage(TestFrames.id(bad.chunks().get(0)), 77);
        Shipper first = shipper(local).start();
        await("the problem", () -> first.status().unshipped().size() == 1);
        first.close();
        append(local, List.of(bad.chunks().get(0)));
        Shipper second = shipper(local).start();
        await("the healed piece", () -> second.isCommitted(header));
    }

    @Test
    void whatThePeerHasLostBehindTheCursorIsGivenAgain() throws Exception {
        TestFrames.Piece first = TestFrames.piece(1, 5, 1_000);
        commit(local, first);
        Shipper shipper = shipper(local).start();
        awaitCaughtUp(shipper);
        ChunkId lost = TestFrames.id(first.chunks().get(2));
        peer.damage(lost, 5);
        try {
            byte[] unused = peer.read(lost);
            throw new AssertionError("read " + unused.length + " damaged bytes");
        } catch (StoreException.Corrupt e) {
            assertThat(e).hasMessageContaining(lost.toString());
        }
        ChunkId header = commit(local, TestFrames.piece(2, first.chunks()));
        await("the second piece", () -> shipper.isCommitted(header));
        assertThat(peer.read(lost)).isEqualTo(first.chunks().get(2));
    }

    @Test
    void staleEpochStopsItUntilTheEpochChanges() throws Exception {
        peerGuard.promise(TWO);
        ChunkId header = commit(local, TestFrames.piece(1, 3, 1_000));
        Shipper shipper = shipper(local).start();
        await("stale", () -> shipper.status().state() == ShipStatus.State.STALE_EPOCH);
        assertThat(shipper.status().lastError()).contains("1.local").contains("2.dr");
        assertThat(peer.holds(header)).isFalse();
        epoch.set(TWO);
        await("the piece", () -> shipper.isCommitted(header));
        awaitCaughtUp(shipper);
    }

    @Test
    void epochThatRisesUnderWayStopsCommits() throws Exception {
        Shipper shipper = shipper(local).start();
        commit(local, TestFrames.piece(1, 3, 1_000));
        awaitCaughtUp(shipper);
        peerGuard.promise(TWO);
        TestFrames.Piece piece = TestFrames.piece(2, 3, 1_000);
        ChunkId header = commit(local, piece);
        await("stale", () -> shipper.status().state() == ShipStatus.State.STALE_EPOCH);
        assertThat(peer.holds(header)).isFalse();
        assertThat(peer.holds(TestFrames.id(piece.node()))).isTrue(); // chunks are harmless
    }

    @Test
    void pausedItSendsNothing() throws Exception {
        Shipper shipper = shipper(local).start();
        awaitCaughtUp(shipper);
        shipper.pause();
        await("paused", () -> shipper.status().state() == ShipStatus.State.PAUSED);
        ChunkId header = commit(local, TestFrames.piece(1, 3, 1_000));
        shipper.nudge();
        Thread.sleep(100);
        assertThat(shipper.status().framesMoved()).isZero();
        assertThat(shipper.status().lagFrames()).isEqualTo(5);
        assertThat(shipper.status().lagBytes()).isEqualTo(local.usage().frameBytes());
        shipper.resume();
        await("the piece", () -> shipper.isCommitted(header));
    }

    @Test
    void folderStoresOnBothEnds() throws Exception {
        FolderChunkStore.Options packs = new FolderChunkStore.Options(1 << 20);
        FolderChunkStore from = FolderChunkStore.open(folder.resolve("from"), packs);
        open.add(from);
        FolderChunkStore to = FolderChunkStore.open(folder.resolve("to"), packs);
        open.add(to);
        int port = host.port();
        host.abort();
        host = serve(to, port);
        Shipper shipper = shipper(from).start();
        ChunkId header = commit(from, TestFrames.piece(1, 60, 50_000));
        await("the piece", () -> shipper.isCommitted(header));
        awaitCaughtUp(shipper);
        assertThat(DeltaPlan.of(from.inventory(), to.inventory()).bytes()).isZero();
        assertThat(shipper.status().bytesMoved()).isEqualTo(from.usage().frameBytes());
        assertThat(to.inventory()).hasSize(62);
        assertThat(LogPosition.START).isLessThan(to.durableEnd());
    }

    /** A collector waits for the sessions that were open at its mark: none may stay for ever. */
    @Test
    void aPeerThatCollectsIsNotKeptWaiting() throws Exception {
        FolderChunkStore.Options impatient =
                new FolderChunkStore.Options(
                        1 << 20, new GcState.Config(Duration.ZERO, Duration.ofMinutes(5)));
        FolderChunkStore to = FolderChunkStore.open(folder.resolve("to"), impatient);
        open.add(to);
        int port = host.port();
        host.abort();
        host = serve(to, port);
        Shipper shipper = shipper(local).start();
        ChunkId header = commit(local, TestFrames.piece(1, 3, 1_000));
        await("the piece", () -> shipper.isCommitted(header));
        awaitCaughtUp(shipper);
        long moved = shipper.status().framesMoved();
        Set<UUID> before = to.collected().state().sessions();
        assertThat(before).isNotEmpty();
        assertThat(to.mark(order(), Set.of(header)).getLast())
                .isInstanceOf(GcEffect.Fossilise.class);
        await(
                "another session",
                () -> to.collected().state().sessions().stream().noneMatch(before::contains));
        await(
                "the sweep",
                () -> {
                    to.mark(order(), Set.of(header));
                    return to.sweep(order(), GcEvent.Standing.calm("STANDBY")).getLast()
                            instanceof GcEffect.Delete;
                });
        assertThat(to.inventory()).isEmpty();
        assertThat(shipper.status().framesMoved()).isEqualTo(moved);
    }

    private static GcEvent.Order order() {
        long micros = System.nanoTime() / 1_000;
        return new GcEvent.Order(ONE, micros, micros, 0);
    }
}
