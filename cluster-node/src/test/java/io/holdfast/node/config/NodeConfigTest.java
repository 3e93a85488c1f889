package io.holdfast.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeConfigTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @TempDir Path temp;

    @BeforeEach
    void files() throws IOException {
        Files.writeString(temp.resolve("mbr.json"), "{}");
        Files.writeString(temp.resolve("password"), "p");
        for (String folder : List.of("identity", "storage-identity")) {
            Files.createDirectory(temp.resolve(folder));
            for (String name :
                    List.of(
                            "ca.pem",
                            "cert.pem",
                            "key.pem",
                            "cluster-key.pem",
                            "cluster-pub.pem")) {
                Files.writeString(temp.resolve(folder).resolve(name), "x");
            }
        }
    }

    private NodeConfig load(String yaml) throws IOException, ConfigException {
        return NodeConfig.load(Files.writeString(temp.resolve("node.yml"), yaml));
    }

    private static final String SMALL =
            """
            node: d2
            site: dr
            roles: [backup-server]
            mbr: mbr.json
            identity: identity
            data: data
            listen:
              host: 127.50.4.5
            """;

    @Test
    void defaultsAreFilledIn() throws Exception {
        NodeConfig config = load(SMALL);
        assertThat(config.site()).isEqualTo(Site.DR);
        assertThat(config.listen())
                .isEqualTo(
                        new NodeConfig.Listen(
                                "127.50.4.5",
                                8443,
                                9871,
                                9872,
                                OptionalInt.empty(),
                                OptionalInt.empty()));
        assertThat(config.data()).isEqualTo(temp.resolve("data"));
        assertThat(config.roleFile()).isEqualTo(temp.resolve("data/role.json"));
        assertThat(config.raft())
                .isEqualTo(new NodeConfig.Raft(Duration.ofMillis(500), Duration.ofMillis(1000)));
        assertThat(config.replication())
                .isEqualTo(
                        new NodeConfig.Replication(Duration.ofSeconds(10), Duration.ofSeconds(2)));
        assertThat(config.collection())
                .isEqualTo(
                        new NodeConfig.Collection(
                                Duration.ofHours(24), Duration.ofHours(6), Duration.ofMinutes(30)));
        assertThat(config.catalog()).isEmpty();
    }

    @Test
    void everyKeyIsRead() throws Exception {
        NodeConfig config =
                load(
                        """
                        node: l1
                        site: local
                        roles: [storage, backup-server, catalog-server]
                        mbr: mbr.json
                        identity: identity
                        storageIdentity: storage-identity
                        data: /var/lib/holdfast
                        seed: mbr.json
                        listen: {host: "::1", rest: 1, raft: 2, site: 3, catalog: 4, storage: 5}
                        devices: [127.10.11.45, "fd00::1"]
                        catalog:
                          name: main
                          database: mariadb
                          url: jdbc:mariadb://127.0.0.1:3306/holdfast
                          user: holdfast
                          passwordFile: password
                        raft: {electionMinMillis: 100, electionMaxMillis: 300}
                        replication: {degradeSeconds: 3, stableSeconds: 0}
                        collection: {graceSeconds: 60, everySeconds: 5}
                        """);
        assertThat(config.roles()).containsExactly("backup-server", "catalog-server", "storage");
        assertThat(config.listen())
                .isEqualTo(
                        new NodeConfig.Listen(
                                "::1", 1, 2, 3, OptionalInt.of(4), OptionalInt.of(5)));
        assertThat(config.devices()).containsExactly("127.10.11.45", "fd00::1");
        assertThat(config.data()).isEqualTo(Path.of("/var/lib/holdfast"));
        assertThat(config.seed()).contains(temp.resolve("mbr.json"));
        assertThat(config.catalog().orElseThrow().mariaDb().orElseThrow())
                .isEqualTo(
                        new NodeConfig.MariaDb(
                                "jdbc:mariadb://127.0.0.1:3306/holdfast",
                                "holdfast",
                                temp.resolve("password")));
        assertThat(config.raft().electionMax()).isEqualTo(Duration.ofMillis(300));
        assertThat(config.replication().degrade()).isEqualTo(Duration.ofSeconds(3));
    }

    /** All problems of bad.yml at once. Rewritten with -Dgolden.write=true. */
    @Test
    void allProblemsComeAtOnceWithTheirLines() throws Exception {
        String yaml = Files.readString(GOLDEN.resolve("bad-node.yml"));
        ConfigException e = catchThrowableOfType(ConfigException.class, () -> load(yaml));
        String said = e.getMessage().replace(temp.toString(), "DIR") + "\n";
        Path golden = GOLDEN.resolve("bad-node.txt");
        if (Boolean.getBoolean("golden.write")) {
            Files.writeString(golden, said);
        }
        assertThat(said).isEqualTo(Files.readString(golden));
    }

    @Test
    void whatIsNoYamlIsNamedWithItsLine() {
        assertThatThrownBy(() -> load("node: l1\nroles: [a\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("node.yml:3: is not YAML: ");
        assertThatThrownBy(() -> load("- a\n")).hasMessageContaining("expected keys and values");
        assertThatThrownBy(() -> load("")).hasMessageContaining("expected keys and values");
    }
}
