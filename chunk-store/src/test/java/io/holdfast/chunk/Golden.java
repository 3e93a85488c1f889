package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Golden files: stored bytes as hexadecimal lines of 32. {@code -Dgolden.rewrite=true} (through {@code
 * -Dsurefire.extraArgs=}) writes them anew; do that only together with a new format version.
 */
public final class Golden {
    private static final Path FOLDER = Path.of("src/test/resources/golden");

    private Golden() {}

    /** Asserts that {@code bytes} are those of the golden file. */
    public static void assertMatches(String name, byte[] bytes) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < bytes.length; i += 32) {
            text.append(HexFormat.of().formatHex(bytes, i, Math.min(bytes.length, i + 32)));
            text.append('\n');
        }
        assertTextMatches(name, text.toString());
    }

    /** The bytes of a golden file. */
    public static byte[] read(String name) throws IOException {
        String hex = Files.readString(FOLDER.resolve(name), StandardCharsets.US_ASCII);
        return HexFormat.of().parseHex(hex.replace("\n", ""));
    }

    /** Asserts that {@code text} is that of the golden file. */
    public static void assertTextMatches(String name, String text) throws IOException {
        Path file = FOLDER.resolve(name);
        if (Boolean.getBoolean("golden.rewrite")) {
            Files.createDirectories(FOLDER);
            Files.writeString(file, text, StandardCharsets.US_ASCII);
        }
        assertThat(text)
                .as("%s: a stored format changed; that needs a new version", name)
                .isEqualTo(Files.readString(file, StandardCharsets.US_ASCII));
    }
}
