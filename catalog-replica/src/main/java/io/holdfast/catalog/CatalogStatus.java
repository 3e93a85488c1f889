package io.holdfast.catalog;

import io.holdfast.standard.Epoch;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Which database this is, and how far it has got.
 *
 * @param database its incarnation: made with the database, never changed, never shared
 * @param lastSeq newest durable outbox entry; 0 for none
 * @param maxEpoch highest epoch obeyed by a write; empty before the first
 * @param pieces rows that are not forgotten
 * @param applied what was applied from other databases, by their incarnation
 * @param product database product and version
 */
public record CatalogStatus(
        UUID database,
        long lastSeq,
        Optional<Epoch> maxEpoch,
        long pieces,
        Map<UUID, Applied> applied,
        String product) {
    /** Copies the map. */
    public CatalogStatus {
        applied = Map.copyOf(applied);
    }

    /** How far an origin has been applied; 0 when nothing was. */
    public long appliedSeq(UUID origin) {
        Applied found = applied.get(origin);
        return found == null ? 0 : found.seq();
    }

    /**
     * A cursor into another database's outbox.
     *
     * @param seq all entries up to this one are applied
     * @param epoch of that entry
     */
    public record Applied(long seq, Epoch epoch) {}
}
