package io.holdfast.node.init;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.modeswitch.Placement;
import io.holdfast.modeswitch.Resolution;
import io.holdfast.modeswitch.ResolveTable;
import io.holdfast.modeswitch.Resolver;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.config.RoleFile;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.MbrFormat;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterInitTest {
    @TempDir Path temp;

    private static ClusterPlan plan(String profile) {
        return new ClusterPlan(
                "acme",
                profile,
                ClusterPlan.exampleHosts(profile, Site.LOCAL),
                ClusterPlan.exampleHosts(profile, Site.DR),
                6543,
                3456,
                "127.10.11.45",
                "127.50.4.4",
                "0 1 * * *");
    }

    private static ClusterInit init() {
        return new ClusterInit(InstantSource.system(), new SecureRandom());
    }

    @Test
    void everythingThatIsWrittenCanBeReadBack() throws Exception {
        Path folder = temp.resolve("c");
        Mbr mbr = init().create(folder, plan("p2"), "ada", "correct horse".toCharArray());
        for (Site site : List.of(Site.LOCAL, Site.DR)) {
            assertThat(mbr.nodes(site)).hasSize(3);
            for (NodeAddress node : mbr.nodes(site)) {
                Path home = folder.resolve("nodes/" + node.id());
                NodeConfig config = NodeConfig.load(home.resolve("node.yml"));
                assertThat(config.node()).isEqualTo(node.id());
                assertThat(config.site()).isEqualTo(site);
                assertThat(config.roles()).containsExactlyInAnyOrderElementsOf(node.roles());
                assertThat(config.listen().host()).isEqualTo(node.host());
                assertThat(config.seed().isPresent()).isEqualTo(site == Site.LOCAL);
                assertThat(RoleFile.read(config.roleFile()))
                        .contains(
                                new RoleFile(
                                        site == Site.LOCAL ? "ACTIVE" : "STANDBY",
                                        Epoch.parse("1.local"),
                                        mbr.lineage()));
                assertThat(
                                MbrFormat.parse(
                                        Files.readString(config.mbr()),
                                        ClusterFiles.readPublicKey(
                                                config.identity().resolve("cluster-pub.pem"))))
                        .isEqualTo(mbr);
                assertThat(TlsMaterial.load(config.identity()).identity())
                        .isEqualTo(new PeerIdentity(mbr.cluster(), "node", node.id()));
                if (config.is(NodeConfig.STORAGE)) {
                    assertThat(
                                    TlsMaterial.load(config.storageIdentity().orElseThrow())
                                            .identity()
                                            .role())
                            .isEqualTo("storage");
                }
                assertThat(
                                PosixFilePermissions.toString(
                                        Files.getPosixFilePermissions(
                                                config.identity().resolve("cluster-key.pem"))))
                        .isEqualTo("rw-------");
            }
        }
        OperatorContext context = OperatorContext.read(ClusterFiles.context(folder));
        assertThat(context.cluster()).isEqualTo(mbr.cluster());
        assertThat(context.nodes()).hasSize(6);
        assertThat(context.clusterDir()).isEqualTo(folder.toAbsolutePath().normalize());
        assertThat(TlsMaterial.load(context.identity()).identity().role()).isEqualTo("operator");
        for (String site : List.of("local", "dr")) {
            CertificateAuthority.load(
                    ClusterFiles.issuingAuthority(folder, site),
                    InstantSource.system(),
                    new SecureRandom());
        }
    }

    @Test
    void theSeedRewritesTheWorkedExample() throws Exception {
        Path folder = temp.resolve("c");
        init().create(folder, plan("p2-small"), "ada", "correct horse".toCharArray());
        List<Resource> seed = SeedFile.read(folder.resolve("resources.json"));
        assertThat(seed.stream().map(r -> r.type().word()).distinct())
                .containsExactlyInAnyOrder(
                        "device",
                        "catalog",
                        "replication",
                        "schedule",
                        "policy",
                        "group",
                        "domain-key");
        Resolution resolved =
                Resolver.resolve(
                        Identifier.parse(
                                "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe,catalog:main"
                                        + "?/mtree/backup/x"),
                        Placement.at(Site.DR),
                        ResolveTable.of(seed));
        assertThat(resolved).isInstanceOf(Resolution.Resolved.class);
        assertThat(((Resolution.Resolved) resolved).identifier().toString())
                .isEqualTo(
                        "127.50.4.4:3456?WRITE:IP:127.50.4.4,dedupe,catalog:main?/mtree/backup/x");
    }

    @Test
    void aFailureLeavesNothing() {
        Path folder = temp.resolve("c");
        ClusterPlan bad =
                new ClusterPlan(
                        "acme",
                        "p2-small",
                        List.of("127.10.11.44"),
                        List.of("127.50.4.4"),
                        6543,
                        3456,
                        "not-an-ip.example",
                        "127.50.4.4",
                        "0 1 * * *");
        assertThatThrownBy(() -> init().create(folder, bad, "ada", "correct horse".toCharArray()))
                .isInstanceOf(FormatException.class);
        assertThat(folder).doesNotExist();
    }

    @Test
    void aPlanSaysWhatIsWrong() {
        assertThatThrownBy(() ->
                        new ClusterPlan(
                                "acme",
                                "p2",
                                List.of("a"),
                                List.of("b"),
                                1,
                                2,
                                "1.1.1.1",
                                "1.1.1.2",
                                "0 1 * * *"))
                .hasMessageContaining("3 hosts for profile p2");
    }
}
