package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterProcessesTest {
    private static final List<String> SLEEP = List.of("sh", "-c", "echo up; exec sleep 600");

    @TempDir Path folder;

    private ClusterProcesses processes() throws Exception {
        return new ClusterProcesses(folder.resolve("logs"), () -> {});
    }

    @Test
    void closingEndsEverythingAlsoWhatStandsStill() throws Exception {
        Process one;
        Process two;
        try (ClusterProcesses processes = processes()) {
            one = processes.start("one", SLEEP, folder).process();
            two = processes.start("two", SLEEP, folder).process();
            processes.pause(List.of("two"));
            assertThat(processes.alive()).containsExactly("one", "two");
        }
        assertThat(one.isAlive()).isFalse();
        assertThat(two.isAlive()).isFalse();
    }

    @Test
    void aKilledProcessCanBeStartedAgainWithAnotherLog() throws Exception {
        try (ClusterProcesses processes = processes()) {
            Path first = processes.start("one", SLEEP, folder).log();
            assertThatThrownBy(() -> processes.start("one", SLEEP, folder))
                    .hasMessageContaining("runs already");
            processes.kill(List.of("one"));
            assertThat(processes.isAlive("one")).isFalse();
            assertThatThrownBy(() -> processes.mustLive(List.of("one")))
                    .isInstanceOf(DrillFailed.class)
                    .hasMessageContaining("137");
            Path second = processes.start("one", SLEEP, folder).log();
            assertThat(second).isNotEqualTo(first);
        }
    }

    @Test
    void theLastLinesOfALog() throws Exception {
        try (ClusterProcesses processes = processes()) {
            List<String> command = List.of("sh", "-c", "for i in 1 2 3 4; do echo line $i; done");
            processes.start("talker", command, folder).process().waitFor();
            assertThat(processes.tail("talker", 2)).containsExactly("line 3", "line 4");
            assertThat(processes.tail("nobody", 2)).isEmpty();
        }
    }

    @Test
    void aWorkspaceCopiesHidesAndGoes() throws Exception {
        Path source = Files.createDirectories(folder.resolve("source"));
        Files.writeString(source.resolve("file"), "text");
        Workspace.Size size = Workspace.measure(source);
        assertThat(size.files()).isEqualTo(1);
        assertThat(size.bytes()).isEqualTo(4);
        Workspace workspace = Workspace.create(source, size);
        try {
            Path copy = workspace.resolve("systems/crit/data");
            assertThat(workspace.copy(source, copy)).isEmpty();
            assertThat(copy.resolve("file")).hasContent("text");
            assertThat(FirstByte.below(copy)).isTrue();
            workspace.hide(copy, "crit");
            assertThat(copy).doesNotExist();
            assertThat(FirstByte.below(copy)).isFalse();
        } finally {
            workspace.delete();
        }
        assertThat(workspace.root()).doesNotExist();
        assertThat(source.resolve("file")).exists();
    }

    @Test
    void tooLittleSpaceIsSaidBeforehand() {
        Workspace.Size huge = new Workspace.Size(1, 1L << 55, List.of());
        assertThatThrownBy(() -> Workspace.create(folder, huge))
                .isInstanceOf(DrillFailed.class)
                .hasMessageContaining("needs about")
                .hasMessageContaining("TMPDIR");
    }
}
