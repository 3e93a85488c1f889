package io.holdfast.node.server;

import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.JobRecord;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Where the marks stand that say that a piece is DR_PROTECTED: one is shown when the other site has
 * acknowledged its index, and stays so: the piece is there, even when the member that acknowledged it
 * loses its log. What was marked before this node led counts as shown. Thread-safe; it holds marks that
 * are not shown yet, and no others once {@link #settle} was called.
 */
final class Marks {
    /** Asked for; it may be in the log already, nobody here knows where. */
    private static final long ASKED = Long.MAX_VALUE;

    private final Map<UUID, Long> marks = new HashMap<>();
    private UUID lineage = new UUID(0, 0);

    /** To be called before a mark is proposed: it may be seen in the state before its index is known. */
    synchronized void asked(UUID job) {
        marks.put(job, ASKED);
    }

    synchronized void written(UUID job, long index) {
        marks.put(job, index);
    }

    /**
     * Forgets the marks that are shown, and finds those whose index was not heard.
     *
     * @param of the log that indexes are of now; those of another mean nothing
     * @param state as it is applied
     * @param applied an index that {@code state} is not beyond
     * @param acknowledged by the other site
     */
    synchronized void settle(UUID of, ClusterState state, long applied, long acknowledged) {
        if (!lineage.equals(of)) {
            lineage = of;
            marks.clear();
        }
        marks.replaceAll((id, index) ->
                index == ASKED && state.job(id).filter(JobRecord::isProtected).isPresent()
                        ? applied
                        : index);
        marks.entrySet()
                .removeIf(mark -> {
                    if (mark.getValue() != ASKED) {
                        return mark.getValue() <= acknowledged;
                    }
                    // What is still unprotected is asked for again.
                    Optional<JobRecord> job = state.job(mark.getKey());
                    return job.filter(JobRecord::isUnprotectedPiece).isEmpty();
                });
    }

    /** Whether the other site knows, or once knew, of this mark in this log, if there is one. */
    synchronized boolean isShown(UUID of, UUID job, long acknowledged) {
        return !lineage.equals(of) || marks.getOrDefault(job, -1L) <= acknowledged;
    }

    /** Whether the other site knows of every mark. */
    synchronized boolean areShown(long acknowledged) {
        return marks.values().stream().allMatch(index -> index <= acknowledged);
    }
}
