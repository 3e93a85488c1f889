package io.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.catalog.CatalogDatabaseConfig;
import io.holdfast.catalog.CatalogFilter;
import io.holdfast.chaos.cluster.ClusterBackend.Ending;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.Said;
import io.holdfast.chaos.cluster.Desk;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.fault.BitFlip;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StepView;
import io.holdfast.node.api.SwitchoverView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * Bad days of the smallest cluster, one node a site, each machine in a namespace of its own. One
 * cluster for all of them; each ends with the local site active and everything well.
 */
@EnabledIfEnvironmentVariable(
        named = "HOLDFAST_SCENARIOS",
        matches = "1",
        disabledReason = "takes minutes; set HOLDFAST_SCENARIOS=1 to run it")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TwoNodesIT {
    private static final long DR_DISK_BYTES = 400L << 20;
    private static final Duration LONG_LINE = Duration.ofMillis(700);
    private static final int EXIT_FAILED = 1;
    private static final int EXIT_FATAL = 70;
    private static final int EXIT_KILLED = 137;

    // Addresses in Replication rows that no identifier leads to: settings to change, and nothing
    // more.
    private static final String BOTH_CHANGED = "10.10.11.90";
    private static final String ONLY_LOCAL_HAS = "10.10.11.91";
    private static final String CHANGED_ALIKE = "10.10.11.92";

    private Scene scene;

    @BeforeAll
    void aCluster() throws Exception {
        scene = Scene.start("p2-small", backend -> backend.limitDisk("d1", DR_DISK_BYTES));
    }

    @AfterAll
    void end() throws Exception {
        if (scene != null) {
            scene.close();
        }
    }

    // ---------------------------------------------------------------- the link is down

    @Test
    @Order(1)
    void bothSitesStartWhileTheLinkIsDown() throws Exception {
        String epoch = scene.holdfast.status().epoch();
        scene.backend.kill(List.of("l1", "d1"));
        scene.partSites();
        scene.backend.start(List.of("l1", "d1"));
        scene.awaitRole("l1", "AWAIT_CONFIRM");
        scene.awaitRole("d1", "STANDBY");
        staysUnconfirmed();
        scene.joinSites();
        scene.allIsWell("local");
        assertThat(scene.holdfast.status().epoch()).as("nothing was taken over").isEqualTo(epoch);
    }

    /** The local node knows that it was active and does nothing: no job, no promise broken. */
    private void staysUnconfirmed() throws Exception {
        Commands local = scene.holdfast.asking("l1");
        Said refused = local.say("backup", Scene.CLIENT);
        assertThat(refused.exit()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err()).contains("Refused at node l1").contains("AWAIT_CONFIRM");
        // Longer than a node would need to ask around, elect itself, and begin.
        for (int i = 0; i < 30; i++) {
            assertThat(local.status().role()).isEqualTo("AWAIT_CONFIRM");
            Thread.sleep(100);
        }
        assertThat(local.status().openJobs()).isZero();
    }

    @Test
    @Order(2)
    void localReturnsWhilePartedFromADrThatTookOver() throws Exception {
        scene.backend.kill(scene.localMachines());
        FailoverView taken = scene.holdfast.failover();
        UUID atDr = scene.backUp();
        scene.partSites();
        scene.backend.start(scene.localMachines());
        scene.awaitRole("l1", "AWAIT_CONFIRM");
        staysUnconfirmed();
        assertThat(scene.statusOf("d1").role()).isEqualTo("ACTIVE");
        scene.joinSites();
        scene.awaitWell("dr");
        assertThat(scene.holdfast.status().epoch()).isEqualTo(taken.epoch());
        scene.protect(atDr);
        scene.goHome();
    }

    /**
     * Both sites go on, each by itself and each with an operator: what either was told, and what either
     * backed up, is there in the end or named in the report.
     */
    @Test
    @Order(3)
    void drTakesOverWhileLocalLivesAndIsOnlyCutOff() throws Exception {
        Commands dr = scene.holdfast.asking("d1");
        Commands local = scene.holdfast.asking("l1");
        scene.holdfast.addReplication(BOTH_CHANGED, "10.50.4.90");
        scene.holdfast.addReplication(CHANGED_ALIKE, "10.50.4.92");
        RetentionView.Policy policy = scene.holdfast.retention().policies().getFirst();
        UUID before = scene.protect(scene.backUp());
        scene.partSites();
        UUID here = scene.backUp();
        assertThat(scene.protection(here)).isEqualTo(Protection.UNPROTECTED);
        local.addReplication(BOTH_CHANGED, "10.50.4.95");
        local.addReplication(ONLY_LOCAL_HAS, "10.50.4.91");
        FailoverView taken = dr.failover();
        UUID there = onlyAt("d1", "l1");
        // Both are active, each in an epoch of its own, and neither knows of the other.
        assertThat(scene.statusOf("l1").role()).isEqualTo("ACTIVE");
        assertThat(scene.statusOf("l1").epoch()).isNotEqualTo(taken.epoch());
        assertThat(dr.lossLedger().complete()).isFalse();
        dr.addReplication(BOTH_CHANGED, "10.50.4.97");
        dr.addReplication(CHANGED_ALIKE, "10.50.4.96");
        dr.setRetention(policy.name(), "P120D");
        local.addReplication(CHANGED_ALIKE, "10.50.4.96");
        local.setRetention(policy.name(), "P90D");
        UUID late = scene.backUp(local);

        scene.joinSites();
        scene.awaitWell("dr");
        ReconcileView report =
                scene.await(
                        "the reconciliation",
                        scene.holdfast::reconcile,
                        r -> r.state().equals("DONE"));
        assertThat(report.merged())
                .extracting(ReconcileView.Merged::piece)
                .as("what only local had is named")
                .containsExactlyInAnyOrder(here, late);
        LossLedgerView ledger = scene.holdfast.lossLedger();
        assertThat(ledger.complete()).isTrue();
        for (UUID piece : List.of(here, late)) {
            assertThat(ledger.entries())
                    .filteredOn(e -> piece.equals(e.piece()))
                    .singleElement()
                    .extracting(LossLedgerView.Entry::resolution)
                    .isEqualTo("MERGED");
        }
        settingsAreReported(report, policy);
        settingsAreSettled(policy);
        scene.protect(there);
        scene.goHome(before, here, late, there);
        assertThat(remote(BOTH_CHANGED)).isEqualTo("10.50.4.95");
        assertThat(remote(ONLY_LOCAL_HAS)).isEqualTo("10.50.4.91");
        assertThat(remote(CHANGED_ALIKE)).isEqualTo("10.50.4.96");
        assertThat(retention(policy)).isEqualTo("P120D");
    }

    /** Each change that local made, with what it was before and what DR made of it; nothing else. */
    private static void settingsAreReported(ReconcileView report, RetentionView.Policy policy) {
        assertThat(report.needsSignature()).isTrue();
        assertThat(report.settings())
                .extracting(
                        ReconcileView.Setting::resource,
                        ReconcileView.Setting::classification,
                        s -> value(s.base()),
                        s -> value(s.theirs()),
                        s -> value(s.ours()))
                .containsExactlyInAnyOrder(
                        tuple(BOTH_CHANGED, "CONFLICT", "10.50.4.90", "10.50.4.95", "10.50.4.97"),
                        tuple(ONLY_LOCAL_HAS, "ADDITIVE", "none", "10.50.4.91", "none"),
                        tuple(CHANGED_ALIKE, "IDENTICAL", "10.50.4.92", "10.50.4.96", "10.50.4.96"),
                        tuple(policy.name(), "CONFLICT", policy.retention(), "P90D", "P120D"));
    }

    /** Nothing was applied by itself; the operator takes two of local's changes, and signs. */
    private void settingsAreSettled(RetentionView.Policy policy) throws Exception {
        assertThat(remote(BOTH_CHANGED)).isEqualTo("10.50.4.97");
        assertThat(remote(ONLY_LOCAL_HAS)).isEqualTo("none");
        assertThat(retention(policy)).isEqualTo("P120D");
        Said tooEarly = scene.holdfast.say("switchover", "--to", "local", "--yes");
        assertThat(tooEarly.exit()).as(tooEarly.err()).isEqualTo(3);
        assertThat(tooEarly.err()).contains("not signed");
        scene.holdfast.applyAdditive();
        scene.holdfast.apply("replication/" + BOTH_CHANGED);
        assertThat(scene.holdfast.signReconcile().signature()).isNotNull();
    }

    private static String value(@Nullable ResourceView setting) {
        if (setting == null) {
            return "none";
        }
        Map<String, String> info = setting.info();
        return info.getOrDefault("remoteIp", info.getOrDefault("retention", "none"));
    }

    private String remote(String local) throws Exception {
        return scene.holdfast.replication().stream()
                .filter(r -> r.name().equals(local))
                .findFirst()
                .map(TwoNodesIT::value)
                .orElse("none");
    }

    private String retention(RetentionView.Policy policy) throws Exception {
        return scene.holdfast.retention().policies().stream()
                .filter(p -> p.name().equals(policy.name()))
                .map(RetentionView.Policy::retention)
                .findFirst()
                .orElse("none");
    }

    /** Where local can be asked, only force takes its place, and local stops at once. */
    @Test
    @Order(9)
    void drTakesOverByForceWhileLocalAnswers() throws Exception {
        String epoch = scene.holdfast.status().epoch();
        UUID before = scene.protect(scene.backUp());
        Commands dr = scene.holdfast.asking("d1");
        Said refused = dr.say("failover", "--yes");
        assertThat(refused.exit()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err())
                .contains("Failover at d1 refused")
                .contains("Node l1 of site local answers")
                .contains("--force");
        assertThat(scene.awaitWell("local").epoch()).isEqualTo(epoch);

        Said forced = dr.say("failover", "--yes", "--force");
        assertThat(forced.exit()).as(forced.err()).isZero();
        assertThat(scene.awaitWell("dr").epoch()).isNotEqualTo(epoch);
        ReconcileView report =
                scene.await(
                        "the reconciliation",
                        scene.holdfast::reconcile,
                        r -> r.state().equals("DONE"));
        assertThat(report.needsSignature()).as("local had nothing of its own").isFalse();
        assertThat(scene.holdfast.lossLedger().complete()).isTrue();
        scene.goHome(before);
    }

    /** A backup that is ordered from one node's site. */
    private UUID onlyAt(String node, String other) throws Exception {
        assertThat(scene.statusOf(node).members())
                .filteredOn(m -> m.node().equals(other))
                .extracting(StatusView.Member::reachable)
                .as("%s is cut off from %s", other, node)
                .containsExactly(false);
        return scene.backUp();
    }

    // ---------------------------------------------------------------- disks

    @Test
    @Order(6)
    void drRunsFullAndLocalGoesOnAlone() throws Exception {
        scene.awaitStatus("nothing unprotected", s -> s.unprotectedPieces() == 0);
        Set<UUID> before = shownProtected();
        int endings = scene.backend.endings("d1").size();
        scene.backend.fill("d1", 0);
        UUID alone = scene.backUp();
        StatusView alarm =
                scene.awaitStatus(
                        "RPO at risk", s -> s.unprotectedPieces() > 0 && s.rpoSeconds() > 0);
        assertThat(alarm.activeSite()).isEqualTo("local");
        assertThat(scene.protection(alone)).isEqualTo(Protection.UNPROTECTED);
        UUID another = scene.backUp();
        // Longer than a piece needs to become protected where there is room.
        for (int i = 0; i < 20; i++) {
            assertThat(shownProtected()).as("protected, though DR is full").isEqualTo(before);
            Thread.sleep(100);
        }
        assertThat(scene.holdfast.status().unprotectedPieces()).isGreaterThanOrEqualTo(2);
        drAnswersOrEnds(endings);

        scene.backend.free("d1");
        scene.protect(alone);
        scene.protect(another);
        scene.awaitStatus("nothing unprotected", s -> s.unprotectedPieces() == 0);
        assertThat(scene.holdfast.pieces())
                .allSatisfy(p -> assertThat(p.protection()).isEqualTo(Protection.DR_PROTECTED));
        scene.awaitRole("d1", "STANDBY");
        int healed = scene.backend.endings("d1").size();
        scene.allIsWell("local");
        assertThat(scene.backend.endings("d1")).as("it stays up").hasSize(healed);
    }

    private Set<UUID> shownProtected() throws Exception {
        return scene.holdfast.pieces().stream()
                .filter(p -> p.protection() == Protection.DR_PROTECTED)
                .map(PieceView::piece)
                .collect(Collectors.toSet());
    }

    /**
     * A full node is never half alive: it answers, or its process has ended as one does that cannot write
     * any more, and its supervisor starts it until there is room.
     */
    private void drAnswersOrEnds(int before) throws Exception {
        List<Ending> since =
                scene.await(
                        "d1 to answer or to end",
                        () -> {
                            List<Ending> all = scene.backend.endings("d1");
                            List<Ending> ended = all.subList(before, all.size());
                            if (ended.isEmpty()) {
                                assertThat(scene.statusOf("d1").role()).isEqualTo("STANDBY");
                            }
                            return ended;
                        },
                        _ -> true);
        if (!since.isEmpty()) {
            assertThat(since.getFirst().exit()).isEqualTo(EXIT_FATAL);
            assertThat(Files.readString(since.getFirst().log()))
                    .contains("holdfast server d1 ends: ");
            assertThat(since).extracting(Ending::exit).isSubsetOf(EXIT_FATAL, EXIT_FAILED);
        }
    }

    // ---------------------------------------------------------------- crashes of the catalog

    @Test
    @Order(5)
    void killsWhileRowsAndPiecesArriveApplyEachOnce() throws Exception {
        for (String victim : List.of("d1", "l1")) {
            scene.awaitWell("local");
            UUID piece = scene.backUp();
            Thread.sleep(60);
            scene.backend.kill(List.of(victim));
            scene.backend.start(List.of(victim));
            scene.protect(piece);
        }
        catalogsAreLevel();
        scene.allIsWell("local");
    }

    private void catalogsAreLevel() throws Exception {
        StatusView status =
                scene.awaitStatus(
                        "catalogs that are level",
                        s ->
                                s.catalogs().stream()
                                                .map(StatusView.CatalogState::pieces)
                                                .collect(Collectors.toSet())
                                                .size()
                                        == 1);
        assertThat(status.catalogs())
                .hasSize(2)
                .allSatisfy(c -> assertThat(c.pieces()).isEqualTo(scene.holdfast.pieces().size()));
    }

    /**
     * The same row, and the process that applies it dies when it holds the lock, when the row is written,
     * and when it is committed and nobody knows: each start replays it up to the next step.
     */
    @Test
    @Order(8)
    void theApplyOfARowIsKilledAtEveryStepAndReplayed() throws Exception {
        scene.awaitStatus("nothing unprotected", s -> s.unprotectedPieces() == 0);
        scene.backend.kill(List.of("d1"));
        UUID piece = scene.backUp();
        for (String step : CatalogDatabase.STEPS) {
            int before = scene.backend.endings("d1").size();
            scene.backend.startInstead(
                    "d1", scene.programs.server("d1", "-Dholdfast.fault.catalog=" + step));
            Ending ending =
                    scene.await(
                                    "d1 to die when the apply is " + step,
                                    () -> scene.backend.endings("d1"),
                                    e -> e.size() > before)
                            .get(before);
            String log = Files.readString(ending.log());
            assertThat(ending.exit()).as(log).isEqualTo(EXIT_KILLED);
            assertThat(log).contains("dies at step " + step);
            scene.backend.kill(List.of("d1"));
            assertThat(rowsAtDr(piece))
                    .as("rows of %s after a kill when the apply is %s", piece, step)
                    .isEqualTo(step.equals("committed") ? 1 : 0);
            assertThat(scene.protection(piece)).isEqualTo(Protection.UNPROTECTED);
        }
        scene.backend.start(List.of("d1"));
        scene.protect(piece);
        catalogsAreLevel();
        scene.allIsWell("local");
    }

    /** How often a piece stands in the catalog of DR, whose node is down. */
    private long rowsAtDr(UUID piece) throws Exception {
        Path catalog = scene.programs.data("d1").resolve("catalog");
        try (CatalogDatabase dr = CatalogDatabase.open(CatalogDatabaseConfig.embedded(catalog))) {
            return dr
                    .list(CatalogFilter.all(), Optional.empty(), CatalogDatabase.MAX_BATCH)
                    .pieces()
                    .stream()
                    .filter(p -> p.row().piece().equals(piece))
                    .count();
        }
    }

    // ---------------------------------------------------------------- planned moves

    /** What it had stored is not sent again, and one job goes on with it. */
    @Test
    @Order(10)
    void aBackupThatTakesTooLongGoesOnAtDr() throws Exception {
        Path big = scene.source.resolve("big");
        JobView slow = slowBackup(big, 96L << 20, 24L << 20);
        TreeDigest now = TreeDigest.of(scene.source);
        SwitchoverView moved = scene.holdfast.switchover("dr", "--drain", "2s");
        assertThat(moved.steps())
                .filteredOn(s -> s.name().equals("checkpoint"))
                .extracting(StepView::detail)
                .containsExactly("1 backup will go on");
        scene.backend.heal();
        JobView stopped =
                scene.await(
                        "a successor",
                        () -> scene.holdfast.job(slow.id()),
                        j -> j.continuedBy() != null);
        assertThat(stopped.state()).isEqualTo(JobView.State.CHECKPOINTED);
        assertThat(stopped.message())
                .startsWith("Checkpointed by the switchover to dr")
                .endsWith("Goes on at dr as job " + stopped.continuedBy());
        assertThat(scene.holdfast.pieces())
                .extracting(PieceView::piece)
                .as("nothing half done is shown")
                .doesNotContain(stopped.piece());
        JobView next = scene.ended(stopped.continuedBy());
        assertThat(next.state()).as(next.message()).isEqualTo(JobView.State.COMPLETE);
        assertThat(next.epoch()).isEqualTo(moved.epoch());
        assertThat(next.level()).isEqualTo(slow.level());
        long stored = next.progress().bytesStored();
        assertThat(stored)
                .as("of %s, after %s", big, slow.progress())
                .isLessThan((96L << 20) - slow.progress().bytesDurable() + (4L << 20))
                .isGreaterThan((96L << 20) - stopped.progress().bytesStored() - (4L << 20));
        scene.assertRestores(next.piece(), now);
        goneOnWithOnce(slow.id());

        Files.delete(big);
        scene.goHome();
        assertThat(scene.holdfast.job(slow.id()).continuedBy())
                .as("at home, too")
                .isEqualTo(next.id());
    }

    private void goneOnWithOnce(UUID job) throws Exception {
        assertThat(scene.holdfast.jobs())
                .filteredOn(j -> job.equals(j.continues()))
                .extracting(JobView::id)
                .containsExactly(scene.holdfast.job(job).continuedBy());
    }

    /** A big new file is backed up over a long line; this much of it is durable. */
    private JobView slowBackup(Path file, long bytes, long durable) throws Exception {
        scene.awaitStatus(
                "nothing unprotected",
                s -> s.replication().equals("SYNC") && s.unprotectedPieces() == 0);
        TreeChanges.writeRandom(file, bytes, bytes);
        scene.backend.delay(List.of(Scene.LOCAL_AGENT), List.of("l1"), LONG_LINE);
        UUID job = scene.holdfast.startBackup(Scene.CLIENT).id();
        JobView now =
                scene.await(
                        durable + " bytes of the backup",
                        () -> scene.holdfast.job(job),
                        j ->
                                j.state() != JobView.State.OPEN
                                        || j.progress().bytesDurable() > durable);
        assertThat(now.state()).as(now.message()).isEqualTo(JobView.State.OPEN);
        return now;
    }

    /** DR stands still once the move has begun: local goes on in its epoch, with all that ran. */
    @Test
    @Order(11)
    void aMoveWhoseTargetStandsStillIsTakenBack() throws Exception {
        Path big = scene.source.resolve("big");
        JobView slow = slowBackup(big, 64L << 20, 1L << 20);
        String epoch = scene.holdfast.status().epoch();
        Commands local = scene.holdfast.asking("l1");
        Said said;
        try (Desk second = Desk.of(scene.backend);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Commands mover = local.from(second);
            Future<Said> move =
                    threads.submit(() ->
                            mover.say(
                                    "switchover",
                                    "--to",
                                    "dr",
                                    "--yes",
                                    "--drain",
                                    "2s",
                                    "--barrier",
                                    "3s"));
            scene.await(
                    "l1 to drain",
                    local::status,
                    s -> s.role().equals("DRAINING") || move.isDone());
            scene.backend.pause(List.of("d1"));
            said = move.get();
        }
        assertThat(said.exit()).as(said.out() + said.err()).isEqualTo(3);
        assertThat(said.err())
                .contains("did not draw level within 3 s")
                .contains("epoch " + epoch + " goes on");
        StatusView after = local.status();
        assertThat(after.role()).isEqualTo("ACTIVE");
        assertThat(after.epoch()).isEqualTo(epoch);

        scene.backend.heal();
        JobView stopped =
                scene.await(
                        "a successor", () -> local.job(slow.id()), j -> j.continuedBy() != null);
        assertThat(stopped.state()).isEqualTo(JobView.State.CHECKPOINTED);
        JobView next =
                scene.await(
                        "its end",
                        () -> local.job(stopped.continuedBy()),
                        j -> j.state() != JobView.State.OPEN);
        assertThat(next.state()).as(next.message()).isEqualTo(JobView.State.COMPLETE);
        assertThat(next.epoch()).as("it went on here").isEqualTo(epoch);
        Files.delete(big);
        UUID alone = scene.backUp(local);

        scene.backend.resume(List.of("d1"));
        scene.protect(alone);
        scene.awaitStatus(
                "nothing unprotected",
                s -> s.replication().equals("SYNC") && s.unprotectedPieces() == 0);
        assertThat(scene.awaitWell("local").epoch()).isEqualTo(epoch);
        goneOnWithOnce(slow.id());
        scene.holdfast.switchover("dr");
        scene.awaitWell("dr");
        scene.goHome(alone);
    }

    // ---------------------------------------------------------------- promises and addresses

    @Test
    @Order(7)
    void aNodeWithATruncatedPromiseIsNotAdmitted() throws Exception {
        scene.backend.kill(List.of("d1"));
        Path promise = scene.programs.data("d1").resolve("promise");
        byte[] before = Files.readAllBytes(promise);
        BitFlip.tear(promise, before.length / 2);
        int endings = scene.backend.endings("d1").size();
        scene.backend.start(List.of("d1"));
        scene.await(
                "d1 to end twice", () -> scene.backend.endings("d1").size(), n -> n >= endings + 2);
        Path log = scene.backend.endings("d1").getLast().log();
        assertThat(Files.readString(log))
                .contains("Epoch file " + promise + " is truncated or damaged")
                .contains("holdfast readmit");
        UUID alone = scene.backUp();
        assertThat(scene.protection(alone)).isEqualTo(Protection.UNPROTECTED);
        assertThat(scene.statusOf("l1").role()).isEqualTo("ACTIVE");

        scene.backend.kill(List.of("d1"));
        Said readmitted =
                scene.holdfast.say(
                        "readmit",
                        "--config",
                        scene.programs.serverConfig("d1").toString(),
                        "--json");
        assertThat(readmitted.exit()).as(readmitted.err()).isZero();
        scene.backend.start(List.of("d1"));
        scene.protect(alone);
        scene.allIsWell("local");
    }

    @Test
    @Order(4)
    void aNodeWhoseAddressIsNotInTheMbrMayNotTakeOver() throws Exception {
        scene.backend.kill(List.of("d1"));
        Path config = scene.programs.serverConfig("d1");
        String right = Files.readString(config);
        Files.writeString(config, right.replace("host: '10.50.4.4'", "host: '10.50.4.99'"));
        Commands asked = scene.holdfast.asking("d1");
        Path context = asked.context();
        Files.writeString(context, Files.readString(context).replace("10.50.4.4", Scene.UNLISTED));
        scene.backend.start(List.of("d1"));
        scene.await("d1 at its other address", asked::status, s -> s.role().equals("STANDBY"));
        scene.backend.kill(scene.localMachines());
        for (String[] failover :
                new String[][] {{"failover", "--yes"}, {"failover", "--yes", "--force"}}) {
            Said said = asked.say(failover);
            assertThat(said.exit()).as(said.err()).isEqualTo(3);
            assertThat(said.err()).contains("The MBR does not list node d1 at " + Scene.UNLISTED);
        }
        scene.backend.kill(List.of("d1"));
        Files.writeString(config, right);
        scene.backend.start(List.of("d1"));
        scene.backend.start(scene.localMachines());
        scene.allIsWell("local");
    }
}
