package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkspaceTest {
    @TempDir Path folder;

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
