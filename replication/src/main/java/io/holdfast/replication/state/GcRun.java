package io.holdfast.replication.state;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.UUID;

/**
 * One piece of work that a leader ordered of one site's store. While it has no end it is the lease to
 * order there; whoever begins another one takes it over.
 *
 * @param id its own
 * @param storage logical address of the storage
 * @param site whose store
 * @param work what was ordered
 * @param epoch in which
 * @param node the leader
 * @param beganMicros leader's time, epoch microseconds
 * @param endedMicros leader's time; 0 while it goes on
 * @param outcome in a word: DONE, WAITS, REFUSED, FAILED, UNKNOWN; empty while it goes on
 * @param reasons why not, at most {@link #MAX_REASONS}
 * @param frames that became fossils of a mark, or were deleted by a sweep
 * @param bytes of them
 */
public record GcRun(
        UUID id,
        Endpoint storage,
        Site site,
        Work work,
        Epoch epoch,
        String node,
        long beganMicros,
        long endedMicros,
        String outcome,
        List<String> reasons,
        long frames,
        long bytes) {
    /** Reasons that are kept. */
    public static final int MAX_REASONS = 20;

    /** What was ordered. */
    public enum Work {
        /** To find out what nobody refers to. */
        MARK,
        /** To delete what two marks have found. */
        SWEEP;

        static Work ofWord(String word) {
            for (Work work : values()) {
                if (work.name().equals(word)) {
                    return work;
                }
            }
            throw new FormatException("garbage collection", word, 0, "MARK or SWEEP");
        }
    }

    /** Copies the list. */
    public GcRun {
        reasons = List.copyOf(reasons.subList(0, Math.min(reasons.size(), MAX_REASONS)));
    }

    GcRun ended(Command.GcEnd end, long micros) {
        return new GcRun(
                id,
                storage,
                site,
                work,
                epoch,
                node,
                beganMicros,
                micros,
                end.outcome(),
                end.reasons(),
                end.frames(),
                end.bytes());
    }
}
