package io.holdfast.chunk;

import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;

/**
 * A running store as it was at one moment, for whoever must not change it: a rehearsal. Frames that
 * came later are not tailed; what is asked by id is answered whenever it is there, because an id
 * always means the same bytes. Nothing can be appended or committed. Thread-safe, as the store is.
 *
 * <p>{@link #pin} is where a rehearsal keeps a collector away from what it reads: the ids that it needs
 * are pinned in the store for one session of this view, until it is closed. Pins are in memory and die
 * with the process, as a rehearsal does.
 */
public final class ReadOnlyView implements ChunkStore {
    private final ChunkStore store;
    private final UUID session = UUID.randomUUID();
    private final LogPosition end;

    /** The present moment of a store, which stays the caller's. */
    public ReadOnlyView(ChunkStore store) {
        this.store = store;
        this.end = store.durableEnd();
    }

    /**
     * Keeps these frames until this view is closed.
     *
     * @return which of them are not there; bit i stands for {@code ids.get(i)}
     */
    public BitSet pin(List<ChunkId> ids) throws IOException {
        return store.missing(session, ids);
    }

    @Override
    public UUID incarnation() {
        return store.incarnation();
    }

    @Override
    public BitSet missing(UUID other, List<ChunkId> ids) throws IOException {
        return pin(ids);
    }

    @Override
    public boolean append(UUID other, byte[] frame, int offset, int length) throws IOException {
        throw readOnly();
    }

    @Override
    public LogPosition sync() throws IOException {
        throw readOnly();
    }

    @Override
    public List<ChunkId> commitPiece(UUID other, byte[] pieceFrame) throws IOException {
        throw readOnly();
    }

    private static StoreException readOnly() {
        return new StoreException.ReadOnly(
                "Refused to write into the store: a rehearsal sees it read-only");
    }

    /** Harmless: what a session of the view pinned goes with the view. */
    @Override
    public void release(UUID other) {}

    @Override
    public byte[] read(ChunkId id) throws IOException {
        return store.read(id);
    }

    @Override
    public boolean holds(ChunkId id) throws IOException {
        return store.holds(id);
    }

    @Override
    public LogPosition durableEnd() {
        return end;
    }

    @Override
    public List<Tailed> tail(LogPosition from, int maxFrames) throws IOException {
        return store.tail(from, maxFrames).stream()
                .takeWhile(t -> t.after().compareTo(end) <= 0)
                .toList();
    }

    @Override
    public Usage usage() {
        return store.usage();
    }

    /** Ends the pins; the store stays open. */
    @Override
    public void close() {
        store.release(session);
    }
}
