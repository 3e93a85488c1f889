package io.holdfast.catalog;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Which database holds a catalog.
 *
 * @param jdbcUrl {@code jdbc:h2:file:PATH}, {@code jdbc:h2:mem:NAME} (tests: nothing is durable) or
 *     {@code jdbc:mariadb://HOST:PORT/DATABASE}; what Holdfast needs of further settings it adds
 * @param user the database user
 * @param password its password; never logged, absent from {@link #toString()}
 * @param connections most connections at a time, 2 to 64
 * @param lockTimeout how long a write waits for the one before it
 */
public record CatalogDatabaseConfig(
        String jdbcUrl, String user, String password, int connections, Duration lockTimeout) {
    static final String H2_FILE = "jdbc:h2:file:";

    /** Checks. */
    public CatalogDatabaseConfig {
        if (!jdbcUrl.startsWith(H2_FILE)
                && !jdbcUrl.startsWith("jdbc:h2:mem:")
                && !jdbcUrl.startsWith("jdbc:mariadb:")) {
            throw new IllegalArgumentException(
                    "Catalog database '"
                            + jdbcUrl
                            + "'; expected jdbc:h2:file:PATH, jdbc:h2:mem:NAME or"
                            + " jdbc:mariadb://HOST:PORT/DATABASE");
        }
        if (jdbcUrl.startsWith("jdbc:h2:") && jdbcUrl.indexOf(';') >= 0) {
            throw new IllegalArgumentException(
                    "Catalog database '" + jdbcUrl + "'; expected no ';': settings are Holdfast's");
        }
        if (connections < 2 || connections > 64) {
            throw new IllegalArgumentException(
                    "Catalog database connections " + connections + "; expected 2 to 64");
        }
    }

    /** The default: an embedded database in {@code folder/catalog.mv.db}. One process at a time. */
    public static CatalogDatabaseConfig embedded(Path folder) {
        String path = folder.toAbsolutePath().normalize() + "/catalog";
        return of(H2_FILE + path, "sa", "");
    }

    /** Lives as long as it is open. For tests. */
    public static CatalogDatabaseConfig memory(String name) {
        return of("jdbc:h2:mem:" + name, "sa", "");
    }

    /** A database by its URL, with the default limits. */
    public static CatalogDatabaseConfig of(String jdbcUrl, String user, String password) {
        return new CatalogDatabaseConfig(jdbcUrl, user, password, 8, Duration.ofSeconds(20));
    }

    boolean isMariaDb() {
        return jdbcUrl.startsWith("jdbc:mariadb:");
    }

    /** The embedded database's file, without {@code .mv.db}; empty for any other database. */
    Optional<Path> file() {
        return jdbcUrl.startsWith(H2_FILE)
                ? Optional.of(Path.of(jdbcUrl.substring(H2_FILE.length())))
                : Optional.empty();
    }

    @Override
    public String toString() {
        return "catalog database " + jdbcUrl + " as " + user;
    }
}
