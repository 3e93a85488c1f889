package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SiteState.Attempt;
import io.holdfast.modeswitch.SiteState.Stage;
import java.util.Optional;
import java.util.TreeSet;

/** T8: the operator moves the cluster to the other site, without loss. */
final class MovePhase {
    private MovePhase() {}

    static void operatorSwitchover(Draft d, SiteEvent.OperatorSwitchover e) {
        if (d.role != SiteRole.ACTIVE) {
            d.refuse("this site is " + d.role + "; run switchover where it is ACTIVE.");
        } else if (!d.config.peerMembers().contains(e.coordinator())) {
            d.refuse(e.coordinator() + " is not one of " + d.config.peerMembers() + ".");
        } else if (d.replication != ReplicationState.SYNC && d.rules.has(Rule.MOVE_FROM_SYNC)) {
            d.refuse(
                    "replication is "
                            + d.replication
                            + ", and a planned move loses nothing only from SYNC. Wait for it.");
        } else if (!e.lagBounded()) {
            d.refuse("chunks or catalog lag too far behind; wait for them.");
        } else if (!e.silentMembers().isEmpty() && !d.group.stretched()) {
            d.refuse(
                    "own members do not answer: "
                            + new TreeSet<>(e.silentMembers())
                            + ". Start them, or remove them first.");
        } else {
            d.become(SiteRole.DRAINING);
            d.attempt =
                    Optional.of(
                            new Attempt(
                                    d.next(d.config.site().peer()),
                                    "switchover",
                                    e.coordinator(),
                                    Stage.JOBS));
            d.effects.add(new SiteEffect.Drain(d.attempt.orElseThrow().epoch()));
        }
    }

    static void drained(Draft d, SiteEvent.Drained e) {
        if (d.role != SiteRole.DRAINING || !d.at(Stage.JOBS)) {
            d.ignore(e);
            return;
        }
        d.attempt = d.attempt.map(a -> a.with(Stage.BARRIER));
        if (d.rules.has(Rule.BARRIER_BEFORE_HANDOVER)) {
            d.effects.add(new SiteEffect.AwaitBarrier(d.attempt.orElseThrow().epoch()));
        } else {
            passed(d);
        }
    }

    static void barrierReached(Draft d, SiteEvent.BarrierReached e) {
        if (d.role != SiteRole.DRAINING || !d.at(Stage.BARRIER)) {
            d.ignore(e);
            return;
        }
        passed(d);
    }

    private static void passed(Draft d) {
        Attempt current = d.attempt.orElseThrow();
        if (d.group.stretched()) {
            d.stopServices();
            d.attempt = Optional.of(current.with(Stage.HANDOVER));
            d.effects.add(
                    new SiteEffect.ChangeEpoch(
                            current.epoch(), d.epoch, current.reason(), current.coordinator()));
        } else if (d.rules.has(Rule.SEAL_BEFORE_HANDOVER)) {
            d.stopServices();
            d.attempt = Optional.of(current.with(Stage.SEAL));
            d.raisePromise(current.epoch(), d.config.self());
            PromotePhase.askOthers(d, current.epoch());
        } else {
            handOver(d, current);
        }
    }

    /** Into a new lineage: every own member has promised. */
    static void handOver(Draft d, Attempt current) {
        d.attempt = Optional.of(current.with(Stage.HANDOVER));
        d.effects.add(
                new SiteEffect.CommitEpochChange(
                        current.epoch(), d.epoch, current.reason(), current.coordinator()));
    }

    static void barrierTimeout(Draft d, SiteEvent.BarrierTimeout e) {
        if (d.role != SiteRole.DRAINING || !(d.at(Stage.JOBS) || d.at(Stage.BARRIER))) {
            d.ignore(e);
            return;
        }
        d.become(SiteRole.ACTIVE);
        d.attempt = Optional.empty();
        d.effects.add(new SiteEffect.AbortDrain(d.epoch));
    }

    /** The old lineage's EpochChange was applied here (P2); this member may be the one to promote. */
    static void switchoverApplied(Draft d, SiteEvent.SwitchoverApplied e) {
        if (e.epoch().compareTo(d.promise) <= 0) {
            d.ignore(e);
            return;
        }
        d.seen = Draft.max(d.seen, e.epoch());
        boolean ours =
                d.rules.has(Rule.EPOCH_CARRIES_SITE)
                        ? e.epoch().site() == d.config.site()
                        : d.config.ownMembers().contains(e.coordinator());
        if (!ours) {
            PromotePhase.giveWay(d, e.epoch(), e.coordinator());
        } else if (d.role == SiteRole.STANDBY && e.coordinator().equals(d.config.self())) {
            PromotePhase.seal(d, e.epoch(), "switchover");
        } else {
            d.ignore(e);
        }
    }
}
