package io.holdfast.chunk.memory;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;

/** A chunk store in memory. */
public final class MemoryChunkStore implements ChunkStore {
    /** An empty store of this incarnation. */
    public MemoryChunkStore(UUID incarnation) {
        throw unbuilt();
    }

    @Override
    public UUID incarnation() {
        throw unbuilt();
    }

    @Override
    public BitSet missing(UUID session, List<ChunkId> ids) {
        throw unbuilt();
    }

    @Override
    public boolean append(UUID session, byte[] frame, int offset, int length) throws IOException {
        throw unbuilt();
    }

    @Override
    public LogPosition sync() throws IOException {
        throw unbuilt();
    }

    @Override
    public List<ChunkId> commitPiece(UUID session, byte[] pieceFrame) throws IOException {
        throw unbuilt();
    }

    @Override
    public void release(UUID session) {
        throw unbuilt();
    }

    @Override
    public byte[] read(ChunkId id) throws IOException {
        throw unbuilt();
    }

    @Override
    public boolean holds(ChunkId id) {
        throw unbuilt();
    }

    @Override
    public LogPosition durableEnd() {
        throw unbuilt();
    }

    @Override
    public List<Tailed> tail(LogPosition from, int maxFrames) {
        throw unbuilt();
    }

    @Override
    public Usage usage() {
        throw unbuilt();
    }

    @Override
    public void close() throws IOException {
        throw unbuilt();
    }

    private static UnsupportedOperationException unbuilt() {
        return new UnsupportedOperationException("not built yet");
    }
}
