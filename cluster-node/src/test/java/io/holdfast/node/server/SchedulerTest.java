package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Requests;
import io.holdfast.standard.CronSchedule;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.ScheduleResource;
import io.holdfast.standard.Site;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The cluster's clients are backed up every night at 02:30 in Berlin, which is 01:30 in winter. */
class SchedulerTest {
    private static final UUID NIGHTLY = new UUID(0x5c, 1);
    private static final Instant DUE = Instant.parse("2026-01-15T01:30:00Z");

    private final TestCluster cluster = TestCluster.create().put(nightly().toResource(NIGHTLY));
    private final List<Requests.Backup> fired = new ArrayList<>();
    private Instant now = DUE.minusSeconds(5);

    private static ScheduleResource nightly() {
        return new ScheduleResource(
                "nightly",
                CronSchedule.parse("30 2 * * *"),
                ZoneId.of("Europe/Berlin"),
                "incremental");
    }

    private Scheduler scheduler(TestCluster of) {
        Scheduler scheduler = new Scheduler(of::state, () -> now);
        scheduler.startsWith(fired::add);
        return scheduler;
    }

    /** A round every second, as the leader's loop makes them. */
    private void run(Scheduler scheduler, int seconds) {
        for (int i = 0; i < seconds; i++) {
            now = now.plusSeconds(1);
            scheduler.round();
        }
    }

    @Test
    void eachClientIsBackedUpOnceWhenItIsDue() {
        Scheduler scheduler = scheduler(cluster);
        run(scheduler, 4);
        assertThat(fired).isEmpty();
        run(scheduler, 1);
        assertThat(fired)
                .extracting(Requests.Backup::client)
                .containsExactlyInAnyOrder(
                        TestCluster.CRIT.toString(), TestCluster.NONCRIT.toString());
        assertThat(fired).extracting(Requests.Backup::level).containsOnly("incremental");
        scheduler.round();
        run(scheduler, 300);
        assertThat(fired).hasSize(2);
    }

    @Test
    void theNextNightIsAnotherJob() {
        Scheduler scheduler = scheduler(cluster);
        run(scheduler, 10);
        now = DUE.plusSeconds(86_395);
        scheduler.round();
        run(scheduler, 10);
        assertThat(fired).hasSize(4);
        assertThat(fired).extracting(Requests.Backup::operation).doesNotHaveDuplicates();
    }

    /** The lead moved within the minute: the second leader finds the first one's job. */
    @Test
    void whatAnotherLeaderHasStartedIsNotStartedAgain() {
        run(scheduler(cluster), 10);
        List<Requests.Backup> first = List.copyOf(fired);
        fired.clear();
        now = DUE.minusSeconds(5);
        run(scheduler(cluster), 10);
        assertThat(fired).containsExactlyInAnyOrderElementsOf(first);
        fired.clear();
        first.forEach(this::open);
        now = DUE.minusSeconds(5);
        run(scheduler(cluster), 10);
        assertThat(fired).isEmpty();
    }

    private void open(Requests.Backup backup) {
        UUID client = UUID.fromString(backup.client());
        UUID job = Objects.requireNonNull(backup.operation());
        Lookup lookup = cluster.lookup();
        cluster.open(
                JobPlanner.backup(
                        lookup,
                        lookup.client(client).orElseThrow(),
                        "/data",
                        job,
                        TestCluster.pieceId(client.hashCode())),
                "backup",
                client,
                "incremental");
    }

    @Test
    void aClientThatIsSuspendedAtDrIsNotBackedUpThere() {
        run(scheduler(cluster.failover(new Epoch(2, Site.DR))), 10);
        assertThat(fired)
                .extracting(Requests.Backup::client)
                .containsExactly(TestCluster.CRIT.toString());
    }

    @Test
    void aGroupWhoseScheduleIsGoneIsNotBackedUpAndARefusalStopsNobodyElse() {
        Scheduler scheduler = scheduler(cluster);
        scheduler.startsWith(backup -> {
            fired.add(backup);
            throw new ApiException(ApiException.Kind.UNAVAILABLE, "nobody leads", "wait");
        });
        run(scheduler, 10);
        assertThat(fired).hasSize(2);
        cluster.delete(NIGHTLY);
        now = DUE.plusSeconds(86_395);
        scheduler.round();
        run(scheduler, 10);
        assertThat(fired).hasSize(2);
    }

    @Test
    void whatBecameDueInATimeWithoutALeaderIsNotMadeUpFor() {
        Scheduler scheduler = scheduler(cluster);
        now = DUE.plusSeconds(3600);
        scheduler.round();
        assertThat(fired).isEmpty();
    }
}
