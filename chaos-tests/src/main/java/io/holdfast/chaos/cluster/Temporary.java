package io.holdfast.chaos.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where temporary folders are made: below {@code TMPDIR}, at which Java by itself does not look. */
public final class Temporary {
    private Temporary() {}

    /**
     * The folder that {@code TMPDIR} names, or else the system's; without symbolic links.
     *
     * @throws IOException when there is none
     */
    public static Path base() throws IOException {
        return base(System.getenv("TMPDIR"));
    }

    static Path base(@Nullable String wish) throws IOException {
        Path base =
                Path.of(
                        wish == null || wish.isBlank()
                                ? System.getProperty("java.io.tmpdir")
                                : wish);
        if (!Files.isDirectory(base)) {
            throw new IOException(
                    "Temporary files belong in "
                            + base
                            + ", which is no folder; set TMPDIR to one");
        }
        return base.toRealPath();
    }
}
