package io.holdfast.standard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Golden files; {@code -Dgolden=write} rewrites them, and then the difference is to be reviewed. */
final class Golden {
    private static final Path FOLDER = Path.of("src/test/resources/golden");

    private Golden() {}

    static String read(String name) throws IOException {
        return Files.readString(FOLDER.resolve(name));
    }

    static void check(String name, String actual) throws IOException {
        if ("write".equals(System.getProperty("golden"))) {
            Files.writeString(FOLDER.resolve(name), actual);
        }
        assertThat(actual).isEqualTo(read(name));
    }
}
