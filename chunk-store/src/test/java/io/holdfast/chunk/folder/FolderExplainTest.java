package io.holdfast.chunk.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore.Tailed;
import io.holdfast.chunk.Samples;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcPlan;
import io.holdfast.chunk.gc.GcPlan.Outcome;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every byte of every file in the folder of a store has its reason, whatever happened to the store. */
class FolderExplainTest {
    private static final FolderChunkStore.Options SMALL = new FolderChunkStore.Options(6000);
    private static final FolderChunkStore.Options ONE_PACK = FolderChunkStore.Options.DEFAULT;
    private static final Epoch ONE = Epoch.parse("1.local");
    private static final GcEvent.Standing CALM = GcEvent.Standing.calm("ACTIVE");
    private static final long DAY = 86_400_000_000L;

    @TempDir Path folder;

    private final FaultyDisk disk = new FaultyDisk();
    private final List<byte[]> going = Samples.pieceFrames(1, 60);
    private final List<byte[]> staying = Samples.pieceFrames(2, 60);
    private final ChunkId gone = Samples.id(going.getLast());
    private FolderChunkStore store;
    private long day;

    @BeforeEach
    void open() throws IOException {
        open(SMALL);
    }

    private void open(FolderChunkStore.Options options) throws IOException {
        store = FolderChunkStore.open(folder, options, disk);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    private void put(List<byte[]> frames) throws IOException {
        for (byte[] frame : frames.subList(0, frames.size() - 1)) {
            store.append(Samples.SESSION, frame, 0, frame.length);
        }
        assertThat(store.commitPiece(Samples.SESSION, frames.getLast())).isEmpty();
    }

    private void putBoth() throws IOException {
        put(going);
        put(staying);
        store.release(Samples.SESSION);
    }

    private GcEvent.Order order() {
        return new GcEvent.Order(ONE, day * DAY, day * DAY, 0);
    }

    private void markTwice() throws IOException {
        for (int i = 0; i < 2; i++) {
            day += 2;
            assertThat(store.mark(order(), Set.of(gone)).getLast())
                    .isInstanceOf(GcEffect.Fossilise.class);
        }
    }

    private void sweep() throws IOException {
        assertThat(store.sweep(order(), CALM).getLast()).isInstanceOf(GcEffect.Delete.class);
    }

    /** The plan, which accounts for the folder as it is. */
    private GcPlan explain() throws IOException {
        GcPlan plan =
                store.explain(
                        order(),
                        CALM,
                        id ->
                                id.equals(gone)
                                        ? new GcPlan.Fate(false, "expired")
                                        : new GcPlan.Fate(true, "kept for P30D"));
        assertThat(plan.bytes()).as("%s", plan.groups()).isEqualTo(fileBytes());
        assertThat(plan.groups().stream().mapToLong(GcPlan.Group::bytes).sum())
                .isEqualTo(plan.bytes());
        assertThat(plan.groups()).allMatch(g -> g.bytes() > 0 && !g.reason().isBlank());
        return plan;
    }

    private long fileBytes() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            long sum = 0;
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sum += Files.size(file);
            }
            return sum;
        }
    }

    /** Bytes of all files in packs/ with this ending. */
    private long bytesOf(String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("packs"))) {
            long sum = 0;
            for (Path file : files.filter(f -> f.toString().endsWith(ending)).toList()) {
                sum += Files.size(file);
            }
            return sum;
        }
    }

    /** Bytes of the one group with this outcome whose reason says so; 0 when there is none. */
    private static long bytes(GcPlan plan, Outcome outcome, String reason) {
        List<GcPlan.Group> found =
                plan.groups().stream().filter(g -> g.reason().contains(reason)).toList();
        assertThat(found).hasSizeLessThan(2).allMatch(g -> g.outcome() == outcome);
        return found.stream().mapToLong(GcPlan.Group::bytes).sum();
    }

    private static long records(List<byte[]> frames) {
        return frames.stream().mapToLong(f -> f.length + PackFormat.RECORD_BYTES).sum();
    }

    private Path pack(int sequence) {
        return folder.resolve("packs").resolve(PackFormat.packName(sequence));
    }

    /** Changes one byte of a file whose store is closed. */
    private static void flip(Path file, long at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) at] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void anEmptyStoreIsItsFileStore() throws Exception {
        assertThat(explain().groups())
                .singleElement()
                .satisfies(g -> assertThat(g.outcome()).isEqualTo(Outcome.STAYS))
                .satisfies(g -> assertThat(g.reason()).contains("STORE"));
    }

    @Test
    void beforeASweep() throws Exception {
        putBoth();
        markTwice();
        GcPlan plan = explain();
        assertThat(plan.bytes(Outcome.GOES)).isEqualTo(records(going));
        assertThat(bytes(plan, Outcome.STAYS, "kept for P30D")).isEqualTo(records(staying));
        assertThat(bytes(plan, Outcome.STAYS, "headers of packs"))
                .isEqualTo((long) PackFormat.HEADER_BYTES * store.usage().packs());
        assertThat(bytes(plan, Outcome.STAYS, "indexes of packs"))
                .isEqualTo(bytesOf(".idx"))
                .isPositive();
        assertThat(plan.pieces()).hasSize(2);
    }

    @Test
    void afterASweepAndAnotherOpening() throws Exception {
        putBoth();
        markTwice();
        sweep();
        GcPlan after = explain();
        assertThat(after.bytes(Outcome.GOES)).isZero();
        assertThat(after.bytes(Outcome.DELETED)).isEqualTo(records(going));
        // Only the pack that both pieces share may have too little garbage for a hole.
        assertThat(bytes(after, Outcome.DELETED, "a hole of its pack"))
                .isGreaterThan(records(going) - SMALL.packBytes() / 5);
        assertThat(after.pieces()).hasSize(1);
        store.abandon();
        open();
        assertThat(explain()).isEqualTo(after);
    }

    @Test
    void littleGarbageWaitsForAFifth() throws Exception {
        store.close();
        open(ONE_PACK);
        List<byte[]> large = Samples.pieceFrames(3, 200);
        put(large);
        putBoth();
        markTwice();
        sweep();
        GcPlan plan = explain();
        assertThat(bytes(plan, Outcome.DELETED, "a fifth of their pack")).isEqualTo(records(going));
        assertThat(bytes(plan, Outcome.STAYS, "kept for P30D"))
                .isEqualTo(records(staying) + records(large));
    }

    @Test
    void aPackWithDamageKeepsItsGarbage() throws Exception {
        store.close();
        open(ONE_PACK);
        putBoth();
        Tailed first = store.inventory().getFirst();
        store.close();
        flip(pack(1), first.after().offset() - 1);
        open(ONE_PACK);
        markTwice();
        GcPlan before = explain();
        long damaged = first.frameBytes() + PackFormat.RECORD_BYTES;
        assertThat(bytes(before, Outcome.STAYS, "damaged")).isEqualTo(damaged);
        assertThat(before.bytes(Outcome.GOES)).isEqualTo(records(going) - damaged);
        sweep();
        GcPlan after = explain();
        assertThat(bytes(after, Outcome.DELETED, "a frame of its pack is damaged"))
                .isEqualTo(records(going) - damaged)
                .isGreaterThan(bytesOf(".pack") / 5);
        assertThat(bytes(after, Outcome.DELETED, "a hole of its pack")).isZero();
    }

    /** A record whose header cannot be read is of no frame, and was not deleted. */
    @Test
    void damageWithoutAFrame() throws Exception {
        store.close();
        open(ONE_PACK);
        putBoth();
        Tailed first = store.inventory().getFirst();
        store.close();
        flip(pack(1), PackFormat.HEADER_BYTES + 2);
        open(ONE_PACK);
        GcPlan plan = explain();
        assertThat(bytes(plan, Outcome.STAYS, "no frame can be read"))
                .isEqualTo(first.frameBytes() + PackFormat.RECORD_BYTES);
        assertThat(plan.bytes(Outcome.DELETED)).isZero();
    }

    /** What the index names beyond the end of a file is no byte of it. */
    @Test
    void aPackThatLostItsEnd() throws Exception {
        putBoth();
        store.close();
        byte[] bytes = Files.readAllBytes(pack(1));
        Files.write(pack(1), java.util.Arrays.copyOf(bytes, bytes.length - 700));
        open();
        explain();
    }

    @Test
    void aLostPack() throws Exception {
        putBoth();
        store.close();
        Files.delete(pack(1));
        open();
        assertThat(bytes(explain(), Outcome.STAYS, "indexes without their pack")).isPositive();
    }

    /** The process dies after the indexes, and before the holes. */
    @Test
    void aSweepCutShort() throws Exception {
        store.close();
        open(ONE_PACK);
        putBoth();
        markTwice();
        disk.replacements = 2; // the index of the tail, and the same without what goes
        assertThatThrownBy(() -> sweep()).isInstanceOf(IOException.class);
        for (int life = 0; life < 2; life++) {
            assertThat(bytes(explain(), Outcome.DELETED, "cut short")).isEqualTo(records(going));
            store.abandon();
            disk.replacements = Integer.MAX_VALUE;
            open(ONE_PACK);
        }
    }

    @Test
    void whatIsNotDurableYet() throws Exception {
        putBoth();
        byte[] frame = Samples.pieceFrames(3, 1).getFirst();
        store.append(new UUID(9, 9), frame, 0, frame.length);
        assertThat(bytes(explain(), Outcome.STAYS, "durable"))
                .isEqualTo(frame.length + PackFormat.RECORD_BYTES);
        store.sync();
        GcPlan plan = explain();
        assertThat(bytes(plan, Outcome.STAYS, "durable")).isZero();
        assertThat(bytes(plan, Outcome.STAYS, "a session at work"))
                .isEqualTo(frame.length + PackFormat.RECORD_BYTES);
    }

    @Test
    void otherFiles() throws Exception {
        putBoth();
        Files.write(folder.resolve("packs/0000000001.pack.tmp"), new byte[300]);
        Files.write(folder.resolve("STORE.tmp"), new byte[7]);
        Files.createDirectories(folder.resolve("lost+found/deep"));
        Files.write(folder.resolve("lost+found/deep/0000000001.pack"), new byte[50]);
        Files.write(folder.resolve("packs/notes.txt"), new byte[5]);
        GcPlan plan = explain();
        assertThat(bytes(plan, Outcome.STAYS, "temporary")).isEqualTo(307);
        assertThat(bytes(plan, Outcome.STAYS, "not of the store")).isEqualTo(55);

        Files.write(folder.resolve("packs/notes.tmp"), new byte[5]);
        store.close();
        open();
        GcPlan after = explain();
        assertThat(bytes(after, Outcome.STAYS, "temporary")).isZero();
        assertThat(bytes(after, Outcome.STAYS, "not of the store")).isEqualTo(60);
        assertThat(bytes(after, Outcome.STAYS, "STORE and LOCK"))
                .isEqualTo(bytes(plan, Outcome.STAYS, "STORE and LOCK"));
    }
}
