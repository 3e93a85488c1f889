package io.holdfast.replication.state;

import io.holdfast.chunk.ChunkId;
import java.util.Optional;
import java.util.UUID;

/**
 * A data piece that has expired and whose bytes are not yet known to be gone from both sites.
 *
 * @param piece its identity
 * @param header id of its PIECE frame: what a mark takes from the roots
 * @param client whose it is; all zeros when nobody knows
 * @param job that made it; empty when nobody knows
 * @param timeMicros leader's time, epoch microseconds
 * @param who the operator, or {@code retention}
 * @param reason why, for people
 */
public record Expiry(
        UUID piece,
        ChunkId header,
        UUID client,
        Optional<UUID> job,
        long timeMicros,
        String who,
        String reason) {}
