package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.node.api.Saved;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import java.time.Duration;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AcknowledgementsTest {
    private static final UUID LINEAGE = TestCluster.LOCAL_LINEAGE;
    private static final long INDEX = 40;
    private static final long BEGAN = TestCluster.START + 50 * TestCluster.SECOND;
    private static final long ASYNC_SINCE = BEGAN + 10 * TestCluster.SECOND;

    /** A leader whose clock moves only while somebody waits, and to which things happen then. */
    private static final class FakeLeader implements Acknowledgements.Leader {
        final TestCluster cluster = TestCluster.create();
        final TreeMap<Long, Runnable> happens = new TreeMap<>();
        long protectedIndex = INDEX - 3;
        UUID lineage = LINEAGE;
        ReplicationState replication = ReplicationState.SYNC;
        long millis;

        void at(long when, Runnable what) {
            happens.put(when, what);
        }

        /** What commits that the other site is away. */
        void record(ReplState.Mode mode) {
            cluster.apply(new Command.ReplStateChange(new ReplState(mode, ASYNC_SINCE, INDEX - 3)));
        }

        @Override
        public long protectedIndex() {
            return protectedIndex;
        }

        @Override
        public long appliedIndex() {
            return INDEX + 2;
        }

        @Override
        public boolean leads(UUID which) {
            return which.equals(lineage);
        }

        @Override
        public ReplicationState replication() {
            return replication;
        }

        @Override
        public ClusterState state() {
            return cluster.state();
        }

        @Override
        public long nowMicros() {
            return BEGAN + millis * 1_000;
        }

        @Override
        public long nanoTime() {
            return millis * 1_000_000;
        }

        @Override
        public void await(long index, long pause) {
            millis += pause;
            happens.headMap(millis, true).values().forEach(Runnable::run);
            happens.headMap(millis, true).clear();
        }
    }

    private final FakeLeader leader = new FakeLeader();
    private final Acknowledgements acks = new Acknowledgements(leader, Duration.ofSeconds(10));

    private Saved<String> saved() {
        return acks.saved(LINEAGE, INDEX, true, "done");
    }

    private ApiException unknown() {
        ApiException e = catchThrowableOfType(ApiException.class, this::saved);
        assertThat(e.kind()).isEqualTo(ApiException.Kind.UNKNOWN);
        assertThat(e.next()).contains("Read back");
        return e;
    }

    private void choose(AckPolicy policy) {
        leader.cluster.apply(new Command.SetAckPolicy(policy, "ada", ""));
    }

    @Test
    void aWriteIsProtectedOnceItsOwnIndexIsAcknowledged() {
        leader.at(6, () -> leader.protectedIndex = INDEX - 1);
        leader.at(20, () -> leader.protectedIndex = INDEX);
        Saved<String> saved = saved();
        assertThat(leader.millis).as("not on what was acknowledged before it").isEqualTo(20);
        assertThat(saved)
                .isEqualTo(new Saved<>(Level.PROTECTED, null, "1.local", LINEAGE, INDEX, "done"));
        assertThat(acks.count(Acknowledgements.Outcome.PROTECTED)).isEqualTo(1);
    }

    /** The state of replication is no acknowledgement. */
    @Test
    void inSyncNothingIsUnprotectedBeforeTheRecordSaysAsync() {
        leader.at(
                10_000,
                () -> {
                    leader.replication = ReplicationState.ASYNC_WAIT;
                });
        leader.at(
                10_050,
                () -> {
                    leader.record(ReplState.Mode.ASYNC);
                    leader.replication = ReplicationState.ASYNC;
                });
        Saved<String> saved = saved();
        assertThat(leader.millis).isEqualTo(10_050);
        assertThat(saved.level()).isEqualTo(Level.UNPROTECTED);
        assertThat(saved.rpoAtRisk())
                .as("the write is older than the entry that says so")
                .isEqualTo(new RpoAtRisk(Moment.of(BEGAN), 5, 0));
        leader.protectedIndex = INDEX;
        assertThat(acks.atRisk().since()).isEqualTo(Moment.of(ASYNC_SINCE));
        assertThat(acks.count(Acknowledgements.Outcome.UNPROTECTED)).isEqualTo(1);
    }

    @Test
    void aloneItIsUnprotectedAtOnceAndCatchingUpItIsGivenALittleTime() {
        leader.record(ReplState.Mode.ASYNC);
        leader.replication = ReplicationState.ASYNC;
        assertThat(saved().level()).isEqualTo(Level.UNPROTECTED);
        assertThat(leader.millis).isZero();
        leader.replication = ReplicationState.CATCHUP;
        leader.at(100, () -> leader.protectedIndex = INDEX);
        assertThat(saved().level()).isEqualTo(Level.PROTECTED);
        leader.protectedIndex = -1;
        assertThat(saved().level()).isEqualTo(Level.UNPROTECTED);
        assertThat(leader.millis).isEqualTo(2_100);
    }

    @Test
    void whoLeadsNoMoreCannotSayIt() {
        leader.at(30, () -> leader.lineage = new UUID(9, 9));
        leader.at(31, () -> leader.protectedIndex = INDEX + 100);
        assertThat(unknown()).hasMessageContaining("leads no more").hasMessageContaining("40");
        assertThat(acks.count(Acknowledgements.Outcome.UNKNOWN)).isEqualTo(1);
    }

    @Test
    void aSiteThatAnswersAndAcknowledgesNothingIsNotInTime() {
        boolean[] overdue = new boolean[2];
        leader.at(2_900, () -> overdue[0] = acks.isOverdue(Duration.ofSeconds(3)));
        leader.at(3_100, () -> overdue[1] = acks.isOverdue(Duration.ofSeconds(3)));
        assertThat(unknown())
                .hasMessageContaining("has not acknowledged it in 20000 ms")
                .hasMessageContaining("replication is SYNC");
        assertThat(overdue).containsExactly(false, true);
        assertThat(acks.isOverdue(Duration.ofSeconds(3))).as("nobody waits now").isFalse();
    }

    // ---------------------------------------------------------------- protection

    @Test
    void protectionRefusesWhatCannotBeProtectedBeforeItIsDone() {
        leader.record(ReplState.Mode.ASYNC);
        leader.replication = ReplicationState.ASYNC;
        assertThatCode(() -> acks.require("the hold")).doesNotThrowAnyException();
        choose(AckPolicy.PROTECTION);
        ApiException e = catchThrowableOfType(ApiException.class, () -> acks.require("the hold"));
        assertThat(e.kind()).isEqualTo(ApiException.Kind.REFUSED);
        assertThat(e)
                .hasMessageContaining("Refused the hold")
                .hasMessageContaining("protection")
                .hasMessageContaining("site dr")
                .hasMessageContaining(Moment.of(ASYNC_SINCE).iso());
        assertThat(e.next()).contains("holdfast ack-policy availability");
        assertThat(acks.count(Acknowledgements.Outcome.REFUSED)).isEqualTo(1);
        leader.replication = ReplicationState.CATCHUP;
        assertThatCode(() -> acks.require("the hold")).doesNotThrowAnyException();
    }

    @Test
    void underProtectionAWriteThatIsLeftAloneIsUnknownAndNeverUnprotected() {
        choose(AckPolicy.PROTECTION);
        leader.at(
                500,
                () -> {
                    leader.record(ReplState.Mode.ASYNC);
                    leader.replication = ReplicationState.ASYNC;
                });
        assertThat(unknown()).hasMessageContaining("ack policy protection");
        assertThat(leader.millis).isEqualTo(500);
        leader.replication = ReplicationState.CATCHUP;
        assertThat(unknown()).hasMessageContaining("in 20000 ms");
        assertThat(acks.count(Acknowledgements.Outcome.UNPROTECTED)).isZero();
    }

    @Test
    void whatDealsWithALossIsNotBound() {
        choose(AckPolicy.PROTECTION);
        leader.record(ReplState.Mode.ASYNC);
        leader.replication = ReplicationState.ASYNC;
        assertThat(acks.saved(LINEAGE, INDEX, false, "").level()).isEqualTo(Level.UNPROTECTED);
    }

    // ---------------------------------------------------------------- what is at risk

    @Test
    void whatIsOnItsWayIsNotShownAsARisk() {
        leader.at(50, () -> leader.protectedIndex = INDEX + 2);
        assertThat(acks.settled().changes()).isZero();
        leader.protectedIndex = INDEX;
        assertThat(acks.settled().changes()).as("it did not arrive").isEqualTo(2);
        long before = leader.millis;
        leader.replication = ReplicationState.ASYNC;
        assertThat(acks.settled().changes()).isEqualTo(2);
        assertThat(leader.millis).as("nothing is on its way").isEqualTo(before);
    }

    @Test
    void atRiskIsWhatTheOtherSiteLacksSinceTheOldestOfIt() {
        TestCluster cluster = TestCluster.create();
        long now = cluster.now();
        assertThat(Acknowledgements.atRisk(cluster.state(), 9, 9, now))
                .isEqualTo(new RpoAtRisk(Moment.of(now), 0, 0));
        JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        long ended = job.endedMicros();
        cluster.apply(
                new Command.ReplStateChange(
                        new ReplState(ReplState.Mode.ASYNC, ended + TestCluster.SECOND, 4)));
        RpoAtRisk risk = Acknowledgements.atRisk(cluster.state(), -1, 11, cluster.now());
        assertThat(risk.since()).as("the piece is older").isEqualTo(Moment.of(ended));
        assertThat(risk.changes()).as("beyond what the record knows").isEqualTo(7);
        assertThat(risk.bytes()).isEqualTo(job.totals().bytesStored()).isPositive();
        assertThat(Acknowledgements.atRisk(cluster.state(), 10, 11, now).changes()).isEqualTo(1);
    }
}
