package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A storage, and which site's store its jobs use (F9: a storage can be lost while its site lives).
 *
 * @param device name of the device that it serves
 * @param storage its logical address
 * @param home the store that was lost; without a loss, the one at the active site
 * @param other the other site's store; absent when nothing maps it
 * @param servedAt the site whose store is used
 * @param since when it was lost; absent when it is not
 * @param reason why, in the operator's words; absent when it is not lost
 * @param pieces data pieces that should be there
 * @param piecesMissing those that home lacks; -1 when it does not answer or was not asked
 * @param lost jobs whose pieces were lost with it
 */
public record StorageView(
        String device,
        String storage,
        Store home,
        @Nullable Store other,
        String servedAt,
        @Nullable Moment since,
        @Nullable String reason,
        long pieces,
        long piecesMissing,
        List<UUID> lost) {
    /** Copies the list. */
    public StorageView {
        lost = List.copyOf(lost);
    }

    /**
     * One store.
     *
     * @param site where it stands
     * @param endpoint where it is dialled
     * @param reachable whether it answers
     * @param chunks it holds; -1 when it does not answer
     * @param bytes of them; -1 when it does not answer
     */
    public record Store(String site, String endpoint, boolean reachable, long chunks, long bytes) {}
}
