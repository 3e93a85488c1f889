package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.pki.CertificateAuthority;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent as a process of its own. */
class AgentMainTest {
    @TempDir Path dir;
    private final UUID client = UUID.randomUUID();

    @BeforeEach
    void identity() throws Exception {
        CertificateAuthority root =
                CertificateAuthority.createRoot(
                        UUID.randomUUID(),
                        Duration.ofDays(10),
                        InstantSource.system(),
                        new SecureRandom());
        root.createIssuing("local", Duration.ofDays(9))
                .enrol("agent", client.toString(), Duration.ofDays(5), List.of())
                .save(dir.resolve("identity"));
    }

    private Path config(int port, String dataDir) throws Exception {
        Path file = dir.resolve("agent-" + dataDir + ".json");
        Files.writeString(
                file,
                "{\"listen\":\"127.0.0.1:"
                        + port
                        + "\",\"dataDir\":\""
                        + dataDir
                        + "\",\"identityDir\":\"identity\"}");
        return file;
    }

    private Process start(String... args) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.holdfast.agent.AgentMain");
        builder.command().addAll(List.of(args));
        builder.redirectError(dir.resolve("stderr").toFile());
        return builder.start();
    }

    private String stderr() throws Exception {
        return Files.readString(dir.resolve("stderr"));
    }

    @Test
    void itSaysWhenItIsReadyAndEndsInOrder() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = socket.getLocalPort();
        }
        Process agent = start("--config", config(port, "data").toString());
        try (BufferedReader out =
                new BufferedReader(
                        new InputStreamReader(agent.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(out.readLine())
                    .as(stderr())
                    .isEqualTo("holdfast agent " + client + " listens on 127.0.0.1:" + port);
            assertThat(dir.resolve("identity/agent-key.pem")).exists();
            assertThat(Files.readString(dir.resolve("identity/agent-key.pub"))).hasSize(45);

            Process second = start("--config", config(port, "other").toString());
            assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(second.exitValue()).isEqualTo(1);
            assertThat(stderr().lines().filter(l -> l.startsWith("holdfast agent: ")))
                    .singleElement()
                    .asString()
                    .contains("127.0.0.1:" + port);

            Process sameData = start("--config", config(port, "data").toString());
            assertThat(sameData.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(sameData.exitValue()).isEqualTo(1);
            assertThat(stderr()).contains("another agent uses the folder");
        } finally {
            agent.destroy(); // SIGTERM
            assertThat(agent.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(agent.exitValue()).isEqualTo(143);
    }

    @Test
    void whatIsWrongIsToldWithoutStarting() throws Exception {
        java.io.ByteArrayOutputStream err = new java.io.ByteArrayOutputStream();
        java.io.PrintStream to = new java.io.PrintStream(err, true, StandardCharsets.UTF_8);
        assertThat(AgentMain.run(new String[0], to, to)).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("Usage: holdfast agent");
        err.reset();
        Files.writeString(dir.resolve("bad.json"), "{\"listen\": 5}");
        assertThat(
                        AgentMain.run(
                                new String[] {"--config", dir.resolve("bad.json").toString()},
                                to,
                                to))
                .isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8).lines()).hasSize(3);
        err.reset();
        Files.createDirectories(dir.resolve("data"));
        Files.writeString(dir.resolve("data/epoch"), "holdfast-epoch 1\nmax ");
        assertThat(AgentMain.run(new String[] {"--config", config(1, "data").toString()}, to, to))
                .isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("epoch", "truncated");
    }
}
