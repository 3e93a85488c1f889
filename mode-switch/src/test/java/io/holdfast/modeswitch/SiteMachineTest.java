package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A test per edge of the table in {@link SiteMachine}. */
class SiteMachineTest {
    private static final Epoch E1 = Epoch.parse("1.local");
    private static final Epoch E2 = Epoch.parse("2.dr");
    private static final Epoch E3 = Epoch.parse("3.local");
    private static final SiteConfig SMALL_LOCAL =
            SiteConfig.of(Site.LOCAL, "l1", Set.of("l1"), Set.of("d1"));
    private static final SiteConfig SMALL_DR =
            SiteConfig.of(Site.DR, "d1", Set.of("d1"), Set.of("l1"));
    private static final SiteConfig DR =
            SiteConfig.of(Site.DR, "d1", Set.of("d1", "d2", "d3"), Set.of("l1", "l2", "l3"));

    /** Steps one machine and keeps what it did last. */
    private static final class Driver {
        SiteState state;
        List<SiteEffect> last = new ArrayList<>();

        Driver(SiteConfig config) {
            state = SiteState.booting(config);
        }

        Driver on(SiteEvent event) {
            Decision decision = SiteMachine.step(state, event);
            state = decision.state();
            last = decision.effects();
            return this;
        }

        Driver booted(SiteRole role, Epoch epoch, Epoch promise) {
            return on(new SiteEvent.Booted(role, epoch, promise, "", 7));
        }

        String refusal() {
            return last.stream()
                    .filter(SiteEffect.Refuse.class::isInstance)
                    .map(e -> ((SiteEffect.Refuse) e).reason())
                    .reduce("", String::concat);
        }

        List<String> names() {
            return last.stream().map(e -> e.getClass().getSimpleName()).toList();
        }

        Driver expect(SiteRole role, String... effects) {
            assertThat(state.role()).isEqualTo(role);
            assertThat(names()).containsExactly(effects);
            return this;
        }
    }

    private static SiteEvent.PeerReport report(String member, Epoch promise, long round) {
        return new SiteEvent.PeerReport(member, promise, SiteRole.STANDBY, E1, round);
    }

    private static SiteEvent.PeerReport active(String member, Epoch epoch) {
        return new SiteEvent.PeerReport(member, epoch, SiteRole.ACTIVE, epoch, 0);
    }

    private static Driver activeLocal() {
        return new Driver(SMALL_LOCAL).booted(SiteRole.ACTIVE, E1, E1).on(report("d1", E1, 7));
    }

    private static Driver standbyDr() {
        return new Driver(SMALL_DR).booted(SiteRole.STANDBY, E1, E1);
    }

    private static Driver synced() {
        return activeLocal()
                .on(new SiteEvent.ReplicationCommitted(ReplicationState.ASYNC))
                .on(new SiteEvent.PeerInTime())
                .on(new SiteEvent.CaughtUp())
                .on(new SiteEvent.Tick(5_000))
                .on(new SiteEvent.PeerInTime())
                .on(new SiteEvent.Tick(9_000))
                .on(new SiteEvent.PeerInTime())
                .on(new SiteEvent.Tick(9_000))
                .on(new SiteEvent.PeerInTime())
                .on(new SiteEvent.Tick(9_000))
                .on(new SiteEvent.ReplicationCommitted(ReplicationState.SYNC));
    }

    @Test
    void t1BootsToStandby() {
        standbyDr().expect(SiteRole.STANDBY);
        new Driver(SMALL_LOCAL)
                .booted(SiteRole.ACTIVE, E1, Epoch.parse("2.local"))
                .expect(SiteRole.STANDBY, "PersistRole");
        new Driver(SMALL_LOCAL).booted(SiteRole.FENCED, E1, E2).expect(SiteRole.FENCED);
    }

    /** It crashed between the promise and the role: T9 is done once more. */
    @Test
    void t1IsFencedWhereTheOtherSitesEpochIsPromised() {
        new Driver(SMALL_LOCAL)
                .booted(SiteRole.ACTIVE, E1, E2)
                .expect(SiteRole.FENCED, "CloseAckGate", "PersistRole")
                .on(new SiteEvent.OperatorFailover(false, List.of()))
                .expect(SiteRole.FENCED, "Refuse");
    }

    @Test
    void t2AsksBeforeItActs() {
        new Driver(SMALL_LOCAL)
                .booted(SiteRole.ACTIVE, E1, E1)
                .expect(SiteRole.AWAIT_CONFIRM, "AskConfirmation")
                .on(new SiteEvent.Tick(100))
                .expect(SiteRole.AWAIT_CONFIRM, "AskConfirmation");
    }

    @Test
    void t3NeedsFreshAnswersOfAQuorum() {
        activeLocal().expect(SiteRole.ACTIVE, "StartServices", "CommitReplication");
        new Driver(SMALL_LOCAL)
                .booted(SiteRole.ACTIVE, E1, E1)
                .on(report("d1", E1, 6))
                .expect(SiteRole.AWAIT_CONFIRM)
                .on(report("l9", E1, 7))
                .expect(SiteRole.AWAIT_CONFIRM);
        new Driver(DR)
                .booted(SiteRole.ACTIVE, E2, E2)
                .on(report("l1", E1, 7))
                .on(report("l2", E1, 7))
                .expect(SiteRole.AWAIT_CONFIRM)
                .on(report("d2", E2, 7))
                .expect(SiteRole.ACTIVE, "StartServices", "CommitReplication");
    }

    @Test
    void t4FencesOnAHigherPromise() {
        new Driver(SMALL_LOCAL)
                .booted(SiteRole.ACTIVE, E1, E1)
                .on(report("d1", E2, 7))
                .expect(
                        SiteRole.FENCED,
                        "PersistPromise",
                        "CloseAckGate",
                        "PersistRole",
                        "CloseLineage");
    }

    @Test
    void t5RefusesWithoutForceWhileThePeerAnswers() {
        Driver dr =
                standbyDr()
                        .on(
                                new SiteEvent.OperatorFailover(
                                        false,
                                        List.of(new SiteEvent.Sight("l1", SiteRole.ACTIVE, E1))))
                        .expect(SiteRole.STANDBY, "Refuse");
        assertThat(dr.last.getFirst().toString())
                .contains("l1 is ACTIVE in epoch 1.local", "--force");
        dr.on(
                        new SiteEvent.OperatorFailover(
                                true, List.of(new SiteEvent.Sight("l1", SiteRole.ACTIVE, E1))))
                .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate");
        activeLocal()
                .on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.ACTIVE, "Refuse");
        new Driver(SMALL_LOCAL)
                .booted(SiteRole.ACTIVE, E1, E1)
                .on(new SiteEvent.OperatorFailover(false, List.of()))
                .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate");
    }

    @Test
    void t5ToT7PromotesWithoutTheOtherSite() {
        Driver dr =
                standbyDr()
                        .on(new SiteEvent.OperatorFailover(false, List.of()))
                        .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate")
                        .on(new SiteEvent.PromiseDurable("d1", E2))
                        .expect(SiteRole.PROMOTING, "ReadTails")
                        .on(new SiteEvent.TailsRead(E2, Set.of("d1")))
                        .expect(SiteRole.PROMOTING, "CloseLineage", "OpenLineage")
                        .on(new SiteEvent.LineageOpen(E2))
                        .expect(SiteRole.PROMOTING, "SeedLineage", "CommitEpochChange")
                        .on(new SiteEvent.EpochChangeCommitted(E2))
                        .expect(
                                SiteRole.ACTIVE,
                                "PersistRole",
                                "StartServices",
                                "CommitReplication");
        assertThat(dr.state.epoch()).isEqualTo(E2);
    }

    @Test
    void t6WaitsForTwoOfThree() {
        new Driver(DR)
                .booted(SiteRole.STANDBY, E1, E1)
                .on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate", "AskPromises")
                .on(new SiteEvent.PromiseDurable("d1", E2))
                .expect(SiteRole.SEALING)
                .on(new SiteEvent.PromiseDurable("l1", E2))
                .expect(SiteRole.SEALING, "Ignore")
                .on(new SiteEvent.PromiseDurable("d3", E2))
                .expect(SiteRole.PROMOTING, "ReadTails")
                .on(new SiteEvent.TailsRead(E2, Set.of("d1", "d2")))
                .expect(SiteRole.PROMOTING, "Ignore");
    }

    /** d1 and d3 have promised, and d3 has lost its log. */
    private static Driver oneLogOfTwo() {
        return new Driver(DR)
                .booted(SiteRole.STANDBY, E1, E1)
                .on(new SiteEvent.OperatorFailover(true, List.of()))
                .on(new SiteEvent.PromiseDurable("d1", E2))
                .on(new SiteEvent.PromiseDurable("d3", E2))
                .expect(SiteRole.PROMOTING, "ReadTails");
    }

    private static SiteEvent.TailsRead logs(Set<String> asked, Set<String> read) {
        return new SiteEvent.TailsRead(E2, asked, read, E1);
    }

    @Test
    void t6TheLogOfOneThatPromisesLaterCountsToo() {
        Set<String> two = Set.of("d1", "d3");
        Set<String> all = Set.of("d1", "d2", "d3");
        Driver after =
                oneLogOfTwo()
                        .on(logs(two, Set.of("d1")))
                        .expect(SiteRole.PROMOTING)
                        .on(new SiteEvent.Tick(4_900))
                        .on(new SiteEvent.PromiseDurable("d2", E2))
                        .expect(SiteRole.PROMOTING, "ReadTails");
        assertThat(after.last).contains(new SiteEffect.ReadTails(E2, all));
        after.on(new SiteEvent.Tick(SiteConfig.ATTEMPT_MILLIS / 3))
                .expect(SiteRole.PROMOTING) // it takes as long as any log
                .on(logs(all, Set.of("d1", "d2")))
                .expect(SiteRole.PROMOTING, "CloseLineage", "OpenLineage");
        // It promised while the logs of the others were read.
        Driver meanwhile =
                oneLogOfTwo()
                        .on(new SiteEvent.PromiseDurable("d2", E2))
                        .expect(SiteRole.PROMOTING)
                        .on(logs(two, Set.of("d1")))
                        .expect(SiteRole.PROMOTING, "ReadTails");
        assertThat(meanwhile.last).contains(new SiteEffect.ReadTails(E2, all));
        meanwhile.on(logs(two, Set.of("d1"))).expect(SiteRole.PROMOTING);
    }

    @Test
    void t6TooFewLogsAreRefusedWithoutTheWholeWait() {
        Set<String> all = Set.of("d1", "d2", "d3");
        Driver short2 = oneLogOfTwo().on(logs(Set.of("d1", "d3"), Set.of("d1")));
        short2.on(new SiteEvent.Tick(4_900))
                .expect(SiteRole.PROMOTING)
                .on(new SiteEvent.Tick(200))
                .expect(SiteRole.STANDBY, "PersistRole", "Refuse");
        assertThat(short2.refusal())
                .contains("promotion to epoch 2.dr")
                .contains("needs the logs of 2 members of site dr")
                .contains("those that promised (d1, d3) only d1 can give its log");
        Driver nobody =
                oneLogOfTwo().on(new SiteEvent.PromiseDurable("d2", E2)).on(logs(all, Set.of()));
        nobody.expect(SiteRole.STANDBY, "PersistRole", "Refuse");
        assertThat(nobody.refusal()).contains("(d1, d2, d3) none can give its log");
    }

    @Test
    void aPromotionThatTakesTooLongSaysWhatItWaitedFor() {
        assertThat(oneLogOfTwo().on(new SiteEvent.Tick(SiteConfig.ATTEMPT_MILLIS)).refusal())
                .contains("the logs of [d1, d3] were not read");
        assertThat(
                        oneLogOfTwo()
                                .on(new SiteEvent.TailsRead(E2, Set.of("d1", "d3")))
                                .on(new SiteEvent.Tick(SiteConfig.ATTEMPT_MILLIS))
                                .refusal())
                .contains("its lineage could not be opened");
    }

    @Test
    void promotionGivesUpAfterItsTimeOrWhenBeaten() {
        Driver dr =
                new Driver(DR)
                        .booted(SiteRole.STANDBY, E1, E1)
                        .on(new SiteEvent.OperatorFailover(true, List.of()))
                        .on(new SiteEvent.Tick(SiteConfig.ATTEMPT_MILLIS))
                        .expect(SiteRole.STANDBY, "PersistRole", "Refuse");
        assertThat(dr.state.promise()).isEqualTo(E2);
        dr.on(new SiteEvent.OperatorFailover(true, List.of()))
                .on(new SiteEvent.PromiseRefused("d2", Epoch.parse("9.dr")))
                .expect(SiteRole.STANDBY, "PersistRole", "Refuse");
        dr.on(new SiteEvent.OperatorFailover(true, List.of()));
        assertThat(dr.state.promise()).isEqualTo(Epoch.parse("10.dr"));
    }

    @Test
    void promiseIsGivenToOneCandidate() {
        new Driver(DR)
                .booted(SiteRole.STANDBY, E1, E1)
                .on(new SiteEvent.PromiseAsked("d2", E2))
                .expect(SiteRole.STANDBY, "PersistPromise", "CloseAckGate", "GrantPromise")
                .on(new SiteEvent.PromiseAsked("d2", E2))
                .expect(SiteRole.STANDBY, "GrantPromise")
                .on(new SiteEvent.PromiseAsked("d3", E2))
                .expect(SiteRole.STANDBY, "RefusePromise")
                .on(new SiteEvent.PromiseAsked("l1", E3))
                .expect(SiteRole.STANDBY, "RefusePromise");
    }

    @Test
    void t8HandsOverFromSyncOnly() {
        SiteEvent move = new SiteEvent.OperatorSwitchover("d1", true, Set.of());
        activeLocal().on(move).expect(SiteRole.ACTIVE, "Refuse");
        synced().on(new SiteEvent.OperatorSwitchover("d1", false, Set.of()))
                .expect(SiteRole.ACTIVE, "Refuse")
                .on(new SiteEvent.OperatorSwitchover("d1", true, Set.of("l2")))
                .expect(SiteRole.ACTIVE, "Refuse")
                .on(move)
                .expect(SiteRole.DRAINING, "Drain")
                .on(new SiteEvent.Drained())
                .expect(SiteRole.DRAINING, "AwaitBarrier")
                .on(new SiteEvent.BarrierReached())
                .expect(SiteRole.DRAINING, "StopServices", "PersistPromise")
                .on(new SiteEvent.BarrierTimeout())
                .expect(SiteRole.DRAINING, "Ignore")
                .on(new SiteEvent.OperatorFailover(false, List.of()))
                .expect(SiteRole.DRAINING, "Refuse")
                .on(new SiteEvent.PromiseDurable("l1", E2))
                .expect(SiteRole.DRAINING, "CommitEpochChange")
                .on(new SiteEvent.EpochChangeCommitted(E2))
                .expect(SiteRole.STANDBY, "PersistRole");
        standbyDr().on(move).expect(SiteRole.STANDBY, "Refuse");
    }

    @Test
    void t8fTheMoveIsTakenBackWhenItsTargetIsLost() {
        Driver local =
                synced().on(new SiteEvent.OperatorSwitchover("d1", true, Set.of()))
                        .on(new SiteEvent.Drained())
                        .on(new SiteEvent.OperatorFailover(true, List.of()))
                        .expect(SiteRole.DRAINING, "Refuse")
                        .on(new SiteEvent.BarrierReached())
                        .on(new SiteEvent.OperatorFailover(true, List.of()))
                        .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate");
        assertThat(local.state.promise()).isEqualTo(E3);
        local.on(new SiteEvent.EpochChangeCommitted(E2)).expect(SiteRole.SEALING, "Ignore");
    }

    @Test
    void t8aAbortsBeforeTheBarrier() {
        Driver local =
                synced().on(new SiteEvent.OperatorSwitchover("d1", true, Set.of()))
                        .on(new SiteEvent.Drained())
                        .on(new SiteEvent.BarrierTimeout())
                        .expect(SiteRole.ACTIVE, "AbortDrain");
        assertThat(local.state.epoch()).isEqualTo(E1);
        assertThat(local.state.promise()).isEqualTo(E1);
    }

    @Test
    void t8bTheNamedMemberOfTheOtherSitePromotes() {
        standbyDr()
                .on(new SiteEvent.SwitchoverApplied(E2, "d1"))
                .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate")
                .on(new SiteEvent.PromiseDurable("d1", E2))
                .expect(SiteRole.PROMOTING, "ReadTails");
        new Driver(DR)
                .booted(SiteRole.STANDBY, E1, E1)
                .on(new SiteEvent.SwitchoverApplied(E2, "d2"))
                .expect(SiteRole.STANDBY, "Ignore");
        activeLocal()
                .on(new SiteEvent.SwitchoverApplied(E2, "d1"))
                .expect(
                        SiteRole.STANDBY,
                        "StopServices",
                        "PersistPromise",
                        "CloseAckGate",
                        "PersistRole");
    }

    @Test
    void t9StopsBeforeItSaysAnything() {
        activeLocal()
                .on(new SiteEvent.HigherEpochSeen(E2))
                .expect(
                        SiteRole.FENCED,
                        "StopServices",
                        "PersistPromise",
                        "CloseAckGate",
                        "PersistRole",
                        "CloseLineage");
        activeLocal().on(new SiteEvent.HigherEpochSeen(E1)).expect(SiteRole.ACTIVE);
        Driver standby = standbyDr().on(new SiteEvent.HigherEpochSeen(E3));
        standby.expect(SiteRole.STANDBY);
        assertThat(standby.state.seen()).isEqualTo(E3);
    }

    @Test
    void t10ComesBackAsStandby() {
        activeLocal()
                .on(new SiteEvent.HigherEpochSeen(E2))
                .on(active("d1", E2))
                .expect(SiteRole.RECONCILING, "CloseLineage", "BeginReconcile")
                .on(new SiteEvent.ReconcileDone(E2))
                .expect(SiteRole.STANDBY, "JoinLineage", "PersistRole");
        standbyDr()
                .on(active("l1", E3))
                .expect(
                        SiteRole.RECONCILING,
                        "PersistPromise",
                        "CloseAckGate",
                        "PersistRole",
                        "CloseLineage",
                        "BeginReconcile");
        new Driver(DR)
                .booted(SiteRole.STANDBY, E1, E1)
                .on(active("d2", E2))
                .on(new SiteEvent.ReconcileDone(E2))
                .expect(
                        SiteRole.ACTIVE,
                        "JoinLineage",
                        "PersistRole",
                        "StartServices",
                        "CommitReplication");
        new Driver(DR)
                .booted(SiteRole.STANDBY, E1, E1)
                .on(active("l2", E3))
                .on(new SiteEvent.PromiseAsked("d2", Epoch.parse("4.dr")))
                .on(new SiteEvent.ReconcileDone(E3))
                .expect(SiteRole.FENCED, "Ignore");
    }

    @Test
    void t5AFencedSiteGoesOnOnlyWhenForced() {
        Driver local = activeLocal().on(new SiteEvent.HigherEpochSeen(E2));
        local.on(new SiteEvent.OperatorFailover(false, List.of()))
                .expect(SiteRole.FENCED, "Refuse");
        assertThat(local.last.getFirst().toString()).contains("below epoch 2.dr", "--force");
        local.on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate");
        assertThat(local.state.promise()).isEqualTo(E3);
        activeLocal()
                .on(active("d1", E2))
                .on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate")
                .on(new SiteEvent.ReconcileDone(E2))
                .expect(SiteRole.SEALING, "Ignore");
    }

    @Test
    void r1AndR2FollowThePeer() {
        Driver local = activeLocal();
        assertThat(local.state.mayAckUnprotected()).isFalse();
        local.on(new SiteEvent.ReplicationCommitted(ReplicationState.ASYNC))
                .expect(SiteRole.ACTIVE, "AllowUnprotectedAcks");
        assertThat(local.state.mayAckUnprotected()).isTrue();
        Driver sync = synced();
        assertThat(sync.state.replication()).isEqualTo(ReplicationState.SYNC);
        assertThat(sync.state.mayAckUnprotected()).isFalse();
        sync.on(new SiteEvent.Tick(9_999)).expect(SiteRole.ACTIVE, "CommitReplication");
        assertThat(sync.state.replication()).isEqualTo(ReplicationState.ASYNC_WAIT);
        assertThat(sync.state.mayAckUnprotected()).isFalse();
    }

    @Test
    void impossibleThingsAreToldApart() {
        new Driver(SMALL_DR).on(new SiteEvent.Tick(1)).expect(SiteRole.BOOT, "Ignore");
        standbyDr().on(new SiteEvent.LineageOpen(E2)).expect(SiteRole.STANDBY, "Ignore");
        assertThatThrownBy(() -> standbyDr().booted(SiteRole.STANDBY, E1, E1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("STANDBY")
                .hasMessageContaining("BOOT");
        assertThatThrownBy(() -> new Driver(SMALL_DR).booted(SiteRole.STANDBY, E2, E1))
                .isInstanceOf(IllegalStateException.class);
    }
}
