package io.holdfast.modeswitch;

import io.holdfast.standard.Site;
import java.util.Set;
import java.util.TreeSet;

/** T1 to T4: a member starts, and asks whether it still is what it was. */
final class StartPhase {
    private StartPhase() {}

    static void booted(Draft d, SiteEvent.Booted e) {
        if (d.role != SiteRole.BOOT) {
            throw new IllegalStateException("Booted in " + d.role + "; only BOOT can boot");
        }
        if (e.promise().compareTo(e.epoch()) < 0) {
            throw new IllegalStateException(
                    "durable promise " + e.promise() + " below durable epoch " + e.epoch());
        }
        d.epoch = e.epoch();
        d.lineage = e.lineage();
        d.promise = e.promise();
        d.promisedTo = e.promisedTo();
        d.seen = Draft.max(d.seen, d.promise);
        d.round = e.round();
        if (d.config.site() != Site.WITNESS
                && e.role() == SiteRole.ACTIVE
                && d.promise.equals(d.epoch)) {
            d.become(SiteRole.AWAIT_CONFIRM);
            if (d.rules.has(Rule.CONFIRM_AFTER_BOOT)) {
                d.effects.add(new SiteEffect.AskConfirmation(others(d), d.round));
            } else {
                resume(d);
            }
            return;
        }
        if (d.config.site() != Site.WITNESS
                && !d.config.profile().isP3()
                && e.role() == SiteRole.ACTIVE
                && d.promise.site() == d.config.site().peer()) {
            FencePhase.overtaken(d);
            return;
        }
        SiteRole rest = d.config.site() == Site.WITNESS ? SiteRole.WITNESS : SiteRole.STANDBY;
        d.become(e.role() == SiteRole.FENCED ? SiteRole.FENCED : rest);
        if (e.role() != d.role) {
            d.persistRole(d.role);
        }
    }

    static void resume(Draft d) {
        d.become(SiteRole.ACTIVE);
        d.startServices();
    }

    static void peerReport(Draft d, SiteEvent.PeerReport e) {
        if (d.config.profile().isP3()) {
            d.group = d.group.heardOf(e.member());
        }
        boolean sameLineage = d.group.stretched() && e.lineage().equals(d.lineage);
        boolean activeAbove =
                e.role() == SiteRole.ACTIVE
                        && e.epoch().compareTo(d.epoch) > 0
                        && e.epoch().compareTo(d.promise) >= 0;
        if (activeAbove && !sameLineage) {
            FencePhase.reconcile(d, e.epoch(), e.lineage());
            return;
        }
        if (d.role == SiteRole.FENCED
                && !sameLineage
                && e.role() == SiteRole.ACTIVE
                && e.epoch().equals(d.epoch)
                && d.promise.equals(d.epoch)) {
            FencePhase.reconcile(d, d.epoch, e.lineage());
            return;
        }
        FencePhase.higher(d, Draft.max(e.promise(), e.epoch()));
        boolean asked = e.round() == d.round || !d.rules.has(Rule.FRESH_REPORTS);
        if (d.role == SiteRole.AWAIT_CONFIRM
                && !d.group.stretched()
                && asked
                && e.promise().compareTo(d.epoch) <= 0) {
            d.confirmations = Draft.plus(d.confirmations, e.member());
            if (confirmed(d)) {
                resume(d);
            }
        }
    }

    /** A quorum of each site, so that it meets the quorum that would have sealed a higher epoch. */
    private static boolean confirmed(Draft d) {
        int peers = 0;
        int own = 1;
        for (String member : d.confirmations) {
            peers += d.config.peerMembers().contains(member) ? 1 : 0;
            own += d.config.ownMembers().contains(member) ? 1 : 0;
        }
        return peers >= d.config.peerQuorum()
                && (own >= d.config.ownQuorum() || !d.rules.has(Rule.CONFIRM_ASKS_OWN));
    }

    static Set<String> others(Draft d) {
        Set<String> others = new TreeSet<>(d.config.ownMembers());
        others.addAll(d.config.peerMembers());
        others.remove(d.config.self());
        return others;
    }
}
