package io.holdfast.chaos.drill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;

/** Has anything been written below a folder yet? */
final class FirstByte {
    private FirstByte() {}

    /** True when a regular file with content lies somewhere below. Stops at the first one. */
    static boolean below(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> found = Files.find(folder, Integer.MAX_VALUE, (_, a) -> isContent(a))) {
            return found.findFirst().isPresent();
        } catch (java.io.UncheckedIOException changing) {
            // A name that was there a moment ago: the restore is at work.
            return false;
        }
    }

    private static boolean isContent(BasicFileAttributes attributes) {
        return attributes.isRegularFile() && attributes.size() > 0;
    }
}
