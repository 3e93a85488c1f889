package io.holdfast.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryTest {
    @TempDir Path folder;

    @Test
    void theWishIsHeardAndItsLinksAreFollowed() throws Exception {
        Path real = Files.createDirectory(folder.toRealPath().resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        assertThat(Temporary.base(link.toString())).isEqualTo(real);
    }

    @Test
    void withoutAWishTheSystemsFolder() throws Exception {
        Path systems = Path.of(System.getProperty("java.io.tmpdir")).toRealPath();
        assertThat(Temporary.base(null)).isEqualTo(systems);
        assertThat(Temporary.base(" ")).isEqualTo(systems);
    }

    @Test
    void aWishForAFolderThatIsNotThereNamesIt() {
        Path missing = folder.resolve("missing");
        assertThatThrownBy(() -> Temporary.base(missing.toString()))
                .hasMessageContaining(missing.toString())
                .hasMessageContaining("TMPDIR");
    }
}
