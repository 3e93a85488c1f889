package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * All frames of a store in memory, in append order, and where each id stands. Thread-safe.
 *
 * <p>Memory. A frame is a number; its 32 bytes of id, pack, offset, length and kind lie in parallel
 * primitive arrays in blocks of 8,192 frames, 44 bytes each, never copied as the store grows (and
 * small enough not to be humongous to G1, which would cost a half more). An open-addressing hash
 * table of frame numbers (4 bytes a slot, at most three quarters full, in 256 shards so that one
 * growth is short) finds an id: 5.4 to 10.7 bytes more. So a frame costs at most
 * 55 bytes of heap: 55 MB for a million frames (about a tebibyte at 1 MiB), 55 GB for 10^9; frame
 * numbers end at 2^31. Beyond some ten million frames a site should not pay that. The step then is an
 * index on disk: the pack indexes merged into runs sorted by id, each with a filter of some 10 bits
 * an id in memory (so that "not here", the common answer of a first backup, reads nothing) and one
 * 4 KiB read for "here"; frames of the last packs stay in this class. Only this class would change.
 *
 * <p>The hash is salted: whoever chooses ids cannot make them collide.
 */
final class ChunkIndex {
    private static final int BLOCK_BITS = 13;
    private static final int BLOCK = 1 << BLOCK_BITS;
    private static final int SHARD_BITS = 8;
    private static final int LENGTH_BITS = 24;
    private static final int DAMAGED = 1 << 31;
    private static final int GONE = 1 << 30;

    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final long salt;
    private Block[] blocks = new Block[4];
    private int size;
    private final int[][] tables = new int[1 << SHARD_BITS][16];
    private final int[] filled = new int[1 << SHARD_BITS];
    private int durable;
    private long durableBytes;
    private int gone;
    private final BitSet damaged = new BitSet();

    private static final class Block {
        final long[] ids = new long[4 * BLOCK];
        final int[] packs = new int[BLOCK];
        final int[] offsets = new int[BLOCK];

        /** Length in the low 24 bits, kind in 4 bits above; gone in bit 30, damaged in the sign. */
        final int[] shapes = new int[BLOCK];
    }

    /** One frame; {@code offset} is that of the frame in its pack. */
    record Located(
            int number,
            ChunkId id,
            FrameKind kind,
            int pack,
            int offset,
            int frameBytes,
            boolean damaged) {
        LogPosition after() {
            return new LogPosition(pack, (long) offset + frameBytes);
        }
    }

    ChunkIndex(long salt) {
        this.salt = salt;
    }

    /** Adds a frame after all others, not durable yet. Its id finds it unless it is damaged. */
    void add(ChunkId id, FrameKind kind, int pack, int offset, int frameBytes, boolean damaged) {
        long[] words = words(id);
        lock.writeLock().lock();
        try {
            if (size == Integer.MAX_VALUE) {
                throw new IllegalStateException("The store has 2^31-1 frames: its index is full");
            }
            int block = size >>> BLOCK_BITS;
            if (block == blocks.length) {
                blocks = java.util.Arrays.copyOf(blocks, 2 * block);
            }
            if ((size & BLOCK - 1) == 0) {
                blocks[block] = new Block();
            }
            Block in = blocks[block];
            int at = size & BLOCK - 1;
            System.arraycopy(words, 0, in.ids, 4 * at, 4);
            in.packs[at] = pack;
            in.offsets[at] = offset;
            in.shapes[at] = frameBytes | kind.code() << LENGTH_BITS | (damaged ? DAMAGED : 0);
            if (damaged) {
                this.damaged.set(size);
            } else {
                put(words, size);
            }
            size++;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Makes the first {@code count} frames visible. */
    void publish(int count) {
        lock.writeLock().lock();
        try {
            for (int i = durable; i < count; i++) {
                durableBytes += shape(i) & (1 << LENGTH_BITS) - 1;
            }
            durable = count;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Frames added. */
    int size() {
        lock.readLock().lock();
        try {
            return size;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Frames visible. */
    int durable() {
        lock.readLock().lock();
        try {
            return durable;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Frame bytes visible. */
    long durableBytes() {
        lock.readLock().lock();
        try {
            return durableBytes;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Number of the newest frame of this id, durable or not, damaged or not; -1 when none. */
    private int find(long[] words) {
        long hash = hash(words);
        int[] table = tables[shard(hash)];
        int mask = table.length - 1;
        for (int slot = (int) hash & mask; table[slot] != 0; slot = slot + 1 & mask) {
            if (same(table[slot] - 1, words)) {
                return table[slot] - 1;
            }
        }
        return -1;
    }

    /** True when an undamaged frame of this id was added, durable or not. */
    boolean added(ChunkId id) {
        long[] words = words(id);
        lock.readLock().lock();
        try {
            int number = find(words);
            return number >= 0 && whole(number);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Number of the durable, undamaged frame of this id, or -1. */
    int held(ChunkId id) {
        long[] words = words(id);
        lock.readLock().lock();
        try {
            int number = find(words);
            return number >= 0 && number < durable && whole(number) ? number : -1;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The durable frame of this id, damaged or not. */
    @Nullable Located locate(ChunkId id) {
        long[] words = words(id);
        lock.readLock().lock();
        try {
            int number = find(words);
            return number >= 0 && number < durable && !isGone(number) ? at(number) : null;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The frame with this number, from 0. */
    Located get(int number) {
        lock.readLock().lock();
        try {
            return at(number);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Kind of the frame with this number, from 0. */
    FrameKind kind(int number) {
        lock.readLock().lock();
        try {
            return KINDS[shape(number) >>> LENGTH_BITS & 0xf];
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Number of the undamaged frame of this id, durable or not; -1 when none. */
    int number(ChunkId id) {
        long[] words = words(id);
        lock.readLock().lock();
        try {
            int number = find(words);
            return number >= 0 && whole(number) ? number : -1;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Whether the frame with this number was removed. */
    boolean gone(int number) {
        lock.readLock().lock();
        try {
            return isGone(number);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Frames removed. */
    int gone() {
        lock.readLock().lock();
        try {
            return gone;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Removes durable frames: their ids are missing until they are appended again. */
    void remove(BitSet numbers) {
        lock.writeLock().lock();
        try {
            for (int n = numbers.nextSetBit(0); n >= 0; n = numbers.nextSetBit(n + 1)) {
                if (!isGone(n)) {
                    blocks[n >>> BLOCK_BITS].shapes[n & BLOCK - 1] |= GONE;
                    durableBytes -= shape(n) & (1 << LENGTH_BITS) - 1;
                    gone++;
                }
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private boolean isGone(int number) {
        return (shape(number) & GONE) != 0;
    }

    private boolean whole(int number) {
        return shape(number) >= 0 && !isGone(number);
    }

    /** Marks a frame damaged: its id counts as missing until it is appended again. */
    void markDamaged(int number) {
        lock.writeLock().lock();
        try {
            blocks[number >>> BLOCK_BITS].shapes[number & BLOCK - 1] |= DAMAGED;
            damaged.set(number);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Durable frames known to be damaged, whose ids no undamaged frame has. */
    int unrepaired() {
        lock.readLock().lock();
        try {
            int count = 0;
            for (int n = damaged.nextSetBit(0); n >= 0; n = damaged.nextSetBit(n + 1)) {
                int newest = isGone(n) || n >= durable ? n : find(words(at(n).id()));
                if (!isGone(n) && n < durable && (newest < 0 || !whole(newest))) {
                    count++;
                }
            }
            return count;
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Number of the first frame that ends after {@code from}. */
    int firstAfter(LogPosition from) {
        lock.readLock().lock();
        try {
            int low = 0;
            int high = size;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (at(middle).after().compareTo(from) > 0) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return low;
        } finally {
            lock.readLock().unlock();
        }
    }

    private Located at(int number) {
        Block in = blocks[number >>> BLOCK_BITS];
        int at = number & BLOCK - 1;
        int shape = in.shapes[at];
        return new Located(
                number,
                id(in.ids, 4 * at),
                KINDS[shape >>> LENGTH_BITS & 0xf],
                in.packs[at],
                in.offsets[at],
                shape & (1 << LENGTH_BITS) - 1,
                shape < 0);
    }

    private static final FrameKind[] KINDS = kinds();

    private static FrameKind[] kinds() {
        FrameKind[] kinds = new FrameKind[16];
        for (FrameKind kind : FrameKind.values()) {
            kinds[kind.code()] = kind;
        }
        return kinds;
    }

    private int shape(int number) {
        return blocks[number >>> BLOCK_BITS].shapes[number & BLOCK - 1];
    }

    private boolean same(int number, long[] words) {
        long[] ids = blocks[number >>> BLOCK_BITS].ids;
        int at = 4 * (number & BLOCK - 1);
        return ids[at] == words[0]
                && ids[at + 1] == words[1]
                && ids[at + 2] == words[2]
                && ids[at + 3] == words[3];
    }

    private void put(long[] words, int number) {
        long hash = hash(words);
        int shard = shard(hash);
        if (4 * (filled[shard] + 1) > 3 * tables[shard].length) {
            grow(shard);
        }
        int[] table = tables[shard];
        int mask = table.length - 1;
        int slot = (int) hash & mask;
        while (table[slot] != 0 && !same(table[slot] - 1, words)) {
            slot = slot + 1 & mask;
        }
        if (table[slot] == 0) {
            filled[shard]++;
        }
        table[slot] = number + 1;
    }

    private void grow(int shard) {
        int[] old = tables[shard];
        int[] table = new int[2 * old.length];
        int mask = table.length - 1;
        long[] words = new long[4];
        for (int value : old) {
            if (value != 0) {
                int number = value - 1;
                System.arraycopy(
                        blocks[number >>> BLOCK_BITS].ids, 4 * (number & BLOCK - 1), words, 0, 4);
                int slot = (int) hash(words) & mask;
                while (table[slot] != 0) {
                    slot = slot + 1 & mask;
                }
                table[slot] = value;
            }
        }
        tables[shard] = table;
    }

    private static int shard(long hash) {
        return (int) (hash >>> 64 - SHARD_BITS);
    }

    private long hash(long[] words) {
        long h = salt;
        for (long word : words) {
            h = (h ^ word) * 0x9fb21c651e98df25L;
            h ^= h >>> 35;
        }
        return h * 0xd6e8feb86659fd93L ^ h >>> 29;
    }

    private static long[] words(ChunkId id) {
        ByteBuffer bytes = ByteBuffer.wrap(id.bytes());
        return new long[] {bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong()};
    }

    private static ChunkId id(long[] words, int from) {
        byte[] id = new byte[ChunkId.BYTES];
        ByteBuffer bytes = ByteBuffer.wrap(id);
        for (int i = 0; i < 4; i++) {
            bytes.putLong(words[from + i]);
        }
        return ChunkId.of(id);
    }
}
