package io.holdfast.agent.storage;

import java.util.concurrent.ArrayBlockingQueue;

/** A bounded pool of byte arrays of at least 1 MiB. Thread-safe; never blocks. */
final class BufferPool {
    static final byte[] EMPTY = new byte[0];
    private static final int SMALLEST = 1 << 20;

    private final ArrayBlockingQueue<byte[]> free;

    BufferPool(int buffers) {
        this.free = new ArrayBlockingQueue<>(buffers);
    }

    /** An array of at least {@code length} bytes, with anything in it. */
    byte[] take(int length) {
        byte[] buffer = free.poll();
        if (buffer != null && buffer.length >= length) {
            return buffer;
        }
        return new byte[Math.max(SMALLEST, length + (length >> 3))];
    }

    /** Takes it back; the giver must not use it any more. */
    void give(byte[] buffer) {
        if (buffer.length >= SMALLEST && !free.offer(buffer)) {
            return; // enough of them
        }
    }
}
