package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SiteState.Attempt;
import io.holdfast.modeswitch.SiteState.Stage;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The site state machine of DR-PROTOCOL 3.4 for the profiles P2 and p2-small, as one member of a site
 * runs it: {@code step(state, event)} gives the next state and the effects, in the order in which the
 * shell must finish them. It names no clock, thread, file or socket. The state is the shell's to keep; two
 * events must not be stepped at once.
 *
 * <table>
 * <caption>Transitions; e is the own epoch, e' a new one, "peer" the other site</caption>
 * <tr><th>#</th><th>from -> to</th><th>event and guard</th><th>effects, in order</th></tr>
 * <tr><td>T1</td><td>BOOT -> STANDBY (FENCED stays FENCED)</td><td>Booted: durable role not ACTIVE, or
 *     promise > e</td><td>PersistRole</td></tr>
 * <tr><td>T2</td><td>BOOT -> AWAIT_CONFIRM</td><td>Booted: durable role ACTIVE(e), promise = e</td>
 *     <td>AskConfirmation</td></tr>
 * <tr><td>T3</td><td>AWAIT_CONFIRM -> ACTIVE</td><td>PeerReport of this round with promise <= e from a
 *     quorum of peer members and, with this one, of own members</td><td>StartServices, CommitReplication(ASYNC)</td></tr>
 * <tr><td>T4</td><td>AWAIT_CONFIRM -> FENCED</td><td>PeerReport with promise > e</td><td>as T9</td></tr>
 * <tr><td>T5</td><td>AWAIT_CONFIRM, STANDBY -> SEALING</td><td>OperatorFailover; unless forced, only when
 *     no peer member answers. Or SwitchoverApplied naming this member</td>
 *     <td>PersistPromise(e'), CloseAckGate, AskPromises</td></tr>
 * <tr><td>T6</td><td>SEALING -> PROMOTING</td><td>PromiseDurable(e') of a quorum of own members</td>
 *     <td>ReadTails of those</td></tr>
 * <tr><td>T7</td><td>PROMOTING -> ACTIVE</td><td>TailsRead; LineageOpen; EpochChangeCommitted(e')</td>
 *     <td>CloseLineage, OpenLineage; SeedLineage, CommitEpochChange; PersistRole, StartServices,
 *     CommitReplication(ASYNC)</td></tr>
 * <tr><td></td><td>SEALING, PROMOTING -> STANDBY</td><td>Tick past the limit, or PromiseRefused</td>
 *     <td>PersistRole, Refuse; the promise stays</td></tr>
 * <tr><td>T8</td><td>ACTIVE -> DRAINING</td><td>OperatorSwitchover: SYNC, lag bounded, every own member
 *     answers</td><td>Drain; on Drained AwaitBarrier</td></tr>
 * <tr><td>T8a</td><td>DRAINING -> ACTIVE</td><td>BarrierTimeout before BarrierReached</td>
 *     <td>AbortDrain</td></tr>
 * <tr><td>T8b</td><td>DRAINING -> STANDBY</td><td>BarrierReached; PromiseDurable(e') of <em>every</em> own
 *     member; EpochChangeCommitted(e')</td><td>StopServices, PersistPromise(e'), AskPromises;
 *     CommitEpochChange; PersistRole</td></tr>
 * <tr><td>T9</td><td>AWAIT_CONFIRM, ACTIVE, DRAINING, SEALING, PROMOTING -> FENCED</td>
 *     <td>HigherEpochSeen or PeerReport above promise and attempt</td><td>StopServices, PersistPromise,
 *     CloseAckGate, PersistRole, CloseLineage</td></tr>
 * <tr><td>T10</td><td>FENCED, STANDBY (by way of FENCED) -> RECONCILING -> STANDBY, or ACTIVE in the
 *     own site's lineage</td><td>PeerReport: ACTIVE in an epoch above e, not below promise;
 *     ReconcileDone</td><td>BeginReconcile; JoinLineage, PersistRole</td></tr>
 * <tr><td></td><td>ACTIVE, DRAINING, AWAIT_CONFIRM, SEALING, PROMOTING -> STANDBY</td><td>PromiseAsked by
 *     an own member with a higher epoch, or SwitchoverApplied away from this site</td>
 *     <td>StopServices, PersistPromise, CloseAckGate, PersistRole, GrantPromise</td></tr>
 * <tr><td>R1</td><td>SYNC -> ASYNC_WAIT -> ASYNC</td><td>Tick: the peer silent for degradeMillis;
 *     ReplicationCommitted(ASYNC)</td><td>CommitReplication(ASYNC); AllowUnprotectedAcks</td></tr>
 * <tr><td>R2</td><td>ASYNC -> CATCHUP -> SYNC</td><td>PeerInTime; CaughtUp and level for stableMillis;
 *     ReplicationCommitted(SYNC)</td><td>CaptureBarrier; CommitReplication(SYNC)</td></tr>
 * </table>
 *
 * <p>Choices beyond the protocol: a confirmation asks own members too, because they may have sealed a higher
 * epoch of their own site of which the peer knows nothing; a promise names its candidate, so that two members of one site cannot
 * both promote it in the same epoch; answers to a confirmation carry the round of the question, so that an
 * answer from before a crash does not count; a planned move needs the promise of every own member before
 * its EpochChange is committed, so that none of them can be confirmed in the old epoch afterwards.
 *
 * <p>Seams for the next issue: {@link Rules} are the clauses whose removal the simulation must catch, and
 * where profile P3 differs (T3 by leadership, T5 by itself, T8b without a new lineage); SiteAcks are gated
 * by {@code CloseAckGate} and counted elsewhere.
 */
public final class SiteMachine {
    private static final Map<SiteRole, Set<SiteRole>> EDGES = edges();

    /** The clauses of the protocol; only tests switch one off. */
    record Rules(
            boolean epochCarriesSite,
            boolean confirmAfterBoot,
            boolean persistPromise,
            boolean readQuorum,
            boolean freshReports,
            boolean sealBeforeHandover,
            boolean persistBeforeAnnounce,
            boolean promiseNamesCandidate) {
        static final Rules ALL = new Rules(true, true, true, true, true, true, true, true);
    }

    private final Rules rules;
    private final List<SiteEffect> effects = new ArrayList<>();
    private final SiteConfig config;
    private SiteRole role;
    private Epoch epoch;
    private Epoch promise;
    private String promisedTo;
    private Epoch seen;
    private long round;
    private Set<String> confirmations;
    private Optional<Attempt> attempt;
    private ReplicationState replication;
    private boolean caughtUp;
    private long silentMillis;
    private long waitMillis;

    private SiteMachine(SiteState state, Rules rules) {
        this.rules = rules;
        config = state.config();
        role = state.role();
        epoch = state.epoch();
        promise = state.promise();
        promisedTo = state.promisedTo();
        seen = state.seen();
        round = state.round();
        confirmations = state.confirmations();
        attempt = state.attempt();
        replication = state.replication();
        caughtUp = state.caughtUp();
        silentMillis = state.silentMillis();
        waitMillis = state.waitMillis();
    }

    /**
     * One step. Pure: the same state and event give the same decision.
     *
     * @throws IllegalStateException for a transition that the table does not have, naming both states
     */
    public static Decision step(SiteState state, SiteEvent event) {
        return step(state, event, Rules.ALL);
    }

    static Decision step(SiteState state, SiteEvent event, Rules rules) {
        SiteMachine machine = new SiteMachine(state, rules);
        if (machine.role == SiteRole.BOOT && !(event instanceof SiteEvent.Booted)) {
            machine.ignore(event);
        } else {
            machine.on(event);
        }
        return machine.decision();
    }

    private Decision decision() {
        return new Decision(
                new SiteState(
                        config,
                        role,
                        epoch,
                        promise,
                        promisedTo,
                        seen,
                        round,
                        confirmations,
                        attempt,
                        replication,
                        caughtUp,
                        silentMillis,
                        waitMillis),
                effects);
    }

    private void on(SiteEvent event) {
        switch (event) {
            case SiteEvent.Booted e -> booted(e);
            case SiteEvent.ConfirmAsked e ->
                    effects.add(
                            new SiteEffect.SendReport(e.member(), promise, role, epoch, e.round()));
            case SiteEvent.PeerReport e -> peerReport(e);
            case SiteEvent.OperatorFailover e -> operatorFailover(e);
            case SiteEvent.PromiseAsked e -> promiseAsked(e);
            case SiteEvent.PromiseDurable e -> promiseDurable(e);
            case SiteEvent.PromiseRefused e -> promiseRefused(e);
            case SiteEvent.TailsRead e -> tailsRead(e);
            case SiteEvent.LineageOpen e -> lineageOpen(e);
            case SiteEvent.EpochChangeCommitted e -> epochChangeCommitted(e);
            case SiteEvent.SwitchoverApplied e -> switchoverApplied(e);
            case SiteEvent.OperatorSwitchover e -> operatorSwitchover(e);
            case SiteEvent.Drained e -> drained(e);
            case SiteEvent.BarrierReached e -> barrierReached(e);
            case SiteEvent.BarrierTimeout e -> barrierTimeout(e);
            case SiteEvent.HigherEpochSeen e -> higher(e.epoch());
            case SiteEvent.ReconcileDone e -> reconcileDone(e);
            case SiteEvent.PeerInTime e -> peerInTime();
            case SiteEvent.ReplicationCommitted e -> replicationCommitted(e);
            case SiteEvent.CaughtUp e -> caughtUp();
            case SiteEvent.Tick e -> tick(e.elapsedMillis());
        }
    }

    // ---- start

    private void booted(SiteEvent.Booted e) {
        if (role != SiteRole.BOOT) {
            throw new IllegalStateException("Booted in " + role + "; only BOOT can boot");
        }
        if (e.promise().compareTo(e.epoch()) < 0) {
            throw new IllegalStateException(
                    "durable promise " + e.promise() + " below durable epoch " + e.epoch());
        }
        epoch = e.epoch();
        promise = e.promise();
        promisedTo = e.promisedTo();
        seen = max(seen, promise);
        round = e.round();
        if (e.role() == SiteRole.ACTIVE && promise.equals(epoch)) {
            if (rules.confirmAfterBoot()) {
                become(SiteRole.AWAIT_CONFIRM);
                effects.add(new SiteEffect.AskConfirmation(others(), round));
            } else {
                become(SiteRole.AWAIT_CONFIRM);
                resume();
            }
        } else {
            become(e.role() == SiteRole.FENCED ? SiteRole.FENCED : SiteRole.STANDBY);
            if (e.role() != role) {
                effects.add(new SiteEffect.PersistRole(role, epoch));
            }
        }
    }

    private void resume() {
        become(SiteRole.ACTIVE);
        confirmations = Set.of();
        effects.add(new SiteEffect.StartServices(epoch));
        beginReplication();
    }

    private void peerReport(SiteEvent.PeerReport e) {
        Epoch highest = max(e.promise(), e.epoch());
        boolean activeAbove =
                e.role() == SiteRole.ACTIVE
                        && e.epoch().compareTo(epoch) > 0
                        && e.epoch().compareTo(promise) >= 0;
        if (activeAbove) {
            reconcile(e.epoch());
            return;
        }
        if (role == SiteRole.FENCED
                && e.role() == SiteRole.ACTIVE
                && e.epoch().equals(epoch)
                && promise.equals(epoch)) {
            reconcile(epoch);
            return;
        }
        higher(highest);
        boolean asked = e.round() == round || !rules.freshReports();
        if (role == SiteRole.AWAIT_CONFIRM && asked && e.promise().compareTo(epoch) <= 0) {
            confirmations = plus(confirmations, e.member());
            if (confirmed()) {
                resume();
            }
        }
    }

    /** A quorum of each site, so that it meets the quorum that would have sealed a higher epoch. */
    private boolean confirmed() {
        long peers = confirmations.stream().filter(config.peerMembers()::contains).count();
        long own = confirmations.stream().filter(config.ownMembers()::contains).count();
        return peers >= config.peerQuorum() && own + 1 >= config.ownQuorum();
    }

    private Set<String> others() {
        Set<String> others = new TreeSet<>(config.ownMembers());
        others.addAll(config.peerMembers());
        others.remove(config.self());
        return others;
    }

    // ---- fencing and return

    /** T9, or only taking note where nothing is commanded. */
    private void higher(Epoch other) {
        seen = max(seen, other);
        Epoch own = attempt.map(a -> max(a.epoch(), promise)).orElse(promise);
        boolean involved =
                switch (role) {
                    case AWAIT_CONFIRM, ACTIVE, DRAINING, SEALING, PROMOTING -> true;
                    case BOOT, STANDBY, FENCED, RECONCILING -> false;
                };
        if (involved && other.compareTo(own) > 0) {
            fence(other);
        }
    }

    private void fence(Epoch other) {
        stopServices();
        raisePromise(other, "");
        effects.add(new SiteEffect.CloseAckGate(other));
        become(SiteRole.FENCED);
        attempt = Optional.empty();
        confirmations = Set.of();
        effects.add(new SiteEffect.PersistRole(SiteRole.FENCED, epoch));
        effects.add(new SiteEffect.CloseLineage(other));
    }

    private void reconcile(Epoch active) {
        seen = max(seen, active);
        if (role == SiteRole.RECONCILING && active.equals(promise)) {
            return;
        }
        if (role == SiteRole.RECONCILING) {
            raisePromise(active, "");
            effects.add(new SiteEffect.BeginReconcile(active));
            return;
        }
        if (role != SiteRole.FENCED) {
            fence(active);
        } else {
            raisePromise(active, "");
            effects.add(new SiteEffect.CloseLineage(active));
        }
        become(SiteRole.RECONCILING);
        effects.add(new SiteEffect.BeginReconcile(active));
    }

    private void reconcileDone(SiteEvent.ReconcileDone e) {
        if (role != SiteRole.RECONCILING) {
            ignore(e);
            return;
        }
        if (e.epoch().compareTo(promise) < 0) {
            become(SiteRole.FENCED);
            effects.add(
                    new SiteEffect.Ignore(
                            "lineage " + e.epoch() + " is below the promise " + promise));
            return;
        }
        raisePromise(e.epoch(), "");
        epoch = e.epoch();
        effects.add(new SiteEffect.JoinLineage(epoch));
        boolean ownLineage = epoch.site() == config.site();
        become(ownLineage ? SiteRole.ACTIVE : SiteRole.STANDBY);
        effects.add(new SiteEffect.PersistRole(role, epoch));
        if (ownLineage) {
            effects.add(new SiteEffect.StartServices(epoch));
            beginReplication();
        }
    }

    // ---- promotion

    private void operatorFailover(SiteEvent.OperatorFailover e) {
        for (SiteEvent.Sight sight : e.sights()) {
            seen = max(seen, sight.epoch());
        }
        switch (role) {
            case STANDBY, AWAIT_CONFIRM -> {
                if (!e.force() && !e.sights().isEmpty()) {
                    refuse(
                            "the other site answers: "
                                    + sights(e.sights())
                                    + ". Use switchover for a planned move, or --force if it must"
                                    + " not go on.");
                } else {
                    seal(max(seen, promise), "forced");
                }
            }
            case ACTIVE -> refuse("this site is ACTIVE already in epoch " + epoch + ".");
            case DRAINING ->
                    refuse("this site hands over to the other one; run failover there instead.");
            case SEALING, PROMOTING ->
                    refuse("a promotion is under way; watch it with 'holdfast status'.");
            case FENCED, RECONCILING ->
                    refuse(
                            "this site is "
                                    + role
                                    + " below epoch "
                                    + promise
                                    + "; let it join the active site first, then use switchover.");
            case BOOT -> ignore(e);
        }
    }

    private static String sights(List<SiteEvent.Sight> sights) {
        return String.join(
                ", ",
                sights.stream()
                        .map(s -> s.member() + " is " + s.role() + " in epoch " + s.epoch())
                        .toList());
    }

    private void seal(Epoch above, String reason) {
        Epoch next =
                rules.epochCarriesSite()
                        ? above.successor(config.site())
                        : above.successor(Site.LOCAL);
        sealFor(next, reason);
    }

    private void sealFor(Epoch next, String reason) {
        become(SiteRole.SEALING);
        confirmations = Set.of();
        attempt = Optional.of(new Attempt(next, reason, config.self(), Set.of(), Stage.PROMISES));
        waitMillis = 0;
        raisePromise(next, config.self());
        effects.add(new SiteEffect.CloseAckGate(next));
        askOthers(next);
    }

    private void askOthers(Epoch next) {
        Set<String> others = new TreeSet<>(config.ownMembers());
        others.remove(config.self());
        if (!others.isEmpty()) {
            effects.add(new SiteEffect.AskPromises(others, next));
        }
    }

    private void promiseAsked(SiteEvent.PromiseAsked e) {
        boolean higher = e.epoch().compareTo(promise) > 0;
        boolean again =
                e.epoch().equals(promise)
                        && (promisedTo.equals(e.candidate()) || !rules.promiseNamesCandidate());
        if (!config.ownMembers().contains(e.candidate()) || !(higher || again)) {
            effects.add(new SiteEffect.RefusePromise(e.candidate(), promise));
            return;
        }
        int announcement = effects.size();
        if (higher) {
            giveWay(e.epoch(), e.candidate());
        }
        SiteEffect grant = new SiteEffect.GrantPromise(e.candidate(), e.epoch());
        if (rules.persistBeforeAnnounce()) {
            effects.add(grant);
        } else {
            effects.add(announcement, grant);
        }
    }

    /** Gives way to a higher epoch that another member leads, and waits for it. */
    private void giveWay(Epoch other, String candidate) {
        stopServices();
        raisePromise(other, candidate);
        effects.add(new SiteEffect.CloseAckGate(other));
        attempt = Optional.empty();
        confirmations = Set.of();
        switch (role) {
            case ACTIVE, DRAINING, AWAIT_CONFIRM, SEALING, PROMOTING -> {
                become(SiteRole.STANDBY);
                effects.add(new SiteEffect.PersistRole(SiteRole.STANDBY, epoch));
            }
            case STANDBY, FENCED, RECONCILING, BOOT -> {}
        }
    }

    private void promiseDurable(SiteEvent.PromiseDurable e) {
        if (attempt.isEmpty()
                || !attempt.get().epoch().equals(e.epoch())
                || !config.ownMembers().contains(e.member())) {
            ignore(e);
            return;
        }
        Attempt more = attempt.get().withPromise(e.member());
        attempt = Optional.of(more);
        int needed = rules.readQuorum() ? config.ownQuorum() : 1;
        if (more.stage() == Stage.PROMISES && more.promises().size() >= needed) {
            become(SiteRole.PROMOTING);
            attempt = Optional.of(more.with(Stage.TAILS));
            effects.add(new SiteEffect.ReadTails(more.epoch(), more.promises()));
        } else if (more.stage() == Stage.SEAL && more.promises().equals(config.ownMembers())) {
            handOver(more);
        }
    }

    private void promiseRefused(SiteEvent.PromiseRefused e) {
        seen = max(seen, e.promise());
        boolean beaten =
                attempt.isPresent()
                        && (role == SiteRole.SEALING || role == SiteRole.PROMOTING)
                        && e.promise().compareTo(attempt.get().epoch()) >= 0;
        if (beaten) {
            giveUp(e.member() + " has promised epoch " + e.promise() + " to another");
        }
    }

    private void giveUp(String why) {
        Epoch failed = attempt.orElseThrow().epoch();
        attempt = Optional.empty();
        become(SiteRole.STANDBY);
        effects.add(new SiteEffect.PersistRole(SiteRole.STANDBY, epoch));
        refuse("the promotion to epoch " + failed + " ended: " + why + ". Run failover again.");
    }

    private void tailsRead(SiteEvent.TailsRead e) {
        int needed = rules.readQuorum() ? config.ownQuorum() : 1;
        if (!at(Stage.TAILS, e.epoch())
                || !attempt.orElseThrow().promises().containsAll(e.members())
                || e.members().size() < needed) {
            ignore(e);
            return;
        }
        attempt = attempt.map(a -> a.with(Stage.LINEAGE));
        effects.add(new SiteEffect.CloseLineage(e.epoch()));
        effects.add(new SiteEffect.OpenLineage(e.epoch()));
    }

    private void lineageOpen(SiteEvent.LineageOpen e) {
        if (!at(Stage.LINEAGE, e.epoch())) {
            ignore(e);
            return;
        }
        Attempt current = attempt.orElseThrow();
        attempt = Optional.of(current.with(Stage.COMMIT));
        effects.add(new SiteEffect.SeedLineage(e.epoch()));
        effects.add(
                new SiteEffect.CommitEpochChange(
                        e.epoch(), epoch, current.reason(), config.self()));
    }

    private void epochChangeCommitted(SiteEvent.EpochChangeCommitted e) {
        if (at(Stage.COMMIT, e.epoch())) {
            become(SiteRole.ACTIVE);
            epoch = e.epoch();
            attempt = Optional.empty();
            effects.add(new SiteEffect.PersistRole(SiteRole.ACTIVE, epoch));
            effects.add(new SiteEffect.StartServices(epoch));
            beginReplication();
        } else if (at(Stage.HANDOVER, e.epoch())) {
            become(SiteRole.STANDBY);
            attempt = Optional.empty();
            effects.add(new SiteEffect.PersistRole(SiteRole.STANDBY, epoch));
        } else {
            ignore(e);
        }
    }

    private boolean at(Stage stage, Epoch of) {
        return attempt.isPresent()
                && attempt.get().stage() == stage
                && attempt.get().epoch().equals(of);
    }

    // ---- planned move

    private void operatorSwitchover(SiteEvent.OperatorSwitchover e) {
        if (role != SiteRole.ACTIVE) {
            refuse("this site is " + role + "; run switchover where it is ACTIVE.");
        } else if (!config.peerMembers().contains(e.coordinator())) {
            refuse(e.coordinator() + " is not one of " + config.peerMembers() + ".");
        } else if (replication != ReplicationState.SYNC) {
            refuse(
                    "replication is "
                            + replication
                            + ", and a planned move loses nothing only from SYNC. Wait for it.");
        } else if (!e.lagBounded()) {
            refuse("chunks or catalog lag too far behind; wait for them.");
        } else if (!e.silentMembers().isEmpty()) {
            refuse(
                    "own members do not answer: "
                            + new TreeSet<>(e.silentMembers())
                            + ". Start them, or remove them first.");
        } else {
            Epoch above = max(seen, promise);
            Epoch next =
                    rules.epochCarriesSite()
                            ? above.successor(config.site().peer())
                            : above.successor(Site.LOCAL);
            become(SiteRole.DRAINING);
            attempt =
                    Optional.of(
                            new Attempt(next, "switchover", e.coordinator(), Set.of(), Stage.JOBS));
            effects.add(new SiteEffect.Drain(next));
        }
    }

    private void drained(SiteEvent.Drained e) {
        if (role != SiteRole.DRAINING || attempt.orElseThrow().stage() != Stage.JOBS) {
            ignore(e);
            return;
        }
        attempt = attempt.map(a -> a.with(Stage.BARRIER));
        effects.add(new SiteEffect.AwaitBarrier(attempt.orElseThrow().epoch()));
    }

    private void barrierReached(SiteEvent.BarrierReached e) {
        if (role != SiteRole.DRAINING || attempt.orElseThrow().stage() != Stage.BARRIER) {
            ignore(e);
            return;
        }
        Attempt current = attempt.orElseThrow();
        if (!rules.sealBeforeHandover()) {
            handOver(current);
            return;
        }
        stopServices();
        attempt = Optional.of(current.with(Stage.SEAL));
        raisePromise(current.epoch(), config.self());
        askOthers(current.epoch());
    }

    private void handOver(Attempt current) {
        attempt = Optional.of(current.with(Stage.HANDOVER));
        effects.add(
                new SiteEffect.CommitEpochChange(
                        current.epoch(), epoch, current.reason(), current.coordinator()));
    }

    private void barrierTimeout(SiteEvent.BarrierTimeout e) {
        Optional<Stage> stage = attempt.map(Attempt::stage);
        if (role != SiteRole.DRAINING
                || stage.filter(s -> s == Stage.JOBS || s == Stage.BARRIER).isEmpty()) {
            ignore(e);
            return;
        }
        become(SiteRole.ACTIVE);
        attempt = Optional.empty();
        effects.add(new SiteEffect.AbortDrain(epoch));
    }

    private void switchoverApplied(SiteEvent.SwitchoverApplied e) {
        if (e.epoch().compareTo(promise) <= 0) {
            ignore(e);
            return;
        }
        seen = max(seen, e.epoch());
        boolean ours =
                rules.epochCarriesSite()
                        ? e.epoch().site() == config.site()
                        : config.ownMembers().contains(e.coordinator());
        if (!ours) {
            giveWay(e.epoch(), e.coordinator());
        } else if (role == SiteRole.STANDBY && e.coordinator().equals(config.self())) {
            sealFor(e.epoch(), "switchover");
        } else {
            ignore(e);
        }
    }

    // ---- replication state

    private void beginReplication() {
        replication = ReplicationState.ASYNC_WAIT;
        caughtUp = false;
        silentMillis = 0;
        waitMillis = 0;
        effects.add(new SiteEffect.CommitReplication(ReplicationState.ASYNC));
    }

    private void peerInTime() {
        silentMillis = 0;
        if (role == SiteRole.ACTIVE && replication == ReplicationState.ASYNC) {
            replication = ReplicationState.CATCHUP;
            caughtUp = false;
            waitMillis = 0;
            effects.add(new SiteEffect.CaptureBarrier());
        }
    }

    private void caughtUp() {
        if (role == SiteRole.ACTIVE && replication == ReplicationState.CATCHUP && !caughtUp) {
            caughtUp = true;
            waitMillis = 0;
        }
    }

    private void replicationCommitted(SiteEvent.ReplicationCommitted e) {
        if (role == SiteRole.ACTIVE
                && replication == ReplicationState.ASYNC_WAIT
                && e.state() == ReplicationState.ASYNC) {
            replication = ReplicationState.ASYNC;
            effects.add(new SiteEffect.AllowUnprotectedAcks());
        } else if (role == SiteRole.ACTIVE
                && replication == ReplicationState.CATCHUP
                && caughtUp
                && e.state() == ReplicationState.SYNC) {
            replication = ReplicationState.SYNC;
        } else {
            ignore(e);
        }
    }

    private void tick(long elapsedMillis) {
        switch (role) {
            case SEALING, PROMOTING -> {
                waitMillis += elapsedMillis;
                if (waitMillis >= config.attemptMillis()) {
                    Set<String> missing = new TreeSet<>(config.ownMembers());
                    missing.removeAll(attempt.orElseThrow().promises());
                    giveUp(
                            "not done within "
                                    + config.attemptMillis()
                                    + " ms, no promise from "
                                    + missing);
                }
            }
            case ACTIVE -> replicationTick(elapsedMillis);
            case AWAIT_CONFIRM -> effects.add(new SiteEffect.AskConfirmation(others(), round));
            case BOOT, STANDBY, DRAINING, FENCED, RECONCILING -> {}
        }
    }

    private void replicationTick(long elapsedMillis) {
        silentMillis += elapsedMillis;
        boolean silent = silentMillis >= config.degradeMillis();
        switch (replication) {
            case SYNC -> {
                if (silent) {
                    replication = ReplicationState.ASYNC_WAIT;
                    effects.add(new SiteEffect.CommitReplication(ReplicationState.ASYNC));
                }
            }
            case CATCHUP -> {
                if (silent) {
                    replication = ReplicationState.ASYNC_WAIT;
                    effects.add(new SiteEffect.CommitReplication(ReplicationState.ASYNC));
                } else if (caughtUp) {
                    boolean before = waitMillis < config.stableMillis();
                    waitMillis += elapsedMillis;
                    if (before && waitMillis >= config.stableMillis()) {
                        effects.add(new SiteEffect.CommitReplication(ReplicationState.SYNC));
                    }
                }
            }
            case ASYNC, ASYNC_WAIT -> {}
        }
    }

    // ---- common

    private void stopServices() {
        boolean commands =
                role == SiteRole.ACTIVE
                        || (role == SiteRole.DRAINING
                                && attempt.map(Attempt::stage)
                                        .filter(s -> s == Stage.SEAL || s == Stage.HANDOVER)
                                        .isEmpty());
        if (commands) {
            effects.add(new SiteEffect.StopServices());
        }
    }

    private void raisePromise(Epoch to, String candidate) {
        if (to.compareTo(promise) > 0) {
            promise = to;
            promisedTo = candidate;
            seen = max(seen, to);
            if (rules.persistPromise()) {
                effects.add(new SiteEffect.PersistPromise(to, candidate));
            }
        }
    }

    private void become(SiteRole next) {
        if (!EDGES.getOrDefault(role, Set.of()).contains(next)) {
            throw new IllegalStateException("no transition from " + role + " to " + next);
        }
        role = next;
    }

    private void refuse(String reason) {
        effects.add(
                new SiteEffect.Refuse(
                        "Refused at "
                                + config.self()
                                + " ("
                                + config.site().word()
                                + "): "
                                + reason));
    }

    private void ignore(SiteEvent event) {
        effects.add(new SiteEffect.Ignore(event + " means nothing in " + role));
    }

    private static Epoch max(Epoch a, Epoch b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static Set<String> plus(Set<String> set, String member) {
        Set<String> more = new TreeSet<>(set);
        more.add(member);
        return more;
    }

    private static Map<SiteRole, Set<SiteRole>> edges() {
        Map<SiteRole, Set<SiteRole>> edges = new EnumMap<>(SiteRole.class);
        edges.put(
                SiteRole.BOOT,
                EnumSet.of(SiteRole.STANDBY, SiteRole.AWAIT_CONFIRM, SiteRole.FENCED));
        edges.put(
                SiteRole.AWAIT_CONFIRM,
                EnumSet.of(SiteRole.ACTIVE, SiteRole.FENCED, SiteRole.SEALING, SiteRole.STANDBY));
        edges.put(SiteRole.STANDBY, EnumSet.of(SiteRole.SEALING, SiteRole.FENCED));
        edges.put(
                SiteRole.SEALING,
                EnumSet.of(SiteRole.PROMOTING, SiteRole.FENCED, SiteRole.STANDBY));
        edges.put(
                SiteRole.PROMOTING, EnumSet.of(SiteRole.ACTIVE, SiteRole.FENCED, SiteRole.STANDBY));
        edges.put(
                SiteRole.ACTIVE, EnumSet.of(SiteRole.DRAINING, SiteRole.FENCED, SiteRole.STANDBY));
        edges.put(
                SiteRole.DRAINING, EnumSet.of(SiteRole.ACTIVE, SiteRole.FENCED, SiteRole.STANDBY));
        edges.put(SiteRole.FENCED, EnumSet.of(SiteRole.RECONCILING));
        edges.put(
                SiteRole.RECONCILING,
                EnumSet.of(SiteRole.STANDBY, SiteRole.ACTIVE, SiteRole.FENCED));
        return edges;
    }
}
