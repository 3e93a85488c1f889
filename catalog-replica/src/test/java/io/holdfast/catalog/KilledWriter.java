package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A process that dies in the middle of applying a batch: no finally, no shutdown hook, no close. */
final class KilledWriter {
    private static final int DEAD = 137;

    private KilledWriter() {}

    /** Applies entries {@code from+1..to} of {@link Rows#ORIGIN} and dies at {@code step}. */
    static void run(CatalogDatabaseConfig config, String step, int from, int to) throws Exception {
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx192m",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty(
                                        "surefire.test.class.path",
                                        System.getProperty("java.class.path")),
                                KilledWriter.class.getName(),
                                config.jdbcUrl(),
                                config.user(),
                                step,
                                Integer.toString(from),
                                Integer.toString(to))
                        .redirectErrorStream(true)
                        .redirectInput(new File("/dev/null"))
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(output).isTrue();
        assertThat(process.exitValue()).as(output).isEqualTo(DEAD);
    }

    /** The process. */
    public static void main(String[] args) throws Exception {
        String fatal = args[2];
        boolean[] armed = {false};
        CatalogDatabase catalog =
                CatalogDatabase.open(
                        CatalogDatabaseConfig.of(args[0], args[1], ""),
                        new CatalogDatabase.Seams(
                                "",
                                step -> {
                                    if (armed[0] && step.equals(fatal)) {
                                        Runtime.getRuntime().halt(DEAD);
                                    }
                                }));
        armed[0] = true;
        catalog.apply(
                Rows.FIRST,
                Rows.ORIGIN,
                Rows.entries(Integer.parseInt(args[3]) + 1, Integer.parseInt(args[4])),
                PieceGate.OPEN);
        System.out.println("step " + fatal + " was not reached");
    }
}
