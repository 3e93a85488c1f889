package io.holdfast.agent.storage;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import java.util.List;

/**
 * What a storage said to a piece.
 *
 * @param missing what it lacks, at most 10,000 ids; empty when the piece is durable
 * @param position of the durable log, not before the end of the PIECE frame; START while missing
 */
public record CommitResult(List<ChunkId> missing, LogPosition position) {
    /** Copies the list. */
    public CommitResult {
        missing = List.copyOf(missing);
    }

    /** True when the piece is durable. */
    public boolean committed() {
        return missing.isEmpty();
    }
}
