package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class FarewellTest {
    @Test
    void theCommandsWorkFromAnyFolder() {
        assertThat(Farewell.lines("/opt/holdfast", Path.of("/tmp/d"), List.of(7L, 9L)))
                .contains(
                        "  /opt/holdfast/holdfast status --context"
                                + " /tmp/d/cluster/operator/context.json",
                        "  kill -KILL 7 9; rm -rf /tmp/d");
    }

    @Test
    void aFolderWithASpaceIsOneWord() {
        assertThat(Farewell.lines("/opt/my backups", Path.of("/tmp/a b"), List.of(7L)))
                .contains(
                        "  '/opt/my backups/holdfast' status --context"
                                + " '/tmp/a b/cluster/operator/context.json'",
                        "  kill -KILL 7; rm -rf '/tmp/a b'");
    }
}
