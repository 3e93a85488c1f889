package io.holdfast.chunk.folder;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A disk that fills up, fails and loses power on command. It fsyncs nothing, but remembers what a
 * real one would keep. Not for several threads that fail it at once.
 */
final class FaultyDisk implements Disk {
    /** Bytes that still fit. */
    long room = Long.MAX_VALUE;

    /** The next so many fsyncs of files fail. */
    int failingSyncs;

    /** After so many replaced files, replacing fails. */
    int replacements = Integer.MAX_VALUE;

    /** Writes and cuts fail, too. */
    boolean dead;

    int syncs;

    /** Sorted, so that a seed does the same in every folder. */
    private final Map<Path, Long> syncedBytes = new TreeMap<>();

    private final Set<Path> durableNames = new HashSet<>();

    @Override
    public synchronized Appender append(Path file, long length) throws IOException {
        if (dead) {
            throw new IOException("Input/output error");
        }
        if (Files.exists(file)) {
            durableNames.add(file);
            syncedBytes.putIfAbsent(file, Files.size(file));
        }
        return new FaultyAppender(file, new RealAppender(file, length));
    }

    @Override
    public synchronized void replace(Path file, byte[] bytes) throws IOException {
        replacing();
        take(bytes.length);
        Files.write(file, bytes);
        durableNames.add(file);
        syncedBytes.put(file, (long) bytes.length);
    }

    @Override
    public synchronized void keepOnly(Path file, java.util.List<Stretch> stretches)
            throws IOException {
        replacing();
        Disk.REAL.keepOnly(file, stretches);
        durableNames.add(file);
        syncedBytes.put(file, Files.size(file));
    }

    @Override
    public synchronized void syncFolder(Path folder) throws IOException {
        syncedBytes.keySet().stream()
                .filter(file -> folder.equals(file.getParent()))
                .forEach(durableNames::add);
    }

    /** What a power loss leaves: unsynced bytes in part, with holes, or not; unsynced names never. */
    synchronized void losePower(SplittableRandom random) throws IOException {
        for (Map.Entry<Path, Long> file : syncedBytes.entrySet()) {
            if (!Files.exists(file.getKey())) {
                continue;
            }
            if (!durableNames.contains(file.getKey()) && random.nextBoolean()) {
                Files.delete(file.getKey());
                continue;
            }
            try (RandomAccessFile bytes = new RandomAccessFile(file.getKey().toFile(), "rw")) {
                long synced = Math.min(file.getValue(), bytes.length());
                long kept = synced + random.nextLong(bytes.length() - synced + 1);
                bytes.setLength(kept);
                for (int holes = random.nextInt(3); holes > 0 && kept > synced; holes--) {
                    long at = synced + random.nextLong(kept - synced);
                    bytes.seek(at);
                    bytes.write(new byte[(int) Math.min(200, kept - at)]);
                }
            }
        }
        syncedBytes.clear();
        durableNames.clear();
    }

    private void replacing() throws IOException {
        if (dead || replacements == 0) {
            throw new IOException("Input/output error");
        }
        replacements--;
    }

    private synchronized void take(int bytes) throws IOException {
        if (dead) {
            throw new IOException("Input/output error");
        }
        if (bytes > room) {
            throw new IOException("No space left on device");
        }
        room -= bytes;
    }

    private final class FaultyAppender implements Appender {
        private final Path path;
        private final Appender real;
        private long length;

        FaultyAppender(Path path, Appender real) throws IOException {
            this.path = path;
            this.real = real;
            this.length = Files.size(path);
            syncedBytes.putIfAbsent(path, 0L);
        }

        @Override
        public void write(byte[] bytes, int offset, int count) throws IOException {
            synchronized (FaultyDisk.this) {
                int fits = (int) Math.min(count, room);
                if (fits < count && !dead) {
                    real.write(bytes, offset, fits); // as a real one: in part
                    length += fits;
                }
                take(count);
                real.write(bytes, offset, count);
                length += count;
            }
        }

        @Override
        public void sync() throws IOException {
            synchronized (FaultyDisk.this) {
                syncs++;
                if (dead || failingSyncs > 0) {
                    failingSyncs--;
                    throw new IOException("Input/output error");
                }
                syncedBytes.put(path, length);
            }
        }

        @Override
        public void truncate(long to) throws IOException {
            synchronized (FaultyDisk.this) {
                if (dead) {
                    throw new IOException("Input/output error");
                }
                real.truncate(to);
                length = to;
            }
        }

        @Override
        public void close() throws IOException {
            real.close();
        }
    }
}
