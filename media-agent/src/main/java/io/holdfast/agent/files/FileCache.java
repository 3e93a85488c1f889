package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.Chunking;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * What the last committed backup of a source read: for each file its size, times, inode and chunks,
 * so that the next one need not read it again. A hint only: the storage proves every piece.
 *
 * <p>A cache belongs to one {@link Key}. A file of another key, of another version, or damaged, is
 * ignored as a whole; a damaged block makes its folder's files be read again. Only the index (16
 * bytes a folder) is held in memory.
 *
 * <pre>
 * file    = magic "HFCACHE1"  u32 length  key bytes  u32 crc32c(key bytes)
 *           block*            u32 count (u64 hash, u64 offset)*  u32 crc32c(index)  u64 index offset  magic
 * block   = u32 length  u32 crc32c(payload)  payload
 * payload = u32 n path  u32 count  ( u16 n name  i64 size mtime ctime inode device  u32 n ids )*
 * </pre>
 *
 * <p>Reading is thread-safe; a {@link Writer} too.
 */
public final class FileCache implements Closeable {
    private static final long MAGIC = 0x48464341_43484531L; // HFCACHE1
    private static final int ENTRIES_PER_BLOCK = 4096;
    private static final int MAX_BLOCK_BYTES = 64 << 20;
    private static final int MAX_KEY_BYTES = 1 << 16;

    private final FileChannel file;
    private final long[] hashes;
    private final long[] offsets;

    private FileCache(FileChannel file, long[] hashes, long[] offsets) {
        this.file = file;
        this.hashes = hashes;
        this.offsets = offsets;
    }

    /**
     * What must be equal for chunks to be found again.
     *
     * @param incarnation of the store that holds the piece
     * @param epoch {@code Epoch.encoded()} of the job
     * @param domain dedup domain, with its key epoch
     * @param source absolute path of the source, as bytes
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Key(
            UUID incarnation,
            long epoch,
            UUID domain,
            int keyEpoch,
            Chunking chunking,
            byte[] source) {
        private byte[] encoded() {
            ByteBuffer bytes = ByteBuffer.allocate(60 + source.length);
            bytes.putLong(incarnation.getMostSignificantBits());
            bytes.putLong(incarnation.getLeastSignificantBits());
            bytes.putLong(epoch);
            bytes.putLong(domain.getMostSignificantBits());
            bytes.putLong(domain.getLeastSignificantBits());
            bytes.putInt(keyEpoch);
            bytes.putInt(chunking.minBytes()).putInt(chunking.averageBytes());
            bytes.putInt(chunking.maxBytes()).putInt(chunking.normalization());
            return bytes.put(source).array();
        }
    }

    /** One file as it was when it was read. Times in nanoseconds since 1970. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Known(
            byte[] name,
            long size,
            long mtimeNanos,
            long ctimeNanos,
            long inode,
            long device,
            List<ChunkId> content) {
        /** Copies the list. */
        public Known {
            content = List.copyOf(content);
        }

        /** True when a file with these attributes has not been written since. */
        public boolean same(long size, long mtimeNanos, long ctimeNanos, long inode, long device) {
            return this.size == size
                    && this.mtimeNanos == mtimeNanos
                    && this.ctimeNanos == ctimeNanos
                    && this.inode == inode
                    && this.device == device;
        }
    }

    /** Why a cache file is not used. The message names the file and the reason. */
    public static final class Unusable extends IOException {
        private static final long serialVersionUID = 1;

        Unusable(Path file, String reason) {
            super("file cache " + file + " ignored: " + reason);
        }
    }

    /**
     * Opens the cache of a source.
     *
     * @throws NoSuchFileException when there is none yet
     * @throws Unusable when it is damaged or belongs to another key: read everything
     */
    public static FileCache open(Path path, Key key) throws IOException {
        FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return read(path, file, key);
        } catch (IOException | RuntimeException e) {
            file.close();
            if (e instanceof Unusable unusable) {
                throw unusable;
            }
            throw new Unusable(path, "damaged (" + e.getMessage() + ")");
        }
    }

    private static FileCache read(Path path, FileChannel file, Key key) throws IOException {
        ByteBuffer head = at(file, 0, 12);
        if (head.getLong() != MAGIC) {
            throw new Unusable(path, "not a file cache of this version");
        }
        int keyBytes = head.getInt();
        if (keyBytes < 0 || keyBytes > MAX_KEY_BYTES) {
            throw new Unusable(path, "damaged (length of the key)");
        }
        ByteBuffer keyPart = at(file, 12, keyBytes + 4);
        byte[] stored = new byte[keyBytes];
        keyPart.get(stored);
        if (keyPart.getInt() != crc(stored)) {
            throw new Unusable(path, "damaged (checksum of the key)");
        }
        if (!Arrays.equals(stored, key.encoded())) {
            throw new Unusable(path, "it belongs to another store, epoch, key or chunking");
        }
        long size = file.size();
        ByteBuffer tail = at(file, size - 16, 16);
        long indexOffset = tail.getLong();
        if (tail.getLong() != MAGIC || indexOffset < 0 || indexOffset > size - 24) {
            throw new Unusable(path, "damaged (end of the file)");
        }
        long indexBytes = size - 16 - indexOffset;
        if (indexBytes > 1 << 28) {
            throw new Unusable(path, "damaged (size of the index)");
        }
        byte[] indexPart = read(file, indexOffset, (int) indexBytes);
        ByteBuffer index = ByteBuffer.wrap(indexPart);
        int count = index.getInt();
        if (count < 0 || 8 + 16L * count != indexBytes) {
            throw new Unusable(path, "damaged (count of the index)");
        }
        CRC32C crc = new CRC32C();
        crc.update(indexPart, 0, 4 + 16 * count);
        long[] hashes = new long[count];
        long[] offsets = new long[count];
        for (int i = 0; i < count; i++) {
            hashes[i] = index.getLong();
            offsets[i] = index.getLong();
        }
        if (index.getInt() != (int) crc.getValue()) {
            throw new Unusable(path, "damaged (checksum of the index)");
        }
        return new FileCache(file, hashes, offsets);
    }

    /**
     * The files of a folder that were known, by {@link Name}. Empty when the folder is not known.
     *
     * @param folder path below the source, as bytes; empty for the source itself
     * @throws IOException when its block is damaged: treat the folder as unknown
     */
    public Map<Name, Known> folder(byte[] folder) throws IOException {
        long hash = hash(folder);
        int at = Arrays.binarySearch(hashes, hash);
        if (at < 0) {
            return Map.of();
        }
        while (at > 0 && hashes[at - 1] == hash) {
            at--;
        }
        Map<Name, Known> found = new HashMap<>();
        try {
            for (; at < hashes.length && hashes[at] == hash; at++) {
                block(offsets[at], folder, found);
            }
        } catch (RuntimeException e) {
            throw new IOException("damaged block of the file cache: " + e.getMessage(), e);
        }
        return found;
    }

    /** A file name as a key of a map. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Name(byte[] bytes) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Name name && Arrays.equals(bytes, name.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }
    }

    private void block(long offset, byte[] folder, Map<Name, Known> into) throws IOException {
        ByteBuffer head = at(file, offset, 8);
        int length = head.getInt();
        int crc = head.getInt();
        if (length < 8 || length > MAX_BLOCK_BYTES) {
            throw new IOException("damaged block of the file cache (length)");
        }
        byte[] bytes = read(file, offset + 8, length);
        ByteBuffer payload = ByteBuffer.wrap(bytes);
        if (crc(bytes) != crc) {
            throw new IOException("damaged block of the file cache (checksum)");
        }
        byte[] path = bytes(payload, payload.getInt());
        if (!Arrays.equals(path, folder)) {
            return; // another folder with the same hash
        }
        int count = payload.getInt();
        for (int i = 0; i < count; i++) {
            byte[] name = bytes(payload, payload.getShort() & 0xffff);
            long size = payload.getLong();
            long mtime = payload.getLong();
            long ctime = payload.getLong();
            long inode = payload.getLong();
            long device = payload.getLong();
            int ids = payload.getInt();
            if (ids < 0 || ids > payload.remaining() / ChunkId.BYTES) {
                throw new IOException("damaged block of the file cache (chunks)");
            }
            List<ChunkId> content = new ArrayList<>(ids);
            for (int k = 0; k < ids; k++) {
                content.add(ChunkId.of(bytes(payload, ChunkId.BYTES)));
            }
            into.put(new Name(name), new Known(name, size, mtime, ctime, inode, device, content));
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private static byte[] bytes(ByteBuffer from, int length) {
        if (length < 0 || length > from.remaining()) {
            throw new IllegalArgumentException("length " + length);
        }
        byte[] bytes = new byte[length];
        from.get(bytes);
        return bytes;
    }

    private static ByteBuffer at(FileChannel file, long offset, int length) throws IOException {
        return ByteBuffer.wrap(read(file, offset, length));
    }

    private static byte[] read(FileChannel file, long offset, int length) throws IOException {
        if (offset < 0 || length < 0 || offset + length > file.size()) {
            throw new IOException("the file is too short");
        }
        byte[] bytes = new byte[length];
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            if (file.read(buffer, offset + buffer.position()) < 0) {
                throw new IOException("the file is too short");
            }
        }
        return bytes;
    }

    private static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static long hash(byte[] bytes) {
        long hash = 0xcbf29ce484222325L; // FNV-1a, then the finalizer of SplitMix64
        for (byte b : bytes) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        hash = (hash ^ hash >>> 30) * 0xbf58476d1ce4e5b9L;
        hash = (hash ^ hash >>> 27) * 0x94d049bb133111ebL;
        return hash ^ hash >>> 31;
    }

    /** Writes the next cache beside the present one; it takes its place only by {@link #commit}. */
    public static final class Writer implements Closeable {
        private final Path path;
        private final Path temporary;
        private final FileChannel file;
        private final OutputStream out;
        private long position;
        private long[] hashes = new long[64];
        private long[] offsets = new long[64];
        private int count;

        /** Opens {@code path.new}, which is replaced when it exists. */
        public Writer(Path path, Key key) throws IOException {
            this.path = path;
            this.temporary = path.resolveSibling(path.getFileName() + ".new");
            this.file =
                    FileChannel.open(
                            temporary,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE);
            this.out =
                    new BufferedOutputStream(
                            java.nio.channels.Channels.newOutputStream(file), 1 << 16);
            byte[] keyBytes = key.encoded();
            write(
                    ByteBuffer.allocate(16 + keyBytes.length)
                            .putLong(MAGIC)
                            .putInt(keyBytes.length)
                            .put(keyBytes)
                            .putInt(crc(keyBytes))
                            .array());
        }

        /**
         * Adds a folder's files.
         *
         * @param folder path below the source; empty for the source itself
         */
        public void folder(byte[] folder, List<Known> files) throws IOException {
            for (int from = 0; from < files.size(); from += ENTRIES_PER_BLOCK) {
                int to = Math.min(files.size(), from + ENTRIES_PER_BLOCK);
                block(folder, files.subList(from, to));
            }
        }

        private void block(byte[] folder, List<Known> files) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 + 128 * files.size());
            DataOutputStream data = new DataOutputStream(bytes);
            data.writeInt(folder.length);
            data.write(folder);
            data.writeInt(files.size());
            for (Known known : files) {
                data.writeShort(known.name().length);
                data.write(known.name());
                data.writeLong(known.size());
                data.writeLong(known.mtimeNanos());
                data.writeLong(known.ctimeNanos());
                data.writeLong(known.inode());
                data.writeLong(known.device());
                data.writeInt(known.content().size());
                for (ChunkId id : known.content()) {
                    data.write(id.bytes());
                }
            }
            byte[] payload = bytes.toByteArray();
            if (payload.length > MAX_BLOCK_BYTES) {
                if (files.size() > 1) {
                    block(folder, files.subList(0, files.size() / 2));
                    block(folder, files.subList(files.size() / 2, files.size()));
                }
                return; // a single file of two million chunks: read it again next time
            }
            synchronized (this) {
                if (count == hashes.length) {
                    hashes = Arrays.copyOf(hashes, count * 2);
                    offsets = Arrays.copyOf(offsets, count * 2);
                }
                hashes[count] = hash(folder);
                offsets[count++] = position;
                write(ByteBuffer.allocate(8).putInt(payload.length).putInt(crc(payload)).array());
                write(payload);
            }
        }

        private void write(byte[] bytes) throws IOException {
            out.write(bytes);
            position += bytes.length;
        }

        /** Makes this the cache of its source, durably. Call it only when the piece is committed. */
        public synchronized void commit() throws IOException {
            Integer[] order = new Integer[count];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, (a, b) -> Long.compare(hashes[a], hashes[b]));
            ByteBuffer index = ByteBuffer.allocate(4 + 16 * count);
            index.putInt(count);
            for (int i : order) {
                index.putLong(hashes[i]).putLong(offsets[i]);
            }
            long indexOffset = position;
            write(index.array());
            write(
                    ByteBuffer.allocate(20)
                            .putInt(crc(index.array()))
                            .putLong(indexOffset)
                            .putLong(MAGIC)
                            .array());
            out.flush();
            file.force(true);
            file.close();
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
            forceFolder(path);
        }

        /** Drops what was written, unless it was committed. */
        @Override
        public void close() {
            try {
                file.close();
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Makes the names in a file's folder durable. */
    static void forceFolder(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
