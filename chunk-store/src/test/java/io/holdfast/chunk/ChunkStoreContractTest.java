package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chunk.ChunkStore.Tailed;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every chunk store promises. */
public abstract class ChunkStoreContractTest {
    protected ChunkStore store;
    protected Sealer sealer;

    /** An empty store. */
    protected abstract ChunkStore create() throws Exception;

    /** Flips a bit in the stored bytes of this frame. */
    protected abstract void damage(ChunkId id) throws Exception;

    @BeforeEach
    void open() throws Exception {
        store = create();
        sealer = Samples.sealer(99);
    }

    @AfterEach
    void close() throws Exception {
        store.close();
        sealer.close();
    }

    private boolean append(byte[] frame) throws Exception {
        return store.append(Samples.SESSION, frame, 0, frame.length);
    }

    @Test
    void emptyStoreHoldsNothing() throws Exception {
        assertThat(store.durableEnd()).isEqualTo(LogPosition.START);
        assertThat(store.inventory()).isEmpty();
        assertThat(store.usage().frames()).isZero();
        assertThat(store.sync()).isEqualTo(LogPosition.START);
        ChunkId absent = ChunkId.of(new byte[32]);
        assertThat(store.holds(absent)).isFalse();
        assertThatThrownBy(() -> store.read(absent))
                .isInstanceOf(StoreException.Missing.class)
                .hasMessageContaining(absent.toString());
    }

    @Test
    void whatIsNotSyncedIsNotVisible() throws Exception {
        byte[] frame = Samples.dataFrame(sealer, 1, 1000);
        ChunkId id = Samples.id(frame);
        assertThat(append(frame)).isTrue();
        assertThat(store.holds(id)).isFalse();
        assertThat(store.missing(Samples.SESSION, List.of(id)).get(0)).isTrue();
        assertThat(store.inventory()).isEmpty();
        assertThatThrownBy(() -> store.read(id)).isInstanceOf(StoreException.Missing.class);
        LogPosition end = store.sync();
        assertThat(store.holds(id)).isTrue();
        assertThat(store.read(id)).isEqualTo(frame);
        assertThat(end).isEqualTo(store.durableEnd());
        assertThat(store.inventory())
                .singleElement()
                .satisfies(t -> {
                    assertThat(t.id()).isEqualTo(id);
                    assertThat(t.kind()).isEqualTo(FrameKind.DATA);
                    assertThat(t.frameBytes()).isEqualTo(frame.length);
                    assertThat(t.after()).isEqualTo(end);
                    assertThat(t.damage()).isEmpty();
                });
    }

    @Test
    void sameIdIsKeptOnce() throws Exception {
        byte[] first = Samples.dataFrame(sealer, 1, 1000);
        byte[] again = Samples.dataFrame(sealer, 1, 1000);
        assertThat(again).isNotEqualTo(first); // another nonce
        assertThat(append(first)).isTrue();
        assertThat(append(again)).isFalse();
        store.sync();
        assertThat(append(again)).isFalse();
        store.sync();
        assertThat(store.read(Samples.id(first))).isEqualTo(first);
        assertThat(store.inventory()).hasSize(1);
        assertThat(store.usage().frameBytes()).isEqualTo(first.length);
    }

    @Test
    void appendTakesARangeAndKeepsNoArray() throws Exception {
        byte[] frame = Samples.dataFrame(sealer, 1, 500);
        byte[] padded = new byte[frame.length + 20];
        System.arraycopy(frame, 0, padded, 10, frame.length);
        store.append(Samples.SESSION, padded, 10, frame.length);
        java.util.Arrays.fill(padded, (byte) 0);
        store.sync();
        assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
    }

    @Test
    void refusesWhatIsNoFrame() throws Exception {
        byte[] frame = Samples.dataFrame(sealer, 1, 500);
        for (int cut : new int[] {0, 3, 79, frame.length - 1}) {
            assertThatThrownBy(() -> store.append(Samples.SESSION, frame, 0, cut))
                    .isInstanceOf(StoreException.Corrupt.class);
        }
        byte[] piece = Samples.piece(Samples.id(frame)).frame();
        assertThatThrownBy(() -> append(piece))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("commitPiece");
        store.sync();
        assertThat(store.inventory()).isEmpty();
    }

    @Test
    void missingAnswersPerPosition() throws Exception {
        List<ChunkId> ids = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            byte[] frame = Samples.dataFrame(sealer, i, 50);
            ids.add(Samples.id(frame));
            if (i % 3 == 0) {
                append(frame);
            }
        }
        store.sync();
        BitSet missing = store.missing(Samples.SESSION, ids);
        for (int i = 0; i < 100; i++) {
            assertThat(missing.get(i)).isEqualTo(i % 3 != 0);
        }
        store.release(Samples.SESSION);
    }

    @Test
    void tailGivesTheLogInOrderFromAnyPosition() throws Exception {
        List<ChunkId> order = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            byte[] frame = Samples.dataFrame(sealer, i, 20 * i + 1);
            order.add(Samples.id(frame));
            append(frame);
        }
        store.sync();
        List<Tailed> all = store.inventory();
        assertThat(all).extracting(Tailed::id).isEqualTo(order);
        assertThat(all.get(49).after()).isEqualTo(store.durableEnd());
        for (int i = 0; i < 50; i++) {
            List<Tailed> rest = store.tail(all.get(i).after(), 7);
            assertThat(rest).isEqualTo(all.subList(i + 1, Math.min(50, i + 8)));
        }
        assertThat(store.tail(LogPosition.START, 1)).isEqualTo(all.subList(0, 1));
    }

    @Test
    void pieceNeedsItsWholeManifest() throws Exception {
        List<byte[]> frames = Samples.pieceFrames(5, 20);
        byte[] piece = frames.getLast();
        ChunkId root = PieceHeader.parse(piece).root();
        assertThat(store.commitPiece(Samples.SESSION, piece)).containsExactly(root);
        Set<ChunkId> leftOut = new HashSet<>();
        for (int i = 0; i < frames.size() - 1; i++) {
            if (i == 3 || i == 17) {
                leftOut.add(Samples.id(frames.get(i)));
            } else {
                append(frames.get(i));
            }
        }
        assertThat(store.commitPiece(Samples.SESSION, piece))
                .containsExactlyInAnyOrderElementsOf(leftOut);
        assertThat(store.holds(Samples.id(piece))).isFalse();
        append(frames.get(3));
        append(frames.get(17));
        assertThat(store.commitPiece(Samples.SESSION, piece)).isEmpty();
        assertThat(store.holds(Samples.id(piece))).isTrue();
        assertThat(store.commitPiece(Samples.SESSION, piece)).isEmpty();
        assertThat(store.pieces()).extracting(Tailed::id).containsExactly(Samples.id(piece));
        assertThat(PieceHeader.parse(store.read(Samples.id(piece))))
                .isEqualTo(PieceHeader.parse(piece));
        assertThat(store.inventory().getLast().id()).isEqualTo(Samples.id(piece));
    }

    @Test
    void pieceTellsAtMostTenThousandMissing() throws Exception {
        List<ChunkId> children = new ArrayList<>();
        List<ChunkId> nodes = new ArrayList<>();
        for (int n = 0; n < 2; n++) {
            children.clear();
            for (int i = 0; i < 8000; i++) {
                children.add(ChunkId.of(Samples.bytes(n * 8000L + i, 32)));
            }
            nodes.add(node(children));
        }
        ChunkId root = node(nodes);
        assertThat(store.commitPiece(Samples.SESSION, Samples.piece(root).frame()))
                .hasSize(10_000)
                .doesNotHaveDuplicates();
    }

    private ChunkId node(List<ChunkId> children) throws Exception {
        byte[] plain = {1};
        ChunkId id = sealer.id(FrameKind.NODE, plain, 0, 1, children);
        append(sealer.seal(FrameKind.NODE, id, plain, 0, 1, children));
        return id;
    }

    @Test
    void pieceRefusesARootThatIsNoNode() throws Exception {
        byte[] data = Samples.dataFrame(sealer, 1, 10);
        append(data);
        assertThatThrownBy(() ->
                        store.commitPiece(Samples.SESSION, Samples.piece(Samples.id(data)).frame()))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("not a NODE");
        assertThatThrownBy(() -> store.commitPiece(Samples.SESSION, data))
                .isInstanceOf(StoreException.Corrupt.class);
    }

    @Test
    void damageIsNamedCountsAsMissingAndIsRepairedBySendingAgain() throws Exception {
        List<byte[]> frames = Samples.pieceFrames(5, 3);
        for (byte[] frame : frames.subList(0, frames.size() - 1)) {
            append(frame);
        }
        store.sync();
        assertThat(store.commitPiece(Samples.SESSION, frames.getLast())).isEmpty();
        byte[] victim = frames.get(1);
        ChunkId id = Samples.id(victim);
        damage(id);
        assertThatThrownBy(() -> store.read(id))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining(id.toString())
                .hasMessageContaining("offset")
                .hasMessageContaining("pack");
        assertThat(store.holds(id)).isFalse();
        assertThat(store.missing(Samples.SESSION, List.of(id)).get(0)).isTrue();
        assertThat(store.inventory())
                .filteredOn(t -> t.id().equals(id))
                .singleElement()
                .satisfies(t -> assertThat(t.damage()).isPresent());
        // A proof made before the damage does not count any more.
        byte[] other = Samples.pieceFrames(5, 3).getLast();
        assertThat(store.commitPiece(Samples.SESSION, other)).containsExactly(id);
        assertThat(append(victim)).isTrue();
        store.sync();
        assertThat(store.read(id)).isEqualTo(victim);
        assertThat(store.commitPiece(Samples.SESSION, other)).isEmpty();
    }

    @Test
    void damagedNodeStopsACommitAndIsThenMissing() throws Exception {
        List<byte[]> frames = Samples.pieceFrames(5, 3);
        for (byte[] frame : frames.subList(0, frames.size() - 1)) {
            append(frame);
        }
        store.sync();
        ChunkId node = Samples.id(frames.get(3));
        damage(node);
        byte[] piece = frames.getLast();
        assertThatThrownBy(() -> store.commitPiece(Samples.SESSION, piece))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining(node.toString());
        assertThat(store.commitPiece(Samples.SESSION, piece)).containsExactly(node);
    }

    @Test
    void manySessionsAppendTheSameAndOtherChunksAtOnce() throws Exception {
        int threads = 6;
        int each = 120;
        Set<ChunkId> expected = ConcurrentHashMap.newKeySet();
        AtomicInteger fresh = new AtomicInteger();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int thread = t;
                running.add(
                        pool.submit(() -> {
                            UUID session = new UUID(1, thread);
                            try (Sealer own = Samples.sealer(1000 + thread)) {
                                for (int i = 0; i < each; i++) {
                                    // Two of three are shared by all threads.
                                    long n = i % 3 == 0 ? thread * 10_000L + i : i;
                                    byte[] frame = Samples.dataFrame(own, n, 300);
                                    ChunkId id = Samples.id(frame);
                                    expected.add(id);
                                    if (store.append(session, frame, 0, frame.length)) {
                                        fresh.incrementAndGet();
                                    }
                                    if (i % 5 == 0) {
                                        store.sync();
                                        assertThat(store.holds(id)).isTrue();
                                        store.read(id);
                                    }
                                }
                                store.sync();
                            }
                            store.release(session);
                            return null;
                        }));
            }
            for (Future<?> done : running) {
                done.get();
            }
        }
        assertThat(fresh.get()).isEqualTo(expected.size());
        assertThat(store.inventory()).hasSize(expected.size());
        for (ChunkId id : expected) {
            assertThat(Samples.id(store.read(id))).isEqualTo(id);
        }
    }
}
