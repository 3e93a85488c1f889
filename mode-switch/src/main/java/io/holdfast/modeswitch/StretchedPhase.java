package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SiteState.Attempt;
import io.holdfast.modeswitch.SiteState.Stage;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.Set;

/**
 * Profile P3: the lineage's Raft group stands at both sites and the witness, so its leadership is the
 * confirmation (T3), its loss the fence (T11), and an EpochChange in it the change of site (T5, T8b).
 */
final class StretchedPhase {
    private StretchedPhase() {}

    // ---- leadership

    static void shape(Draft d, SiteEvent.GroupShape e) {
        if (!d.config.profile().isP3() || e.stretched() == d.group.stretched()) {
            return;
        }
        // The leader that committed the configuration led a moment ago: its lease begins.
        boolean commands = d.role == SiteRole.ACTIVE || d.role == SiteRole.DRAINING;
        boolean leads = d.group.leading();
        d.group =
                d.group.shaped(
                        e.stretched(), leads && commands ? d.config.profile().leaseMillis() : 0);
        if (e.stretched() && commands && !leads) {
            stepDown(d);
        }
    }

    static void leading(Draft d, SiteEvent.RaftLeading e) {
        if (!d.group.stretched() && d.role == SiteRole.ACTIVE) {
            // What the last leader committed, this one has to say again before it relies on it.
            ReplicationPhase.begin(d);
        }
        if (!d.config.profile().isP3() || d.group.term() == e.term()) {
            return;
        }
        d.group = d.group.led(e.term(), d.config.self());
        if (d.config.site() == Site.WITNESS) {
            Site active = d.epoch.site();
            d.effects.add(new SiteEffect.PreferSite(hasLost(d, active) ? active.peer() : active));
        } else if (d.epoch.site() != d.config.site()
                && d.group.silenceMillis(d.config.peerMembers())
                        < d.config.profile().downMillis()) {
            d.effects.add(new SiteEffect.PreferSite(d.epoch.site()));
        }
    }

    private static boolean hasLost(Draft d, Site site) {
        return d.group.silenceMillis(d.config.membersOf(site)) >= d.config.profile().downMillis();
    }

    static void majority(Draft d, SiteEvent.RaftMajority e) {
        if (d.group.term() != e.term()) {
            d.ignore(e);
            return;
        }
        d.group = d.group.leased(d.config.profile().leaseMillis() - e.ageMillis());
        resumeIfOurs(d);
    }

    /** T3. */
    private static void resumeIfOurs(Draft d) {
        if (d.role == SiteRole.AWAIT_CONFIRM
                && d.group.stretched()
                && d.group.leading()
                && d.group.leaseLeftMillis() > 0
                && d.epoch.site() == d.config.site()
                && d.promise.equals(d.epoch)) {
            StartPhase.resume(d);
        }
    }

    static void following(Draft d, SiteEvent.RaftFollowing e) {
        boolean led = d.group.leading();
        d.group = d.group.led(0, e.leader());
        if (!led || !d.group.stretched()) {
            return;
        }
        stepDown(d);
        if (d.at(Stage.WITNESS)) {
            d.attempt = Optional.empty();
        } else if (d.at(Stage.LEASE) || d.at(Stage.TAKEOVER)) {
            PromotePhase.giveUp(d, "this member does not lead the group any more");
        }
    }

    /** T11: back to AWAIT_CONFIRM; the durable role stays ACTIVE. */
    private static void stepDown(Draft d) {
        if (!d.rules.has(Rule.SELF_FENCE)) {
            return;
        }
        if (d.role == SiteRole.ACTIVE || d.role == SiteRole.DRAINING) {
            d.stopServices();
            d.attempt = Optional.empty();
            d.confirmations = Set.of();
            d.become(SiteRole.AWAIT_CONFIRM);
        }
    }

    // ---- the change of epoch

    static void epochApplied(Draft d, SiteEvent.EpochApplied e) {
        if (e.epoch().compareTo(d.epoch) <= 0 || d.role == SiteRole.RECONCILING) {
            d.ignore(e);
            return;
        }
        d.stopServices();
        if (d.attempt.filter(a -> a.epoch().compareTo(e.epoch()) > 0).isEmpty()) {
            d.attempt = Optional.empty();
        }
        d.epoch = e.epoch();
        d.seen = Draft.max(d.seen, d.epoch);
        d.raisePromise(d.epoch, e.coordinator());
        if (d.promise.equals(d.epoch)) {
            d.effects.add(new SiteEffect.OpenAckGate(d.lineage));
        }
        if (d.config.site() == Site.WITNESS) {
            rest(d, SiteRole.WITNESS);
        } else if (d.epoch.site() == d.config.site() && d.promise.equals(d.epoch)) {
            if (d.role == SiteRole.AWAIT_CONFIRM) {
                d.persistRole(SiteRole.ACTIVE);
            } else {
                d.settle(SiteRole.AWAIT_CONFIRM, SiteRole.ACTIVE);
            }
            resumeIfOurs(d);
        } else if (d.attempt.isPresent()) {
            d.persistRole(SiteRole.STANDBY);
        } else {
            rest(d, SiteRole.STANDBY);
            if (d.group.leading()) {
                d.effects.add(new SiteEffect.PreferSite(d.epoch.site()));
            }
        }
    }

    private static void rest(Draft d, SiteRole role) {
        if (d.role == role) {
            d.persistRole(role);
        } else {
            d.settle(role, role);
        }
    }

    /** T5 by an operator, where Raft still has a leader: in the same lineage. @return whether so */
    static boolean operatorTakesOver(Draft d, SiteEvent.OperatorFailover e) {
        if (!d.group.stretched()) {
            return false;
        }
        if (!d.group.leading()) {
            boolean ours = d.config.ownMembers().contains(d.group.leader());
            if (ours) {
                d.refuse("Raft's leader is " + d.group.leader() + ": run failover there.");
            } else if (!d.group.leader().isEmpty()
                    && PromotePhase.mustForce(d, e, Rule.FORCE_BESIDE_LEADER)) {
                d.refuse(
                        "Raft still has a leader, "
                                + d.group.leader()
                                + ": wait until this site leads, or --force a lineage of its own.");
            } else {
                return false;
            }
            return true;
        }
        if (d.role == SiteRole.AWAIT_CONFIRM && d.promise.equals(d.epoch)) {
            d.refuse("this site leads in epoch " + d.epoch + " and goes on by itself.");
            return true;
        }
        d.become(SiteRole.PROMOTING);
        d.waitMillis = 0;
        d.attempt = Optional.of(takeover(d, "forced", Stage.LEASE));
        afterLease(d);
        return true;
    }

    private static Attempt takeover(Draft d, String reason, Stage stage) {
        return new Attempt(d.next(d.config.site()), reason, d.config.self(), stage);
    }

    /** The wait for the old leader's lease begins with one's own leadership. */
    private static boolean leaseOver(Draft d) {
        Profile profile = d.config.profile();
        long wait =
                d.rules.has(Rule.LEASE_DRIFT) ? profile.takeoverMillis() : profile.leaseMillis();
        return d.group.leadingMillis() >= wait || !d.rules.has(Rule.LEASE_WAIT);
    }

    private static void afterLease(Draft d) {
        if (d.at(Stage.LEASE) && leaseOver(d)) {
            changeEpoch(d, d.attempt.orElseThrow());
        }
    }

    private static void changeEpoch(Draft d, Attempt current) {
        d.attempt = Optional.of(current.with(Stage.TAKEOVER));
        d.effects.add(
                new SiteEffect.ChangeEpoch(
                        current.epoch(), d.epoch, current.reason(), current.coordinator()));
    }

    // ---- automatic failover (3.6)

    private static boolean autoGuards(Draft d) {
        Profile profile = d.config.profile();
        return profile.autoFailover()
                && d.role == SiteRole.STANDBY
                && d.group.stretched()
                && d.group.leading()
                && d.epoch.site() != d.config.site()
                && leaseOver(d)
                && (d.group.silenceMillis(d.config.peerMembers()) >= profile.downMillis()
                        || !d.rules.has(Rule.DOWN_TIME))
                && (profile.requires() == Profile.Requires.METADATA
                        || d.group.backupsProtected()
                        || !d.rules.has(Rule.AUTO_REQUIRES));
    }

    private static void autoTick(Draft d) {
        if (!autoGuards(d)) {
            if (d.at(Stage.WITNESS)) {
                d.attempt = Optional.empty();
            }
            return;
        }
        if (d.attempt.isEmpty()) {
            d.group = d.group.asking();
            d.attempt = Optional.of(takeover(d, "automatic", Stage.WITNESS));
        }
        if (d.rules.has(Rule.WITNESS_AGREES)) {
            d.effects.add(
                    new SiteEffect.AskWitness(
                            d.config.profile().witness(),
                            d.config.peerMembers(),
                            d.group.term(),
                            d.group.question()));
        } else {
            take(d);
        }
    }

    private static void take(Draft d) {
        d.become(SiteRole.PROMOTING);
        d.waitMillis = 0;
        changeEpoch(d, d.attempt.orElseThrow());
    }

    static void witnessAnswered(Draft d, SiteEvent.WitnessAnswered e) {
        boolean ours =
                (e.term() == d.group.term() && e.question() == d.group.question())
                        || !d.rules.has(Rule.FRESH_AGREEMENT);
        if (!d.at(Stage.WITNESS) || !ours || !autoGuards(d)) {
            d.ignore(e);
        } else if (e.lost()) {
            take(d);
        } else {
            d.attempt = Optional.empty();
        }
    }

    /** At the witness. */
    static void witnessAsked(Draft d, SiteEvent.WitnessAsked e) {
        if (d.role != SiteRole.WITNESS) {
            d.ignore(e);
            return;
        }
        boolean lost = d.group.silenceMillis(e.lost()) >= d.config.profile().downMillis();
        d.effects.add(new SiteEffect.AnswerWitness(e.candidate(), lost, e.term(), e.question()));
    }

    /** The cluster's switch; what is under way by it ends. */
    static void autoFailover(Draft d, SiteEvent.AutoFailover e) {
        d.config = d.config.with(d.config.profile().auto(e.on(), e.requires()));
        if (!e.on() && d.at(Stage.WITNESS)) {
            d.attempt = Optional.empty();
        }
    }

    static void tick(Draft d, long elapsedMillis) {
        boolean witness = d.config.site() == Site.WITNESS;
        boolean before = witness && hasLost(d, d.epoch.site());
        d.group = d.group.ticked(elapsedMillis, d.rules.has(Rule.LATE_TICK));
        if (!d.group.stretched()) {
            return;
        }
        if (witness && d.group.leading() && !before && hasLost(d, d.epoch.site())) {
            // It was elected when the active site fell, and could not hand the lead back.
            d.effects.add(new SiteEffect.PreferSite(d.epoch.site().peer()));
        }
        // An EpochChange that this term has proposed may be committed by the next: no way back.
        if (d.group.leaseLeftMillis() == 0 && !d.at(Stage.HANDOVER)) {
            stepDown(d);
        }
        afterLease(d);
        autoTick(d);
    }
}
