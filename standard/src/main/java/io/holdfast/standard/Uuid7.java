package io.holdfast.standard;

import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * UUIDs of version 7 (RFC 9562): 48 bits of milliseconds, then random bits, so that ids made later
 * sort later. Pure: the time and the chance are the caller's.
 */
public final class Uuid7 {
    private Uuid7() {}

    /**
     * The UUID of a time and random bits.
     *
     * @param epochMillis 0 to 2^48-1
     * @param randomA its low 12 bits are used
     * @param randomB its low 62 bits are used
     * @throws FormatException when the time does not fit
     */
    public static UUID of(long epochMillis, long randomA, long randomB) {
        if (epochMillis < 0 || epochMillis >>> 48 != 0) {
            throw new FormatException(
                    "UUIDv7 time", Long.toString(epochMillis), 0, "0 to 2^48-1 milliseconds");
        }
        long high = epochMillis << 16 | 0x7000L | (randomA & 0xfffL);
        long low = (randomB & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    /** The UUID of a time, with 74 bits drawn from {@code random}. */
    public static UUID of(long epochMillis, RandomGenerator random) {
        return of(epochMillis, random.nextLong(), random.nextLong());
    }

    /** The milliseconds in a UUIDv7. @throws FormatException when it has another version */
    public static long epochMillis(UUID uuid) {
        if (uuid.version() != 7 || uuid.variant() != 2) {
            throw new FormatException("UUIDv7", uuid.toString(), 14, "version 7");
        }
        return uuid.getMostSignificantBits() >>> 16;
    }
}
