package io.holdfast.chunk;

import io.holdfast.standard.Chunking;
import java.io.IOException;
import java.io.InputStream;

/** Cuts a stream into content-defined chunks. Not thread-safe; reuse it with {@link #reset}. */
public final class Chunker {
    /** A chunker of {@code in}, which it does not close. */
    public Chunker(Chunking chunking, InputStream in) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Starts again with another stream and the same buffer: one chunker serves many files. */
    public void reset(InputStream in) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Moves to the next chunk; false at the end of the stream. An empty stream has no chunks. */
    public boolean next() throws IOException {
        throw new UnsupportedOperationException("not built yet");
    }

    /** The array that holds the chunk until the next call of {@link #next}. */
    public byte[] buffer() {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Where the chunk begins in {@link #buffer()}. */
    public int offset() {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Bytes of the chunk, at least 1. */
    public int length() {
        throw new UnsupportedOperationException("not built yet");
    }
}
