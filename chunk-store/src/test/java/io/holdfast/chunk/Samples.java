package io.holdfast.chunk;

import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** Test data from seeds. */
public final class Samples {
    public static final UUID DOMAIN = new UUID(0x1111222233334444L, 0x8555666677778888L);
    public static final UUID SESSION = new UUID(7, 7);
    public static final UUID INCARNATION = new UUID(0xaaaabbbbccccddddL, 0x8eeeffff00001111L);

    private Samples() {}

    /** Secure in name only: the same seed gives the same bytes. */
    public static SecureRandom secureRandom(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return new SecureRandom() {
            @Override
            public void nextBytes(byte[] bytes) {
                random.nextBytes(bytes);
            }
        };
    }

    public static DomainKey key() {
        return DomainKey.generate(DOMAIN, 3, secureRandom(1));
    }

    public static Sealer sealer(long nonceSeed) {
        return new Sealer(key(), 1, new SplittableRandom(nonceSeed));
    }

    public static byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    /** Bytes that compress about two to one. */
    public static byte[] text(RandomGenerator random, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ("etaoin shrdlu\n".charAt(random.nextInt(14)));
        }
        return bytes;
    }

    public static byte[] dataFrame(Sealer sealer, byte[] plain) {
        ChunkId id = sealer.id(plain, 0, plain.length);
        return sealer.seal(FrameKind.DATA, id, plain, 0, plain.length, List.of());
    }

    /** A DATA frame that differs for every {@code n}. */
    public static byte[] dataFrame(Sealer sealer, long n, int length) {
        return dataFrame(sealer, bytes(n, length));
    }

    public static ChunkId id(byte[] frame) {
        try {
            return Frame.parse(frame, 0, frame.length).id();
        } catch (StoreException.Corrupt e) {
            throw new AssertionError(e);
        }
    }

    public static ManifestEntry file(String name, Collection<ChunkId> content, long size) {
        return new ManifestEntry(
                name.getBytes(StandardCharsets.UTF_8),
                ManifestEntry.Type.FILE,
                0644,
                1000,
                100,
                "ann",
                "users",
                1_700_000_000_123_456_789L,
                size,
                new byte[0],
                0,
                0,
                new TreeMap<>(),
                new ArrayList<>(content),
                Optional.empty());
    }

    public static ManifestEntry directory(String name, ChunkId node) {
        return new ManifestEntry(
                name.getBytes(StandardCharsets.UTF_8),
                ManifestEntry.Type.DIRECTORY,
                0755,
                0,
                0,
                "root",
                "root",
                1_600_000_000_000_000_000L,
                0,
                new byte[0],
                0,
                0,
                new TreeMap<>(),
                List.of(),
                Optional.of(node));
    }

    public static PieceHeader piece(ChunkId root) {
        return new PieceHeader(
                new CatalogRecord(
                        new UUID(0x0190000000007000L, 0x8000000000000001L),
                        new UUID(5, 6),
                        "crit",
                        "/srv/data",
                        "files/full",
                        "ann",
                        "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe,catalog:main?/mtree/backup/x",
                        1_700_000_000_000_000L,
                        Long.MAX_VALUE,
                        123_456_789L,
                        "main",
                        Map.of("job", "j", "epoch", "3.dr", "files", "42")),
                new UUID(0x0190000000007001L, 0x8000000000000002L),
                DOMAIN,
                3,
                root,
                Chunking.DEFAULT);
    }

    /** The frames of a small piece: chunks, two levels of nodes, and last the PIECE. */
    public static List<byte[]> pieceFrames(long seed, int files) {
        List<byte[]> frames = new ArrayList<>();
        // Level 0: golden files of stores must not depend on what zstd writes.
        try (Sealer sealer = new Sealer(key(), 0, new SplittableRandom(seed))) {
            ManifestWriter writer =
                    new ManifestWriter((kind, plain, children) -> {
                        ChunkId id = sealer.id(kind, plain, 0, plain.length, children);
                        frames.add(sealer.seal(kind, id, plain, 0, plain.length, children));
                        return id;
                    });
            List<ManifestEntry> entries = new ArrayList<>();
            for (int i = 0; i < files; i++) {
                byte[] frame = dataFrame(sealer, seed * 1000 + i, 100 + 37 * i);
                frames.add(frame);
                entries.add(file("file%05d".formatted(i), List.of(id(frame)), 100 + 37 * i));
            }
            ChunkId inner = writer.directory(entries);
            ChunkId root =
                    writer.root(directory("", writer.directory(List.of(directory("sub", inner)))));
            frames.add(piece(root).frame());
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
        return frames;
    }
}
