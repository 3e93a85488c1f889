package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.replication.site.ProtectionWatch;
import io.holdfast.replication.state.JobRecord;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AcknowledgedTest {
    private static final UUID LINEAGE = TestCluster.LOCAL_LINEAGE;

    private final SiteAckBook book = new SiteAckBook(LINEAGE, TestCluster.FIRST, Set.of("d1"), 1);
    private final Acknowledged acknowledged = new Acknowledged(new ProtectionWatch(book), 10);
    private final TestCluster cluster = TestCluster.create();
    private final JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));

    private void acknowledge(long index) {
        UUID disk = new UUID(1, 1);
        book.admit("d1", disk);
        book.enter(
                new SiteAck(LINEAGE, TestCluster.FIRST, index, "d1", disk, TestCluster.FIRST),
                index);
    }

    private boolean recorded() {
        return acknowledged.isRecorded(job, () -> 30);
    }

    @Test
    void aJobIsRecordedOnceItsOwnIndexIsAtBothSites() {
        acknowledged.recorded(LINEAGE, job.id(), 12);
        acknowledged.recorded(LINEAGE, job.id(), 20);
        acknowledge(19);
        assertThat(recorded()).isFalse();
        acknowledge(20);
        assertThat(recorded()).isTrue();
        assertThat(acknowledged.otherSite()).isEqualTo(20);
        assertThat(acknowledged.ownSite(25)).as("the leader alone is a quorum").isEqualTo(25);
    }

    @Test
    void whatWasThereBeforeThisLeaderStandsBelowWhatItHadApplied() {
        acknowledge(9);
        assertThat(recorded()).isFalse();
        acknowledge(10);
        assertThat(recorded()).isTrue();
    }

    @Test
    void anotherLineagesIndexesMeanNothing() {
        acknowledged.recorded(new UUID(9, 9), job.id(), 1_000);
        acknowledge(10);
        assertThat(recorded()).isTrue();
    }

    @Test
    void whoLeadsNothingKnowsOfNoAcknowledgement() {
        Acknowledged.NOTHING.recorded(LINEAGE, job.id(), 1);
        assertThat(Acknowledged.NOTHING.isRecorded(job, () -> 0)).isFalse();
        assertThat(Acknowledged.NOTHING.protectedIndex()).isEqualTo(-1);
    }

    @Test
    void manyJobsAreForgottenOnTheSafeSide() {
        acknowledged.recorded(LINEAGE, job.id(), 11);
        for (int i = 0; i < 10_000; i++) {
            acknowledged.recorded(LINEAGE, new UUID(7, i), 100 + i);
        }
        acknowledge(11);
        assertThat(recorded()).as("it may have been any of them").isFalse();
        acknowledge(20_000);
        assertThat(recorded()).isTrue();
    }
}
