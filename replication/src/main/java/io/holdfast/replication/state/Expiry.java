package io.holdfast.replication.state;

import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.UUID;

/**
 * A data piece that has expired, at both sites or at one, and whose bytes are not yet known to be gone from
 * both. One that a site still keeps stays here until it expires there as well.
 *
 * @param piece its identity
 * @param header id of its PIECE frame: what a mark takes from the roots
 * @param client whose it is; all zeros when nobody knows
 * @param job that made it; empty when nobody knows
 * @param timeMicros leader's time, epoch microseconds; of the newer one when it expired at one site first
 * @param who the operator, or {@code retention}
 * @param reason why, for people
 * @param onlyAt the one site where it has expired, while the other keeps it; empty: both
 */
public record Expiry(
        UUID piece,
        ChunkId header,
        UUID client,
        Optional<UUID> job,
        long timeMicros,
        String who,
        String reason,
        Optional<Site> onlyAt) {
    /** Refuses the witness, which keeps nothing. */
    public Expiry {
        requireStore(onlyAt);
    }

    /** Whether no site keeps it any more. */
    public boolean isEverywhere() {
        return onlyAt.isEmpty();
    }

    /** Whether it has expired at a site. */
    public boolean isAt(Site site) {
        return onlyAt.isEmpty() || onlyAt.get() == site;
    }

    /** The site that keeps it alone; empty when none does. */
    public Optional<Site> keeper() {
        return onlyAt.map(Site::peer);
    }

    static void requireStore(Optional<Site> site) {
        if (site.equals(Optional.of(Site.WITNESS))) {
            throw new FormatException("site of an expiry", "witness", 0, "local or dr");
        }
    }
}
