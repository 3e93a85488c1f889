package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import java.util.Arrays;

/** A set of chunk ids in 64 to 128 bytes an id: open addressing, no removal. Thread-safe. */
final class ChunkIdSet {
    private byte[] slots = new byte[1024 * ChunkId.BYTES];
    private int capacity = 1024;
    private int size;

    /** Adds; true when it was not there. The id of 32 zero bytes is never kept. */
    synchronized boolean add(ChunkId id) {
        if (size * 2 >= capacity) {
            grow();
        }
        byte[] bytes = id.bytes();
        int at = find(slots, capacity, bytes, id.prefix());
        if (at < 0) {
            return false;
        }
        System.arraycopy(bytes, 0, slots, at, ChunkId.BYTES);
        size++;
        return true;
    }

    synchronized void clear() {
        Arrays.fill(slots, (byte) 0);
        size = 0;
    }

    synchronized int size() {
        return size;
    }

    private void grow() {
        int next = capacity * 2;
        byte[] larger = new byte[Math.multiplyExact(next, ChunkId.BYTES)];
        for (int i = 0; i < slots.length; i += ChunkId.BYTES) {
            if (isFree(slots, i)) {
                continue;
            }
            byte[] bytes = Arrays.copyOfRange(slots, i, i + ChunkId.BYTES);
            int at = find(larger, next, bytes, ChunkId.of(bytes).prefix());
            System.arraycopy(bytes, 0, larger, at, ChunkId.BYTES);
        }
        slots = larger;
        capacity = next;
    }

    /** The offset of a free slot for these bytes; -1 when they are there. */
    private static int find(byte[] slots, int capacity, byte[] bytes, long prefix) {
        int slot = (int) prefix & capacity - 1;
        while (true) {
            int at = slot * ChunkId.BYTES;
            if (isFree(slots, at)) {
                return at;
            }
            if (Arrays.equals(slots, at, at + ChunkId.BYTES, bytes, 0, ChunkId.BYTES)) {
                return -1;
            }
            slot = slot + 1 & capacity - 1;
        }
    }

    private static boolean isFree(byte[] slots, int at) {
        for (int i = 0; i < ChunkId.BYTES; i++) {
            if (slots[at + i] != 0) {
                return false;
            }
        }
        return true;
    }
}
