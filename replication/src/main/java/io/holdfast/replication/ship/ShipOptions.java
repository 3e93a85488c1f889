package io.holdfast.replication.ship;

import java.time.Duration;

/**
 * The bounds and rhythms of a shipper.
 *
 * @param batchFrames offered to the peer at once, at most 4096
 * @param inFlightBytes sent and not yet durable at the peer
 * @param poll how often the local log is looked at when nothing is to do
 * @param heartbeat how often an idle shipper asks the peer who it is
 * @param callTimeout of one call and of the peer's silence
 * @param backoffFirst pause after a failure; it doubles
 * @param backoffMost the longest pause
 * @param retryDamage first pause before damaged frames and unshipped pieces are tried again; it
 *     doubles up to sixty times as much while nothing gets better
 * @param sessionAge after which a session at the peer is ended and another one begun: the peer's
 *     collector waits for the end of every session
 */
public record ShipOptions(
        int batchFrames,
        long inFlightBytes,
        Duration poll,
        Duration heartbeat,
        Duration callTimeout,
        Duration backoffFirst,
        Duration backoffMost,
        Duration retryDamage,
        Duration sessionAge) {
    /** For two sites on a wide-area link. */
    public static final ShipOptions DEFAULT =
            new ShipOptions(
                    1024,
                    32L << 20,
                    Duration.ofMillis(50),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(20),
                    Duration.ofMillis(50),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(10),
                    Duration.ofMinutes(5));

    /** The same with sessions of at most this age, but of a second at least. */
    public ShipOptions sessionsWithin(Duration age) {
        Duration second = Duration.ofSeconds(1);
        Duration wanted = age.compareTo(second) < 0 ? second : age;
        return new ShipOptions(
                batchFrames,
                inFlightBytes,
                poll,
                heartbeat,
                callTimeout,
                backoffFirst,
                backoffMost,
                retryDamage,
                wanted.compareTo(sessionAge) < 0 ? wanted : sessionAge);
    }

    /** Checks the batch. */
    public ShipOptions {
        if (batchFrames < 1 || batchFrames > 4096) {
            throw new IllegalArgumentException(
                    "batchFrames is " + batchFrames + ", expected 1 to 4096");
        }
    }
}
