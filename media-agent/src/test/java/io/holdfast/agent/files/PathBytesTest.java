package io.holdfast.agent.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathBytesTest {
    @TempDir Path dir;

    @Test
    void everyNameRoundTripsThroughTheFileSystem() throws Exception {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            byte[] name = new byte[1 + random.nextInt(60)];
            random.nextBytes(name);
            if (!PathBytes.isSafeName(name)) {
                continue;
            }
            Path folder = Files.createDirectory(dir.resolve("r" + round));
            Path path = PathBytes.child(folder, name);
            Files.writeString(path, "x");
            assertThat(PathBytes.name(path)).isEqualTo(name);
            try (var stream = Files.newDirectoryStream(folder)) {
                Path found = stream.iterator().next();
                assertThat(PathBytes.name(found)).isEqualTo(name);
                assertThat(PathBytes.path(PathBytes.of(found))).isEqualTo(path);
            }
        }
    }

    @Test
    void whatIsNoNameIsSaid() {
        for (String no : new String[] {"", ".", "..", "a/b", "/", "x\0", "n".repeat(256)}) {
            assertThat(PathBytes.isSafeName(no.getBytes(StandardCharsets.UTF_8))).isFalse();
        }
        for (String yes : new String[] {"...", ".a", "a.", " ", "\n", "n".repeat(255)}) {
            assertThat(PathBytes.isSafeName(yes.getBytes(StandardCharsets.UTF_8))).isTrue();
        }
    }
}
