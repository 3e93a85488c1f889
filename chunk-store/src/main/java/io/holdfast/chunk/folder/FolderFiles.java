package io.holdfast.chunk.folder;

import io.holdfast.chunk.gc.GcPlan;
import io.holdfast.chunk.gc.GcPlan.Outcome;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The lengths of all files in the folder of a store at one moment, and for every byte of them that is
 * not of a durable frame, why it is there. Changes nothing; for one thread.
 *
 * <p>A length counts holes, which stand in a group of their own. What a file gains or loses after the
 * moment is not in it. Files that may not be looked at, and folders themselves, have no bytes here.
 */
final class FolderFiles {
    /** Why bytes without a durable frame are in the folder. */
    private enum Why {
        HEADERS(Outcome.STAYS, "headers of packs: they say which pack of which store a file is"),
        INDEXES(Outcome.STAYS, "indexes of packs: they say what is where in a pack"),
        PACK_LOST(Outcome.STAYS, "indexes without their pack: they say that it was lost"),
        STORE(Outcome.STAYS, "files STORE and LOCK: which store this is, and that it is open"),
        WRITTEN(Outcome.STAYS, "just written: no piece refers to it before it is durable"),
        UNREADABLE(Outcome.STAYS, "damaged: no frame can be read there, nor which it was"),
        TEMPORARY(
                Outcome.STAYS,
                "temporary: being written, or left when a process died, until the store is opened again"),
        FOREIGN(Outcome.STAYS, "not of the store: the collector leaves it alone"),
        LITTLE(Outcome.DELETED, "deleted; its bytes go when they are a fifth of their pack"),
        CUT_SHORT(
                Outcome.DELETED,
                "deleted by a sweep at work or cut short; its bytes go when more of their pack does"),
        DAMAGED_PACK(
                Outcome.DELETED,
                "deleted; its bytes stay because a frame of its pack is damaged, for whoever looks"
                        + " into that"),
        HOLE(Outcome.DELETED, "deleted, and a hole of its pack: it takes no room on the disk");

        private final Outcome outcome;
        private final String reason;

        Why(Outcome outcome, String reason) {
            this.outcome = outcome;
            this.reason = reason;
        }
    }

    private final Path packs;
    private final Map<Integer, Long> packBytes = new TreeMap<>();
    private final Map<Integer, Long> indexBytes = new TreeMap<>();
    private final Map<Why, Long> sums = new EnumMap<>(Why.class);

    private FolderFiles(Path packs) {
        this.packs = packs;
    }

    /** Looks at all files in the folder of a store. */
    static FolderFiles in(Path folder) throws IOException {
        Path real = folder.toRealPath();
        Path packs = real.resolve(FolderChunkStore.PACKS).toRealPath();
        FolderFiles files = new FolderFiles(packs);
        files.walk(real);
        if (!packs.startsWith(real)) {
            files.walk(packs); // a link to another disk
        }
        files.indexBytes.forEach((pack, bytes) ->
                files.add(files.packBytes.containsKey(pack) ? Why.INDEXES : Why.PACK_LOST, bytes));
        return files;
    }

    private void walk(Path root) throws IOException {
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        found(root, file, attributes.size());
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e)
                            throws IOException {
                        if (e instanceof NoSuchFileException
                                || e instanceof AccessDeniedException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw e;
                    }
                });
    }

    private void found(Path root, Path file, long bytes) {
        String name = String.valueOf(file.getFileName());
        boolean temporary = name.endsWith(Disk.TEMPORARY);
        Path named =
                temporary
                        ? file.resolveSibling(
                                name.substring(0, name.length() - Disk.TEMPORARY.length()))
                        : file;
        int pack = number(named, ".pack");
        int index = number(named, ".idx");
        boolean store =
                named.equals(root.resolve(StoreFile.NAME))
                        || named.equals(root.resolve(StoreLock.NAME));
        if (pack == 0 && index == 0 && !store) {
            add(Why.FOREIGN, bytes);
        } else if (temporary) {
            add(Why.TEMPORARY, bytes);
        } else if (store) {
            add(Why.STORE, bytes);
        } else {
            (pack > 0 ? packBytes : indexBytes).put(Math.max(pack, index), bytes);
        }
    }

    /** The number of a pack by the name of its file or index; 0 for any other file. */
    private int number(Path file, String suffix) {
        return packs.equals(file.getParent())
                ? PackFormat.sequence(file, suffix)
                        .filter(n -> n <= Integer.MAX_VALUE)
                        .map(Long::intValue)
                        .orElse(0)
                : 0;
    }

    private void add(Why why, long bytes) {
        sums.merge(why, bytes, Long::sum);
    }

    /** Bytes of a frame and of the record header before it; fewer where its pack ends before them. */
    long bytes(ChunkIndex.Located at) {
        long from = (long) at.offset() - PackFormat.RECORD_BYTES;
        long left = packBytes.getOrDefault(at.pack(), 0L) - from;
        return Math.clamp(left, 0, at.frameBytes() + PackFormat.RECORD_BYTES);
    }

    /**
     * What the folder holds beside the durable frames. Reads a record header for every deleted frame
     * whose bytes are still there.
     *
     * @param index the frames; those of one pack stand together and by rising offset
     * @param end number of the first frame that is not durable
     * @param gone frames that a sweep has removed
     */
    List<GcPlan.Group> around(ChunkIndex index, int end, BitSet gone, PackReaders readers)
            throws IOException {
        int size = index.size();
        int n = 0;
        for (Map.Entry<Integer, Long> pack : packBytes.entrySet()) {
            Gaps gaps = new Gaps(pack.getKey(), pack.getValue(), readers);
            for (; n < size && index.get(n).pack() <= pack.getKey(); n++) {
                ChunkIndex.Located at = index.get(n);
                if (at.pack() < pack.getKey() || gone.get(n)) {
                    continue;
                }
                gaps.before(at);
                if (n >= end) {
                    add(Why.WRITTEN, bytes(at));
                }
            }
            gaps.end(indexBytes.containsKey(pack.getKey()));
        }
        return sums.entrySet().stream()
                .filter(sum -> sum.getValue() > 0)
                .map(sum ->
                        new GcPlan.Group(
                                sum.getKey().outcome, sum.getKey().reason, 0, sum.getValue()))
                .toList();
    }

    /**
     * What is between the frames of a pack. A whole record header there is of a deleted frame (or of
     * one whose id is damaged, which only its bytes would tell); zeros instead are a hole up to the
     * next frame, and anything else is damage.
     */
    private final class Gaps {
        private final int pack;
        private final long packBytes;
        private final PackReaders readers;
        private long at;
        private long deleted;
        private long holes;
        private long unreadable;
        private boolean damaged;

        Gaps(int pack, long packBytes, PackReaders readers) {
            this.pack = pack;
            this.packBytes = packBytes;
            this.readers = readers;
            this.at = Math.min(PackFormat.HEADER_BYTES, packBytes);
            add(Why.HEADERS, at);
        }

        /** Goes on behind this frame. */
        void before(ChunkIndex.Located frame) throws IOException {
            look(Math.min((long) frame.offset() - PackFormat.RECORD_BYTES, packBytes));
            at = Math.min((long) frame.offset() + frame.frameBytes(), packBytes);
            damaged |= frame.damaged();
        }

        private void look(long to) throws IOException {
            while (at < to) {
                byte[] record = new byte[(int) Math.min(PackFormat.RECORD_BYTES, to - at)];
                readers.read(pack, at, record);
                int frameBytes =
                        record.length < PackFormat.RECORD_BYTES
                                ? -1
                                : PackFormat.frameBytes(record, 0);
                long next = at + PackFormat.RECORD_BYTES + frameBytes;
                if (frameBytes > 0 && next <= to) {
                    deleted += next - at;
                    at = next;
                } else if (isZero(record)) {
                    holes += to - at;
                    at = to;
                } else {
                    unreadable += to - at;
                    at = to;
                }
            }
        }

        private static boolean isZero(byte[] bytes) {
            for (byte one : bytes) {
                if (one != 0) {
                    return false;
                }
            }
            return true;
        }

        /** @param sealed whether the pack has its index, so that nothing is being appended to it */
        void end(boolean sealed) throws IOException {
            if (sealed) {
                look(packBytes);
            } else {
                add(Why.WRITTEN, packBytes - at);
            }
            boolean much = FolderCollector.muchGarbage(deleted + holes + unreadable, packBytes);
            add(damaged ? Why.DAMAGED_PACK : much ? Why.CUT_SHORT : Why.LITTLE, deleted);
            add(Why.HOLE, holes);
            add(Why.UNREADABLE, unreadable);
        }
    }
}
