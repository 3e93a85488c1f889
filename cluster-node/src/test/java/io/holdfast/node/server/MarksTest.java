package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.replication.state.JobRecord;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MarksTest {
    private static final UUID LINEAGE = TestCluster.LOCAL_LINEAGE;

    private final Marks marks = new Marks();
    private final TestCluster cluster = TestCluster.create();
    private final JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));

    private void settle(long applied, long acknowledged) {
        marks.settle(LINEAGE, cluster.state(), applied, acknowledged);
    }

    private boolean isShown(long acknowledged) {
        boolean shown = marks.isShown(LINEAGE, job.id(), acknowledged);
        assertThat(marks.areShown(acknowledged)).isEqualTo(shown);
        return shown;
    }

    @Test
    void aMarkIsShownWhenItsIndexIsAcknowledged() {
        settle(10, 10);
        marks.asked(job.id());
        cluster.markProtected(job);
        assertThat(isShown(100)).as("in the state, its index not heard yet").isFalse();
        marks.written(job.id(), 12);
        assertThat(isShown(11)).isFalse();
        settle(12, 11);
        assertThat(isShown(11)).isFalse();
        assertThat(isShown(12)).isTrue();
        settle(12, 12);
        assertThat(isShown(0)).as("forgotten: it was shown").isTrue();
    }

    @Test
    void aMarkWhoseAnswerWasLostStandsBelowWhatIsApplied() {
        settle(10, 10);
        marks.asked(job.id());
        settle(12, 10);
        assertThat(isShown(100)).as("it is asked for again").isFalse();
        cluster.markProtected(job);
        settle(15, 10);
        assertThat(isShown(14)).isFalse();
        assertThat(isShown(15)).isTrue();
    }

    @Test
    void whatIsNoPieceAnyMoreIsNotWaitedFor() {
        settle(10, 10);
        UUID gone = UUID.randomUUID();
        marks.asked(gone);
        assertThat(marks.areShown(100)).isFalse();
        settle(12, 10);
        assertThat(marks.areShown(10)).isTrue();
    }

    @Test
    void anotherLineagesIndexesMeanNothing() {
        settle(10, 10);
        marks.written(job.id(), 1_000);
        assertThat(isShown(10)).isFalse();
        assertThat(marks.isShown(new UUID(9, 9), job.id(), 5)).isTrue();
        marks.settle(new UUID(9, 9), cluster.state(), 5, 5);
        assertThat(isShown(5)).isTrue();
    }

    @Test
    void whatWasMarkedBeforeThisLeaderIsShown() {
        assertThat(isShown(-1)).isTrue();
    }
}
