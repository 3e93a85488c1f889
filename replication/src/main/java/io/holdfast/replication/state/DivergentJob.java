package io.holdfast.replication.state;

import io.holdfast.chunk.ChunkId;
import java.util.Optional;
import java.util.UUID;

/**
 * A job that a returned site knew otherwise than the lineage that goes on.
 *
 * @param job its id
 * @param kind {@code backup}, {@code restore}, ...
 * @param client the client resource
 * @param state how it stood at the returned site
 * @param openedMicros the leader's time, epoch microseconds
 * @param endedMicros the same; 0 while it was open
 * @param fate what becomes of it
 * @param theirs the piece that the returned site knows
 * @param ours the piece that is known here; only for {@link Fate#CORRUPTION}
 * @param message as the returned site had it
 */
public record DivergentJob(
        UUID job,
        String kind,
        UUID client,
        JobState state,
        long openedMicros,
        long endedMicros,
        Fate fate,
        Optional<ChunkId> theirs,
        Optional<ChunkId> ours,
        String message) {
    /** What becomes of a divergent job. */
    public enum Fate {
        /** Its piece is taken over (RECOVERED_FROM_DIVERGENCE). */
        RECOVERED,
        /** It was unfinished there; what it had stored stays unreferenced. */
        ABORTED,
        /** It ended there without a piece: kept for the record. */
        HISTORY,
        /** Both sites have a piece of this job, and not the same one: verify both. */
        CORRUPTION
    }
}
