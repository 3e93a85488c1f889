package io.holdfast.chaos.power;

import io.holdfast.chaos.fault.PowerLoss;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process of its own that writes to a disk and says what it has acknowledged, one line each, while
 * the power is cut under it. What it said must be there afterwards, all of it.
 */
final class Acknowledging {
    private static final String MARK = "ACK ";
    private static final long PATIENCE_SECONDS = 60;

    private Acknowledging() {}

    /** Called by the child: this is durable. */
    static void acknowledge(Object what) {
        System.out.println(MARK + what);
    }

    /**
     * Runs {@code main} with the disk's folder as first argument, cuts the power after so many
     * acknowledgements, waits for the end of the child and mounts the disk again.
     *
     * <p>What is acknowledged while the power goes does not count. A real power loss leaves nobody to
     * say it, but ext4's shutdown does: an fsync that runs beside it may return 0 although its
     * journal commit was aborted (a bare loop of write and fsync lost its last one in 3 of 25 cuts,
     * Linux 6.18).
     *
     * @return everything that was acknowledged before the cut, in order
     */
    static List<String> untilPowerLoss(PowerLoss disk, Class<?> main, int cutAfter, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        disk.folder().toString()));
        command.addAll(List.of(args));
        Path errors = disk.folder().resolveSibling(main.getSimpleName() + ".err");
        Process child =
                new ProcessBuilder(command)
                        .redirectError(errors.toFile())
                        .redirectInput(new java.io.File("/dev/null"))
                        .start();
        Thread watchdog = Thread.ofVirtual().start(() -> endInTime(child));
        List<String> acknowledged = new ArrayList<>();
        boolean cut = false;
        try (BufferedReader lines = new BufferedReader(child.inputReader(StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!cut && line.startsWith(MARK)) {
                    acknowledged.add(line.substring(MARK.length()));
                }
                if (!cut && acknowledged.size() >= cutAfter) {
                    disk.cut();
                    cut = true;
                    // A child that swallows EIO would write for ever.
                    Thread.ofVirtual().start(() -> endSoon(child));
                }
            }
        } finally {
            child.destroyForcibly();
            child.waitFor();
            watchdog.interrupt();
        }
        if (!cut) {
            throw new IOException(
                    main.getSimpleName()
                            + " ended after "
                            + acknowledged.size()
                            + " acknowledgements: "
                            + java.nio.file.Files.readString(errors));
        }
        disk.restore();
        return acknowledged;
    }

    private static void endInTime(Process child) {
        try {
            if (!child.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                child.destroyForcibly();
            }
        } catch (InterruptedException done) {
            Thread.currentThread().interrupt();
        }
    }

    private static void endSoon(Process child) {
        try {
            if (!child.waitFor(1, TimeUnit.SECONDS)) {
                child.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
