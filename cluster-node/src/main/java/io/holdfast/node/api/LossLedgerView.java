package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What was acknowledged at the lost site and is not known to be here (DECISIONS 19): what this
 * site's log knows as open or unprotected, and the time from which nothing is known at all. It is
 * completed when the lost site returns.
 *
 * @param epoch that opened with it; absent before any failover
 * @param unknownSince last contact with the lost site: what came later was never seen here
 * @param complete whether the lost site has returned and named the rest
 * @param entries one per job, oldest first
 */
public record LossLedgerView(
        @Nullable String epoch,
        @Nullable Moment unknownSince,
        boolean complete,
        List<Entry> entries) {
    /** Copies the list. */
    public LossLedgerView {
        entries = List.copyOf(entries);
    }

    /**
     * One job.
     *
     * @param job its id
     * @param client its client
     * @param clientName its name
     * @param piece the data piece, where known
     * @param state {@code OPEN}: no outcome seen; {@code UNPROTECTED}: completed, not protected, or kept
     *     by the lost site alone because the other one has let it go; {@code UNSEEN}: named by the
     *     returned site only
     * @param started leader's time; 0 when nobody remembers the job
     * @param committed when it was acknowledged, where known
     * @param sizeBytes source bytes, where known; else 0
     * @param resolution once the lost site is back: {@code MERGED}, {@code ABORTED}, {@code LOST};
     *     before that absent
     * @param note for people
     */
    public record Entry(
            UUID job,
            @Nullable UUID client,
            String clientName,
            @Nullable UUID piece,
            String state,
            Moment started,
            @Nullable Moment committed,
            long sizeBytes,
            @Nullable String resolution,
            String note) {}
}
