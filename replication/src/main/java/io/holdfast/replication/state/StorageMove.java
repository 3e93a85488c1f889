package io.holdfast.replication.state;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.UUID;

/**
 * A storage that was lost while its site goes on (F9): its jobs use the other site's store until it is
 * healed. Kept when it is over, for what was lost with it.
 *
 * @param storage logical address of the storage
 * @param servedAt the site whose store is used instead
 * @param sinceMicros leader's time
 * @param who the operator
 * @param reason in the operator's words
 * @param lost jobs whose pieces were only there
 * @param overMicros when the storage took over again, leader's time; 0 until then
 */
public record StorageMove(
        Endpoint storage,
        Site servedAt,
        long sinceMicros,
        String who,
        String reason,
        List<UUID> lost,
        long overMicros) {
    /** Copies the list. */
    public StorageMove {
        lost = List.copyOf(lost);
    }

    /** Whether the other site's store is used now. */
    public boolean isActive() {
        return overMicros == 0;
    }
}
