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
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * That a commit is on disk when it returns. Both databases do so themselves as long as they are set
 * to; here it is asked, not believed:
 *
 * <ul>
 *   <li><b>MariaDB</b>: innodb_flush_log_at_trx_commit is 1.
 *   <li><b>SQLite</b>: journal_mode is wal and synchronous is FULL, so that a commit is an fsync of the
 *       write-ahead log. The file's folder is fsynced once the file is there.
 * </ul>
 */
final class Durability {
    private static final int SYNCHRONOUS_FULL = 2;

    private Durability() {}

    /**
     * Checks a database that was just opened.
     *
     * @return product and version
     * @throws IOException when it could lose what it acknowledged
     */
    static String check(CatalogDatabaseConfig config, DataSource dataSource) throws IOException {
        try (Connection connection = dataSource.getConnection()) {
            if (config.isMariaDb()) {
                require(
                        config,
                        connection,
                        "SELECT @@GLOBAL.innodb_flush_log_at_trx_commit",
                        "innodb_flush_log_at_trx_commit",
                        "1");
            } else {
                require(config, connection, "PRAGMA journal_mode", "journal_mode", "wal");
                require(
                        config,
                        connection,
                        "PRAGMA synchronous",
                        "synchronous",
                        Integer.toString(SYNCHRONOUS_FULL));
                syncFolders(config.file());
            }
            DatabaseMetaData meta = connection.getMetaData();
            return meta.getDatabaseProductName() + " " + meta.getDatabaseProductVersion();
        } catch (SQLException e) {
            throw new IOException("Could not open " + config + ": " + e.getMessage(), e);
        }
    }

    /** Why an embedded database must be opened again, or null when a repeated write may succeed. */
    static @Nullable String whyBroken(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLiteException e && isBroken(e.getResultCode())) {
                return e.getMessage();
            }
        }
        return null;
    }

    private static boolean isBroken(SQLiteErrorCode code) {
        return switch (code.code & 0xFF) {
            case 10, 11, 14, 26 -> true; // IOERR, CORRUPT, CANTOPEN, NOTADB
            default -> false;
        };
    }

    private static void require(
            CatalogDatabaseConfig config,
            Connection connection,
            String query,
            String setting,
            String wanted)
            throws SQLException, IOException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            String found = row.next() ? row.getString(1) : "not there";
            if (!wanted.equals(found)) {
                throw new IOException(
                        config
                                + " would lose acknowledged rows: "
                                + setting
                                + " is "
                                + found
                                + ". Set it to "
                                + wanted
                                + " in the server's configuration");
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
