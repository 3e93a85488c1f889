package io.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.ClusterBackend.Ending;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.Said;
import io.holdfast.chaos.cluster.Desk;
import io.holdfast.node.api.StatusView;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * Bad days of six nodes, each in a namespace of its own: leaders that stand still, a member that
 * loses its disk, and a failover as nervous people order it. One cluster for all of them; the last
 * one ends at DR.
 */
@EnabledIfEnvironmentVariable(
        named = "HOLDFAST_SCENARIOS",
        matches = "1",
        disabledReason = "takes minutes; set HOLDFAST_SCENARIOS=1 to run it")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SixNodesIT {
    private static final int EXIT_FATAL = 70;

    private Scene scene;

    @BeforeAll
    void aCluster() throws Exception {
        scene = Scene.start("p2", backend -> {});
    }

    @AfterAll
    void end() throws Exception {
        if (scene != null) {
            scene.close();
        }
    }

    private String leader() throws Exception {
        StatusView status =
                scene.awaitStatus("a leader", s -> s.leader() != null && s.role().equals("ACTIVE"));
        return Objects.requireNonNull(status.leader());
    }

    /** Another node leads while this one stands still. */
    private String anotherThan(String paused) throws Exception {
        return Objects.requireNonNull(
                scene.awaitStatus(
                                "another leader than " + paused,
                                s ->
                                        s.role().equals("ACTIVE")
                                                && s.leader() != null
                                                && !s.leader().equals(paused))
                        .leader());
    }

    @Test
    @Order(1)
    void aLeaderThatStandsStillForFiveSeconds() throws Exception {
        String paused = leader();
        scene.backend.pause(List.of(paused));
        long since = System.nanoTime();
        assertThat(anotherThan(paused)).startsWith("l");
        while (System.nanoTime() - since < 5_000_000_000L) {
            Thread.sleep(50);
        }
        scene.backend.resume(List.of(paused));
        scene.awaitWell("local");
        assertThat(scene.backend.endings(paused)).as("it was short enough to live").isEmpty();
        scene.allIsWell("local");
    }

    /**
     * Ratis closes its groups after a minute without CPU, and would let the process live on without
     * them. The storage and the catalog of the site stand on the first node, so no job can run there
     * meanwhile; the record goes on.
     */
    @Test
    @Order(2)
    void aLeaderThatStandsStillForSeventySecondsEndsAndIsStartedAgain() throws Exception {
        String epoch = scene.holdfast.status().epoch();
        String paused = leader();
        scene.backend.pause(List.of(paused));
        long since = System.nanoTime();
        anotherThan(paused);
        while (System.nanoTime() - since < 70_000_000_000L) {
            Thread.sleep(100);
        }
        scene.backend.resume(List.of(paused));
        List<Ending> endings =
                scene.await(
                        paused + " to end by itself",
                        () -> scene.backend.endings(paused),
                        e -> !e.isEmpty());
        assertThat(endings.getFirst().exit()).isEqualTo(EXIT_FATAL);
        assertThat(Files.readString(endings.getFirst().log()))
                .contains("holdfast server " + paused + " ends: ");
        scene.allIsWell("local");
        assertThat(scene.holdfast.status().epoch()).isEqualTo(epoch);
        assertThat(scene.backend.endings(paused)).as("once is enough").hasSize(1);
    }

    /**
     * A quorum of DR still promises, and only one of its three logs is left. Nobody can know whether that
     * one has everything: DR must say so, not take over with less. The attempt's promise fences local,
     * which goes on when the operator says so. Then a second disk of DR is lost, and both come back.
     */
    @Test
    @Order(3)
    void twoMembersOfDrLoseTheirLogsAndThenLocalIsLost() throws Exception {
        UUID piece = scene.protect(scene.backUp());
        scene.backend.kill(List.of("d2", "d3"));
        Files.move(
                scene.programs.data("d2").resolve("raft"), scene.folder.resolve("lost-raft-of-d2"));
        scene.backend.wipe("d3");
        scene.backend.kill(scene.localMachines());
        scene.backend.start(List.of("d2"));
        scene.await(
                "d2 to stand by without a log",
                () -> scene.statusOf("d1"),
                s -> has(s, "d2", "STANDBY") && s.role().equals("STANDBY"));

        Said refused = scene.holdfast.asking("d1").say("failover", "--yes");
        assertThat(refused.exit()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err())
                .contains("needs the logs of 2 members of site dr")
                .contains("those that promised (d1, d2) only d1 can give its log")
                .contains("could be missing");
        assertThat(scene.statusOf("d1").role()).isEqualTo("STANDBY");

        // Nothing is lost: it is all at local, which DR's promise keeps from going on by itself.
        scene.backend.start(scene.localMachines());
        for (String node : scene.profile.local()) {
            scene.awaitRole(node, "FENCED");
        }
        Commands local = scene.holdfast.asking("l1", "l2", "l3");
        Said mustForce = local.say("failover", "--site", "local", "--yes");
        assertThat(mustForce.exit()).as(mustForce.err()).isEqualTo(3);
        assertThat(mustForce.err()).contains("This site is FENCED below epoch");
        Said taken = local.say("failover", "--site", "local", "--yes", "--force");
        assertThat(taken.exit()).as(taken.err()).isZero();
        scene.awaitStatus(
                "d1 and d2 to have joined",
                s ->
                        s.activeSite().equals("local")
                                && s.role().equals("ACTIVE")
                                && has(s, "d1", "STANDBY")
                                && has(s, "d2", "STANDBY"));

        scene.backend.kill(List.of("d2"));
        scene.backend.wipe("d2");
        Said alone = readmit("d2");
        assertThat(alone.exit()).as(alone.err()).isEqualTo(3);
        assertThat(alone.err())
                .contains("node d3 of its site does not answer")
                .contains("--lost d3");
        Said first = readmit("d2", "--lost", "d3");
        assertThat(first.exit()).as(first.err()).isZero();
        assertThat(first.out()).contains("as a new member").contains("Then readmit d3");
        scene.backend.start(List.of("d2"));
        scene.awaitRole("d2", "STANDBY");
        Said living = readmit("d3", "--lost", "d2");
        assertThat(living.exit()).as(living.err()).isEqualTo(3);
        assertThat(living.err()).contains("node d2 answers");
        Said second = readmit("d3");
        assertThat(second.exit()).as(second.err()).isZero();
        scene.backend.start(List.of("d3"));
        scene.allIsWell("local", piece);
        scene.nothingToSign();
    }

    private Said readmit(String node, String... more) throws Exception {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "readmit",
                                "--config",
                                scene.programs.serverConfig(node).toString()));
        words.addAll(List.of(more));
        return scene.holdfast.say(words.toArray(String[]::new));
    }

    private static boolean has(StatusView status, String node, String role) {
        return status.members().stream()
                .anyMatch(m -> m.node().equals(node) && m.reachable() && m.role().equals(role));
    }

    @Test
    @Order(4)
    void aMemberOfDrLosesItsDiskWhileIdleAndThenLocalIsLost() throws Exception {
        UUID piece = scene.protect(scene.backUp());
        scene.backend.kill(List.of("d2"));
        scene.backend.wipe("d2");
        scene.backend.start(List.of("d2"));
        scene.await(
                "d2 to end with an empty disk",
                () -> scene.backend.endings("d2"),
                e -> !e.isEmpty());
        assertThat(Files.readString(scene.backend.endings("d2").getFirst().log()))
                .contains("has no durable role")
                .contains("holdfast readmit");
        scene.backend.kill(List.of("d2"));

        // One of three is gone for the record: it is admitted again as a new member.
        Said readmitted = readmit("d2");
        assertThat(readmitted.exit()).as(readmitted.err()).isZero();
        assertThat(readmitted.out()).contains("as a new member");
        scene.backend.start(List.of("d2"));
        scene.awaitWell("local");

        // And once more, with nobody there to admit it: what is protected must survive this.
        scene.backend.kill(List.of("d2"));
        scene.backend.wipe("d2");
        scene.backend.kill(scene.localMachines());
        scene.backend.start(List.of("d2"));
        nervousFailover();
        scene.assertRestores(piece);
    }

    /** Ordered, interrupted, ordered at two nodes at once, and ordered again when it is done. */
    private void nervousFailover() throws Exception {
        interrupt();
        List<Said> said = new ArrayList<>();
        try (Desk second = Desk.of(scene.backend);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Commands d1 = scene.holdfast.asking("d1");
            Commands d3 = scene.holdfast.asking("d3").from(second);
            Future<Said> one = threads.submit(() -> d1.say("failover", "--yes"));
            Future<Said> two = threads.submit(() -> d3.say("failover", "--yes"));
            said.add(one.get());
            said.add(two.get());
        }
        assertThat(said).extracting(Said::exit).as("%s", said).isSubsetOf(0, 3);
        scene.await(
                "one epoch and one lineage at DR",
                () -> List.of(scene.statusOf("d1"), scene.statusOf("d3")),
                views ->
                        views.stream().allMatch(v -> v.role().equals("ACTIVE"))
                                && views.stream().map(StatusView::epoch).distinct().count() == 1
                                && views.stream().map(StatusView::lineage).distinct().count() == 1);
        Said again = scene.holdfast.say("failover", "--yes");
        assertThat(again.exit()).as(again.err()).isEqualTo(3);
        assertThat(again.err()).contains("This site is ACTIVE already, in epoch");
    }

    /** The command is killed as soon as the site has begun to move. */
    private void interrupt() throws Exception {
        try (Desk third = Desk.of(scene.backend);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Commands there = scene.holdfast.asking("d1").from(third);
            Future<Said> killed = threads.submit(() -> there.say("failover", "--yes"));
            Commands look = scene.holdfast.asking("d1");
            scene.await(
                    "d1 to begin",
                    look::status,
                    s -> !s.role().equals("STANDBY") || killed.isDone());
            third.kill();
            assertThat(killed.get().exit()).isIn(Desk.KILLED, 0);
        }
    }

    @Test
    @Order(5)
    void theLostSiteReturnsAndEverythingIsThere() throws Exception {
        scene.backend.start(scene.localMachines());
        scene.awaitStatus(
                "local to have returned",
                s ->
                        s.activeSite().equals("dr")
                                && s.members().stream()
                                        .filter(m -> m.site().equals("local"))
                                        .allMatch(m -> m.role().equals("STANDBY")));
        scene.backend.kill(List.of("d2"));
        Said readmitted = readmit("d2");
        assertThat(readmitted.exit()).as(readmitted.err()).isZero();
        scene.backend.start(List.of("d2"));
        scene.allIsWell("dr");
    }
}
