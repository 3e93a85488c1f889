package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.StoreException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The bytes of a pack's index {@code packs/0000000001.idx}: what is in the pack and where, so that
 * a store opens without reading its packs. Written once, when its pack is sealed; it can be rebuilt
 * from the pack at any time.
 *
 * <p>Layout, version 1; numbers are big-endian:
 *
 * <pre>
 * offset    bytes  what
 * 0         4      magic "HFIX"
 * 4         4      version, 1
 * 8         16     store incarnation, UUID
 * 24        8      sequence number of the pack
 * 32        8      bytes of the pack
 * 40        4      n, number of frames
 * 44        4      reserved, 0
 * 48        76 n   per frame, by rising offset:
 *                    32  chunk id
 *                    32  SHA-256 of the frame
 *                    4   offset of the frame in the pack (its record header stands 48 before)
 *                    4   bytes of the frame
 *                    1   kind
 *                    1   flags: 1 when its bytes were found damaged at sealing
 *                    2   reserved, 0
 * 48+76n    32     SHA-256 of all before
 * </pre>
 */
final class PackIndexFile {
    static final int ENTRY_BYTES = 76;
    private static final int MAGIC = 0x48464958;
    private static final int VERSION = 1;
    private static final int HEAD_BYTES = 48;
    private static final int DAMAGED = 1;

    private PackIndexFile() {}

    /** One frame of a pack; {@code offset} is that of the frame, not of its record header. */
    @SuppressWarnings("ArrayRecordComponent") // the digest passes to the entry
    record Entry(
            ChunkId id,
            FrameKind kind,
            int offset,
            int frameBytes,
            byte[] digest,
            boolean damaged) {}

    /** What an index says. */
    record Content(UUID incarnation, long sequence, long packBytes, List<Entry> entries) {}

    static byte[] write(UUID incarnation, long sequence, long packBytes, List<Entry> entries) {
        byte[] bytes =
                new byte[HEAD_BYTES + ENTRY_BYTES * entries.size() + PackFormat.DIGEST_BYTES];
        ByteBuffer out = ByteBuffer.wrap(bytes);
        out.putInt(MAGIC).putInt(VERSION);
        out.putLong(incarnation.getMostSignificantBits());
        out.putLong(incarnation.getLeastSignificantBits());
        out.putLong(sequence).putLong(packBytes).putInt(entries.size()).putInt(0);
        for (Entry entry : entries) {
            out.put(entry.id.bytes()).put(entry.digest);
            out.putInt(entry.offset).putInt(entry.frameBytes).put((byte) entry.kind.code());
            out.put((byte) (entry.damaged ? DAMAGED : 0)).putShort((short) 0);
        }
        byte[] checked = Arrays.copyOf(bytes, out.position());
        out.put(PackFormat.sha256().digest(checked));
        return bytes;
    }

    /**
     * Reads an index; empty when its bytes are damaged.
     *
     * @throws StoreException.Corrupt when it is whole, but of an unknown version
     */
    static Optional<Content> parse(byte[] bytes, Path file) throws StoreException.Corrupt {
        int checkedBytes = bytes.length - PackFormat.DIGEST_BYTES;
        if (checkedBytes < HEAD_BYTES || (checkedBytes - HEAD_BYTES) % ENTRY_BYTES != 0) {
            return Optional.empty();
        }
        byte[] digest = PackFormat.sha256().digest(Arrays.copyOf(bytes, checkedBytes));
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (!Arrays.equals(digest, Arrays.copyOfRange(bytes, checkedBytes, bytes.length))
                || in.getInt() != MAGIC) {
            return Optional.empty();
        }
        int version = in.getInt();
        if (version != VERSION) {
            throw new StoreException.Corrupt(
                    "Refused pack index "
                            + file
                            + ": version "
                            + version
                            + " is unknown here; delete it to rebuild it from its pack");
        }
        UUID incarnation = new UUID(in.getLong(), in.getLong());
        long sequence = in.getLong();
        long packBytes = in.getLong();
        int count = in.getInt();
        if (count != (checkedBytes - HEAD_BYTES) / ENTRY_BYTES) {
            return Optional.empty();
        }
        Entry[] entries = new Entry[count];
        for (int i = 0; i < count; i++) {
            int at = HEAD_BYTES + ENTRY_BYTES * i;
            Optional<FrameKind> kind = kind(bytes[at + 72]);
            if (kind.isEmpty()) {
                return Optional.empty();
            }
            entries[i] =
                    new Entry(
                            ChunkId.of(bytes, at, ChunkId.BYTES),
                            kind.get(),
                            in.getInt(at + 64),
                            in.getInt(at + 68),
                            Arrays.copyOfRange(bytes, at + 32, at + 64),
                            (bytes[at + 73] & DAMAGED) != 0);
        }
        return Optional.of(new Content(incarnation, sequence, packBytes, List.of(entries)));
    }

    private static Optional<FrameKind> kind(int code) {
        return Arrays.stream(FrameKind.values()).filter(k -> k.code() == code).findFirst();
    }
}
