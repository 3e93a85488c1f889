package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.StepView;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.node.config.RoleFile;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Draining;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link SiteController} and {@link SiteOperations} over everything else in memory. */
class SiteControllerTest {
    private static final Epoch FIRST = TestCluster.FIRST;
    private static final Epoch TAKEN = new Epoch(2, Site.DR);

    @TempDir Path temp;
    private @Nullable FakeSite site;

    @AfterEach
    void end() {
        if (site != null) {
            site.close();
        }
    }

    private FakeSite start(Site where, SiteRole durable, Epoch epoch, Epoch promise)
            throws IOException {
        FakeSite started = new FakeSite(temp, FakeSite.small(where), promise).start(durable, epoch);
        site = started;
        return started;
    }

    private FakeSite standby() throws Exception {
        FakeSite dr = start(Site.DR, SiteRole.STANDBY, FIRST, FIRST);
        dr.awaitRole(SiteRole.STANDBY);
        return dr;
    }

    private static Requests.Failover failover(boolean force) {
        return new Requests.Failover(force, "ada", "fire", UUID.randomUUID());
    }

    @Test
    void aFailoverPersistsBeforeItOpensAndOpensBeforeItCommands() throws Exception {
        FakeSite dr = standby();
        FailoverView done = dr.controller.failover(failover(false));
        assertThat(done.epoch()).isEqualTo("2.dr");
        dr.awaitDid("replication ASYNC"); // told in a thread of its own
        assertThat(dr.did)
                .containsSubsequence(
                        "promise 2.dr",
                        "tails [d1]",
                        "close lineages",
                        "open 2.dr",
                        "seed 2.dr failover: fire",
                        "submit SetSuspended",
                        "allow 2.dr",
                        "replication ASYNC");
        assertThat(RoleFile.read(dr.roleFile))
                .contains(new RoleFile("ACTIVE", TAKEN, dr.controller.lineageOf(TAKEN)));
        assertThat(dr.controller.serves()).isTrue();
    }

    @Test
    void theSameOperationIsDoneOnce() throws Exception {
        FakeSite dr = standby();
        Requests.Failover once = failover(false);
        assertThat(dr.controller.failover(once).epoch()).isEqualTo("2.dr");
        assertThat(dr.controller.failover(once).epoch()).isEqualTo("2.dr");
        assertThat(dr.did).containsOnlyOnce("open 2.dr");
        assertThatThrownBy(() -> dr.controller.failover(failover(false)))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("ACTIVE already");
    }

    @Test
    void aSiteThatAnswersNeedsForce() throws Exception {
        FakeSite dr = standby();
        dr.answers("l1", SiteRole.ACTIVE, FIRST, FIRST, true);
        PreflightView before = dr.controller.preflight();
        assertThat(before.verdict()).isEqualTo(PreflightView.Verdict.NEEDS_FORCE);
        assertThatThrownBy(() -> dr.controller.failover(failover(false)))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("l1");
        assertThat(dr.controller.state().role()).isEqualTo(SiteRole.STANDBY);
        assertThat(dr.controller.failover(failover(true)).epoch()).isEqualTo("2.dr");
    }

    /** Its address was changed, or it was moved to the other site: not even force helps. */
    @Test
    void aNodeThatTheMbrDoesNotListAtThisSiteTakesNothingOver() throws Exception {
        FakeSite dr = standby();
        NodeAddress l1 = dr.mbr.node("l1").orElseThrow();
        NodeAddress d1 = dr.mbr.node("d1").orElseThrow();
        NodeAddress other = at(d1, "d2", "127.50.4.5");
        for (Map<Site, List<NodeAddress>> sites :
                List.of(
                        Map.of(
                                Site.LOCAL,
                                List.of(l1),
                                Site.DR,
                                List.of(at(d1, "d1", "127.9.9.9"))),
                        Map.of(Site.LOCAL, List.of(l1), Site.DR, List.of(other)),
                        Map.of(Site.LOCAL, List.of(l1, d1), Site.DR, List.of(other)))) {
            dr.mbr = with(dr.mbr, sites);
            PreflightView before = dr.controller.preflight();
            assertThat(before.verdict()).isEqualTo(PreflightView.Verdict.REFUSED);
            for (boolean force : new boolean[] {false, true}) {
                assertThatThrownBy(() -> dr.controller.failover(failover(force)))
                        .isInstanceOf(ApiException.class)
                        .hasMessageContaining(
                                "The MBR does not list node d1 at 127.50.4.4 under site dr");
            }
        }
        assertThat(dr.controller.state().role()).isEqualTo(SiteRole.STANDBY);
        assertThat(dr.did).noneMatch(d -> d.startsWith("promise") || d.startsWith("open"));
        dr.mbr = TestCluster.mbr();
        assertThat(dr.controller.failover(failover(false)).epoch()).isEqualTo("2.dr");
    }

    private static NodeAddress at(NodeAddress node, String id, String host) {
        return new NodeAddress(
                id, host, node.restPort(), node.raftPort(), node.sitePort(), node.roles());
    }

    private static Mbr with(Mbr mbr, Map<Site, List<NodeAddress>> sites) {
        return new Mbr(
                mbr.cluster(),
                mbr.name(),
                mbr.profile(),
                sites,
                mbr.resourceDb(),
                mbr.defaultCatalog(),
                mbr.methodRepository(),
                mbr.epoch(),
                mbr.lineage(),
                mbr.chunking());
    }

    @Test
    void aStepThatFailsIsToldToTheOperatorAndTheNextAttemptMaySucceed() throws Exception {
        FakeSite dr = standby();
        dr.noLineage = Optional.of(new IOException("the port is taken"));
        assertThatThrownBy(() -> dr.controller.failover(failover(false)))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("the port is taken");
        assertThat(dr.controller.problem()).contains("the port is taken");
        assertThat(dr.controller.state().mayCommand()).isFalse();
        assertThat(dr.did).noneMatch(d -> d.startsWith("allow"));
    }

    /** T5f: the active site was lost before the fenced one had joined it. */
    @Test
    void aFencedSiteGoesOnByForceOnly() throws Exception {
        FakeSite local = start(Site.LOCAL, SiteRole.FENCED, FIRST, TAKEN);
        local.awaitRole(SiteRole.FENCED);
        PreflightView before = local.controller.preflight();
        assertThat(before.verdict()).isEqualTo(PreflightView.Verdict.NEEDS_FORCE);
        assertThat(before.refusals().getFirst()).contains("FENCED", "2.dr", "--force");
        assertThatThrownBy(() -> local.controller.failover(failover(false)))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("FENCED");
        assertThat(local.controller.failover(failover(true)).epoch()).isEqualTo("3.local");
    }

    /** Otherwise it would drain for ever: neither ended, nor taken back, nor begun again. */
    @Test
    void aPlannedMoveThatCannotBePreparedIsGivenUp() throws Exception {
        FakeSite local = inSync();
        local.unavailable.put(Command.SwitchPrepare.class, 1);
        Requests.Switchover move =
                new Requests.Switchover("dr", "ada", "tidy", UUID.randomUUID(), null, null);
        assertThatThrownBy(() -> local.controller.switchover(move))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("nobody leads");
        local.awaitRole(SiteRole.ACTIVE);
        FakeSite.eventually("it takes jobs again", () -> local.did.contains("submit SwitchAbort"));
    }

    /** Past the barrier there is no way back, and nobody else writes it. */
    @Test
    void aHandoverIsWrittenAgainUntilItStands() throws Exception {
        FakeSite local = inSync();
        local.unavailable.put(Command.EpochChange.class, 2);
        CompletableFuture<?> move = movePastItsBarrier(local);
        local.awaitRole(SiteRole.STANDBY);
        local.answers("d1", SiteRole.ACTIVE, TAKEN, TAKEN, true);
        move.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aDrainIsLeftBehindWhenItsTimeIsOver() {
        Instant began = Instant.parse("2026-11-22T10:00:00Z");
        Draining drain =
                new Draining(Site.DR, ChronoUnit.MICROS.between(Instant.EPOCH, began), "", "", 0);
        assertThat(SiteOperations.isLeftBehind(drain, began.plusSeconds(200))).isFalse();
        assertThat(SiteOperations.isLeftBehind(drain, began.plusSeconds(301))).isTrue();
        Draining longer =
                new Draining(Site.DR, drain.sinceMicros(), "", "", Duration.ofHours(1).toMillis());
        assertThat(SiteOperations.isLeftBehind(longer, began.plusSeconds(301))).isFalse();
        assertThat(SiteOperations.isLeftBehind(longer, began.plusSeconds(3601))).isTrue();
    }

    /** What runs when the drain's time is over is stopped, and the move goes on. */
    @Test
    void aJobThatRunsTooLongIsCheckpointed() throws Exception {
        FakeSite local = inSync();
        TestCluster cluster = TestCluster.create();
        JobRecord running = cluster.backup(TestCluster.CRIT, 1);
        local.state = cluster.state();
        local.checkpoint =
                job -> {
                    cluster.apply(new Command.SwitchPrepare(Site.DR, "tidy", "ada"));
                    cluster.end(job, JobState.CHECKPOINTED, "Checkpointed");
                    local.state = cluster.state();
                };
        CompletableFuture<SwitchoverView> move = moveWithoutDrain(local);
        local.awaitRole(SiteRole.STANDBY);
        local.answers("d1", SiteRole.ACTIVE, TAKEN, TAKEN, true);
        assertThat(move.get(30, TimeUnit.SECONDS).steps())
                .filteredOn(s -> s.name().equals("checkpoint"))
                .extracting(StepView::detail)
                .containsExactly("1 backup will go on");
        assertThat(local.did).containsOnlyOnce("checkpoint " + running.id());
    }

    /** A site that stands still answers later than the barrier waits, or never. */
    @Test
    void aMoveThatIsNotLevelInTimeIsTakenBack() throws Exception {
        FakeSite local = inSync();
        CountDownLatch released = new CountDownLatch(1);
        local.level =
                () -> {
                    try {
                        return !released.await(60, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        return false;
                    }
                };
        CompletableFuture<SwitchoverView> move = moveWithoutDrain(local);
        assertThatThrownBy(() -> move.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("did not draw level within 1 s")
                .hasMessageContaining("epoch 1.local goes on");
        released.countDown();
        local.awaitRole(SiteRole.ACTIVE);
        FakeSite.eventually("it takes jobs again", () -> local.did.contains("submit SwitchAbort"));
    }

    /** Another leader found it left behind: a job may begin at any time, so nothing is promised. */
    @Test
    void aMoveThatTheRecordDoesNotWaitForIsTakenBack() throws Exception {
        FakeSite local = inSync();
        local.level =
                () -> {
                    local.submit(new Command.SwitchAbort("who had prepared it did not end it"));
                    return false;
                };
        CompletableFuture<SwitchoverView> move = moveWithoutDrain(local);
        assertThatThrownBy(() -> move.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("another leader has taken it back");
        local.awaitRole(SiteRole.ACTIVE);
        assertThat(local.guard.max()).isEqualTo(FIRST);
    }

    private static CompletableFuture<SwitchoverView> moveWithoutDrain(FakeSite local) {
        return CompletableFuture.supplyAsync(() ->
                local.controller.switchover(
                        new Requests.Switchover("dr", "ada", "tidy", UUID.randomUUID(), 0, 1)));
    }

    /** T8f: the target is lost between the last entry of a planned move and its promotion. */
    @Test
    void aPlannedMovePastItsBarrierIsTakenBackByForce() throws Exception {
        FakeSite local = inSync();
        local.protectsAtOnce = false;
        CompletableFuture<?> move = movePastItsBarrier(local);
        local.isSilent("d1");
        PreflightView before = local.controller.preflight();
        assertThat(before.verdict()).isEqualTo(PreflightView.Verdict.NEEDS_FORCE);
        assertThat(before.refusals().getFirst()).contains("takes the switchover back");
        assertThat(local.controller.failover(failover(true)).epoch()).isEqualTo("3.local");
        assertThatThrownBy(() -> move.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("taken back");
    }

    @Test
    void howFarAMoveIsCanBeAskedWhileItGoesOn() throws Exception {
        FakeSite local = inSync();
        local.protectsAtOnce = false;
        UUID operation = UUID.randomUUID();
        assertThat(local.controller.move(operation)).isEmpty();
        CompletableFuture<SwitchoverView> move = movePastItsBarrier(local, operation);
        MoveView under = local.controller.move(operation).orElseThrow();
        assertThat(under.operation()).isEqualTo(operation);
        assertThat(under.steps().stream().map(StepView::name))
                .startsWith("pre-flight", "drain", "barrier")
                .doesNotContain("activate");
        assertThat(under.doing()).isEqualTo("commits the change of epoch");
        assertThat(local.controller.move(UUID.randomUUID())).isEmpty();
        local.answers("d1", SiteRole.ACTIVE, TAKEN, TAKEN, true);
        List<StepView> all = move.get(30, TimeUnit.SECONDS).steps();
        assertThat(all).startsWith(under.steps().toArray(StepView[]::new));
        assertThat(local.controller.move(operation).map(MoveView::steps)).contains(all);
    }

    /** Begins a planned move to DR and waits for its last entry. */
    private static CompletableFuture<?> movePastItsBarrier(FakeSite local)
            throws InterruptedException {
        return movePastItsBarrier(local, UUID.randomUUID());
    }

    private static CompletableFuture<SwitchoverView> movePastItsBarrier(
            FakeSite local, UUID operation) throws InterruptedException {
        CompletableFuture<SwitchoverView> move =
                CompletableFuture.supplyAsync(() ->
                        local.controller.switchover(
                                new Requests.Switchover(
                                        "dr", "ada", "tidy", operation, null, null)));
        FakeSite.eventually(
                "the last entry of the move",
                () -> local.submitted.stream().anyMatch(Command.EpochChange.class::isInstance));
        return move;
    }

    private FakeSite inSync() throws Exception {
        FakeSite local = start(Site.LOCAL, SiteRole.ACTIVE, FIRST, FIRST);
        local.answers("d1", SiteRole.STANDBY, FIRST, FIRST, false);
        local.awaitRole(SiteRole.ACTIVE);
        local.inTime = true;
        FakeSite.eventually(
                "SYNC", () -> local.controller.state().replication() == ReplicationState.SYNC);
        return local;
    }

    /** Its own idea of the replication state may be another leader's. */
    @Test
    void aMemberThatLeadsAnewSaysAsyncBeforeItReliesOnIt() throws Exception {
        FakeSite local = inSync();
        local.inTime = false;
        local.did.clear();
        local.controller.post(new SiteEvent.RaftLeading(7));
        FakeSite.eventually("ASYNC is committed", () -> local.did.contains("replication ASYNC"));
    }

    @Test
    void aHigherEpochEndsTheServices() throws Exception {
        FakeSite local = inSync();
        local.controller.higherEpochSeen(TAKEN);
        FakeSite.eventually("its lineage is closed", () -> local.did.contains("close lineages"));
        assertThat(local.controller.state().role()).isEqualTo(SiteRole.FENCED);
        assertThat(local.did).containsSubsequence("forbid", "promise 2.dr", "close lineages");
        assertThat(local.controller.serves()).isFalse();
        assertThat(local.guard.max()).isEqualTo(TAKEN);
    }

    @Test
    void aReturnedSiteReconcilesThenRests() throws Exception {
        FakeSite local = start(Site.LOCAL, SiteRole.ACTIVE, FIRST, FIRST);
        local.answers("d1", SiteRole.ACTIVE, TAKEN, TAKEN, true);
        local.awaitRole(SiteRole.STANDBY);
        assertThat(local.did).contains("reconcile 2.dr");
        assertThat(local.controller.activeLeader()).contains("d1");
        RoleFile rests = new RoleFile("STANDBY", TAKEN, local.controller.lineageOf(TAKEN));
        FakeSite.eventually(
                "the durable role is STANDBY",
                () -> {
                    try {
                        return RoleFile.read(local.roleFile).equals(Optional.of(rests));
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
    }
}
