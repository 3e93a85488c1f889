package io.holdfast.catalog;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Which database holds a catalog.
 *
 * @param jdbcUrl {@code jdbc:sqlite:PATH} or {@code jdbc:mariadb://HOST:PORT/DATABASE}; what Holdfast
 *     needs of further settings it adds
 * @param user the database user; of no meaning to SQLite
 * @param password its password; never logged, absent from {@link #toString()}
 * @param connections most connections at a time, 2 to 64
 * @param lockTimeout how long a write waits for the one before it
 */
public record CatalogDatabaseConfig(
        String jdbcUrl, String user, String password, int connections, Duration lockTimeout) {
    private static final String SQLITE = "jdbc:sqlite:";
    private static final String MARIADB = "jdbc:mariadb:";

    /** Checks. */
    public CatalogDatabaseConfig {
        if (!jdbcUrl.startsWith(SQLITE) && !jdbcUrl.startsWith(MARIADB)) {
            throw new IllegalArgumentException(
                    "Catalog database '"
                            + jdbcUrl
                            + "'; expected jdbc:sqlite:PATH or jdbc:mariadb://HOST:PORT/DATABASE");
        }
        if (jdbcUrl.startsWith(SQLITE)
                && (!jdbcUrl.startsWith(SQLITE + "/") || jdbcUrl.indexOf('?') >= 0)) {
            throw new IllegalArgumentException(
                    "Catalog database '"
                            + jdbcUrl
                            + "'; expected an absolute path without '?': settings are Holdfast's");
        }
        if (connections < 2 || connections > 64) {
            throw new IllegalArgumentException(
                    "Catalog database connections " + connections + "; expected 2 to 64");
        }
    }

    /** The default: an embedded database in {@code folder/catalog.db}. One process at a time. */
    public static CatalogDatabaseConfig embedded(Path folder) {
        return of(SQLITE + folder.toAbsolutePath().normalize().resolve("catalog.db"), "", "");
    }

    /** A database by its URL, with the default limits. */
    public static CatalogDatabaseConfig of(String jdbcUrl, String user, String password) {
        return new CatalogDatabaseConfig(jdbcUrl, user, password, 8, Duration.ofSeconds(20));
    }

    boolean isMariaDb() {
        return jdbcUrl.startsWith(MARIADB);
    }

    /** The embedded database's file. */
    Path file() {
        return Path.of(jdbcUrl.substring(SQLITE.length()));
    }

    @Override
    public String toString() {
        return "catalog database " + jdbcUrl + (user.isEmpty() ? "" : " as " + user);
    }
}
