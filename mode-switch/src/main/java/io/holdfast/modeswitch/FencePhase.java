package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.Set;

/** T9 and T10: a member that has been overtaken stops, archives, and joins the others. */
final class FencePhase {
    private FencePhase() {}

    /** T9, or only taking note where nothing is commanded. */
    static void higher(Draft d, Epoch other) {
        d.seen = Draft.max(d.seen, other);
        Epoch own = d.attempt.isEmpty() ? d.promise : Draft.max(d.attempt.get().epoch(), d.promise);
        boolean involved =
                switch (d.role) {
                    case AWAIT_CONFIRM, ACTIVE, DRAINING, SEALING, PROMOTING -> true;
                    case BOOT, STANDBY, FENCED, RECONCILING, WITNESS -> false;
                };
        if (involved && other.compareTo(own) > 0 && d.rules.has(Rule.FENCE)) {
            fence(d, other);
            if (!d.group.stretched()) {
                d.effects.add(new SiteEffect.CloseLineage(other));
            }
        }
    }

    /**
     * T4 at once: the other site's epoch is promised on disk, and this site was active below it. Its log
     * stays open: the EpochChange of its own planned move may stand in it, which the other site needs.
     */
    static void overtaken(Draft d) {
        fence(d, d.promise);
    }

    /** Stops everything. In a stretched lineage Raft goes on: the higher epoch may be in its log. */
    private static void fence(Draft d, Epoch other) {
        d.stopServices();
        d.raisePromise(other, "");
        if (!d.group.stretched()) {
            d.closeGate(other);
        }
        d.attempt = Optional.empty();
        d.confirmations = Set.of();
        d.settle(SiteRole.FENCED, SiteRole.FENCED);
    }

    /** T10: the other site is active in this epoch, in a lineage that this member does not have. */
    static void reconcile(Draft d, Epoch active, Epoch lineage) {
        d.seen = Draft.max(d.seen, active);
        if (d.role == SiteRole.RECONCILING) {
            if (!active.equals(d.promise)) {
                d.raisePromise(active, "");
                // The one that it was about to join may be open here, with entries of its own.
                d.effects.add(new SiteEffect.CloseLineage(lineage));
                leave(d, lineage);
                archive(d, active);
            }
            return;
        }
        if (d.role == SiteRole.FENCED) {
            d.raisePromise(active, "");
        } else {
            fence(d, active);
        }
        if (d.group.stretched()) {
            d.closeGate(lineage);
        }
        d.effects.add(new SiteEffect.CloseLineage(lineage));
        leave(d, lineage);
        d.become(SiteRole.RECONCILING);
        archive(d, active);
    }

    /** For another lineage, which is durable when it is joined; no group until then. */
    private static void leave(Draft d, Epoch lineage) {
        d.lineage = lineage;
        if (d.config.profile().isP3()) {
            // The shell tells the shape of the group that it joins.
            d.group = d.group.shaped(false, 0).led(0, "");
        }
    }

    private static void archive(Draft d, Epoch active) {
        if (d.rules.has(Rule.ARCHIVE_DIVERGENT)) {
            d.effects.add(new SiteEffect.BeginReconcile(active));
        } else {
            join(d, active);
        }
    }

    static void reconcileDone(Draft d, SiteEvent.ReconcileDone e) {
        if (d.role != SiteRole.RECONCILING) {
            d.ignore(e);
        } else if (e.epoch().compareTo(d.promise) < 0) {
            d.ignore(e);
            d.become(SiteRole.FENCED);
        } else {
            join(d, e.epoch());
        }
    }

    private static void join(Draft d, Epoch active) {
        d.raisePromise(active, "");
        d.epoch = active;
        d.effects.add(new SiteEffect.JoinLineage(active, d.lineage));
        if (d.config.profile().isP3()) {
            // Its newest epoch is the promise, though it may have been opened below: no
            // EpochApplied
            // will say so.
            d.effects.add(new SiteEffect.OpenAckGate(d.lineage));
        }
        if (d.config.site() == Site.WITNESS) {
            d.settle(SiteRole.WITNESS, SiteRole.WITNESS);
        } else if (active.site() == d.config.site()) {
            d.settle(SiteRole.ACTIVE, SiteRole.ACTIVE);
            d.startServices();
        } else {
            d.settle(SiteRole.STANDBY, SiteRole.STANDBY);
        }
    }
}
