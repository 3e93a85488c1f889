package io.holdfast.catalog;

import static io.holdfast.catalog.Rows.FIRST;
import static io.holdfast.catalog.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract on MariaDB: a private server of the system's package. Where none is installed the run
 * is skipped, and says so; with HOLDFAST_REQUIRE_MARIADB=1 that is a failure.
 */
final class MariaDbCatalogTest extends CatalogContractTest {
    @TempDir static Path folder;
    private static MariaDbServer server;
    private static int tests;
    private final int test = tests++;

    @BeforeAll
    static void start() throws Exception {
        if (MariaDbServer.installed().isEmpty()) {
            String reason =
                    "no mariadbd with mariadb-install-db on this machine (Debian: apt-get install"
                            + " mariadb-server)";
            if ("1".equals(System.getenv("HOLDFAST_REQUIRE_MARIADB"))) {
                throw new AssertionError("HOLDFAST_REQUIRE_MARIADB=1, but " + reason);
            }
            Assumptions.abort(reason);
        }
        server = MariaDbServer.start(folder);
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    CatalogDatabaseConfig config(int number) throws Exception {
        return server.database("catalog_" + test + "_" + number);
    }

    @Test
    void serverKilledBetweenCommitsKeepsWhatWasAcknowledged() throws Exception {
        long last = 0;
        try (CatalogDatabase catalog = CatalogDatabase.open(config(5))) {
            for (int n = 1; n <= 5; n++) {
                last = catalog.record(FIRST, row(n));
            }
            server.kill();
            assertThatThrownBy(() -> catalog.record(FIRST, row(6)))
                    .isInstanceOfAny(
                            CatalogException.Unavailable.class, CatalogException.Unknown.class);
        } finally {
            server.start();
        }
        try (CatalogDatabase catalog = CatalogDatabase.open(config(5))) {
            assertThat(catalog.lastSeq()).isEqualTo(last);
            assertThat(catalog.record(FIRST, row(6))).isEqualTo(last + 1);
            assertThat(catalog.list(CatalogFilter.all(), Optional.empty(), 10).pieces()).hasSize(6);
        }
    }

    @Test
    void serverThatDoesNotFsyncAtCommitIsRefused(@TempDir Path other) throws Exception {
        try (MariaDbServer lax = MariaDbServer.start(other, "--innodb-flush-log-at-trx-commit=2")) {
            CatalogDatabaseConfig config = lax.database("catalog");
            assertThatThrownBy(() -> CatalogDatabase.open(config))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("innodb_flush_log_at_trx_commit is 2");
        }
    }

    @Test
    void unreachableServerIsNamedWithoutItsPassword() {
        CatalogDatabaseConfig config =
                new CatalogDatabaseConfig(
                        "jdbc:mariadb://127.0.0.1:1/catalog",
                        "root",
                        "secret-password",
                        2,
                        java.time.Duration.ofSeconds(1));
        assertThatThrownBy(() -> CatalogDatabase.open(config))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:1")
                .satisfies(e ->
                        assertThat(List.of(e.getMessage()).toString())
                                .doesNotContain("secret-password"));
    }
}
