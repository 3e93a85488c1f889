package io.holdfast.modeswitch;

/**
 * The site state machine of DR-PROTOCOL 3.4, as one member of a site, or the witness, runs it: {@code
 * step(state, event)} gives the next state and the effects, in the order in which the shell must finish
 * them. It names no clock, thread, file or socket. The state is the shell's to keep; two events must not
 * be stepped at once. What each phase does stands in its own class.
 *
 * <table>
 * <caption>Transitions of P2, and of P3 where a lineage has one site's voters only; e is the own epoch,
 *     e' a new one, "peer" the other site</caption>
 * <tr><th>#</th><th>from -> to</th><th>event and guard</th><th>effects, in order</th></tr>
 * <tr><td>T1</td><td>BOOT -> STANDBY, WITNESS (FENCED stays FENCED)</td><td>Booted: durable role not
 *     ACTIVE, or promise > e</td><td>PersistRole</td></tr>
 * <tr><td></td><td>BOOT -> FENCED (P2)</td><td>Booted: durable role ACTIVE(e), and the promise is the other
 *     site's</td><td>as T9, but the lineage stays open</td></tr>
 * <tr><td>T2</td><td>BOOT -> AWAIT_CONFIRM</td><td>Booted: durable role ACTIVE(e), promise = e</td>
 *     <td>AskConfirmation</td></tr>
 * <tr><td>T3</td><td>AWAIT_CONFIRM -> ACTIVE</td><td>PeerReport of this round with promise <= e from a
 *     quorum of peer members and, with this one, of own members</td><td>StartServices,
 *     CommitReplication(ASYNC)</td></tr>
 * <tr><td>T4</td><td>AWAIT_CONFIRM -> FENCED</td><td>PeerReport with promise > e</td><td>as T9</td></tr>
 * <tr><td>T5</td><td>AWAIT_CONFIRM, STANDBY -> SEALING</td><td>OperatorFailover; unless forced, only when
 *     no peer member answers. Or SwitchoverApplied naming this member</td>
 *     <td>PersistPromise(e'), CloseAckGate, AskPromises</td></tr>
 * <tr><td>T5f</td><td>FENCED, RECONCILING -> SEALING</td><td>OperatorFailover, forced only</td>
 *     <td>as T5</td></tr>
 * <tr><td>T8f</td><td>DRAINING -> SEALING</td><td>OperatorFailover, forced only, after BarrierReached</td>
 *     <td>as T5</td></tr>
 * <tr><td>T6</td><td>SEALING -> PROMOTING</td><td>PromiseDurable(e') of a quorum of own members</td>
 *     <td>ReadTails of those</td></tr>
 * <tr><td></td><td>PROMOTING</td><td>TailsRead of fewer logs than a quorum: PromiseDurable(e') of one more</td>
 *     <td>ReadTails of all that promised</td></tr>
 * <tr><td>T7</td><td>PROMOTING -> ACTIVE</td><td>TailsRead; LineageOpen; EpochChangeCommitted(e')</td>
 *     <td>CloseLineage, OpenLineage; SeedLineage, CommitEpochChange; PersistRole, StartServices,
 *     CommitReplication(ASYNC)</td></tr>
 * <tr><td></td><td>PROMOTING -> SEALING</td><td>TailsRead: an EpochChange above e' stands in the longest
 *     (P3)</td><td>as T5, above that one</td></tr>
 * <tr><td></td><td>SEALING, PROMOTING -> STANDBY</td><td>Tick past the limit, PromiseRefused, or
 *     TailsRead of too few logs when everybody has promised</td>
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
 * <tr><td>T10</td><td>FENCED, STANDBY and WITNESS (by way of FENCED) -> RECONCILING -> STANDBY, WITNESS, or
 *     ACTIVE in the own site's lineage</td><td>PeerReport: ACTIVE in an epoch above e, not below promise;
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
 * <table>
 * <caption>What differs in P3 while the lineage's group is stretched over both sites and the witness.
 *     ACTIVE is then the member that leads; the others of its site wait in AWAIT_CONFIRM</caption>
 * <tr><th>#</th><th>from -> to</th><th>event and guard</th><th>effects, in order</th></tr>
 * <tr><td>T3</td><td>AWAIT_CONFIRM -> ACTIVE</td><td>RaftLeading, and RaftMajority within the lease; e is
 *     the own site's, promise = e</td><td>StartServices, CommitReplication(ASYNC)</td></tr>
 * <tr><td>T11</td><td>ACTIVE, DRAINING -> AWAIT_CONFIRM</td><td>RaftFollowing, or Tick: no RaftMajority for
 *     leaseMillis, which does not count once ChangeEpoch is proposed</td><td>StopServices; the durable role
 *     stays ACTIVE</td></tr>
 * <tr><td>T5</td><td>STANDBY -> PROMOTING</td><td>automatic: leads for lease + drift, no sign of life from
 *     the peer for downMillis, requires holds, then WitnessAnswered(lost) to this question</td>
 *     <td>AskWitness at each Tick; ChangeEpoch(e')</td></tr>
 * <tr><td>T5</td><td>STANDBY, AWAIT_CONFIRM -> PROMOTING</td><td>OperatorFailover at the member that leads;
 *     Tick: it leads for lease + drift</td><td>ChangeEpoch(e')</td></tr>
 * <tr><td>T5</td><td>STANDBY, AWAIT_CONFIRM -> SEALING</td><td>OperatorFailover where no member leads, or
 *     forced where another site's does</td><td>as in P2: a lineage of its own</td></tr>
 * <tr><td>T7</td><td>PROMOTING, STANDBY -> AWAIT_CONFIRM</td><td>EpochApplied(e') of the own site; where
 *     this member leads, T3 follows at once</td><td>PersistPromise(e'), OpenAckGate, PersistRole</td></tr>
 * <tr><td></td><td>PROMOTING -> STANDBY</td><td>RaftFollowing, or Tick past the limit</td>
 *     <td>PersistRole, Refuse; no promise was made</td></tr>
 * <tr><td>T8b</td><td>DRAINING -> STANDBY</td><td>BarrierReached; EpochApplied(e') of the peer</td>
 *     <td>StopServices, ChangeEpoch(e'); PersistPromise, OpenAckGate, PersistRole, PreferSite</td></tr>
 * <tr><td>T9</td><td>as in P2</td><td>as in P2</td><td>as in P2, but the acknowledgements and the lineage
 *     stay open: the higher epoch may be in it</td></tr>
 * <tr><td>T10</td><td>any -> STANDBY, WITNESS</td><td>EpochApplied(e') of the peer: the same lineage, nothing
 *     to reconcile</td><td>PersistPromise, OpenAckGate, PersistRole</td></tr>
 * <tr><td>T10</td><td>as in P2</td><td>PeerReport ACTIVE above e in another lineage: somebody forked by
 *     force</td><td>as in P2</td></tr>
 * </table>
 *
 * <p>Choices beyond the protocol stand in {@code DESIGN.md}, and each clause in {@link Rule}.
 */
public final class SiteMachine {
    private SiteMachine() {}

    /**
     * One step. Pure: the same state and event give the same decision.
     *
     * @throws IllegalStateException for a transition that the table does not have, naming both states
     */
    public static Decision step(SiteState state, SiteEvent event) {
        return step(state, event, Rules.ALL);
    }

    static Decision step(SiteState state, SiteEvent event, Rules rules) {
        Draft d = new Draft(state, rules);
        if (d.role == SiteRole.BOOT && !(event instanceof SiteEvent.Booted)) {
            d.ignore(event);
        } else {
            on(d, event);
        }
        return d.decision();
    }

    private static void on(Draft d, SiteEvent event) {
        switch (event) {
            case SiteEvent.Booted e -> StartPhase.booted(d, e);
            case SiteEvent.ConfirmAsked e ->
                    d.effects.add(
                            new SiteEffect.SendReport(
                                    e.member(), d.promise, d.role, d.epoch, d.lineage, e.round()));
            case SiteEvent.PeerReport e -> StartPhase.peerReport(d, e);
            case SiteEvent.OperatorFailover e -> PromotePhase.operatorFailover(d, e);
            case SiteEvent.PromiseAsked e -> PromotePhase.promiseAsked(d, e);
            case SiteEvent.PromiseDurable e -> PromotePhase.promiseDurable(d, e);
            case SiteEvent.PromiseRefused e -> PromotePhase.promiseRefused(d, e);
            case SiteEvent.TailsRead e -> PromotePhase.tailsRead(d, e);
            case SiteEvent.LineageOpen e -> PromotePhase.lineageOpen(d, e);
            case SiteEvent.EpochChangeCommitted e -> PromotePhase.epochChangeCommitted(d, e);
            case SiteEvent.SwitchoverApplied e -> MovePhase.switchoverApplied(d, e);
            case SiteEvent.OperatorSwitchover e -> MovePhase.operatorSwitchover(d, e);
            case SiteEvent.Drained e -> MovePhase.drained(d, e);
            case SiteEvent.BarrierReached e -> MovePhase.barrierReached(d, e);
            case SiteEvent.BarrierTimeout e -> MovePhase.barrierTimeout(d, e);
            case SiteEvent.HigherEpochSeen e -> FencePhase.higher(d, e.epoch());
            case SiteEvent.ReconcileDone e -> FencePhase.reconcileDone(d, e);
            case SiteEvent.PeerInTime e -> ReplicationPhase.peerInTime(d);
            case SiteEvent.ReplicationCommitted e -> ReplicationPhase.committed(d, e);
            case SiteEvent.CaughtUp e -> ReplicationPhase.caughtUp(d);
            case SiteEvent.Tick e -> tick(d, e.elapsedMillis());
            case SiteEvent.GroupShape e -> StretchedPhase.shape(d, e);
            case SiteEvent.RaftLeading e -> StretchedPhase.leading(d, e);
            case SiteEvent.RaftMajority e -> StretchedPhase.majority(d, e);
            case SiteEvent.RaftFollowing e -> StretchedPhase.following(d, e);
            case SiteEvent.EpochApplied e -> StretchedPhase.epochApplied(d, e);
            case SiteEvent.DataStanding e -> d.group = d.group.backups(e.backupsProtected());
            case SiteEvent.AutoFailover e -> StretchedPhase.autoFailover(d, e);
            case SiteEvent.WitnessAsked e -> StretchedPhase.witnessAsked(d, e);
            case SiteEvent.WitnessAnswered e -> StretchedPhase.witnessAnswered(d, e);
        }
    }

    private static void tick(Draft d, long elapsedMillis) {
        if (d.config.profile().isP3()) {
            StretchedPhase.tick(d, elapsedMillis);
        }
        switch (d.role) {
            case SEALING, PROMOTING -> PromotePhase.tick(d, elapsedMillis);
            case ACTIVE -> ReplicationPhase.tick(d, elapsedMillis);
            case AWAIT_CONFIRM ->
                    d.effects.add(new SiteEffect.AskConfirmation(StartPhase.others(d), d.round));
            case BOOT, STANDBY, DRAINING, FENCED, RECONCILING, WITNESS -> {}
        }
    }
}
