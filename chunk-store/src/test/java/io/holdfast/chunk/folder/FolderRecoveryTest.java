package io.holdfast.chunk.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore.Tailed;
import io.holdfast.chunk.Golden;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.Samples;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What remains after crashes and damage, byte by byte. */
class FolderRecoveryTest {
    private static final FolderChunkStore.Options SMALL = new FolderChunkStore.Options(4096);

    @TempDir Path temporary;

    private final List<byte[]> frames = new ArrayList<>();

    private Path folder() {
        return temporary.resolve("store");
    }

    private Path pack(Path folder, int sequence) {
        return folder.resolve("packs").resolve(PackFormat.packName(sequence));
    }

    private Path index(Path folder, int sequence) {
        return folder.resolve("packs").resolve(PackFormat.indexName(sequence));
    }

    /** Fills a store with {@code count} synced frames of about 300 bytes. */
    private void fill(Path folder, int from, int count) throws IOException {
        try (FolderChunkStore store = FolderChunkStore.open(folder, SMALL);
                Sealer sealer = Samples.sealer(from + 1L)) {
            for (int i = from; i < from + count; i++) {
                byte[] frame = Samples.dataFrame(sealer, i, 150 + 7 * (i % 20));
                frames.add(frame);
                store.append(Samples.SESSION, frame, 0, frame.length);
                if (i % 4 == 0) {
                    store.sync();
                }
            }
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private void assertHoldsAll(FolderChunkStore store) throws IOException {
        for (byte[] frame : frames) {
            assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
        }
        assertThat(store.inventory())
                .extracting(Tailed::id)
                .containsExactlyElementsOf(frames.stream().map(Samples::id).toList());
    }

    @Test
    void reopensWithAllItHeldAndGoesOn() throws Exception {
        fill(folder(), 0, 40);
        java.util.UUID incarnation;
        LogPosition end;
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings()).isEmpty();
            incarnation = store.incarnation();
            end = store.durableEnd();
            assertHoldsAll(store);
            assertThat(store.usage().packs()).isGreaterThan(3);
            assertThat(store.usage().frames()).isEqualTo(40);
            assertThat(store.usage().frameBytes())
                    .isEqualTo(frames.stream().mapToLong(f -> f.length).sum());
            assertThat(store.usage().freeBytes()).isPositive();
        }
        fill(folder(), 40, 7);
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.incarnation()).isEqualTo(incarnation);
            assertHoldsAll(store);
            assertThat(store.tail(end, 100)).hasSize(7);
        }
        assertThat(FolderChunkStore.readInventory(folder())).hasSize(47);
    }

    @Test
    void goldenFilesOfAStoreOpenAndAreWhatIsWritten() throws Exception {
        Path golden = temporary.resolve("golden");
        Files.createDirectories(golden.resolve("packs"));
        StoreFile.write(Disk.REAL, golden, Samples.INCARNATION);
        List<byte[]> piece = Samples.pieceFrames(3, 4);
        FolderChunkStore.Options options = new FolderChunkStore.Options(4096);
        try (FolderChunkStore store = FolderChunkStore.open(golden, options);
                Sealer sealer = Samples.sealer(77)) {
            for (byte[] frame : piece.subList(0, piece.size() - 1)) {
                store.append(Samples.SESSION, frame, 0, frame.length);
            }
            assertThat(store.commitPiece(Samples.SESSION, piece.getLast())).isEmpty();
            byte[] large = Samples.dataFrame(sealer, 1, 4096); // rolls the pack
            store.append(Samples.SESSION, large, 0, large.length);
            store.sync();
        }
        Golden.assertMatches("store-pack.hex", Files.readAllBytes(pack(golden, 1)));
        Golden.assertMatches("store-index.hex", Files.readAllBytes(index(golden, 1)));
        Golden.assertTextMatches("store-file.txt", Files.readString(golden.resolve("STORE")));
        Path old = temporary.resolve("old");
        Files.createDirectories(old.resolve("packs"));
        Files.write(pack(old, 1), Golden.read("store-pack.hex"));
        Files.write(index(old, 1), Golden.read("store-index.hex"));
        Files.copy(Path.of("src/test/resources/golden/store-file.txt"), old.resolve("STORE"));
        try (FolderChunkStore store = FolderChunkStore.open(old, options)) {
            assertThat(store.incarnation()).isEqualTo(Samples.INCARNATION);
            assertThat(store.findings()).isEmpty();
            assertThat(store.pieces()).hasSize(1);
            for (byte[] frame : piece) {
                assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
            }
        }
    }

    @Test
    void cutAnywhereTheTailKeepsEveryWholeFrameAndGoesOn() throws Exception {
        fill(folder(), 0, 22);
        List<Tailed> log = FolderChunkStore.readInventory(folder());
        int last = (int) log.getLast().after().pack();
        byte[] whole = Files.readAllBytes(pack(folder(), last));
        assertThat(index(folder(), last)).doesNotExist();
        Path crashed = temporary.resolve("crashed");
        copy(folder(), crashed);
        try (Sealer sealer = Samples.sealer(500)) {
            byte[] more = Samples.dataFrame(sealer, 9999, 100);
            for (int length = 0; length <= whole.length; length++) { // every byte
                Files.write(pack(crashed, last), Arrays.copyOf(whole, length));
                int cut = length;
                List<ChunkId> expected =
                        log.stream()
                                .filter(t -> t.after().pack() < last || t.after().offset() <= cut)
                                .map(Tailed::id)
                                .toList();
                try (FolderChunkStore store =
                        FolderChunkStore.open(crashed, SMALL, new FaultyDisk())) {
                    assertThat(store.inventory())
                            .as("cut at %d of %d", length, whole.length)
                            .extracting(Tailed::id)
                            .isEqualTo(expected);
                    if (length % 50 == 0) {
                        assertThat(store.append(Samples.SESSION, more, 0, more.length)).isTrue();
                        store.sync();
                        assertThat(store.read(Samples.id(more))).isEqualTo(more);
                    }
                }
                if (length % 50 == 0) {
                    try (FolderChunkStore store =
                            FolderChunkStore.open(crashed, SMALL, new FaultyDisk())) {
                        assertThat(store.findings()).isEmpty();
                        assertThat(store.inventory()).hasSize(expected.size() + 1);
                    }
                    Files.deleteIfExists(pack(crashed, last + 1));
                    Files.deleteIfExists(index(crashed, last));
                }
            }
        }
    }

    @Test
    void zerosAfterTheTailOfAPowerLossAreCutOff() throws Exception {
        fill(folder(), 0, 10);
        int last = (int) FolderChunkStore.readInventory(folder()).getLast().after().pack();
        byte[] whole = Files.readAllBytes(pack(folder(), last));
        Files.write(pack(folder(), last), Arrays.copyOf(whole, whole.length + 100_000));
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings())
                    .singleElement()
                    .satisfies(f -> assertThat(f.kind()).isEqualTo(Finding.Kind.TORN_TAIL));
            assertHoldsAll(store);
        }
        assertThat(Files.size(pack(folder(), last))).isEqualTo(whole.length);
    }

    /** Bits in every region of an unsealed tail, of a sealed pack, of an index. */
    @Test
    void aFlippedBitAnywhereCostsAtMostItsOwnFrameAndIsNamed() throws Exception {
        fill(folder(), 0, 16);
        List<Tailed> log = FolderChunkStore.readInventory(folder());
        int last = (int) log.getLast().after().pack();
        assertThat(last).isGreaterThanOrEqualTo(2);
        Path hurt = temporary.resolve("hurt");
        for (Path file : List.of(pack(folder(), 1), index(folder(), 1), pack(folder(), last))) {
            byte[] whole = Files.readAllBytes(file);
            boolean isIndex = file.toString().endsWith(".idx");
            boolean isTail = file.equals(pack(folder(), last));
            for (int at = 0; at < whole.length; at += 1 + at % 23) {
                copy(folder(), hurt);
                byte[] changed = whole.clone();
                changed[at] ^= (byte) (1 << at % 8);
                Files.write(hurt.resolve(folder().relativize(file).toString()), changed);
                List<ChunkId> lost = new ArrayList<>();
                try (FolderChunkStore store =
                        FolderChunkStore.open(hurt, SMALL, new FaultyDisk())) {
                    for (byte[] frame : frames) {
                        ChunkId id = Samples.id(frame);
                        try {
                            assertThat(store.read(id)).isEqualTo(frame);
                        } catch (StoreException.Corrupt e) {
                            assertThat(e)
                                    .hasMessageContaining(id.toString())
                                    .hasMessageContaining(PackFormat.packName(isTail ? last : 1))
                                    .hasMessageContaining("offset");
                            lost.add(id);
                        } catch (StoreException.Missing e) {
                            assertThat(isTail).isTrue();
                            lost.add(id);
                        }
                    }
                    // In the 64 bytes of a pack's header nothing of a frame is lost.
                    assertThat(lost)
                            .as("%s byte %d", file, at)
                            .hasSize(isIndex || at < PackFormat.HEADER_BYTES ? 0 : 1);
                    if (!lost.isEmpty() && isTail || isIndex) {
                        assertThat(store.findings()).as("%s byte %d", file, at).isNotEmpty();
                    }
                    // Sending it again repairs the store, and it stays repaired.
                    for (byte[] frame : frames) {
                        assertThat(store.append(Samples.SESSION, frame, 0, frame.length))
                                .isEqualTo(lost.contains(Samples.id(frame)));
                    }
                    store.sync();
                }
                try (FolderChunkStore store =
                        FolderChunkStore.open(hurt, SMALL, new FaultyDisk())) {
                    for (byte[] frame : frames) {
                        assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
                    }
                }
                delete(hurt);
            }
        }
    }

    @Test
    void lostAndDamagedIndexesAreRebuiltWithAReport() throws Exception {
        fill(folder(), 0, 30);
        byte[] before = Files.readAllBytes(index(folder(), 1));
        Files.delete(index(folder(), 1));
        Files.write(index(folder(), 2), new byte[10]);
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings())
                    .extracting(Finding::kind)
                    .containsExactly(Finding.Kind.INDEX_REBUILT, Finding.Kind.INDEX_REBUILT);
            assertThat(store.findings().get(0).message()).contains("0000000001", "missing");
            assertThat(store.findings().get(1).message()).contains("0000000002", "damaged");
            assertHoldsAll(store);
        }
        assertThat(Files.readAllBytes(index(folder(), 1))).isEqualTo(before);
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings()).isEmpty();
        }
    }

    @Test
    void aLostPackIsNamedAndItsChunksAreMissing() throws Exception {
        fill(folder(), 0, 30);
        Files.delete(pack(folder(), 2));
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings())
                    .singleElement()
                    .satisfies(f -> {
                        assertThat(f.kind()).isEqualTo(Finding.Kind.PACK_LOST);
                        assertThat(f.message()).contains("0000000002");
                    });
            long held = frames.stream().filter(f -> store.holds(Samples.id(f))).count();
            assertThat(held).isBetween(1L, 29L);
            for (byte[] frame : frames) {
                store.append(Samples.SESSION, frame, 0, frame.length);
            }
            store.sync();
            for (byte[] frame : frames) {
                assertThat(store.read(Samples.id(frame))).isEqualTo(frame);
            }
        }
        Files.delete(index(folder(), 2));
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings()).extracting(Finding::kind).contains(Finding.Kind.PACK_LOST);
        }
    }

    @Test
    void aShortenedSealedPackIsNamed() throws Exception {
        fill(folder(), 0, 30);
        Path first = pack(folder(), 1);
        Files.write(first, Arrays.copyOf(Files.readAllBytes(first), 1000));
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings())
                    .singleElement()
                    .satisfies(f -> assertThat(f.kind()).isEqualTo(Finding.Kind.DAMAGE));
            assertThat(store.inventory()).filteredOn(t -> t.damage().isPresent()).isNotEmpty();
            ChunkId gone =
                    store.inventory().stream()
                            .filter(t -> t.damage().isPresent())
                            .findFirst()
                            .orElseThrow()
                            .id();
            assertThat(store.holds(gone)).isFalse();
        }
    }

    @Test
    void aLostStoreFileIsReadFromThePacks() throws Exception {
        fill(folder(), 0, 10);
        java.util.UUID incarnation;
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            incarnation = store.incarnation();
        }
        Files.delete(folder().resolve("STORE"));
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.incarnation()).isEqualTo(incarnation);
            assertThat(store.findings())
                    .extracting(Finding::kind)
                    .containsExactly(Finding.Kind.STORE_FILE_REBUILT);
        }
        Files.writeString(folder().resolve("STORE"), "holdfastStore 2\nincarnation x\n");
        assertThatThrownBy(() -> FolderChunkStore.open(folder(), SMALL))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("holdfastStore 1");
    }

    @Test
    void aForeignPackIsRefusedByName() throws Exception {
        fill(folder(), 0, 30);
        Path other = temporary.resolve("other");
        fill(other, 100, 30);
        Files.copy(
                pack(other, 1),
                pack(folder(), 1),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> FolderChunkStore.open(folder(), SMALL))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("0000000001.pack is pack 1 of store");
        // A refused opening holds no lock.
        Files.delete(pack(folder(), 1));
        FolderChunkStore.open(folder(), SMALL).close();
    }

    @Test
    void unknownVersionsOfPackAndIndexAreRefused() throws Exception {
        fill(folder(), 0, 30);
        byte[] header = Arrays.copyOf(Files.readAllBytes(pack(folder(), 1)), 64);
        header[7] = 2;
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(header, 0, 60);
        java.nio.ByteBuffer.wrap(header).putInt(60, (int) crc.getValue());
        byte[] whole = Files.readAllBytes(pack(folder(), 1));
        System.arraycopy(header, 0, whole, 0, 64);
        Files.write(pack(folder(), 1), whole);
        assertThatThrownBy(() -> FolderChunkStore.open(folder(), SMALL))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("version 2 is unknown here");
    }

    @Test
    void twoOpeningsOfOneFolderAreRefused() throws Exception {
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL)) {
            assertThat(store.findings()).isEmpty();
            assertThatThrownBy(() -> FolderChunkStore.open(folder(), SMALL))
                    .isInstanceOf(StoreException.Failed.class)
                    .hasMessageContaining("open already by this process");
            Process other =
                    new ProcessBuilder(
                                    ProcessHandle.current().info().command().orElseThrow(),
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    OpenAndWait.class.getName(),
                                    folder().toString())
                            .redirectErrorStream(true)
                            .start();
            String said = new String(other.getInputStream().readAllBytes(), "UTF-8");
            other.waitFor();
            assertThat(said).contains("open already by another process");
        }
        FolderChunkStore.open(folder(), SMALL).close();
    }

    /** Opens a store in a process of its own. */
    static final class OpenAndWait {
        private OpenAndWait() {}

        public static void main(String[] args) throws Exception {
            try (FolderChunkStore store = FolderChunkStore.open(Path.of(args[0]), SMALL)) {
                System.out.println("opened " + store.incarnation());
            } catch (StoreException.Failed e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    void anInterruptedThreadHarmsNobody() throws Exception {
        fill(folder(), 0, 30);
        try (FolderChunkStore store = FolderChunkStore.open(folder(), SMALL);
                Sealer sealer = Samples.sealer(1000)) {
            for (int i = 0; i < 50; i++) {
                Thread.currentThread().interrupt();
                byte[] more = Samples.dataFrame(sealer, 5000 + i, 400);
                assertThat(store.append(Samples.SESSION, more, 0, more.length)).isTrue();
                store.sync();
                assertThat(store.read(Samples.id(more))).isEqualTo(more);
                assertThat(store.read(Samples.id(frames.get(i % 30)))).isNotNull();
                assertThat(Thread.interrupted()).isTrue();
            }
        }
    }
}
