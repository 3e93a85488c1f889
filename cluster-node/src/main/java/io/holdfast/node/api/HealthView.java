package io.holdfast.node.api;

import java.util.Map;
import java.util.TreeMap;

/**
 * Whether a node is well, cheaply: no other node is asked.
 *
 * @param status {@code UP} or {@code DOWN}
 * @param node its id
 * @param site its site
 * @param role its site's role
 * @param epoch newest epoch that it obeys
 * @param writable whether this node would take a write now (itself or by its leader)
 * @param checks part to finding, {@code ok} or a sentence
 */
public record HealthView(
        String status,
        String node,
        String site,
        String role,
        String epoch,
        boolean writable,
        Map<String, String> checks) {
    /** Copies the map, sorted. */
    public HealthView {
        checks = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(checks));
    }
}
