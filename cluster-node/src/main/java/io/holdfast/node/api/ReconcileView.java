package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What became of a site that returned after a forced failover.
 *
 * @param state {@code NONE}, {@code WAITING} (not back yet), {@code RECONCILING}, {@code CATCHUP},
 *     {@code DONE}
 * @param site the returned site
 * @param forkLineage lineage that was left, now archived read-only
 * @param forkIndex last entry of it that this site had taken over
 * @param merged data pieces that only the returned site had, now in the catalog and restorable
 * @param aborted jobs that were unfinished there
 * @param settings changed settings of the divergent suffix: never applied by themselves
 * @param bytesMissing bytes that the returned site's stores lacked when the catch-up began
 * @param bytesMoved bytes sent to it since
 * @param chunksMissing the same in chunks
 * @param chunksMoved the same in chunks
 */
public record ReconcileView(
        String state,
        @Nullable String site,
        @Nullable UUID forkLineage,
        long forkIndex,
        List<Merged> merged,
        List<UUID> aborted,
        List<Setting> settings,
        long bytesMissing,
        long bytesMoved,
        long chunksMissing,
        long chunksMoved) {
    /** Copies the lists. */
    public ReconcileView {
        merged = List.copyOf(merged);
        aborted = List.copyOf(aborted);
        settings = List.copyOf(settings);
    }

    /** Nothing to reconcile. */
    public static final ReconcileView NONE =
            new ReconcileView("NONE", null, null, 0, List.of(), List.of(), List.of(), 0, 0, 0, 0);

    /** A data piece that came back with the site. */
    public record Merged(
            UUID piece,
            UUID job,
            UUID client,
            String clientName,
            String dataPiece,
            Moment backupTime,
            long sizeBytes,
            Protection protection) {}

    /**
     * A changed setting of the divergent suffix.
     *
     * @param resource name of the resource
     * @param type its type
     * @param classification {@code IDENTICAL}, {@code ADDITIVE}, {@code CONFLICT}, {@code OBSOLETE}
     * @param detail base, theirs and ours, for people
     */
    public record Setting(String resource, String type, String classification, String detail) {}
}
