package io.holdfast.catalog;

import io.micronaut.context.ApplicationContext;
import io.micronaut.core.type.Argument;
import io.micronaut.data.connection.jdbc.advice.DelegatingDataSource;
import io.micronaut.inject.qualifiers.Qualifiers;
import io.micronaut.transaction.SynchronousTransactionManager;
import java.io.IOException;
import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/** The small application context of one database: a pool, a transaction manager, the repositories. */
final class CatalogContext {
    private static final String NAME = "default";
    private static final String MIGRATIONS = "classpath:io/holdfast/catalog/migration/";

    /**
     * A commit is an fsync of the write-ahead log; readers and the writer do not wait for each other.
     */
    private static final String SQLITE_SETTINGS =
            "?journal_mode=WAL&synchronous=FULL&foreign_keys=true&busy_timeout=";

    private CatalogContext() {}

    /** Starts it, and brings the tables to this version. @throws IOException as {@link CatalogDatabase#open} */
    static ApplicationContext start(CatalogDatabaseConfig config, String settings)
            throws IOException {
        ApplicationContext context =
                ApplicationContext.builder()
                        .deduceEnvironment(false)
                        .deduceCloudEnvironment(false)
                        .enableDefaultPropertySources(false)
                        .environmentPropertySource(false)
                        .banner(false)
                        .properties(properties(config, settings))
                        .build();
        try {
            context.start();
            Flyway.configure()
                    .dataSource(dataSource(context))
                    .locations(MIGRATIONS + (config.isMariaDb() ? "mariadb" : "sqlite"))
                    .table("catalog_schema_history")
                    .load()
                    .migrate();
            return context;
        } catch (RuntimeException e) {
            context.close();
            throw new IOException("Could not open " + config + ": " + e.getMessage(), e);
        }
    }

    private static Map<String, Object> properties(CatalogDatabaseConfig config, String settings) {
        Map<String, Object> all = new HashMap<>();
        String prefix = "datasources." + NAME + ".";
        all.put(prefix + "url", url(config, settings));
        all.put(prefix + "username", config.user());
        all.put(prefix + "password", config.password());
        all.put(
                prefix + "driver-class-name",
                config.isMariaDb() ? "org.mariadb.jdbc.Driver" : "org.sqlite.JDBC");
        all.put(prefix + "dialect", "MYSQL");
        all.put(prefix + "maximum-pool-size", config.connections());
        all.put(prefix + "minimum-idle", 1);
        all.put(prefix + "pool-name", "catalog");
        all.put(prefix + "auto-commit", true);
        all.put(
                prefix + "transaction-isolation",
                config.isMariaDb() ? "TRANSACTION_READ_COMMITTED" : "TRANSACTION_SERIALIZABLE");
        all.put(prefix + "connection-timeout", Math.max(1000, config.lockTimeout().toMillis()));
        return all;
    }

    private static String url(CatalogDatabaseConfig config, String settings) {
        String url = config.jdbcUrl();
        if (config.isMariaDb()) {
            return url
                    + (url.indexOf('?') < 0 ? "?" : "&")
                    + "sessionVariables=innodb_lock_wait_timeout="
                    + Math.max(1, config.lockTimeout().toSeconds());
        }
        return url + SQLITE_SETTINGS + config.lockTimeout().toMillis() + settings;
    }

    /** The pool itself, without the wrapper that knows of transactions. */
    static DataSource dataSource(ApplicationContext context) {
        return DelegatingDataSource.unwrapDataSource(
                context.getBean(DataSource.class, Qualifiers.byName(NAME)));
    }

    @SuppressWarnings("unchecked")
    static SynchronousTransactionManager<Connection> transactions(ApplicationContext context) {
        return (SynchronousTransactionManager<Connection>)
                context.getBean(
                        Argument.of(SynchronousTransactionManager.class, Connection.class),
                        Qualifiers.byName(NAME));
    }
}
