package io.holdfast.node.init;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.config.RoleFile;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmissionTest {
    private static final Epoch ACTIVE = Epoch.parse("4.local");
    private static final Epoch OWN = Epoch.parse("3.dr");
    private static final UUID ACTIVE_LINEAGE = new UUID(4, 4);
    private static final UUID OWN_LINEAGE = new UUID(3, 3);

    @TempDir Path temp;

    private NodeConfig config;
    private Path promise;
    private Path log;

    @BeforeEach
    void aNodeThatHasServed() throws Exception {
        Path folder = temp.resolve("c");
        ClusterPlan plan =
                new ClusterPlan(
                        "acme",
                        "p2-small",
                        ClusterPlan.exampleHosts("p2-small", Site.LOCAL),
                        ClusterPlan.exampleHosts("p2-small", Site.DR),
                        6543,
                        3456,
                        "127.10.11.45",
                        "127.50.4.4",
                        "0 1 * * *");
        new ClusterInit(InstantSource.system(), new SecureRandom())
                .create(folder, plan, "ada", "correct horse".toCharArray());
        config = NodeConfig.load(folder.resolve("nodes/d1/node.yml"));
        promise = config.data().resolve("promise");
        EpochGuard.create(promise, OWN);
        new RoleFile("ACTIVE", OWN, OWN_LINEAGE).write(config.roleFile());
        log = config.data().resolve("raft/lineages/current/log");
        Files.createDirectories(log.resolveSibling(""));
        Files.writeString(log, "entries");
    }

    private Readmission.Done readmit(Epoch highest) throws Exception {
        return Readmission.apply(config, ACTIVE, ACTIVE_LINEAGE, highest, 77);
    }

    @Test
    void aWholeNodeHasNoDamage() throws Exception {
        assertThat(Readmission.damage(config)).isEmpty();
    }

    @Test
    void aLostPromiseKeepsTheLogAndObeysTheHighestEpoch() throws Exception {
        Files.writeString(promise, "holdfast-ep");
        assertThat(Readmission.damage(config)).get().asString().contains("truncated");
        Epoch sealed = Epoch.parse("5.dr");
        Readmission.Done done = readmit(sealed);
        assertThat(EpochGuard.open(promise).max()).isEqualTo(sealed);
        assertThat(RoleFile.read(config.roleFile()))
                .contains(new RoleFile("FENCED", OWN, OWN_LINEAGE));
        assertThat(done.newMember()).isFalse();
        assertThat(log).hasContent("entries");
        assertThat(config.data().resolve("lost-77-promise")).hasContent("holdfast-ep");
        assertThat(Readmission.damage(config)).isEmpty();
    }

    @Test
    void thePromiseIsNeverBelowTheRole() throws Exception {
        Files.delete(promise);
        readmit(Epoch.parse("2.local"));
        assertThat(EpochGuard.open(promise).max()).isEqualTo(OWN);
    }

    @Test
    void aLostRoleSetsTheLogAsideAndJoinsAnew() throws Exception {
        Files.writeString(config.roleFile(), "{\"role\":");
        assertThat(Readmission.damage(config)).get().asString().contains("role");
        Readmission.Done done = readmit(ACTIVE);
        assertThat(RoleFile.read(config.roleFile()))
                .contains(new RoleFile("FENCED", ACTIVE, ACTIVE_LINEAGE));
        assertThat(done.newMember()).isTrue();
        assertThat(log).doesNotExist();
        assertThat(config.data().resolve("lost-77-raft/lineages/current/log"))
                .hasContent("entries");
        assertThat(config.data().resolve("lost-77-role.json")).exists();
    }

    @Test
    void aNewDiskHasNothingToSetAside() throws Exception {
        try (var all = Files.walk(config.data())) {
            for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
        assertThat(Readmission.damage(config)).isPresent();
        Readmission.Done done = readmit(ACTIVE);
        assertThat(done.setAside()).isEmpty();
        assertThat(done.newMember()).isTrue();
        assertThat(EpochGuard.open(promise).max()).isEqualTo(ACTIVE);
    }
}
