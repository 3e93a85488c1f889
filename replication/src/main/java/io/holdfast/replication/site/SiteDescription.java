package io.holdfast.replication.site;

import io.holdfast.replication.ship.ShipReport;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.UUID;

/**
 * What a node says of itself.
 *
 * @param node its id
 * @param incarnation of its Raft storage
 * @param site where it stands
 * @param state of its site: STANDBY, ACTIVE, ... (DR-PROTOCOL 3.4)
 * @param epoch of its applied state; empty before the first
 * @param promise the highest epoch it has promised; empty when it knows none
 * @param admitted false when its promise is unreadable or its storage is new
 * @param lineage the one it works with; empty when none is open
 * @param appliedIndex of that lineage; -1 for nothing
 * @param lastTerm of the last entry in its log; 0 for none
 * @param lastIndex of the last entry in its log; -1 for none
 * @param lastContactMicros when it last heard of the other site, epoch microseconds; 0 for never
 * @param leader whether it leads that lineage
 * @param replMode how replication stands in its state, for example SYNC
 * @param replSinceMicros since when, epoch microseconds
 * @param version of the program
 * @param shipping of its store
 */
public record SiteDescription(
        String node,
        UUID incarnation,
        Site site,
        String state,
        Optional<Epoch> epoch,
        Optional<Epoch> promise,
        boolean admitted,
        Optional<UUID> lineage,
        long appliedIndex,
        long lastTerm,
        long lastIndex,
        long lastContactMicros,
        boolean leader,
        String replMode,
        long replSinceMicros,
        String version,
        ShipReport shipping) {}
