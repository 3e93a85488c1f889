package io.holdfast.catalog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.h2.store.fs.FileBaseDefault;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/**
 * An H2 file system below ours that knows which blocks are on disk for certain. At any moment it can
 * say what a disk would hold after power loss: what was fsynced, and of the blocks written since, any
 * selection, because a kernel writes them back in any order.
 */
public final class PowerLossDisk extends FilePathWrapper {
    static final String SCHEME = "powerloss";
    private static final int BLOCK = 4096;
    private static final Map<String, Disk> DISKS = new HashMap<>();

    static {
        FilePath.register(new PowerLossDisk());
    }

    /** For H2. */
    public PowerLossDisk() {}

    /** Makes the layer known to H2. */
    static void register() {}

    /** What is known of a file; made when the file is first opened or asked about. */
    static Disk disk(String path) {
        synchronized (DISKS) {
            return DISKS.computeIfAbsent(path, p -> new Disk());
        }
    }

    @Override
    public String getScheme() {
        return SCHEME;
    }

    @Override
    public FileChannel open(String mode) throws IOException {
        return new Channel(getBase().open(mode), disk(getBase().toString()));
    }

    /** Called after each write and each fsync. */
    @FunctionalInterface
    interface Listener {
        void happened(Disk disk, boolean synced) throws IOException;
    }

    /** One file. */
    static final class Disk {
        private byte[] durable = new byte[0];
        private final TreeMap<Long, byte[]> pending = new TreeMap<>();
        private Listener listener = (disk, synced) -> {};

        synchronized void listen(Listener called) {
            listener = called;
        }

        private synchronized void write(FileChannel base, long position, int length)
                throws IOException {
            long first = position / BLOCK;
            long last = (position + length - 1) / BLOCK;
            for (long block = first; block <= last; block++) {
                pending.put(block, blockOf(base, block));
            }
            listener.happened(this, false);
        }

        private static byte[] blockOf(FileChannel base, long block) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
            long at = block * BLOCK;
            while (buffer.hasRemaining()) {
                int read = base.read(buffer, at + buffer.position());
                if (read < 0) {
                    break;
                }
            }
            byte[] bytes = new byte[buffer.position()];
            buffer.flip().get(bytes);
            return bytes;
        }

        private synchronized void force() throws IOException {
            for (Map.Entry<Long, byte[]> block : pending.entrySet()) {
                durable = with(durable, block.getKey(), block.getValue());
            }
            pending.clear();
            listener.happened(this, true);
        }

        private synchronized void truncate(long size) {
            if (durable.length > size) {
                durable = java.util.Arrays.copyOf(durable, (int) size);
            }
            pending.tailMap((size + BLOCK - 1) / BLOCK).clear();
        }

        /** Writes what the disk would hold if the power failed now. */
        synchronized void lose(Path target, Random random) throws IOException {
            byte[] image = durable.clone();
            for (Map.Entry<Long, byte[]> block : pending.entrySet()) {
                if (random.nextBoolean()) {
                    image = with(image, block.getKey(), block.getValue());
                }
            }
            Files.write(target, image);
        }

        private static byte[] with(byte[] image, long block, byte[] bytes) {
            int at = Math.toIntExact(block * BLOCK);
            byte[] grown =
                    image.length < at + bytes.length
                            ? java.util.Arrays.copyOf(image, at + bytes.length)
                            : image;
            System.arraycopy(bytes, 0, grown, at, bytes.length);
            return grown;
        }
    }

    private static final class Channel extends FileBaseDefault {
        private final FileChannel base;
        private final Disk disk;

        Channel(FileChannel base, Disk disk) {
            this.base = base;
            this.disk = disk;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return base.read(target, position);
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            int written = base.write(source, position);
            disk.write(base, position, written);
            return written;
        }

        @Override
        public void force(boolean metaData) throws IOException {
            disk.force();
        }

        @Override
        public long size() throws IOException {
            return base.size();
        }

        @Override
        protected void implTruncate(long size) throws IOException {
            base.truncate(size);
            disk.truncate(size);
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
