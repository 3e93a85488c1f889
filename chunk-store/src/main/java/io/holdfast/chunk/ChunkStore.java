package io.holdfast.chunk;

import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A store of frames in one total order, on one site. Port; the adapter for a folder is {@code
 * FolderChunkStore}. Thread-safe: many sessions append, read and tail at once.
 *
 * <p>Appending is two steps: {@link #append} gives a frame its place, {@link #sync} makes all that
 * was appended before durable (file and folder fsynced). Only what is durable is visible to {@link
 * #tail}, to {@link #missing} and to an acknowledgement. A store never rewrites a frame in place.
 */
public interface ChunkStore extends AutoCloseable {
    /** Random identity made with the store's folder: a wiped store is another one. */
    UUID incarnation();

    /**
     * Which of {@code ids} this store does not hold durably; bit i stands for {@code ids.get(i)}. The
     * ids that it holds are pinned for {@code session} until {@link #release}.
     */
    BitSet missing(UUID session, List<ChunkId> ids) throws IOException;

    /**
     * Appends a frame, unless the store already holds its id. The frame's header and structure are
     * checked, not its keyed id. Not durable yet. A frame that another session is appending counts
     * as held: false is answered, and the caller's {@link #sync} covers it. A held frame that was
     * found damaged counts as not held, so that appending it again repairs the store.
     *
     * @param frame a whole frame, as a {@code Frame} describes it; the array is not kept
     * @return true when the frame was new
     * @throws StoreException.Corrupt when it is not a frame
     * @throws StoreException.Full on ENOSPC: the frame is not in the store
     * @throws IllegalArgumentException for a PIECE, which enters by {@link #commitPiece} alone
     */
    boolean append(UUID session, byte[] frame, int offset, int length) throws IOException;

    /** Makes durable all that was appended before the call, group-committed with other callers. */
    LogPosition sync() throws IOException;

    /**
     * Syncs, then appends and syncs a PIECE frame, after proving that its whole manifest is durable here (each
     * NODE's children, recursively, by the clear headers; no key needed).
     *
     * @return what is missing, at most 10,000 ids; empty when the piece is now durable (or was before)
     * @throws StoreException.Corrupt when it is no PIECE frame, or a manifest node is damaged here
     *     (that node then counts as missing: ask again, and send it)
     */
    List<ChunkId> commitPiece(UUID session, byte[] pieceFrame) throws IOException;

    /** Begins a session, which may read for long without asking for a pin; {@link #release} ends it. */
    default void begin(UUID session) {}

    /** Ends a session: its pins go. */
    void release(UUID session);

    /**
     * A frame by its id, its SHA-256 checked against the index.
     *
     * @throws StoreException.Missing when it is not here
     * @throws StoreException.Corrupt when its bytes are not what was appended
     */
    byte[] read(ChunkId id) throws IOException;

    /** True when the store holds this id durably; pins nothing. */
    boolean holds(ChunkId id) throws IOException;

    /** The end of what is durable. */
    LogPosition durableEnd();

    /**
     * Walks the durable frames after {@code from} in append order, at most {@code maxFrames} of them;
     * each is given with the position just after it. Frames whose bytes are damaged are given too,
     * as {@link Tailed#damage()}.
     */
    List<Tailed> tail(LogPosition from, int maxFrames) throws IOException;

    /** One entry of {@link #tail}: headers only; read the bytes with {@link #read}. */
    record Tailed(
            ChunkId id,
            FrameKind kind,
            int frameBytes,
            LogPosition after,
            Optional<String> damage) {}

    /** Ids, kinds and sizes of all durable frames; for diffing two stores. Order is that of the log. */
    default List<Tailed> inventory() throws IOException {
        return tail(LogPosition.START, Integer.MAX_VALUE);
    }

    /** The PIECE frames among {@link #inventory}: enough to rebuild a catalog from the store alone. */
    default List<Tailed> pieces() throws IOException {
        return inventory().stream().filter(t -> t.kind() == FrameKind.PIECE).toList();
    }

    /** What the store holds now. */
    Usage usage();

    /** Frames and bytes held, and free bytes of the file system below. */
    record Usage(long frames, long frameBytes, long packs, long freeBytes) {}

    @Override
    void close() throws IOException;
}
