package io.holdfast.agent.storage;

import java.time.Duration;

/**
 * The bounds of a storage service.
 *
 * @param sessions open sessions; one more is answered UNAVAILABLE
 * @param sessionIdle after which an unused session is closed and its pins go
 * @param putStreams streams of frames at once, each with one request of up to 8 MiB in memory
 * @param readStreams streams of reads at once
 * @param unsyncedBytes of one put stream, written and not yet fsynced, after which it takes no more
 *     frames until they are durable
 */
public record StorageLimits(
        int sessions, Duration sessionIdle, int putStreams, int readStreams, long unsyncedBytes) {
    /** For a storage process with a heap of 512 MiB. */
    public static final StorageLimits DEFAULT =
            new StorageLimits(256, Duration.ofMinutes(30), 32, 64, 64L << 20);

    /** The same with another {@code sessionIdle}. */
    public StorageLimits sessionIdle(Duration other) {
        return new StorageLimits(sessions, other, putStreams, readStreams, unsyncedBytes);
    }
}
