package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A test per edge of profile P3 in the table of {@link SiteMachine}. */
class StretchedPhaseTest {
    private static final Epoch E1 = Epoch.parse("1.local");
    private static final Epoch E2 = Epoch.parse("2.dr");
    private static final Epoch E3 = Epoch.parse("3.local");

    /** A fork leaves the next number to an EpochChange in the old lineage. */
    private static final Epoch FORK = Epoch.parse("3.dr");

    private static final Profile P3 = Profile.p3("w1");
    private static final Set<String> LOCALS = Set.of("l1", "l2");
    private static final Set<String> DRS = Set.of("d1", "d2");

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

        Driver expect(SiteRole role, String... effects) {
            assertThat(state.role()).isEqualTo(role);
            assertThat(last.stream().map(e -> e.getClass().getSimpleName()))
                    .containsExactly(effects);
            return this;
        }

        Driver tick(long millis) {
            return on(new SiteEvent.Tick(millis));
        }
    }

    private static Driver local() {
        return new Driver(SiteConfig.of(Site.LOCAL, "l1", LOCALS, DRS).with(P3))
                .on(new SiteEvent.Booted(SiteRole.ACTIVE, E1, E1, E1, "", 7));
    }

    private static Driver dr(Profile profile) {
        return new Driver(SiteConfig.of(Site.DR, "d1", DRS, LOCALS).with(profile))
                .on(new SiteEvent.Booted(SiteRole.STANDBY, E1, E1, E1, "", 7));
    }

    private static Driver witness() {
        return new Driver(new SiteConfig(Site.WITNESS, "w1", LOCALS, DRS, 1, 1, 60_000, P3))
                .on(new SiteEvent.Booted(SiteRole.WITNESS, E1, E1, E1, "", 7));
    }

    private static Driver active() {
        return local().on(new SiteEvent.RaftLeading(4)).on(new SiteEvent.RaftMajority(4, 500));
    }

    private static Driver synced() {
        Driver local =
                active().on(new SiteEvent.ReplicationCommitted(ReplicationState.ASYNC))
                        .on(new SiteEvent.PeerInTime())
                        .on(new SiteEvent.CaughtUp());
        for (int i = 0; i < 6; i++) {
            local.tick(5_000).on(new SiteEvent.PeerInTime()).on(new SiteEvent.RaftMajority(4, 0));
        }
        return local.on(new SiteEvent.ReplicationCommitted(ReplicationState.SYNC));
    }

    private static Driver leads(Driver driver) {
        return driver.on(new SiteEvent.RaftLeading(5)).on(new SiteEvent.RaftMajority(5, 0));
    }

    private static SiteEvent.PeerReport alive(String member) {
        return new SiteEvent.PeerReport(member, E1, SiteRole.ACTIVE, E1, E1, 0);
    }

    @Test
    void t3LeadershipConfirms() {
        local().expect(SiteRole.AWAIT_CONFIRM, "AskConfirmation")
                .on(new SiteEvent.PeerReport("d1", E1, SiteRole.STANDBY, E1, E1, 7))
                .on(new SiteEvent.PeerReport("d2", E1, SiteRole.STANDBY, E1, E1, 7))
                .on(new SiteEvent.PeerReport("l2", E1, SiteRole.AWAIT_CONFIRM, E1, E1, 7))
                .expect(SiteRole.AWAIT_CONFIRM)
                .on(new SiteEvent.RaftLeading(4))
                .expect(SiteRole.AWAIT_CONFIRM)
                .on(new SiteEvent.RaftMajority(3, 0))
                .expect(SiteRole.AWAIT_CONFIRM, "Ignore")
                .on(new SiteEvent.RaftMajority(4, 500))
                .expect(SiteRole.ACTIVE, "StartServices", "CommitReplication");
    }

    @Test
    void t11NoMajorityNoCommand() {
        Driver local = active();
        assertThat(local.state.mayCommand()).isTrue();
        local.tick(7_499).expect(SiteRole.ACTIVE);
        local.on(new SiteEvent.RaftMajority(4, 0)).tick(7_999).expect(SiteRole.ACTIVE);
        local.tick(1).expect(SiteRole.AWAIT_CONFIRM, "StopServices", "AskConfirmation");
        assertThat(local.state.mayCommand()).isFalse();
        local.on(new SiteEvent.RaftMajority(4, 100))
                .expect(SiteRole.ACTIVE, "StartServices", "CommitReplication");
        local.on(new SiteEvent.RaftFollowing("l2"))
                .expect(SiteRole.AWAIT_CONFIRM, "StopServices")
                .on(new SiteEvent.RaftMajority(4, 100))
                .expect(SiteRole.AWAIT_CONFIRM, "Ignore");
    }

    @Test
    void t5TakesOverAfterEveryGuard() {
        Driver dr = leads(dr(P3).on(alive("l1")).tick(0)).expect(SiteRole.STANDBY);
        dr.tick(14_999).expect(SiteRole.STANDBY);
        dr.tick(1).expect(SiteRole.STANDBY, "AskWitness");
        long question = ((SiteEffect.AskWitness) dr.last.getFirst()).question();
        dr.on(new SiteEvent.WitnessAnswered(true, 5, question - 1))
                .expect(SiteRole.STANDBY, "Ignore")
                .on(new SiteEvent.WitnessAnswered(true, 4, question))
                .expect(SiteRole.STANDBY, "Ignore")
                .on(new SiteEvent.WitnessAnswered(true, 5, question))
                .expect(SiteRole.PROMOTING, "ChangeEpoch");
        assertThat(dr.last).contains(new SiteEffect.ChangeEpoch(E2, E1, "automatic", "d1"));
        assertThat(dr.state.promise()).as("a failed takeover must fence nobody").isEqualTo(E1);
        dr.on(new SiteEvent.RaftMajority(5, 0))
                .on(new SiteEvent.EpochApplied(E2, "d1"))
                .expect(
                        SiteRole.ACTIVE,
                        "PersistPromise",
                        "OpenAckGate",
                        "PersistRole",
                        "StartServices",
                        "CommitReplication");
        assertThat(dr.state.lineage()).isEqualTo(E1);
        assertThat(dr.state.epoch()).isEqualTo(E2);
    }

    @Test
    void t5WaitsForTheLease() {
        Driver dr = dr(P3).on(alive("l1")).tick(0).tick(20_000);
        leads(dr).tick(9_999).expect(SiteRole.STANDBY);
        dr.tick(1).expect(SiteRole.STANDBY, "AskWitness");
    }

    @Test
    void t5IsCancelledByALifeSignOrTheWitness() {
        Driver dr = leads(dr(P3)).tick(15_000).expect(SiteRole.STANDBY, "AskWitness");
        dr.on(new SiteEvent.WitnessAnswered(false, 5, 1)).expect(SiteRole.STANDBY);
        assertThat(dr.state.attempt()).isEmpty();
        dr.tick(300).expect(SiteRole.STANDBY, "AskWitness");
        dr.on(alive("l2")).tick(300).expect(SiteRole.STANDBY);
        dr.on(new SiteEvent.WitnessAnswered(true, 5, 2)).expect(SiteRole.STANDBY, "Ignore");
        dr.on(new SiteEvent.RaftFollowing("l1")).tick(60_000).expect(SiteRole.STANDBY);
    }

    @Test
    void t5ObeysThePolicy() {
        leads(dr(P3.auto(false, Profile.Requires.METADATA))).tick(60_000).expect(SiteRole.STANDBY);
        Driver careful = leads(dr(P3.auto(true, Profile.Requires.PROTECTED_BACKUPS)));
        careful.tick(60_000).expect(SiteRole.STANDBY);
        careful.on(new SiteEvent.DataStanding(true))
                .tick(300)
                .expect(SiteRole.STANDBY, "AskWitness");
        careful.on(new SiteEvent.DataStanding(false)).tick(300).expect(SiteRole.STANDBY);
    }

    @Test
    void theOperatorTakesOverInTheSameLineageWhereRaftLeads() {
        Driver dr =
                leads(dr(P3))
                        .on(new SiteEvent.OperatorFailover(false, List.of()))
                        .expect(SiteRole.PROMOTING);
        dr.tick(9_999).expect(SiteRole.PROMOTING);
        dr.tick(1).expect(SiteRole.PROMOTING, "ChangeEpoch");
        dr.on(new SiteEvent.RaftFollowing("d2")).expect(SiteRole.STANDBY, "PersistRole", "Refuse");
        dr.on(new SiteEvent.OperatorFailover(false, List.of())).expect(SiteRole.STANDBY, "Refuse");
        assertThat(dr.last.getFirst().toString()).contains("d2");
    }

    @Test
    void withoutWitnessTheOperatorForksAsInP2() {
        Driver dr =
                dr(P3).on(new SiteEvent.OperatorFailover(false, List.of()))
                        .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate", "AskPromises")
                        .on(new SiteEvent.PromiseDurable("d1", FORK))
                        .on(new SiteEvent.PromiseDurable("d2", FORK))
                        .on(new SiteEvent.TailsRead(FORK, Set.of("d1", "d2"), E2))
                        .on(new SiteEvent.LineageOpen(FORK))
                        .on(new SiteEvent.EpochChangeCommitted(FORK))
                        .expect(
                                SiteRole.ACTIVE,
                                "PersistRole",
                                "StartServices",
                                "CommitReplication");
        assertThat(dr.state.lineage()).isEqualTo(FORK);
        assertThat(dr.state.mayCommand()).isTrue();
        dr.on(new SiteEvent.GroupShape(true)).expect(SiteRole.AWAIT_CONFIRM, "StopServices");
    }

    @Test
    void t8MovesWithoutANewLineage() {
        Driver local =
                synced().on(new SiteEvent.OperatorSwitchover("d1", true, Set.of("l2")))
                        .expect(SiteRole.DRAINING, "Drain")
                        .on(new SiteEvent.Drained())
                        .on(new SiteEvent.BarrierReached())
                        .expect(SiteRole.DRAINING, "StopServices", "ChangeEpoch");
        assertThat(local.state.mayCommand()).isFalse();
        local.on(new SiteEvent.EpochApplied(E2, "d1"))
                .expect(
                        SiteRole.STANDBY,
                        "PersistPromise",
                        "OpenAckGate",
                        "PersistRole",
                        "PreferSite");
        dr(P3).on(new SiteEvent.EpochApplied(E2, "d1"))
                .expect(SiteRole.AWAIT_CONFIRM, "PersistPromise", "OpenAckGate", "PersistRole")
                .on(new SiteEvent.RaftLeading(6))
                .on(new SiteEvent.RaftMajority(6, 0))
                .expect(SiteRole.ACTIVE, "StartServices", "CommitReplication");
    }

    @Test
    void t8AfterItsEpochChangeNobodyResumesInTheSameTerm() {
        Driver local = synced();
        local.on(new SiteEvent.OperatorSwitchover("d1", true, Set.of()))
                .on(new SiteEvent.Drained())
                .on(new SiteEvent.BarrierReached())
                .tick(60_000)
                .expect(SiteRole.DRAINING)
                .on(new SiteEvent.RaftMajority(4, 7_000))
                .expect(SiteRole.DRAINING);
        assertThat(local.state.mayCommand()).isFalse();
        local.on(new SiteEvent.RaftFollowing("d1")).expect(SiteRole.AWAIT_CONFIRM);
        local.on(new SiteEvent.RaftLeading(6))
                .on(new SiteEvent.RaftMajority(6, 0))
                .expect(SiteRole.ACTIVE, "StartServices", "CommitReplication");
    }

    @Test
    void t10ReturnsInTheSameLineageWithoutReconciling() {
        active().on(new SiteEvent.PeerReport("d1", E2, SiteRole.ACTIVE, E2, E1, 0))
                .expect(SiteRole.FENCED, "StopServices", "PersistPromise", "PersistRole")
                .on(new SiteEvent.EpochApplied(E2, "d1"))
                .expect(SiteRole.STANDBY, "OpenAckGate", "PersistRole", "PreferSite");
        active().on(new SiteEvent.PeerReport("d1", E2, SiteRole.ACTIVE, E2, E2, 0))
                .expect(
                        SiteRole.RECONCILING,
                        "StopServices",
                        "PersistPromise",
                        "PersistRole",
                        "CloseAckGate",
                        "CloseLineage",
                        "BeginReconcile");
    }

    @Test
    void t10JoinsALineageWhoseEpochHasMovedOn() {
        Epoch e4 = Epoch.parse("4.dr");
        Driver local =
                active().on(new SiteEvent.PeerReport("d1", e4, SiteRole.ACTIVE, e4, E2, 0))
                        .on(new SiteEvent.ReconcileDone(e4));
        assertThat(local.last)
                .containsExactly(
                        new SiteEffect.JoinLineage(e4, E2),
                        new SiteEffect.OpenAckGate(E2),
                        new SiteEffect.PersistRole(SiteRole.STANDBY, e4, E2));
        assertThat(local.state.lineage()).isEqualTo(E2);
    }

    @Test
    void t10ReturnsFromAForkThatFailed() {
        Epoch e5 = Epoch.parse("5.local");
        Driver dr =
                dr(P3).on(new SiteEvent.OperatorFailover(false, List.of()))
                        .on(new SiteEvent.PromiseDurable("d1", FORK))
                        .on(new SiteEvent.PromiseDurable("d2", FORK))
                        .on(new SiteEvent.TailsRead(FORK, Set.of("d1", "d2"), E1))
                        .on(new SiteEvent.Tick(SiteConfig.ATTEMPT_MILLIS))
                        .expect(SiteRole.STANDBY, "PersistRole", "Refuse")
                        .on(new SiteEvent.PeerReport("l1", e5, SiteRole.ACTIVE, e5, E1, 0));
        assertThat(dr.last).contains(new SiteEffect.CloseLineage(E1));
        dr.on(new SiteEvent.ReconcileDone(e5))
                .expect(SiteRole.STANDBY, "JoinLineage", "OpenAckGate", "PersistRole");
    }

    /** What it was about to join is a fork of its own site, open here, and has entries of its own. */
    @Test
    void t10ClosesAForkThatIsOvertakenWhileItIsJoined() {
        Epoch e5 = Epoch.parse("5.local");
        Driver dr =
                dr(P3).on(new SiteEvent.PromiseAsked("d2", FORK))
                        .on(new SiteEvent.PeerReport("d2", FORK, SiteRole.ACTIVE, FORK, FORK, 0))
                        .on(new SiteEvent.PeerReport("l1", e5, SiteRole.ACTIVE, e5, E1, 0))
                        .expect(
                                SiteRole.RECONCILING,
                                "PersistPromise",
                                "CloseLineage",
                                "BeginReconcile");
        assertThat(dr.last).contains(new SiteEffect.CloseLineage(E1));
    }

    @Test
    void aForkIsSealedOnceMoreAboveAnEpochThatNobodyApplied() {
        Driver dr =
                dr(P3).on(new SiteEvent.OperatorFailover(false, List.of()))
                        .on(new SiteEvent.PromiseDurable("d1", FORK))
                        .on(new SiteEvent.PromiseDurable("d2", FORK))
                        .on(
                                new SiteEvent.TailsRead(
                                        FORK, Set.of("d1", "d2"), Epoch.parse("4.local")))
                        .expect(SiteRole.SEALING, "PersistPromise", "CloseAckGate", "AskPromises");
        assertThat(dr.state.attempt().orElseThrow().epoch()).isEqualTo(Epoch.parse("6.dr"));
    }

    @Test
    void aSignOfLifeCountsFromTheTickAfterIt() {
        Driver dr = leads(dr(P3)).tick(1_000).on(alive("l1"));
        assertThat(dr.state.group().silenceMillis(LOCALS)).isZero();
        dr.tick(70_000).expect(SiteRole.STANDBY);
        assertThat(dr.state.group().silenceMillis(LOCALS))
                .as("the process was stopped; the sign of life may have come at its end")
                .isZero();
        dr.tick(15_000).expect(SiteRole.STANDBY, "AskWitness");
    }

    @Test
    void theWitnessVotesAndIsNeverActive() {
        Driver witness = witness().expect(SiteRole.WITNESS).on(alive("l1")).tick(0).tick(14_999);
        SiteEvent asked = new SiteEvent.WitnessAsked("d1", LOCALS, 5, 1);
        witness.on(asked);
        assertThat(witness.last).containsExactly(new SiteEffect.AnswerWitness("d1", false, 5, 1));
        witness.tick(1).on(asked);
        assertThat(witness.last).containsExactly(new SiteEffect.AnswerWitness("d1", true, 5, 1));
        witness.on(new SiteEvent.RaftLeading(9));
        assertThat(witness.last).containsExactly(new SiteEffect.PreferSite(Site.DR));
        witness.on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.WITNESS, "Refuse")
                .on(new SiteEvent.PromiseAsked("l1", E3))
                .expect(SiteRole.WITNESS, "RefusePromise")
                .on(new SiteEvent.EpochApplied(E2, "d1"))
                .expect(SiteRole.WITNESS, "PersistPromise", "OpenAckGate", "PersistRole")
                .on(new SiteEvent.PeerReport("l1", E3, SiteRole.ACTIVE, E3, E3, 0))
                .on(new SiteEvent.ReconcileDone(E3))
                .expect(SiteRole.WITNESS, "JoinLineage", "OpenAckGate", "PersistRole");
    }

    /** Found by p3-small, seed 802333: it was killed while it reconciled, and then sealed an epoch. */
    @Test
    void aFencedWitnessIsNeverActiveEither() {
        new Driver(new SiteConfig(Site.WITNESS, "w1", LOCALS, DRS, 1, 1, 60_000, P3))
                .on(new SiteEvent.Booted(SiteRole.FENCED, E1, E1, E3, "", 7))
                .on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.FENCED, "Refuse");
        witness()
                .on(new SiteEvent.PeerReport("l1", E3, SiteRole.ACTIVE, E3, E3, 0))
                .on(new SiteEvent.OperatorFailover(true, List.of()))
                .expect(SiteRole.RECONCILING, "Refuse");
    }

    /** Nobody else would ever ask it: it must not lead for good where the active site has fallen. */
    @Test
    void aWitnessThatLeadsGivesTheLeadToTheOtherSiteOnceTheActiveOneIsDown() {
        Driver witness = witness().on(new SiteEvent.RaftLeading(5));
        assertThat(witness.last).contains(new SiteEffect.PreferSite(Site.LOCAL));
        witness.tick(P3.downMillis() - 1);
        assertThat(witness.last).isEmpty();
        witness.tick(1);
        assertThat(witness.last).containsExactly(new SiteEffect.PreferSite(Site.DR));
        witness.tick(1000);
        assertThat(witness.last).isEmpty();
    }

    @Test
    void theClustersSwitchEndsAnAutomaticTakeover() {
        Driver dr = leads(dr(P3)).tick(P3.downMillis());
        assertThat(dr.state.attempt()).isPresent();
        dr.on(new SiteEvent.AutoFailover(false, Profile.Requires.METADATA));
        assertThat(dr.state.attempt()).isEmpty();
        dr.tick(P3.downMillis()).expect(SiteRole.STANDBY);
        dr.on(new SiteEvent.AutoFailover(true, Profile.Requires.METADATA)).tick(1);
        assertThat(dr.last).hasSize(1).first().isInstanceOf(SiteEffect.AskWitness.class);
    }
}
