package io.holdfast.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.node.init.ClusterInit;
import io.holdfast.node.init.ClusterPlan;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MbrBootTest {
    @TempDir Path temp;
    private Path cluster;
    private Mbr mbr;

    @BeforeEach
    void initialise() throws IOException {
        cluster = temp.resolve("cluster");
        mbr = init(cluster);
    }

    private static Mbr init(Path folder) throws IOException {
        return new ClusterInit(InstantSource.system(), new SecureRandom())
                .create(folder, plan(), "operator", "a passphrase".toCharArray());
    }

    private static ClusterPlan plan() {
        return new ClusterPlan(
                "acme",
                "p2-small",
                ClusterPlan.exampleHosts("p2-small", Site.LOCAL),
                ClusterPlan.exampleHosts("p2-small", Site.DR),
                6543,
                3456,
                "127.10.11.45",
                "127.50.4.4",
                "0 1 * * *");
    }

    private MbrBoot at(String... hosts) {
        return new MbrBoot(Set.of(hosts)::contains);
    }

    private String host(String node) {
        return mbr.node(node).map(NodeAddress::host).orElseThrow();
    }

    private Path yml(String node) {
        return cluster.resolve("nodes").resolve(node).resolve("node.yml");
    }

    @Test
    void theNodeIsTheOneWhoseAddressCanBeBound() throws Exception {
        Path file = cluster.resolve("mbr.json");
        for (String node : new String[] {"l1", "d1"}) {
            NodeConfig config = at(host(node)).load(file, Optional.empty());
            assertThat(config.node()).isEqualTo(node);
            assertThat(config.site()).isEqualTo(mbr.siteOf(node).orElseThrow());
            assertThat(config.mbr()).isEqualTo(file);
            assertThat(config.data()).isEqualTo(yml(node).resolveSibling("data"));
        }
    }

    @Test
    void theConfigurationBesideTheMbrIsTaken() throws Exception {
        Path file = yml("d1").resolveSibling("mbr.json");
        // On one machine with the addresses of both.
        assertThat(at(host("l1"), host("d1")).load(file, Optional.empty()).node()).isEqualTo("d1");
    }

    @Test
    void anMbrFromElsewhereGoesWithANamedConfiguration() throws Exception {
        Path file = Files.copy(cluster.resolve("mbr.json"), temp.resolve("rescued"));
        Files.delete(yml("d1").resolveSibling("mbr.json"));
        NodeConfig config = at(host("d1")).load(file, Optional.of(yml("d1")));
        assertThat(config.node()).isEqualTo("d1");
        assertThat(config.mbr()).isEqualTo(file);
        assertThatThrownBy(() -> at(host("d1")).load(file, Optional.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no configuration")
                .hasMessageContaining("d1 (" + host("d1") + ")")
                .hasMessageContaining("--config");
    }

    @Test
    void severalNodesOfThisMachineAreNotGuessedAt() {
        assertThatThrownBy(() ->
                        at(host("l1"), host("d1"))
                                .load(cluster.resolve("mbr.json"), Optional.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("several nodes")
                .hasMessageContaining("l1 (")
                .hasMessageContaining("d1 (")
                .hasMessageContaining("--config");
    }

    @Test
    void noOwnAddressIsRefusedWithTheListedOnes() {
        assertThatThrownBy(() -> at().load(cluster.resolve("mbr.json"), Optional.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no address of this machine")
                .hasMessageContaining("l1 (" + host("l1") + ")")
                .hasMessageContaining("d1 (" + host("d1") + ")");
    }

    @Test
    void anotherNodesAddressDoesNotDo() {
        assertThatThrownBy(() ->
                        at(host("l1")).load(cluster.resolve("mbr.json"), Optional.of(yml("d1"))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Node d1")
                .hasMessageContaining("cannot bind");
    }

    @Test
    void aConfigurationThatTheMbrDoesNotListIsRefused() throws Exception {
        Path changed =
                Files.writeString(
                        yml("d1").resolveSibling("other.yml"),
                        Files.readString(yml("d1")).replace("node: d1", "node: d7"));
        assertThatThrownBy(() ->
                        at(host("d1")).load(cluster.resolve("mbr.json"), Optional.of(changed)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("d7")
                .hasMessageContaining("no such node");
    }

    @Test
    void whatIsNoMbrIsRefusedWithThePosition() throws Exception {
        Path file = cluster.resolve("mbr.json");
        String text = Files.readString(file);
        Files.writeString(file, text.replace("\nsha256 ", "\nsha257 "));
        assertThatThrownBy(() -> at(host("d1")).load(file, Optional.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("position " + text.indexOf("sha256 "));
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe});
        assertThatThrownBy(() -> at(host("d1")).load(file, Optional.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not usable");
        Files.delete(file);
        assertThatThrownBy(() -> at(host("d1")).load(file, Optional.empty()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("There is no MBR at " + file);
    }

    /** The addresses of the plan are loopback ones, which every Linux machine has. */
    @Test
    void thisMachineIsAskedForItsAddresses() throws Exception {
        NodeConfig config =
                new MbrBoot().load(yml("l1").resolveSibling("mbr.json"), Optional.empty());
        assertThat(config.node()).isEqualTo("l1");
    }
}
