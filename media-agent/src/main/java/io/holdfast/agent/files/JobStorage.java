package io.holdfast.agent.files;

import io.holdfast.agent.storage.FrameSink;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;

/**
 * A storage as one job sees it. Port; the adapter speaks to the Storage service. Thread-safe. Every
 * method fails with an {@link IOException} that says what the storage refused or how it was lost;
 * after such a failure of {@link #put} the session is of no more use.
 */
public interface JobStorage extends AutoCloseable {
    /** Which store this is: key of the file cache, with the epoch. */
    UUID incarnation();

    /** Which of these the store lacks; bit i stands for {@code ids.get(i)}. At most 4096 ids. */
    BitSet missing(List<ChunkId> ids) throws IOException;

    /** Sends a frame, soon. Returns at once, or when there is room; blocks while the storage is behind. */
    void put(byte[] frame) throws IOException;

    /** Says that no more is put for now: what an adapter has gathered of small frames goes out. */
    void flush() throws IOException;

    /** Waits until all that was put before is fsynced at the storage. */
    void awaitDurable() throws IOException;

    /** Sealed bytes acknowledged as fsynced. */
    long durableBytes();

    /** Frames acknowledged as fsynced. */
    long durableFrames();

    /** Makes the data piece, or answers what it lacks. */
    Committed commit(byte[] pieceFrame) throws IOException;

    /**
     * What {@link #commit} answered.
     *
     * @param missing ids to send again, at most 10,000; empty when the piece is durable
     * @param end the place just after the PIECE frame
     */
    record Committed(List<ChunkId> missing, LogPosition end) {
        /** Copies the list. */
        public Committed {
            missing = List.copyOf(missing);
        }
    }

    /**
     * Reads frames, in this order, in the caller's thread; at most 1024 ids.
     *
     * @throws IOException when the storage does not have one whole: the sink has got those before it,
     *     and gets none after it
     */
    void read(List<ChunkId> ids, FrameSink sink) throws IOException;

    @Override
    void close();
}
