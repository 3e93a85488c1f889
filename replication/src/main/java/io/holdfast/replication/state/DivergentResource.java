package io.holdfast.replication.state;

import io.holdfast.standard.Resource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A resource that a returned site changed beyond the fork.
 *
 * @param id of the resource
 * @param base as it stood at the fork; empty when it did not exist
 * @param theirs as the returned site left it; empty when it deleted it
 * @param changes the acknowledged entries, oldest first; empty when the log no longer has them
 */
public record DivergentResource(
        UUID id, Optional<Resource> base, Optional<Resource> theirs, List<Change> changes) {
    /** Copies the list. */
    public DivergentResource {
        changes = List.copyOf(changes);
    }

    /**
     * One entry of the divergent log.
     *
     * @param index of the entry
     * @param timeMicros the returned leader's time, epoch microseconds
     * @param deletes whether it deleted the resource; else it wrote it
     */
    public record Change(long index, long timeMicros, boolean deletes) {}

    /** Its name and type, from wherever it still has one. */
    public Optional<Resource> named() {
        return theirs.or(() -> base);
    }
}
