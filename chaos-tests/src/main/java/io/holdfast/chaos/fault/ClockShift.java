package io.holdfast.chaos.fault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A wall clock that can be set for one program, by libfaketime. Monotonic time is left alone, so
 * that timeouts stay what they are.
 */
public final class ClockShift {
    private static final String LIBRARY = "faketime/libfaketimeMT.so.1";

    private final Path library;
    private final Path file;

    private ClockShift(Path library, Path file) {
        this.library = library;
        this.file = file;
    }

    /**
     * A clock that shows the right time.
     *
     * @param file holds how far it is ahead
     * @throws FaultUnavailable without libfaketime
     */
    public static ClockShift at(Path file) throws IOException, FaultUnavailable {
        for (String folder : new String[] {"x86_64-linux-gnu", "aarch64-linux-gnu", "."}) {
            Path library = Path.of("/usr/lib", folder, LIBRARY).normalize();
            if (Files.isReadable(library)) {
                ClockShift clock = new ClockShift(library, file);
                clock.set(Duration.ZERO);
                return clock;
            }
        }
        throw new FaultUnavailable("libfaketime is not installed: apt-get install faketime");
    }

    /** A command that runs another one with this clock. */
    public List<String> around(List<String> command) {
        List<String> all =
                new ArrayList<>(
                        List.of(
                                "env",
                                "LD_PRELOAD=" + library,
                                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                                "FAKETIME_NO_CACHE=1",
                                "FAKETIME_TIMESTAMP_FILE=" + file));
        all.addAll(command);
        return all;
    }

    /** From now on it shows this much more, or less, than the right time. */
    public void set(Duration ahead) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".next");
        Files.writeString(next, (ahead.isNegative() ? "" : "+") + ahead.toSeconds() + "s\n");
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
