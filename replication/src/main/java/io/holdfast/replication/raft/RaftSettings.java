package io.holdfast.replication.raft;

import java.time.Duration;

/**
 * How a {@link RaftHost} behaves in time and space (DR-PROTOCOL 2.5).
 *
 * @param electionMin a follower that hears nothing for this long (to {@code electionMax}, at random)
 *     stands for election; at least ten times the round trip between the sites
 * @param electionMax see {@code electionMin}; larger than it
 * @param submitTimeout a command without an answer for this long has an unknown outcome
 * @param snapshotEntries a snapshot is taken after so many entries
 * @param preservedEntries so many entries before a snapshot stay in the log, for slow members
 * @param segmentBytes size of a log file
 * @param freeSpaceMinBytes the server does not start with less free space
 */
public record RaftSettings(
        Duration electionMin,
        Duration electionMax,
        Duration submitTimeout,
        long snapshotEntries,
        long preservedEntries,
        int segmentBytes,
        long freeSpaceMinBytes) {
    /** For sites that are a wide area network apart. */
    public static final RaftSettings PRODUCTION =
            new RaftSettings(
                    Duration.ofMillis(1500),
                    Duration.ofMillis(3000),
                    Duration.ofSeconds(20),
                    5_000,
                    10_000,
                    32 << 20,
                    1L << 30);

    /** For nodes on one machine: fast elections. */
    public static final RaftSettings LOOPBACK =
            new RaftSettings(
                    Duration.ofMillis(300),
                    Duration.ofMillis(600),
                    Duration.ofSeconds(10),
                    5_000,
                    10_000,
                    8 << 20,
                    64L << 20);

    /** Checks the order of the election timeouts. */
    public RaftSettings {
        if (electionMin.compareTo(electionMax) >= 0 || electionMin.toMillis() < 50) {
            throw new IllegalArgumentException(
                    "election timeouts "
                            + electionMin
                            + " to "
                            + electionMax
                            + "; expected at least 50 ms, and the first below the second");
        }
    }

    /** The same with other limits of log and snapshots. */
    public RaftSettings withSnapshots(long entries, long preserved) {
        return new RaftSettings(
                electionMin,
                electionMax,
                submitTimeout,
                entries,
                preserved,
                segmentBytes,
                freeSpaceMinBytes);
    }

    /** The same with another submit timeout. */
    public RaftSettings withSubmitTimeout(Duration timeout) {
        return new RaftSettings(
                electionMin,
                electionMax,
                timeout,
                snapshotEntries,
                preservedEntries,
                segmentBytes,
                freeSpaceMinBytes);
    }
}
