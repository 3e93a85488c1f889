package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SiteState.Attempt;
import io.holdfast.modeswitch.SiteState.Stage;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** T5 to T7: a site promotes itself in a lineage of its own, sealed by its members' promises. */
final class PromotePhase {
    /** How long more promises are waited for when the logs read so far are too few, milliseconds. */
    private static final long MORE_LOGS_MILLIS = 5_000;

    private PromotePhase() {}

    static void operatorFailover(Draft d, SiteEvent.OperatorFailover e) {
        for (SiteEvent.Sight sight : e.sights()) {
            d.seen = Draft.max(d.seen, sight.epoch());
        }
        if (d.config.site() == Site.WITNESS) {
            // In every role: a fenced or reconciling witness is no more of a site than a voting
            // one.
            d.refuse("a witness stores no backup and is never active.");
            return;
        }
        switch (d.role) {
            case STANDBY, AWAIT_CONFIRM -> {
                if (mustForce(d, e, Rule.FORCE_NEEDED) && !e.sights().isEmpty()) {
                    d.refuse(
                            "the other site answers: "
                                    + sights(e)
                                    + ". Use switchover for a planned move, or --force if it must"
                                    + " not go on.");
                } else if (StretchedPhase.operatorTakesOver(d, e)) {
                    return;
                } else {
                    seal(d, forkEpoch(d), "forced");
                }
            }
            case FENCED, RECONCILING -> {
                if (!mustForce(d, e, Rule.FORCE_FENCED)) {
                    seal(d, forkEpoch(d), "forced");
                } else {
                    d.refuse(
                            "this site is "
                                    + d.role
                                    + " below epoch "
                                    + d.promise
                                    + "; let it join the active site first, then use switchover. If"
                                    + " the active site is lost for good, --force goes on from what"
                                    + " this site has: what only the other site acknowledged is"
                                    + " missing until it returns.");
                }
            }
            case ACTIVE -> d.refuse("this site is ACTIVE already in epoch " + d.epoch + ".");
            case DRAINING -> {
                boolean sealed = d.at(Stage.SEAL) || d.at(Stage.HANDOVER);
                boolean may = !mustForce(d, e, Rule.FORCE_AFTER_BARRIER);
                if (may && sealed && !d.group.stretched()) {
                    seal(d, forkEpoch(d), "forced");
                } else {
                    d.refuse(
                            "this site hands over to the other one; run failover there instead. If"
                                    + " the other site is lost after the barrier, --force takes the"
                                    + " move back in a new epoch.");
                }
            }
            case SEALING, PROMOTING ->
                    d.refuse("a promotion is under way; watch it with 'holdfast status'.");
            case BOOT, WITNESS -> d.ignore(e);
        }
    }

    /** Whether the operator has to insist, and does not. */
    static boolean mustForce(Draft d, SiteEvent.OperatorFailover e, Rule because) {
        return !e.force() && d.rules.has(because);
    }

    private static String sights(SiteEvent.OperatorFailover e) {
        return String.join(
                ", ",
                e.sights().stream()
                        .map(s -> s.member() + " is " + s.role() + " in epoch " + s.epoch())
                        .toList());
    }

    /**
     * The epoch of a fork. In P3 it leaves out the next number: an EpochChange in the old lineage may
     * have taken that one for this site, and stand, not yet applied, in a log that the fork is seeded with.
     */
    private static Epoch forkEpoch(Draft d) {
        Epoch next = d.next(d.config.site());
        boolean leaveOut = d.config.profile().isP3() && d.rules.has(Rule.FORK_ABOVE_LOG);
        return leaveOut ? next.successor(next.site()) : next;
    }

    static void seal(Draft d, Epoch next, String reason) {
        d.become(SiteRole.SEALING);
        d.confirmations = Set.of();
        d.attempt = Optional.of(new Attempt(next, reason, d.config.self(), Stage.PROMISES));
        d.waitMillis = 0;
        d.raisePromise(next, d.config.self());
        d.closeGate(next);
        askOthers(d, next);
    }

    static void askOthers(Draft d, Epoch next) {
        Set<String> others = new TreeSet<>(d.config.ownMembers());
        others.remove(d.config.self());
        if (!others.isEmpty()) {
            d.effects.add(new SiteEffect.AskPromises(others, next));
        }
    }

    static void promiseAsked(Draft d, SiteEvent.PromiseAsked e) {
        boolean higher = e.epoch().compareTo(d.promise) > 0;
        boolean again =
                e.epoch().equals(d.promise)
                        && (d.promisedTo.equals(e.candidate())
                                || !d.rules.has(Rule.PROMISE_NAMES_CANDIDATE));
        boolean own =
                d.role != SiteRole.WITNESS
                        && d.config.ownMembers().contains(d.config.self())
                        && d.config.ownMembers().contains(e.candidate());
        if (!own || !(higher || again)) {
            d.effects.add(new SiteEffect.RefusePromise(e.candidate(), d.promise));
            return;
        }
        int announcement = d.effects.size();
        if (higher) {
            giveWay(d, e.epoch(), e.candidate());
        }
        SiteEffect grant = new SiteEffect.GrantPromise(e.candidate(), e.epoch());
        if (d.rules.has(Rule.PERSIST_BEFORE_ANNOUNCE)) {
            d.effects.add(grant);
        } else {
            d.effects.add(announcement, grant);
        }
    }

    /** Gives way to a higher epoch that another member leads, and waits for it. */
    static void giveWay(Draft d, Epoch other, String candidate) {
        d.stopServices();
        d.raisePromise(other, candidate);
        d.closeGate(other);
        d.attempt = Optional.empty();
        d.confirmations = Set.of();
        switch (d.role) {
            case ACTIVE, DRAINING, AWAIT_CONFIRM, SEALING, PROMOTING ->
                    d.settle(SiteRole.STANDBY, SiteRole.STANDBY);
            case STANDBY, FENCED, RECONCILING, BOOT, WITNESS -> {}
        }
    }

    static void promiseDurable(Draft d, SiteEvent.PromiseDurable e) {
        if (d.attempt.isEmpty()
                || !d.attempt.get().epoch().equals(e.epoch())
                || !d.config.ownMembers().contains(e.member())) {
            d.ignore(e);
            return;
        }
        Attempt more = d.attempt.get().withPromise(e.member());
        d.attempt = Optional.of(more);
        if (more.stage() == Stage.PROMISES && more.promises().size() >= readQuorum(d)) {
            d.become(SiteRole.PROMOTING);
            d.attempt = Optional.of(more.with(Stage.TAILS));
            d.effects.add(new SiteEffect.ReadTails(more.epoch(), more.promises()));
        } else if (more.stage() == Stage.TAILS && more.logs().isPresent()) {
            d.waitMillis = Math.min(d.waitMillis, d.config.attemptMillis() / 2);
            d.effects.add(new SiteEffect.ReadTails(more.epoch(), more.promises()));
        } else if (more.stage() == Stage.SEAL && more.promises().equals(d.config.ownMembers())) {
            MovePhase.handOver(d, more);
        }
    }

    private static int readQuorum(Draft d) {
        return d.rules.has(Rule.READ_QUORUM) ? d.config.ownQuorum() : 1;
    }

    static void promiseRefused(Draft d, SiteEvent.PromiseRefused e) {
        d.seen = Draft.max(d.seen, e.promise());
        boolean beaten =
                d.attempt.isPresent()
                        && (d.role == SiteRole.SEALING || d.role == SiteRole.PROMOTING)
                        && e.promise().compareTo(d.attempt.get().epoch()) >= 0;
        if (beaten) {
            giveUp(d, e.member() + " has promised epoch " + e.promise() + " to another");
        }
    }

    static void giveUp(Draft d, String why) {
        Epoch failed = d.attempt.orElseThrow().epoch();
        d.attempt = Optional.empty();
        d.settle(SiteRole.STANDBY, SiteRole.STANDBY);
        d.refuse("the promotion to epoch " + failed + " ended: " + why + ". Run failover again.");
    }

    static void tailsRead(Draft d, SiteEvent.TailsRead e) {
        if (!d.at(Stage.TAILS, e.epoch())
                || !d.attempt.orElseThrow().promises().containsAll(e.members())) {
            d.ignore(e);
            return;
        }
        if (e.members().size() < readQuorum(d)) {
            tooFewLogs(d, e);
            return;
        }
        d.seen = Draft.max(d.seen, e.newest());
        if (e.newest().compareTo(e.epoch()) > 0 && d.rules.has(Rule.FORK_ABOVE_LOG)) {
            // Epochs in a log only rise (I14): once more, above what stands there.
            seal(d, forkEpoch(d), d.attempt.orElseThrow().reason());
            return;
        }
        d.attempt = d.attempt.map(a -> a.with(Stage.LINEAGE));
        d.effects.add(new SiteEffect.CloseLineage(e.epoch()));
        d.effects.add(new SiteEffect.OpenLineage(e.epoch()));
        if (d.config.profile().isP3()) {
            // Out of the stretched group, also when the fork fails: the way back is T10.
            d.group = d.group.shaped(false, 0).led(0, "");
        }
    }

    /**
     * A quorum has promised, and not that many of them have a log: one that promises later may have the
     * one that is missing, so it is read, too. Who has promised already is not asked again.
     */
    private static void tooFewLogs(Draft d, SiteEvent.TailsRead e) {
        Attempt current = d.attempt.orElseThrow();
        if (!e.asked().containsAll(current.promises())) {
            if (current.logs().isEmpty()) {
                d.effects.add(new SiteEffect.ReadTails(current.epoch(), current.promises()));
            }
            // Else the one that promised meanwhile is asked already.
            d.attempt = Optional.of(current.withTooFew(e.members()));
        } else if (current.promises().equals(d.config.ownMembers())) {
            giveUp(d, logsMissing(d, e.members()));
        } else {
            d.attempt = Optional.of(current.withTooFew(e.members()));
            // What is not up by now is hardly up within the limit, and somebody waits for an
            // answer.
            d.waitMillis = Math.max(d.waitMillis, d.config.attemptMillis() - MORE_LOGS_MILLIS);
        }
    }

    private static String logsMissing(Draft d, Set<String> logs) {
        return "it needs the logs of "
                + readQuorum(d)
                + " members of site "
                + d.config.site().word()
                + ", and of those that promised ("
                + String.join(", ", d.attempt.orElseThrow().promises())
                + ") "
                + (logs.isEmpty() ? "none" : "only " + String.join(", ", new TreeSet<>(logs)))
                + " can give its log: something that was PROTECTED could be missing. Start or mend the"
                + " other members";
    }

    static void lineageOpen(Draft d, SiteEvent.LineageOpen e) {
        if (!d.at(Stage.LINEAGE, e.epoch())) {
            d.ignore(e);
            return;
        }
        Attempt current = d.attempt.orElseThrow();
        d.attempt = Optional.of(current.with(Stage.COMMIT));
        d.effects.add(new SiteEffect.SeedLineage(e.epoch()));
        d.effects.add(
                new SiteEffect.CommitEpochChange(
                        e.epoch(), d.epoch, current.reason(), d.config.self()));
    }

    static void epochChangeCommitted(Draft d, SiteEvent.EpochChangeCommitted e) {
        if (d.at(Stage.COMMIT, e.epoch())) {
            d.epoch = e.epoch();
            d.lineage = e.epoch();
            if (d.config.profile().isP3()) {
                // Only own members vote in it, until the other places are adopted.
                d.group = d.group.shaped(false, 0);
            }
            d.settle(SiteRole.ACTIVE, SiteRole.ACTIVE);
            d.startServices();
        } else if (d.at(Stage.HANDOVER, e.epoch())) {
            d.attempt = Optional.empty();
            d.settle(SiteRole.STANDBY, SiteRole.STANDBY);
        } else {
            d.ignore(e);
        }
    }

    /** Time passes in SEALING and PROMOTING. */
    static void tick(Draft d, long elapsedMillis) {
        d.waitMillis += elapsedMillis;
        if (d.waitMillis < d.config.attemptMillis()) {
            return;
        }
        String limit = "not done within " + d.config.attemptMillis() + " ms";
        Attempt current = d.attempt.orElseThrow();
        Set<String> silent = new TreeSet<>(d.config.ownMembers());
        silent.removeAll(current.promises());
        giveUp(
                d,
                switch (current.stage()) {
                    case PROMISES -> limit + ", no promise from " + silent;
                    case TAILS ->
                            current.logs()
                                    .map(logs -> logsMissing(d, logs))
                                    .orElse(
                                            limit
                                                    + ", the logs of "
                                                    + current.promises()
                                                    + " were not read");
                    case LINEAGE -> limit + ", its lineage could not be opened";
                    case COMMIT, TAKEOVER -> limit + ", its EpochChange was not committed";
                    case LEASE -> limit + ", the lead was not held for a lease";
                    case WITNESS, JOBS, BARRIER, SEAL, HANDOVER -> limit;
                });
    }
}
