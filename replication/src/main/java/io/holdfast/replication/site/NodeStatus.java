package io.holdfast.replication.site;

import io.holdfast.replication.ship.ShipReport;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.UUID;

/**
 * What only the node as a whole knows of itself, for {@link RaftSiteHandler}.
 *
 * @param site where it stands
 * @param state of its site, for example STANDBY
 * @param lineage the one it works with; empty when there is none
 * @param lastContactMicros when it last heard of the other site, epoch microseconds; 0 for never
 * @param version of the program
 * @param shipping of its store
 */
public record NodeStatus(
        Site site,
        String state,
        Optional<UUID> lineage,
        long lastContactMicros,
        String version,
        ShipReport shipping) {}
