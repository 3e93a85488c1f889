package io.holdfast.agent.files;

import io.holdfast.agent.storage.FrameSink;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.memory.MemoryChunkStore;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;

/** A storage in memory, without a wire; it can be emptied behind its users' backs. */
final class FakeStorage implements JobStorage {
    private static final UUID SESSION = UUID.randomUUID();

    private final UUID incarnation = UUID.randomUUID();
    MemoryChunkStore store = new MemoryChunkStore(incarnation);
    int questions;
    int commits;
    int puts;
    Runnable beforePut = () -> {};

    /** Loses everything and keeps its name: what no store should do. */
    void loseEverything() {
        store = new MemoryChunkStore(incarnation);
    }

    @Override
    public UUID incarnation() {
        return incarnation;
    }

    @Override
    public synchronized BitSet missing(List<ChunkId> ids) {
        questions++;
        return store.missing(SESSION, ids);
    }

    @Override
    public void put(byte[] frame) throws IOException {
        beforePut.run();
        synchronized (this) {
            puts++;
            store.append(SESSION, frame, 0, frame.length);
            store.sync();
        }
    }

    @Override
    public void flush() {}

    @Override
    public void awaitDurable() {}

    @Override
    public long durableBytes() {
        return 0;
    }

    @Override
    public long durableFrames() {
        return 0;
    }

    @Override
    public synchronized Committed commit(byte[] pieceFrame) throws IOException {
        commits++;
        return new Committed(store.commitPiece(SESSION, pieceFrame), store.durableEnd());
    }

    @Override
    public void read(List<ChunkId> ids, FrameSink sink) throws IOException {
        for (ChunkId id : ids) {
            sink.accept(id, store.read(id));
        }
    }

    @Override
    public void close() {}
}
