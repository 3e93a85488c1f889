package io.holdfast.agent.storage;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** A store that fails when told to. */
final class FaultyStore implements ChunkStore {
    interface Fault {
        void strike() throws IOException;
    }

    static final Fault NONE = () -> {};

    final ChunkStore inner;
    final AtomicInteger released = new AtomicInteger();
    volatile Fault onAppend = NONE;
    volatile Fault onSync = NONE;

    FaultyStore(ChunkStore inner) {
        this.inner = inner;
    }

    @Override
    public UUID incarnation() {
        return inner.incarnation();
    }

    @Override
    public BitSet missing(UUID session, List<ChunkId> ids) throws IOException {
        return inner.missing(session, ids);
    }

    @Override
    public boolean append(UUID session, byte[] frame, int offset, int length) throws IOException {
        onAppend.strike();
        return inner.append(session, frame, offset, length);
    }

    @Override
    public LogPosition sync() throws IOException {
        onSync.strike();
        return inner.sync();
    }

    @Override
    public List<ChunkId> commitPiece(UUID session, byte[] pieceFrame) throws IOException {
        return inner.commitPiece(session, pieceFrame);
    }

    @Override
    public void release(UUID session) {
        released.incrementAndGet();
        inner.release(session);
    }

    @Override
    public byte[] read(ChunkId id) throws IOException {
        return inner.read(id);
    }

    @Override
    public boolean holds(ChunkId id) throws IOException {
        return inner.holds(id);
    }

    @Override
    public LogPosition durableEnd() {
        return inner.durableEnd();
    }

    @Override
    public List<Tailed> tail(LogPosition from, int maxFrames) throws IOException {
        return inner.tail(from, maxFrames);
    }

    @Override
    public Usage usage() {
        return inner.usage();
    }

    @Override
    public void close() throws IOException {
        inner.close();
    }
}
