package io.holdfast.chunk;

import io.holdfast.standard.FormatException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Identity of a chunk: 32 bytes of HMAC-SHA-256 over its plain bytes, keyed by its dedup domain; of a
 * piece header, the SHA-256 of its clear body. Compared as unsigned bytes.
 */
public final class ChunkId implements Comparable<ChunkId> {
    /** Bytes of an id. */
    public static final int BYTES = 32;

    private final byte[] bytes;

    private ChunkId(byte[] bytes) {
        this.bytes = bytes;
    }

    /** An id of 32 bytes, copied. @throws FormatException for another length */
    public static ChunkId of(byte[] bytes) {
        return of(bytes, 0, bytes.length);
    }

    /** An id of a range of 32 bytes, copied. @throws FormatException for another length */
    public static ChunkId of(byte[] bytes, int offset, int length) {
        if (length != BYTES) {
            throw new FormatException("chunk id", length + " bytes", 0, BYTES + " bytes");
        }
        return new ChunkId(Arrays.copyOfRange(bytes, offset, offset + length));
    }

    /** Reads 64 hexadecimal digits. */
    public static ChunkId parse(String hex) {
        if (hex.length() != 2 * BYTES) {
            throw new FormatException("chunk id", hex, 0, "64 hexadecimal digits");
        }
        return new ChunkId(HexFormat.of().parseHex(hex));
    }

    /** A copy of the bytes. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Writes the bytes into {@code target} at {@code offset}. */
    public void copyTo(byte[] target, int offset) {
        System.arraycopy(bytes, 0, target, offset, BYTES);
    }

    /** The first eight bytes, big-endian: uniformly distributed, good as a hash or a prefix. */
    public long prefix() {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = value << 8 | bytes[i] & 0xff;
        }
        return value;
    }

    @Override
    public int compareTo(ChunkId other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ChunkId id && Arrays.equals(bytes, id.bytes);
    }

    @Override
    public int hashCode() {
        return (int) prefix();
    }

    /** 64 lower-case hexadecimal digits. */
    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes);
    }
}
