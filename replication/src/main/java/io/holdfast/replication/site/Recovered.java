package io.holdfast.replication.site;

import java.util.List;
import java.util.UUID;

/**
 * What came of the jobs that a returned site offered.
 *
 * @param merged new here, now RECOVERED_FROM_DIVERGENCE
 * @param known here already
 */
public record Recovered(List<UUID> merged, List<UUID> known) {
    /** Copies the lists. */
    public Recovered {
        merged = List.copyOf(merged);
        known = List.copyOf(known);
    }
}
