package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.catalog.CatalogRow;
import io.holdfast.node.server.Checkpoints.Next;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Job;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CheckpointsTest {
    private static final Epoch DR = new Epoch(2, Site.DR);
    private static final MoveLimits LIMITS =
            new MoveLimits(Duration.ofSeconds(2), Duration.ofSeconds(3));

    @Test
    void jobsAreAwaitedThenStoppedThenGivenUp() {
        List<JobRecord> open = List.of(TestCluster.create().backup(TestCluster.CRIT, 1));
        assertThat(next(List.of(), 0)).isEqualTo(new Next.Drained());
        assertThat(next(List.of(), 500)).isEqualTo(new Next.Drained());
        assertThat(next(open, 0)).isEqualTo(new Next.Await(open));
        assertThat(next(open, 1)).isEqualTo(new Next.Await(open));
        assertThat(next(open, 2)).isEqualTo(new Next.Stop(open));
        assertThat(next(open, 31)).isEqualTo(new Next.Stop(open));
        assertThat(next(open, 32)).isEqualTo(new Next.GiveUp(open));
    }

    private static Next next(List<JobRecord> open, int waitedSeconds) {
        return Checkpoints.next(open, Duration.ofSeconds(waitedSeconds), LIMITS);
    }

    /** No successor while the move is under way; one afterwards, whichever way it went. */
    @Test
    void aBackupGoesOnWhenTheMoveIsTakenBack() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        cluster.apply(new Command.SwitchPrepare(Site.DR, "tidy", "ada"));
        String message = Checkpoints.message(job, cluster.state().draining());
        assertThat(message)
                .isEqualTo("Checkpointed by the switchover to dr; what it had stored is kept");
        JobRecord stopped = cluster.end(job, JobState.CHECKPOINTED, message);
        assertThat(Checkpoints.due(cluster.state())).isEmpty();
        cluster.apply(new Command.SwitchAbort("late"));
        assertThat(Checkpoints.due(cluster.state())).containsExactly(stopped);
        assertThat(Checkpoints.shown(cluster.state(), stopped))
                .contains("as soon as a site is active");
        assertThat(Checkpoints.sentences(cluster.lookup()))
                .singleElement()
                .asString()
                .contains("crit");

        JobRecord next = open(cluster, stopped);
        assertThat(Checkpoints.due(cluster.state())).isEmpty();
        assertThat(next.continues()).contains(job.id());
        assertThat(next.client()).isEqualTo(job.client());
        assertThat(next.level()).isEqualTo(job.level());
        assertThat(next.job().pairs().getFirst().input())
                .isEqualTo(job.job().pairs().getFirst().input());
        assertThat(JobPlanner.pieceOf(next.job())).isNotEqualTo(JobPlanner.pieceOf(job.job()));
        JobRecord before = cluster.job(job.id());
        assertThat(before.continuedBy()).contains(next.id());
        assertThat(Checkpoints.shown(cluster.state(), before))
                .endsWith("is kept. Goes on at local as job " + next.id());
        assertThat(Checkpoints.sentences(cluster.lookup()))
                .containsExactly(
                        "Backup "
                                + job.id()
                                + " of crit was CHECKPOINTED, and goes on as job "
                                + next.id());
        cluster.complete(next);
        assertThat(Checkpoints.sentences(cluster.lookup())).isEmpty();
    }

    /** Two leaders of an epoch, or one that is not sure that it was heard, name the same successor. */
    @Test
    void theSuccessorFollowsFromJobAndEpoch() {
        TestCluster here = stopped(TestCluster.CRIT);
        JobRecord job = here.job(TestCluster.jobId(1));
        Command.JobOpened first = successor(here, job);
        assertThat(successor(here, job)).isEqualTo(first);
        assertThat(first.job().id().version()).isEqualTo(7);
        TestCluster there = stopped(TestCluster.CRIT).switchover(DR);
        assertThat(successor(there, there.job(job.id())).job().id())
                .as("two epochs, in which both sites may open one")
                .isNotEqualTo(first.job().id());
    }

    @Test
    void aSuspendedClientKeepsItsCheckpointUntilItsSiteIsActive() {
        TestCluster cluster = stopped(TestCluster.NONCRIT).switchover(DR);
        assertThat(Checkpoints.due(cluster.state())).isEmpty();
        cluster.switchover(new Epoch(3, Site.LOCAL));
        assertThat(Checkpoints.due(cluster.state()))
                .extracting(JobRecord::id)
                .containsExactly(TestCluster.jobId(1));
        assertThat(Checkpoints.due(stopped(TestCluster.CRIT).switchover(DR).state())).hasSize(1);
    }

    /** What it has written is at the site that is left: it is ordered again, by a person. */
    @Test
    void aRestoreIsNotGoneOnWith() {
        TestCluster cluster = TestCluster.create();
        CatalogRecord row =
                cluster.complete(cluster.backup(TestCluster.CRIT, 1)).row().orElseThrow();
        Job restore =
                JobPlanner.restore(
                        new CatalogRow(row, TestCluster.chunkId(1)).record(),
                        cluster.lookup().client(TestCluster.CRIT).orElseThrow(),
                        "/target",
                        List.of(),
                        false,
                        TestCluster.jobId(2));
        JobRecord job = cluster.open(restore, "restore", TestCluster.CRIT, "");
        String message = Checkpoints.message(job, Optional.empty());
        assertThat(message)
                .contains(
                        "holdfast restore "
                                + row.piece()
                                + " --to CLIENT --target /target --overwrite");
        JobRecord ended = cluster.end(job, JobState.CHECKPOINTED, message);
        assertThat(Checkpoints.due(cluster.state())).isEmpty();
        assertThat(Checkpoints.shown(cluster.state(), ended)).isEqualTo(message);
        assertThat(Checkpoints.sentences(cluster.lookup())).isEmpty();
    }

    private static TestCluster stopped(java.util.UUID client) {
        TestCluster cluster = TestCluster.create();
        cluster.end(cluster.backup(client, 1), JobState.CHECKPOINTED, "Checkpointed");
        return cluster;
    }

    private static Command.JobOpened successor(TestCluster cluster, JobRecord job) {
        return Checkpoints.successor(
                cluster.lookup(), job, cluster.lookup().client(job.client()).orElseThrow());
    }

    private static JobRecord open(TestCluster cluster, JobRecord job) {
        Command.JobOpened next = successor(cluster, job);
        cluster.apply(next);
        return cluster.job(next.job().id());
    }
}
