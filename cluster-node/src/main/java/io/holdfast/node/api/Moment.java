package io.holdfast.node.api;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * A point in time as the cluster's leader saw it, in both forms that are wanted.
 *
 * @param iso UTC, always with six decimals: {@code 2026-11-21T23:41:45.000001Z}
 * @param micros microseconds since the epoch of 1970
 */
public record Moment(String iso, long micros) {
    private static final DateTimeFormatter ISO =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /** The moment of these epoch microseconds. */
    public static Moment of(long micros) {
        return new Moment(ISO.format(Instant.EPOCH.plus(micros, ChronoUnit.MICROS)), micros);
    }
}
