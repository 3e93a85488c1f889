package io.holdfast.catalog;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * One process has an embedded catalog, and opens it once: what it knows of the outbox's end is in its
 * memory. SQLite itself would let others write. Held by the operating system, so it ends with the
 * process.
 */
final class DatabaseLock implements AutoCloseable {
    private final @Nullable FileChannel channel;

    private DatabaseLock(@Nullable FileChannel channel) {
        this.channel = channel;
    }

    /** Takes it. @throws IOException when another has it */
    static DatabaseLock take(CatalogDatabaseConfig config) throws IOException {
        if (config.isMariaDb()) {
            return new DatabaseLock(null);
        }
        Path file = Path.of(config.file() + ".lock");
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean taken = false;
        try {
            @Nullable FileLock lock = channel.tryLock();
            taken = lock != null;
        } catch (OverlappingFileLockException e) {
            taken = false; // another catalog of this process
        } finally {
            if (!taken) {
                channel.close();
            }
        }
        if (!taken) {
            throw new IOException(
                    "Could not open "
                            + config
                            + ": it is open already, here or in another process. Stop the server"
                            + " that has it, or name another data folder");
        }
        return new DatabaseLock(channel);
    }

    @Override
    public void close() {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // The lock ends with the process at the latest; nothing was written through it.
                return;
            }
        }
    }
}
