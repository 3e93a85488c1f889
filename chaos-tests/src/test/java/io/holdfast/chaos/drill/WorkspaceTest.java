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
        Workspace workspace = Workspace.create(source, size, false);
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
        assertThatThrownBy(() -> Workspace.create(folder, huge, false))
                .isInstanceOf(DrillFailed.class)
                .hasMessageContaining("needs about")
                .hasMessageContaining("TMPDIR");
    }

    @Test
    void fiveTreesAtATimeAndNineWhenAllIsKept() {
        Workspace.Size none = new Workspace.Size(0, 0, List.of());
        Workspace.Size some = new Workspace.Size(1000, 10_000_000, List.of());
        long own = Workspace.needed(none, false);
        assertThat(Workspace.needed(none, true)).isEqualTo(own);
        assertThat(Workspace.needed(some, false) - own).isEqualTo(5 * 14_096_000);
        assertThat(Workspace.needed(some, true) - own).isEqualTo(9 * 14_096_000);
    }

    @Test
    void whatHasServedIsDiscarded() throws Exception {
        Workspace workspace = workspace(false);
        try {
            Path copy = Files.createDirectories(workspace.resolve("systems/crit/data"));
            Files.writeString(copy.resolve("file"), "text");
            workspace.hide(copy, "local-crit");
            workspace.discard(workspace.hidden("local-crit"));
            assertThat(workspace.hidden("local-crit")).doesNotExist();
            assertThat(workspace.root()).exists();
        } finally {
            workspace.delete();
        }
    }

    @Test
    void nothingIsDiscardedWhenAllIsKept() throws Exception {
        Workspace workspace = workspace(true);
        try {
            Path copy = Files.createDirectories(workspace.resolve("as-of-first-full"));
            workspace.discard(copy);
            assertThat(copy).exists();
        } finally {
            workspace.delete();
        }
    }

    @Test
    void onlyItsOwnFoldersAreDiscarded() throws Exception {
        Workspace workspace = workspace(false);
        try {
            assertThatThrownBy(() -> workspace.discard(folder))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> workspace.discard(workspace.root()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(folder).exists();
            assertThat(workspace.root()).exists();
        } finally {
            workspace.delete();
        }
    }

    private Workspace workspace(boolean keep) throws Exception {
        Path source = Files.createDirectories(folder.resolve("source"));
        return Workspace.create(source, Workspace.measure(source), keep);
    }
}
