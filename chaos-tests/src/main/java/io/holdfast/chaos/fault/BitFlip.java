package io.holdfast.chaos.fault;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** Silent damage of a disk: one bit of a file turned over, or its tail torn off. */
public final class BitFlip {
    private BitFlip() {}

    /**
     * Turns one bit over. Doing it twice heals it.
     *
     * @param offset byte, from 0; from the end when negative
     * @param bit 0 (lowest) to 7
     */
    public static void flip(Path file, long offset, int bit) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            long at = offset < 0 ? bytes.length() + offset : offset;
            bytes.seek(at);
            int old = bytes.read();
            if (old < 0) {
                throw new IOException(file + " has no byte " + at);
            }
            bytes.seek(at);
            bytes.write(old ^ 1 << bit);
        }
    }

    /** Cuts the last {@code bytes} off: what a crash leaves of an append that was under way. */
    public static void tear(Path file, long bytes) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(Math.max(0, open.length() - bytes));
        }
    }
}
