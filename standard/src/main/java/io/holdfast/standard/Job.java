package io.holdfast.standard;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A backup, a restore, a group restore or an on-demand run: pairs of identifiers (F39, DECISIONS 6).
 *
 * @param id UUIDv7
 * @param parent the job that started this one
 * @param pairs what is read and where it is written, both logical
 */
public record Job(UUID id, Optional<UUID> parent, List<Pair> pairs) {
    /** Copies the pairs. */
    public Job {
        pairs = List.copyOf(pairs);
        if (pairs.isEmpty()) {
            throw new FormatException("job", id.toString(), 0, "at least one pair of identifiers");
        }
    }

    /** What is read, and where it is written. */
    public record Pair(Identifier input, Identifier output) {}
}
