package io.holdfast.catalog;

import io.holdfast.standard.FormatException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.UUID;

/**
 * The last piece of a page: the next page holds what comes after it. It stays right while pieces
 * are added and forgotten.
 *
 * @param backupTimeMicros epoch microseconds
 * @param piece breaks ties
 */
public record PageToken(long backupTimeMicros, UUID piece) {
    private static final byte VERSION = 1;
    private static final int BYTES = 25;

    /** 25 bytes: version 1, time, piece id, big-endian. */
    public byte[] encoded() {
        return ByteBuffer.allocate(BYTES)
                .put(VERSION)
                .putLong(backupTimeMicros)
                .putLong(piece.getMostSignificantBits())
                .putLong(piece.getLeastSignificantBits())
                .array();
    }

    /** Reads {@link #encoded()}. @throws FormatException for anything else */
    public static PageToken decode(byte[] bytes) {
        if (bytes.length != BYTES || bytes[0] != VERSION) {
            throw new FormatException(
                    "page token",
                    HexFormat.of().formatHex(bytes),
                    0,
                    "the next_page_token of an earlier answer");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, 1, BYTES - 1);
        return new PageToken(in.getLong(), new UUID(in.getLong(), in.getLong()));
    }
}
