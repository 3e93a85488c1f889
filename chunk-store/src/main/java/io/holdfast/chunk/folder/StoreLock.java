package io.holdfast.chunk.folder;

import io.holdfast.chunk.StoreException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One opening of a store's folder at a time: a lock on its file {@code LOCK} against other processes,
 * and a set against this one, because a second channel on the file would drop the first one's lock
 * when it is closed (POSIX).
 */
final class StoreLock implements Closeable {
    static final String NAME = "LOCK";
    private static final Set<Path> OPEN_HERE = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel file;

    private StoreLock(Path folder, FileChannel file) {
        this.folder = folder;
        this.file = file;
    }

    /** @throws StoreException.Failed when the folder is locked */
    static StoreLock take(Path folder) throws IOException {
        Path real = folder.toRealPath();
        if (!OPEN_HERE.add(real)) {
            throw refused(folder, "by this process");
        }
        try {
            FileChannel file =
                    FileChannel.open(
                            real.resolve(NAME),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            if (file.tryLock() != null) {
                return new StoreLock(real, file);
            }
            file.close();
            throw refused(folder, "by another process");
        } catch (IOException | RuntimeException e) {
            OPEN_HERE.remove(real);
            throw e;
        }
    }

    private static StoreException.Failed refused(Path folder, String who) {
        String message = "Refused to open store " + folder + ": it is open already " + who;
        return new StoreException.Failed(
                message + "; end that first", new IOException("locked " + who));
    }

    @Override
    public void close() throws IOException {
        file.close();
        OPEN_HERE.remove(folder);
    }
}
