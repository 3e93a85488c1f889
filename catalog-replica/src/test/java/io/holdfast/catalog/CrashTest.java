package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process that is killed at any moment leaves behind holds every acknowledged row. */
class CrashTest {
    private static final int ROUNDS = 12;
    private static final String ACKNOWLEDGED = "acknowledged ";

    @TempDir Path folder;

    /** The files as they are after each acknowledgement are what a crash would leave just then. */
    @Test
    void whatIsAcknowledgedIsInTheFilesAtOnce() throws Exception {
        Path home = Files.createDirectories(folder.resolve("home"));
        try (CatalogDatabase catalog = CatalogDatabase.open(CatalogDatabaseConfig.embedded(home))) {
            for (int n = 1; n <= ROUNDS; n++) {
                catalog.record(Rows.FIRST, Rows.row(n));
                Path crashed = Files.createDirectories(folder.resolve("crash-" + n));
                for (String file : List.of("catalog.db", "catalog.db-wal")) {
                    Files.copy(home.resolve(file), crashed.resolve(file));
                }
            }
        }
        for (int n = 1; n <= ROUNDS; n++) {
            try (CatalogDatabase found =
                    CatalogDatabase.open(
                            CatalogDatabaseConfig.embedded(folder.resolve("crash-" + n)))) {
                assertThat(found.lastSeq()).as("acknowledged before crash %d", n).isEqualTo(n);
            }
        }
    }

    /** One database, killed again and again at random moments, also while it is being opened. */
    @Test
    void killedAgainAndAgainItLosesNothing() throws Exception {
        long seed = Long.getLong("holdfast.seed", System.nanoTime());
        Random random = new Random(seed);
        int acknowledged = 0;
        for (int round = 1; round <= ROUNDS; round++) {
            Path told = folder.resolve("told-" + round);
            Process process = writer(folder, told);
            try {
                if (random.nextInt(4) == 0) {
                    Thread.sleep(random.nextInt(900)); // while it is being opened
                } else {
                    int more = 1 + random.nextInt(40);
                    while (last(told) < acknowledged + more && process.isAlive()) {
                        Thread.sleep(2);
                    }
                }
            } finally {
                process.destroyForcibly().waitFor();
            }
            acknowledged = Math.max(acknowledged, last(told));
            try (CatalogDatabase found =
                    CatalogDatabase.open(CatalogDatabaseConfig.embedded(folder))) {
                assertThat(found.lastSeq())
                        .as("seed %d, round %d", seed, round)
                        .isBetween((long) acknowledged, acknowledged + 1L);
                acknowledged = (int) found.lastSeq();
                List<OutboxEntry> entries = new ArrayList<>();
                for (long after = 0; after < acknowledged; after = entries.size()) {
                    entries.addAll(found.readOutbox(after, CatalogDatabase.MAX_BATCH));
                }
                for (int n = 1; n <= acknowledged; n++) {
                    assertThat(found.get(Rows.piece(n)).orElseThrow().row()).isEqualTo(Rows.row(n));
                }
            }
        }
        assertThat(acknowledged).isPositive();
    }

    /** The newest number in what a writer has told; 0 for none. */
    private static int last(Path told) throws IOException {
        return Files.readAllLines(told).stream()
                .filter(line -> line.startsWith(ACKNOWLEDGED))
                .mapToInt(line -> Integer.parseInt(line.substring(ACKNOWLEDGED.length())))
                .max()
                .orElse(0);
    }

    private static Process writer(Path folder, Path told) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx192m",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        Writer.class.getName(),
                        folder.toString())
                .redirectInput(new File("/dev/null"))
                .redirectOutput(told.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Records one piece after the other and prints the number of each that is acknowledged. */
    static final class Writer {
        public static void main(String[] args) throws Exception {
            try (CatalogDatabase catalog =
                    CatalogDatabase.open(CatalogDatabaseConfig.embedded(Path.of(args[0])))) {
                for (int n = (int) catalog.lastSeq() + 1; ; n++) {
                    catalog.record(Rows.FIRST, Rows.row(n));
                    System.out.println(ACKNOWLEDGED + n);
                }
            }
        }
    }
}
