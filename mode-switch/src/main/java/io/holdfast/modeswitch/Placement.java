package io.holdfast.modeswitch;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.util.Map;

/**
 * Where the addresses of logical identifiers are served now. The loss of one storage is not the loss
 * of a site, so single endpoints may be placed at the other one.
 *
 * @param active the active site, local or DR
 * @param overrides local endpoints (with or without a port) that are served elsewhere than at the
 *     active site; the row with a port wins
 */
public record Placement(Site active, Map<Endpoint, Site> overrides) {
    /** Copies the map; refuses the witness, which serves nothing. */
    public Placement {
        overrides = Map.copyOf(overrides);
        if (active == Site.WITNESS || overrides.containsValue(Site.WITNESS)) {
            throw new FormatException("placement", "witness", 0, "local or dr");
        }
    }

    /** Everything at one site. */
    public static Placement at(Site active) {
        return new Placement(active, Map.of());
    }

    /** The site that serves a local endpoint. */
    public Site of(Endpoint endpoint) {
        Site exact = overrides.get(endpoint);
        if (exact != null) {
            return exact;
        }
        Site host = overrides.get(endpoint.withoutPort());
        return host != null ? host : active;
    }
}
