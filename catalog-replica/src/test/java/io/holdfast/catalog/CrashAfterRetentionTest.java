package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * H2 uses the space of old chunks again once they are 45 s old, here 50 ms: what a process that is
 * killed later leaves behind must still hold every acknowledged row.
 */
class CrashAfterRetentionTest {
    private static final int ROUNDS = 12;

    @TempDir Path folder;

    @Test
    void whatIsAcknowledgedLateIsFoundAfterACrash() throws Exception {
        Path home = Files.createDirectories(folder.resolve("home"));
        CatalogDatabaseConfig config = CatalogDatabaseConfig.embedded(home);
        try (var context = CatalogContext.start(config, "");
                Connection connection = CatalogContext.dataSource(context).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SET RETENTION_TIME 50");
        }
        try (CatalogDatabase catalog = CatalogDatabase.open(config)) {
            for (int n = 1; n <= ROUNDS; n++) {
                Thread.sleep(120);
                catalog.record(Rows.FIRST, Rows.row(n));
                Path crashed = Files.createDirectories(folder.resolve("crash-" + n));
                Files.copy(home.resolve("catalog.mv.db"), crashed.resolve("catalog.mv.db"));
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
}
