package io.holdfast.catalog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import org.h2.store.fs.FileBaseDefault;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/**
 * H2's files, with writes ordered so that power loss cannot pass off a torn one as whole.
 *
 * <p>H2 appends a chunk (up to megabytes, many blocks) in one write and recognises the newest whole
 * chunk by the header in its first block and the footer in its last; the pages between carry no
 * checksum. The kernel may bring the blocks of one write to disk in any order, so after power loss
 * header and footer can be there while a page between them is not. Here the last block of a longer
 * write follows an fsync of the rest: where the footer is, everything before it is. {@code
 * CHECKPOINT SYNC} then fsyncs the footer.
 *
 * <p>Public because H2 makes instances by reflection.
 */
public final class DurableFilePath extends FilePathWrapper {
    private static final String SCHEME = "holdfastsync";
    private static final int BLOCK = 4096;

    /** For H2. */
    public DurableFilePath() {}

    static {
        FilePath.register(new DurableFilePath());
    }

    /**
     * The URL that reaches the same file through this class; other URLs as they are.
     *
     * @param below scheme of a further layer with its colon, or empty
     */
    static String url(String jdbcUrl, String below) {
        return jdbcUrl.startsWith(CatalogDatabaseConfig.H2_FILE)
                ? "jdbc:h2:"
                        + SCHEME
                        + ":"
                        + below
                        + jdbcUrl.substring(CatalogDatabaseConfig.H2_FILE.length())
                : jdbcUrl;
    }

    @Override
    public String getScheme() {
        return SCHEME;
    }

    @Override
    public FileChannel open(String mode) throws IOException {
        return new Channel(getBase().open(mode));
    }

    /** Thread-safe as {@link FileBaseDefault} is: positions are locked, positioned I/O is not. */
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // H2's own FileChannels do the same.
    private static final class Channel extends FileBaseDefault {
        private final FileChannel base;

        Channel(FileChannel base) {
            this.base = base;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return base.read(target, position);
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            int length = source.remaining();
            int head = length <= BLOCK ? 0 : (length - 1) / BLOCK * BLOCK;
            if (head > 0) {
                int limit = source.limit();
                source.limit(source.position() + head);
                writeFully(source, position);
                base.force(false);
                source.limit(limit);
            }
            writeFully(source, position + head);
            return length;
        }

        private void writeFully(ByteBuffer source, long position) throws IOException {
            long at = position;
            while (source.hasRemaining()) {
                at += base.write(source, at);
            }
        }

        @Override
        public void force(boolean metaData) throws IOException {
            base.force(metaData);
        }

        @Override
        public long size() throws IOException {
            return base.size();
        }

        @Override
        protected void implTruncate(long size) throws IOException {
            base.truncate(size);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) throws IOException {
            return base.tryLock(position, size, shared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            base.close();
        }
    }
}
