package io.holdfast.replication.ship;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;

/** Real frames for tests, from seeds. */
final class TestFrames {
    static final UUID DOMAIN = new UUID(1, 2);
    private static final DomainKey KEY = DomainKey.generate(DOMAIN, 1, new SecureRandom());

    /** Chunks, then the one node that names them, then the PIECE. */
    record Piece(List<byte[]> chunks, byte[] node, byte[] header) {
        List<byte[]> below() {
            List<byte[]> frames = new ArrayList<>(chunks);
            frames.add(node);
            return frames;
        }

        List<ChunkId> belowIds() {
            return below().stream().map(TestFrames::id).toList();
        }
    }

    private TestFrames() {}

    static byte[] data(long seed, int length) {
        byte[] plain = new byte[length];
        new SplittableRandom(seed).nextBytes(plain);
        try (Sealer sealer = new Sealer(KEY, 1)) {
            return sealer.seal(
                    FrameKind.DATA, sealer.id(plain, 0, length), plain, 0, length, List.of());
        }
    }

    static ChunkId id(byte[] frame) {
        try {
            return Frame.parse(frame, 0, frame.length).id();
        } catch (StoreException.Corrupt e) {
            throw new AssertionError(e);
        }
    }

    static Piece piece(long seed, int chunks, int bytes) {
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < chunks; i++) {
            frames.add(data(seed * 100_000 + i, bytes));
        }
        return piece(seed, frames);
    }

    /** A piece of these chunks. */
    static Piece piece(long seed, List<byte[]> frames) {
        List<ChunkId> children = frames.stream().map(TestFrames::id).toList();
        byte[] plain = ("node " + seed).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        byte[] node;
        try (Sealer sealer = new Sealer(KEY, 1)) {
            ChunkId id = sealer.id(FrameKind.NODE, plain, 0, plain.length, children);
            node = sealer.seal(FrameKind.NODE, id, plain, 0, plain.length, children);
        }
        byte[] header =
                new PieceHeader(
                                new CatalogRecord(
                                        new UUID(9, seed),
                                        new UUID(5, 6),
                                        "crit",
                                        "/srv/data",
                                        "files/full",
                                        "ann",
                                        "127.10.11.44:6543?WRITE:IP:127.10.11.45?/mtree/backup/x",
                                        1_700_000_000_000_000L,
                                        Long.MAX_VALUE,
                                        123L,
                                        "main",
                                        Map.of()),
                                new UUID(8, seed),
                                DOMAIN,
                                1,
                                id(node),
                                Chunking.DEFAULT)
                        .frame();
        return new Piece(frames, node, header);
    }
}
