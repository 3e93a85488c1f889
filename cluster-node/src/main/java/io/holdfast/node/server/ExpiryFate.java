package io.holdfast.node.server;

import io.holdfast.replication.state.Expiry;
import io.holdfast.standard.Site;

/**
 * What becomes of a piece that has expired at a site, in that site's store: a root until all that an end
 * waits for is there. Pure; the mark and who explains it ask the same.
 *
 * @param stays whether it is a root
 * @param kind why, in words that many pieces share
 */
record ExpiryFate(boolean stays, String kind) {
    /**
     * What the leader knows of it.
     *
     * @param lasting whether no forced move can take the expiry back
     * @param buried whether the site's catalog has its tombstone; only what has expired at both sites gets one
     * @param keeperHolds whether the store of the site that keeps it was seen, just now, to hold it whole
     * @param onHold whether a legal hold names it by now
     */
    record Known(boolean lasting, boolean buried, boolean keeperHolds, boolean onHold) {}

    /** The fate of a piece at a site where it has expired ({@link Expiry#isAt}). */
    static ExpiryFate of(Expiry expiry, Site site, Known known) {
        if (!expiry.isAt(site)) {
            throw new IllegalArgumentException(
                    "piece " + expiry.piece() + " has not expired at " + site.word());
        }
        if (!known.lasting()) {
            return stays("expired, but the other site has not acknowledged it");
        }
        if (expiry.isEverywhere()) {
            return known.buried()
                    ? goes("expired")
                    : stays("expired, but the site's catalog has no tombstone yet");
        }
        String keeper = "site " + site.peer().word();
        if (known.onHold()) {
            return stays("legal hold, since it expired at this site");
        }
        return known.keeperHolds()
                ? goes("expired at this site; " + keeper + " keeps it")
                : stays(
                        "expired at this site, but the store of "
                                + keeper
                                + " was not seen to hold it");
    }

    private static ExpiryFate stays(String kind) {
        return new ExpiryFate(true, kind);
    }

    private static ExpiryFate goes(String kind) {
        return new ExpiryFate(false, kind);
    }
}
