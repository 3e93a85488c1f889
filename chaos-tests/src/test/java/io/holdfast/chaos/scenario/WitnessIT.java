package io.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.Said;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.StatusView;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * Bad days of the smallest cluster with a witness: three machines, each in a namespace of its own, of
 * which any two decide. {@link WitnessPauseIT} has those of a leader that stands still. One cluster for all of them; each ends with the local site active and everything
 * well.
 */
@EnabledIfEnvironmentVariable(
        named = "HOLDFAST_SCENARIOS",
        matches = "1",
        disabledReason = "takes minutes; set HOLDFAST_SCENARIOS=1 to run it")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WitnessIT {
    /** After this much silence DR and the witness hold the other site for lost. */
    private static final long DOWN_SECONDS = 15;

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
    void workGoesOnWithoutTheWitness() throws Exception {
        String epoch = scene.holdfast.status().epoch();
        scene.backend.kill(scene.profile.witness());
        scene.awaitStatus("the witness to be missed", s -> !isReachable(s, "w1"));
        scene.protect(scene.backUp());
        Said saved = scene.holdfast.say("ack-policy", "availability");
        assertThat(saved.exit()).as(saved.err()).isZero();
        assertThat(saved.out()).endsWith("Saved. PROTECTED\n");
        // Nobody is missed who could have prevented it: nothing moves, however long it lasts.
        long until = System.nanoTime() + (DOWN_SECONDS + 2) * 1_000_000_000;
        while (System.nanoTime() < until) {
            assertThat(scene.statusOf("l1").role()).isEqualTo("ACTIVE");
            assertThat(scene.statusOf("d1").role()).isEqualTo("STANDBY");
            Thread.sleep(200);
        }
        scene.backend.start(scene.profile.witness());
        scene.allIsWell("local");
        assertThat(scene.holdfast.status().epoch()).as("nothing was taken over").isEqualTo(epoch);
    }

    @Test
    @Order(2)
    void localIsCutOffFromBoth() throws Exception {
        String before = scene.holdfast.status().epoch();
        UUID known = scene.protect(scene.backUp());
        Commands local = scene.holdfast.asking("l1");
        Commands dr = scene.holdfast.asking("d1");
        scene.cutOffLocal();

        // First the one stops, then the other begins.
        scene.await(
                "l1 to stop by itself",
                () -> {
                    assertThat(dr.status().role()).as("d1 while l1 acts").isEqualTo("STANDBY");
                    return local.status();
                },
                s -> !s.role().equals("ACTIVE"));
        assertThat(local.status().role()).isEqualTo("AWAIT_CONFIRM");
        actsOnNobody(local);
        assertThat(dr.status().role()).as("d1 when l1 had refused").isEqualTo("STANDBY");
        StatusView taken =
                scene.await(
                        "d1 to take over without a command",
                        () -> {
                            StatusView now = dr.status();
                            assertThat(local.status().role()).isEqualTo("AWAIT_CONFIRM");
                            return now;
                        },
                        s -> s.role().equals("ACTIVE"));
        assertThat(taken.epoch()).isNotEqualTo(before).endsWith(".dr");
        UUID atDr = scene.backUp();
        assertThat(scene.protection(atDr)).isEqualTo(Protection.UNPROTECTED);
        scene.assertRestores(known);
        actsOnNobody(local);
        assertThat(local.status().epoch()).as("l1 has heard nothing").isEqualTo(before);

        scene.joinSites();
        scene.awaitRole("l1", "STANDBY");
        scene.awaitWell("dr");
        assertThat(scene.holdfast.status().epoch()).isEqualTo(taken.epoch());
        scene.nothingToSign();
        scene.protect(atDr);
        scene.goHome(known, atDr);
    }

    /** A backup is refused, and none is under way. */
    private static void actsOnNobody(Commands local) throws Exception {
        Said refused = local.say("backup", Scene.CLIENT);
        assertThat(refused.exit()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err()).contains("Refused at node l1").contains("AWAIT_CONFIRM");
        assertThat(local.status().openJobs()).isZero();
    }

    @Test
    @Order(3)
    void withTheSwitchOffTheOperatorDecides() throws Exception {
        Said off = scene.holdfast.say("auto-failover", "off", "--reason", "maintenance");
        assertThat(off.exit()).as(off.err()).isZero();
        assertThat(off.out()).endsWith("Saved. PROTECTED\n");
        UUID known = scene.protect(scene.backUp());
        Commands dr = scene.holdfast.asking("d1");
        String before = dr.status().epoch();
        scene.backend.kill(scene.localMachines());
        scene.await("d1 to lead the record", dr::status, s -> "d1".equals(s.leader()));
        // From here on only the switch stands in the way; with it on, DR takes over in this time.
        long until = System.nanoTime() + 2 * DOWN_SECONDS * 1_000_000_000;
        while (System.nanoTime() < until) {
            StatusView now = dr.status();
            assertThat(now.role()).isEqualTo("STANDBY");
            assertThat(now.epoch()).isEqualTo(before);
            assertThat(now.autoFailover()).isEqualTo("off");
            Thread.sleep(200);
        }
        FailoverView taken = dr.failover();
        assertThat(taken.epoch()).isNotEqualTo(before).endsWith(".dr");
        scene.assertRestores(known);
        UUID atDr = scene.backUp();

        scene.backend.start(scene.localMachines());
        scene.awaitRole("l1", "STANDBY");
        scene.awaitWell("dr");
        scene.nothingToSign();
        scene.protect(atDr);
        Said on = scene.holdfast.say("auto-failover", "on");
        assertThat(on.exit()).as(on.err()).isZero();
        scene.goHome(known, atDr);
    }

    private static boolean isReachable(StatusView status, String node) {
        return status.members().stream()
                .filter(m -> m.node().equals(node))
                .allMatch(StatusView.Member::reachable);
    }
}
