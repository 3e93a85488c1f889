package io.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.ClusterBackend.Ending;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.Said;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.StatusView;
import java.nio.file.Files;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * The active leader of the smallest cluster with a witness stands still and does not know it: for a
 * moment, and for so long that DR has taken over when it goes on. Ends with the local site active and
 * everything well.
 */
@EnabledIfEnvironmentVariable(
        named = "HOLDFAST_SCENARIOS",
        matches = "1",
        disabledReason = "takes minutes; set HOLDFAST_SCENARIOS=1 to run it")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WitnessPauseIT {
    private static final int EXIT_FATAL = 70;

    private Scene scene;

    @BeforeAll
    void aCluster() throws Exception {
        scene = Scene.start("p3-small", backend -> {});
    }

    @AfterAll
    void end() throws Exception {
        if (scene != null) {
            scene.close();
        }
    }

    @Test
    @Order(1)
    void forFiveSecondsWhichIsNoDisaster() throws Exception {
        String epoch = scene.holdfast.status().epoch();
        Commands dr = scene.holdfast.asking("d1");
        long since = pause();
        scene.await(
                "another to lead the record",
                dr::status,
                s -> s.leader() != null && !s.leader().equals("l1"));
        while (seconds(since) < 5) {
            assertThat(dr.status().role()).isEqualTo("STANDBY");
            Thread.sleep(50);
        }
        scene.backend.resume(List.of("l1"));
        scene.awaitWell("local");
        assertThat(scene.backend.endings("l1")).as("it was short enough to live").isEmpty();
        scene.allIsWell("local");
        assertThat(scene.holdfast.status().epoch()).as("nothing was taken over").isEqualTo(epoch);
    }

    /** Ratis closes its group after a minute without CPU, and the process does not live without it. */
    @Test
    @Order(2)
    void forSeventySecondsAndDrHasTakenOver() throws Exception {
        String before = scene.holdfast.status().epoch();
        UUID known = scene.protect(scene.backUp());
        Commands local = scene.holdfast.asking("l1");
        long since = pause();
        StatusView taken = scene.awaitRole("d1", "ACTIVE");
        assertThat(taken.epoch()).isNotEqualTo(before).endsWith(".dr");
        UUID atDr = scene.backUp();
        List<UUID> jobs = scene.holdfast.jobs().stream().map(JobView::id).toList();
        assertThat(seconds(since)).as("a takeover must not take a minute").isLessThan(60);
        while (seconds(since) < 70) {
            Thread.sleep(100);
        }

        scene.backend.resume(List.of("l1"));
        // What it believed when it was stopped is what it first believes now.
        List<Ending> endings =
                scene.await(
                        "l1 to end by itself",
                        () -> {
                            Said asked = local.say("backup", Scene.CLIENT, "--no-wait");
                            assertThat(asked.exit()).as(asked.out() + asked.err()).isNotZero();
                            return scene.backend.endings("l1");
                        },
                        e -> !e.isEmpty());
        assertThat(endings.getFirst().exit()).isEqualTo(EXIT_FATAL);
        assertThat(Files.readString(endings.getFirst().log()))
                .contains("holdfast server l1 ends: ");
        scene.awaitRole("l1", "STANDBY");
        scene.awaitWell("dr");
        assertThat(scene.holdfast.status().epoch()).isEqualTo(taken.epoch());
        assertThat(scene.holdfast.jobs())
                .as("no job was begun by it")
                .extracting(JobView::id)
                .isEqualTo(jobs);
        scene.nothingToSign();
        scene.protect(atDr);
        scene.goHome(known, atDr);
        assertThat(scene.backend.endings("l1")).as("once is enough").hasSize(1);
    }

    private long pause() throws Exception {
        scene.backend.pause(List.of("l1"));
        return System.nanoTime();
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
