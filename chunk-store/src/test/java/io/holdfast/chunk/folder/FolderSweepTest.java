package io.holdfast.chunk.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore.Tailed;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.Samples;
import io.holdfast.chunk.StoreException;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Marks and sweeps of a folder, with crashes between any two files. */
class FolderSweepTest {
    private static final FolderChunkStore.Options SMALL = new FolderChunkStore.Options(6000);
    private static final Epoch ONE = Epoch.parse("1.local");
    private static final GcEvent.Standing CALM = GcEvent.Standing.calm("ACTIVE");
    private static final long DAY = 86_400_000_000L;

    @TempDir Path folder;

    private final FaultyDisk disk = new FaultyDisk();
    private FolderChunkStore store;
    private long day;

    @BeforeEach
    void open() throws IOException {
        store = FolderChunkStore.open(folder, SMALL, disk);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    private void reopen() throws IOException {
        store.abandon();
        disk.replacements = Integer.MAX_VALUE;
        open();
    }

    private ChunkId put(UUID session, List<byte[]> frames) throws IOException {
        for (byte[] frame : frames.subList(0, frames.size() - 1)) {
            store.append(session, frame, 0, frame.length);
        }
        assertThat(store.commitPiece(session, frames.getLast())).isEmpty();
        return Samples.id(frames.getLast());
    }

    private GcEvent.Order order() {
        return new GcEvent.Order(ONE, day * DAY, day * DAY, 0);
    }

    /** Two marks, more than a day apart. */
    private void markTwice(Set<ChunkId> expired) throws IOException {
        for (int i = 0; i < 2; i++) {
            day += 2;
            assertThat(store.mark(order(), expired).getLast())
                    .isInstanceOf(GcEffect.Fossilise.class);
        }
    }

    private GcEffect sweep() throws IOException {
        return store.sweep(order(), CALM).getLast();
    }

    private static List<ChunkId> ids(List<byte[]> frames) {
        return frames.stream().map(Samples::id).toList();
    }

    private boolean whole(List<byte[]> frames) throws IOException {
        for (byte[] frame : frames) {
            if (!store.holds(Samples.id(frame))) {
                return false;
            }
            assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
        }
        return true;
    }

    @Test
    void anExpiredPieceGoesAndAnotherStays() throws Exception {
        List<byte[]> first = Samples.pieceFrames(1, 30);
        List<byte[]> second = Samples.pieceFrames(2, 30);
        ChunkId gone = put(Samples.SESSION, first);
        put(Samples.SESSION, second);
        store.release(Samples.SESSION);
        List<Tailed> before = store.inventory();
        long bytes = store.usage().frameBytes();
        markTwice(Set.of(gone));
        assertThat(sweep()).isInstanceOf(GcEffect.Delete.class);
        for (int life = 0; life < 2; life++) {
            assertThat(whole(second)).isTrue();
            assertThat(ids(first)).noneMatch(this::holds);
            assertThatThrownBy(() -> store.read(gone)).isInstanceOf(StoreException.Missing.class);
            // Positions keep their meaning: what is left is what was there, in its order.
            List<Tailed> left = before.stream().filter(t -> ids(second).contains(t.id())).toList();
            assertThat(store.inventory()).isEqualTo(left);
            for (Tailed one : before) {
                assertThat(store.tail(one.after(), Integer.MAX_VALUE))
                        .isEqualTo(
                                left.stream()
                                        .filter(t -> t.after().compareTo(one.after()) > 0)
                                        .toList());
            }
            assertThat(store.usage().frameBytes()).isLessThan(bytes);
            assertThat(store.usage().frames()).isEqualTo(second.size());
            assertThat(store.pieces()).hasSize(1);
            reopen();
            assertThat(store.findings()).isEmpty();
        }
        // The same piece may come again, and is new.
        put(Samples.SESSION, first);
        assertThat(whole(first)).isTrue();
    }

    private boolean holds(ChunkId id) {
        return store.holds(id);
    }

    @Test
    void bytesAreGivenBack() throws Exception {
        store.close();
        store = FolderChunkStore.open(folder, FolderChunkStore.Options.DEFAULT, disk);
        ChunkId gone = put(Samples.SESSION, Samples.pieceFrames(1, 200));
        store.release(Samples.SESSION);
        store.sync();
        long before = blocks();
        markTwice(Set.of(gone));
        assertThat(sweep()).isInstanceOf(GcEffect.Delete.class);
        assertThat(blocks()).isLessThan(before / 2);
    }

    /** Bytes that the packs take on disk; a hole takes none. */
    private long blocks() throws Exception {
        Process du =
                new ProcessBuilder("du", "-s", "-B1", folder.resolve("packs").toString()).start();
        String out =
                new String(
                        du.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.UTF_8);
        assertThat(du.waitFor()).isZero();
        return Long.parseLong(out.split("\\s")[0]);
    }

    @Test
    void haveResurrectsAndPins() throws Exception {
        List<byte[]> frames = Samples.pieceFrames(1, 10);
        ChunkId gone = put(Samples.SESSION, frames);
        store.release(Samples.SESSION);
        markTwice(Set.of(gone));
        UUID session = new UUID(9, 9);
        ChunkId chunk = Samples.id(frames.getFirst());
        assertThat(store.missing(session, List.of(chunk))).isEqualTo(new BitSet());
        assertThat(sweep()).isInstanceOf(GcEffect.Delete.class);
        assertThat(store.holds(chunk)).isTrue();
        assertThat(store.holds(gone)).isFalse();
        // While the session is open, no mark makes a fossil of it.
        markTwice(Set.of(gone));
        sweep();
        assertThat(store.read(chunk)).isEqualTo(frames.getFirst());
        store.release(session);
        markTwice(Set.of(gone));
        sweep();
        assertThat(store.holds(chunk)).isFalse();
    }

    @Test
    void aCommitResurrectsWhatItProves() throws Exception {
        List<byte[]> frames = Samples.pieceFrames(1, 10);
        ChunkId gone = put(Samples.SESSION, frames);
        store.release(Samples.SESSION);
        markTwice(Set.of(gone));
        UUID session = new UUID(9, 9);
        assertThat(store.commitPiece(session, frames.getLast())).isEmpty();
        store.release(session);
        sweep();
        assertThat(whole(frames)).isTrue();
    }

    @Test
    void aSessionThatBeganBeforeTheFirstMarkIsAwaited() throws Exception {
        ChunkId gone = put(Samples.SESSION, Samples.pieceFrames(1, 10));
        store.release(Samples.SESSION);
        UUID session = new UUID(9, 9);
        put(session, Samples.pieceFrames(2, 3));
        markTwice(Set.of(gone));
        assertThat(sweep()).isInstanceOf(GcEffect.Wait.class);
        assertThat(store.holds(gone)).isTrue();
    }

    @Test
    void aSessionThatOnlyReadsIsAwaited() throws Exception {
        ChunkId gone = put(Samples.SESSION, Samples.pieceFrames(1, 10));
        store.release(Samples.SESSION);
        UUID session = new UUID(9, 9);
        store.begin(session);
        markTwice(Set.of(gone));
        assertThat(sweep()).isInstanceOf(GcEffect.Wait.class);
        store.release(session);
        markTwice(Set.of(gone));
        assertThat(sweep()).isInstanceOf(GcEffect.Delete.class);
        assertThat(store.collected().deletedFrames()).isPositive();
    }

    @Test
    void aDamagedNodeStopsTheMark() throws Exception {
        List<byte[]> frames = Samples.pieceFrames(1, 40);
        put(Samples.SESSION, frames);
        store.release(Samples.SESSION);
        Tailed node =
                store.inventory().stream()
                        .filter(t -> t.kind() == FrameKind.NODE)
                        .findFirst()
                        .orElseThrow();
        int pack = (int) node.after().pack();
        Path file = folder.resolve("packs").resolve(PackFormat.packName(pack));
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) node.after().offset() - 5] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> store.mark(order(), Set.of()))
                .isInstanceOf(StoreException.Corrupt.class);
        assertThatThrownBy(() -> store.mark(order(), Set.of()))
                .isInstanceOf(StoreException.Corrupt.class);
        assertThat(sweep()).isInstanceOf(GcEffect.Wait.class);
    }

    /** The process dies before each replacement of a file in turn. */
    @Test
    void aSweepThatDiesAnywhereLeavesNoPieceWithoutItsFrames() throws Exception {
        int survived = 0;
        for (int allowed = 0; allowed < 60; allowed++) {
            List<List<byte[]>> stay = new ArrayList<>();
            List<List<byte[]>> go = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                stay.add(Samples.pieceFrames(1000 + 10L * allowed + i, 12));
                go.add(Samples.pieceFrames(1005 + 10L * allowed + i, 12));
                put(Samples.SESSION, stay.getLast());
                put(Samples.SESSION, go.getLast());
            }
            store.release(Samples.SESSION);
            Set<ChunkId> expired =
                    Set.of(Samples.id(go.get(0).getLast()), Samples.id(go.get(1).getLast()));
            markTwice(expired);
            disk.replacements = allowed;
            boolean died = false;
            try {
                assertThat(sweep()).isInstanceOf(GcEffect.Delete.class);
            } catch (IOException e) {
                died = true;
            }
            if (!died) {
                survived++;
            }
            for (List<byte[]> piece : stay) {
                assertThat(whole(piece)).isTrue();
            }
            reopen();
            for (List<byte[]> piece : stay) {
                assertThat(whole(piece)).as("%d files replaced", allowed).isTrue();
            }
            for (List<byte[]> piece : go) {
                if (store.holds(Samples.id(piece.getLast()))) {
                    assertThat(whole(piece)).as("%d files replaced", allowed).isTrue();
                }
            }
            markTwice(expired);
            sweep();
            for (List<byte[]> piece : go) {
                assertThat(ids(piece)).noneMatch(this::holds);
            }
            markTwice(Set.of(Samples.id(stay.get(0).getLast()), Samples.id(stay.get(1).getLast())));
            sweep();
            assertThat(store.tail(LogPosition.START, 10)).isEmpty();
        }
        assertThat(survived).as("sweeps that came to their end").isBetween(1, 59);
    }

    /** A lost index is rebuilt from the pack: what stays is whole, and holes are no frames. */
    @Test
    void aPackWithHolesIsScanned() throws Exception {
        List<byte[]> stay = Samples.pieceFrames(2, 30);
        ChunkId gone = put(Samples.SESSION, Samples.pieceFrames(1, 30));
        put(Samples.SESSION, stay);
        store.release(Samples.SESSION);
        markTwice(Set.of(gone));
        sweep();
        store.close();
        try (Stream<Path> files = Files.list(folder.resolve("packs"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".idx")).toList()) {
                Files.delete(file);
            }
        }
        open();
        assertThat(whole(stay)).isTrue();
        assertThat(store.findings()).isNotEmpty();
    }
}
