package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.standard.Endpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentConfigTest {
    private static final String WHOLE =
            "{\"listen\": \"127.0.0.1:3456\", \"dataDir\": \"data\", \"identityDir\": \"/id\","
                    + " \"clusterId\": \"01980f2c-0000-7000-8000-000000000001\", \"workers\": 3}";

    @TempDir Path dir;

    @Test
    void aWholeFileIsRead() throws Exception {
        Files.writeString(dir.resolve("agent.json"), WHOLE);
        AgentConfig config = AgentConfig.load(dir.resolve("agent.json"));
        assertThat(config)
                .isEqualTo(
                        new AgentConfig(
                                Endpoint.of("127.0.0.1", 3456),
                                dir.resolve("data"),
                                Path.of("/id"),
                                Optional.of(
                                        UUID.fromString("01980f2c-0000-7000-8000-000000000001")),
                                3));
    }

    @Test
    void theLeastIsEnough() throws Exception {
        AgentConfig config =
                AgentConfig.parse(
                        "{\"listen\":\"[::1]:1\",\"dataDir\":\"d\",\"identityDir\":\"i\"}",
                        dir,
                        "x");
        assertThat(config.clusterId()).isEmpty();
        assertThat(config.workers()).isBetween(2, 4);
    }

    @Test
    void allProblemsAreToldAtOnce() {
        AgentConfig.Invalid invalid =
                catchThrowableOfType(
                        AgentConfig.Invalid.class,
                        () ->
                                AgentConfig.parse(
                                        "{\"listen\": \"127.0.0.1\", \"identityDir\": 7,"
                                                + " \"clusterId\": \"x\", \"workers\": 99,"
                                                + " \"colour\": 1}",
                                        dir,
                                        "agent.json"));
        assertThat(invalid.problems())
                .hasSize(6)
                .allMatch(p -> p.startsWith("agent.json:1:"))
                .anyMatch(p -> p.contains("listen") && p.contains("HOST:PORT"))
                .anyMatch(p -> p.contains("dataDir") && p.contains("missing"))
                .anyMatch(p -> p.contains("identityDir"))
                .anyMatch(p -> p.contains("clusterId"))
                .anyMatch(p -> p.contains("workers") && p.contains("1 to 16"))
                .anyMatch(p -> p.contains("unknown key 'colour'"));
    }

    @Test
    void aProblemSaysWhereItStands() {
        assertThat(
                        problems(
                                """
                                {
                                  "listen": "127.0.0.1:port",
                                  "dataDir": "",
                                  "workers": 99, "colour": 1
                                }
                                """))
                .containsExactly(
                        "agent.json:2:3: listen: Not a valid endpoint: '127.0.0.1:port' at position"
                                + " 10; expected a port from 1 to 65535",
                        "agent.json:3:3: dataDir: expected a folder",
                        "agent.json:1:1: identityDir: expected a value here; it is missing",
                        "agent.json:4:3: workers: expected 1 to 16 threads",
                        "agent.json:4:18: unknown key 'colour'; known are [clusterId, dataDir,"
                                + " identityDir, listen, workers]");
        assertThat(problems("{\n \"listen\" 5}"))
                .containsExactly("agent.json:2:11: expected ':' after the key");
        assertThat(problems("[]"))
                .containsExactly("agent.json:1:1: expected an object, not an array");
        assertThat(problems("")).containsExactly("agent.json:1:1: expected a JSON value");
    }

    private List<String> problems(String text) {
        return catchThrowableOfType(
                        AgentConfig.Invalid.class, () -> AgentConfig.parse(text, dir, "agent.json"))
                .problems();
    }

    @Test
    void aMissingFileIsTold() {
        assertThatThrownBy(() -> AgentConfig.load(dir.resolve("none.json")))
                .isInstanceOf(AgentConfig.Invalid.class)
                .hasMessageContaining("no such file");
    }

    @Test
    void whateverTheBytesItIsReadOrRefused() throws Exception {
        Random random = new Random(20261121);
        Path file = dir.resolve("fuzz.json");
        for (int round = 0; round < 2_000; round++) {
            byte[] bytes = WHOLE.getBytes(StandardCharsets.UTF_8);
            for (int k = random.nextInt(4); k >= 0; k--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bytes);
            try {
                AgentConfig.load(file);
            } catch (AgentConfig.Invalid e) {
                assertThat(e.problems()).isNotEmpty().allMatch(p -> p.length() > 10);
            }
        }
    }
}
