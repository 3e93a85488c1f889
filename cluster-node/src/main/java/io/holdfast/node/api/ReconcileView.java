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
 * @param handedOver the nodes of the returned site that have handed over everything they had
 * @param merged data pieces that only the returned site had, now in the catalog and restorable
 * @param aborted jobs that were unfinished there
 * @param settings what was changed in the resource DB there: never applied by itself
 * @param corrupt jobs of which both sites have a piece, and not the same one
 * @param needsSignature whether a planned move waits for {@code holdfast reconcile sign}
 * @param signature who has signed; absent while nobody has
 * @param bytesMissing bytes that the returned site's store lacked when the catch-up began
 * @param bytesMoved bytes sent to it in this catch-up
 * @param chunksMissing the same in chunks
 * @param chunksMoved the same in chunks
 */
public record ReconcileView(
        String state,
        @Nullable String site,
        @Nullable UUID forkLineage,
        long forkIndex,
        List<String> handedOver,
        List<Merged> merged,
        List<UUID> aborted,
        List<Setting> settings,
        List<Corrupt> corrupt,
        boolean needsSignature,
        @Nullable Signature signature,
        long bytesMissing,
        long bytesMoved,
        long chunksMissing,
        long chunksMoved) {
    /** Copies the lists. */
    public ReconcileView {
        handedOver = List.copyOf(handedOver);
        merged = List.copyOf(merged);
        aborted = List.copyOf(aborted);
        settings = List.copyOf(settings);
        corrupt = List.copyOf(corrupt);
    }

    /** Nothing to reconcile. */
    public static final ReconcileView NONE =
            new ReconcileView(
                    "NONE", null, null, 0, List.of(), List.of(), List.of(), List.of(), List.of(),
                    false, null, 0, 0, 0, 0);

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
     * @param item id of the resource, for {@code holdfast reconcile apply}
     * @param resource name of the resource
     * @param type its type
     * @param classification {@code IDENTICAL}, {@code ADDITIVE}, {@code CONFLICT}, {@code OBSOLETE},
     *     as it stands now
     * @param detail what happened to it, for people
     * @param base at the fork; absent when it did not exist
     * @param theirs as the returned site left it; absent when it deleted it
     * @param ours as it is now; absent when it does not exist
     */
    public record Setting(
            UUID item,
            String resource,
            String type,
            String classification,
            String detail,
            @Nullable ResourceView base,
            @Nullable ResourceView theirs,
            @Nullable ResourceView ours) {}

    /** A job with two different pieces; verify both. */
    public record Corrupt(UUID job, String clientName, String theirs, String ours) {}

    /** Who has signed the report, and when. */
    public record Signature(String who, Moment at, String reason) {}
}
