package io.holdfast.catalog;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * When a commit is on disk. Three cases:
 *
 * <ul>
 *   <li><b>MariaDB</b>: at the end of the commit, as long as innodb_flush_log_at_trx_commit is 1;
 *       anything else is refused when opening.
 *   <li><b>H2 in a file</b>: H2 does not fsync at a commit, it even writes up to half a second later.
 *       {@code CHECKPOINT SYNC} writes what is committed and fsyncs the file; one call serves all
 *       writers that wait ({@link GroupSync}), and {@link DurableFilePath} sees to it that a torn
 *       write is recognised as such. The folder is fsynced once the file is there.
 *   <li><b>H2 in memory</b>: never. For tests.
 * </ul>
 */
final class Durability implements AutoCloseable {
    private final String product;
    private final @Nullable Connection connection;
    private final @Nullable GroupSync group;

    private Durability(String product, @Nullable Connection connection, @Nullable GroupSync group) {
        this.product = product;
        this.connection = connection;
        this.group = group;
    }

    static Durability of(CatalogDatabaseConfig config, DataSource dataSource) throws IOException {
        try {
            if (config.isMariaDb()) {
                try (Connection connection = dataSource.getConnection()) {
                    checkMariaDb(config, connection);
                    return new Durability(product(connection), null, null);
                }
            }
            // Also keeps the embedded database open while the pool is empty.
            Connection own = dataSource.getConnection();
            String product = product(own);
            if (config.file().isEmpty()) {
                return new Durability(product, own, null);
            }
            syncFolders(config.file().get());
            return new Durability(
                    product,
                    own,
                    new GroupSync(() -> {
                        try (Statement statement = own.createStatement()) {
                            statement.execute("CHECKPOINT SYNC");
                        }
                    }));
        } catch (SQLException e) {
            throw new IOException("Could not open " + config + ": " + e.getMessage(), e);
        }
    }

    /** Returns when what this thread has committed is on disk. @throws GroupSync.SyncFailed */
    void await() {
        if (group != null) {
            group.await();
        }
    }

    /** Product and version. */
    String product() {
        return product;
    }

    @Override
    public void close() {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                // The pool closes what is left; nothing that was acknowledged depends on it.
                return;
            }
        }
    }

    private static String product(Connection connection) throws SQLException {
        DatabaseMetaData meta = connection.getMetaData();
        return meta.getDatabaseProductName() + " " + meta.getDatabaseProductVersion();
    }

    private static void checkMariaDb(CatalogDatabaseConfig config, Connection connection)
            throws SQLException, IOException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")) {
            row.next();
            if (row.getInt(1) != 1) {
                throw new IOException(
                        config
                                + " would lose acknowledged rows: innodb_flush_log_at_trx_commit is "
                                + row.getInt(1)
                                + ". Set it to 1 in the server's configuration");
            }
        }
    }

    /** The file's entry in its folder, and the folder's own entry, survive power loss. */
    private static void syncFolders(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        for (int level = 0; folder != null && level < 2; level++) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
            folder = folder.getParent();
        }
    }
}
