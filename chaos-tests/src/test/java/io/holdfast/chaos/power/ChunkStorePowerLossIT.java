package io.holdfast.chaos.power;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.fault.PowerLoss;
import io.holdfast.chaos.fault.Required;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.ManifestEntry;
import io.holdfast.chunk.ManifestReader;
import io.holdfast.chunk.ManifestWriter;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.folder.FolderChunkStore;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An acknowledged chunk, and an acknowledged piece with its manifest, survive a power loss. */
class ChunkStorePowerLossIT {
    private static final UUID DOMAIN = new UUID(5, 5);
    private static final UUID SESSION = new UUID(6, 6);
    private static final int CHUNKS_PER_PIECE = 8;
    private static final FolderChunkStore.Options SMALL_PACKS =
            new FolderChunkStore.Options(4 << 20);

    @TempDir Path folder;

    private static DomainKey key() {
        byte[] bytes = new byte[DomainKey.BYTES];
        Arrays.fill(bytes, (byte) 7);
        return DomainKey.of(DOMAIN, 1, bytes);
    }

    private static byte[] content(long n) {
        byte[] bytes = new byte[60_000 + (int) (n * 7919 % 50_000)];
        new SplittableRandom(n).nextBytes(bytes);
        return bytes;
    }

    private static ManifestEntry entry(
            String name, ManifestEntry.Type type, List<ChunkId> content, long size, ChunkId tree) {
        return new ManifestEntry(
                name.getBytes(StandardCharsets.US_ASCII),
                type,
                0644,
                0,
                0,
                "root",
                "root",
                1,
                size,
                new byte[0],
                0,
                0,
                new TreeMap<>(),
                content,
                Optional.ofNullable(tree));
    }

    private static PieceHeader header(long n, ChunkId root) {
        return new PieceHeader(
                new CatalogRecord(
                        new UUID(0x7000L, n),
                        new UUID(1, 1),
                        "crit",
                        "/srv/data",
                        "files/full",
                        "owner",
                        "127.10.11.44:6543?WRITE?/mtree/backup",
                        n,
                        Long.MAX_VALUE,
                        n,
                        "main",
                        Map.of()),
                new UUID(0x7001L, n),
                DOMAIN,
                1,
                root,
                Chunking.DEFAULT);
    }

    /** Stores one chunk after the other, syncing each, and a piece after every eighth. */
    static final class Writer {
        public static void main(String[] args) throws Exception {
            try (FolderChunkStore store =
                            FolderChunkStore.open(Path.of(args[0], "store"), SMALL_PACKS);
                    Sealer sealer = new Sealer(key(), 1)) {
                ManifestWriter manifests =
                        new ManifestWriter((kind, plain, children) -> {
                            ChunkId id = sealer.id(kind, plain, 0, plain.length, children);
                            byte[] frame = sealer.seal(kind, id, plain, 0, plain.length, children);
                            store.append(SESSION, frame, 0, frame.length);
                            return id;
                        });
                List<ChunkId> chunks = new java.util.ArrayList<>();
                for (long n = 1; ; n++) {
                    byte[] plain = content(n);
                    ChunkId id = sealer.id(plain, 0, plain.length);
                    byte[] frame =
                            sealer.seal(FrameKind.DATA, id, plain, 0, plain.length, List.of());
                    store.append(SESSION, frame, 0, frame.length);
                    store.sync();
                    Acknowledging.acknowledge("chunk " + n);
                    chunks.add(id);
                    if (n % CHUNKS_PER_PIECE == 0) {
                        ChunkId tree =
                                manifests.directory(
                                        List.of(
                                                entry(
                                                        "file",
                                                        ManifestEntry.Type.FILE,
                                                        chunks,
                                                        1,
                                                        null)));
                        ChunkId root =
                                manifests.root(
                                        entry(
                                                "",
                                                ManifestEntry.Type.DIRECTORY,
                                                List.of(),
                                                0,
                                                tree));
                        store.sync();
                        PieceHeader header = header(n, root);
                        List<ChunkId> missing = store.commitPiece(SESSION, header.frame());
                        if (!missing.isEmpty()) {
                            throw new IllegalStateException("missing " + missing);
                        }
                        Acknowledging.acknowledge("piece " + header.id());
                        chunks.clear();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyAcknowledgedChunkAndPieceIsThere(PowerLoss.FileSystem type) throws Exception {
        try (PowerLoss disk = Required.orSkip(() -> PowerLoss.mount(folder, type, 400))) {
            List<String> stored = Acknowledging.untilPowerLoss(disk, Writer.class, 130);
            try (FolderChunkStore store =
                            FolderChunkStore.open(disk.folder().resolve("store"), SMALL_PACKS);
                    Sealer sealer = new Sealer(key(), 1)) {
                ManifestReader manifests = new ManifestReader(id -> sealer.open(store.read(id)));
                int pieces = 0;
                for (String line : stored) {
                    String what = line.substring(line.indexOf(' ') + 1);
                    if (line.startsWith("chunk ")) {
                        byte[] plain = content(Long.parseLong(what));
                        ChunkId id = sealer.id(plain, 0, plain.length);
                        assertThat(store.holds(id)).as("%s of %s", line, stored.size()).isTrue();
                        assertThat(sealer.open(store.read(id))).isEqualTo(plain);
                    } else {
                        PieceHeader header = PieceHeader.parse(store.read(ChunkId.parse(what)));
                        assertThat(store.commitPiece(SESSION, header.frame())).isEmpty();
                        assertThat(manifests.root(header.root()).subtree()).isPresent();
                        pieces++;
                    }
                }
                assertThat(pieces).isGreaterThan(10);
            }
        }
    }
}
