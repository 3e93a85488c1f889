package io.holdfast.agent.storage;

import io.grpc.Channel;
import io.holdfast.agent.proto.v1.OpenSessionRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Typed client of a storage. */
public final class StorageClient {
    /** Bounds of a client. */
    public record Options(Duration callTimeout, Duration stallTimeout, long maxInFlightBytes) {
        /** A minute for calls and for silence; 32 MiB of frames in flight. */
        public static final Options DEFAULT =
                new Options(Duration.ofSeconds(60), Duration.ofSeconds(60), 32L << 20);
    }

    /** A client over a channel; a fresh context is asked for every call. */
    public StorageClient(Channel channel, Supplier<RequestContext> contexts, Options options) {}

    /** Opens a session. */
    public StorageSession openSession(
            UUID job, String identifier, OpenSessionRequest.Purpose purpose)
            throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** Which of these the storage lacks; any number of ids. */
    public BitSet missing(StorageSession session, List<ChunkId> ids) throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** Opens a stream of frames. */
    public PutStream put(StorageSession session) {
        throw new UnsupportedOperationException("being written");
    }

    /** Commits a piece. */
    public CommitResult commitPiece(StorageSession session, byte[] frame) throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** Reads frames in order. */
    public void read(StorageSession session, Iterable<ChunkId> ids, FrameSink sink)
            throws IOException {
        throw new UnsupportedOperationException("being written");
    }

    /** Reads one frame. */
    public byte[] read(StorageSession session, ChunkId id) throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** Closes a session. */
    public void closeSession(StorageSession session) throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** Lists frames. */
    public void inventory(LogPosition from, Consumer<ChunkStore.Tailed> consumer)
            throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** What the storage holds. */
    public StoreStatus status() throws RemoteException {
        throw new UnsupportedOperationException("being written");
    }

    /** A stream of frames to a storage. Thread-safe. */
    public interface PutStream extends AutoCloseable {
        /** Sends; blocks on back-pressure and while too much is in flight. Returns its sequence. */
        long put(byte[] frame, int offset, int length) throws RemoteException;

        /** Sends a whole array. */
        default long put(byte[] frame) throws RemoteException {
            return put(frame, 0, frame.length);
        }

        /** Up to which sequence all is durable. */
        long durableSequence();

        /** Blocks until {@code sequence} is durable. */
        void awaitDurable(long sequence) throws RemoteException;

        /** Called for each acknowledgement, in a thread of the channel; must not block. */
        void onDurable(java.util.function.LongConsumer listener);

        /** Frames that the storage did not hold before, of those acknowledged. */
        long newFrames();

        /** Bytes of them. */
        long newBytes();

        /** Waits until all is durable and ends the stream. */
        void finish() throws RemoteException;

        /** Ends the stream without waiting; harmless after {@link #finish}. */
        @Override
        void close();
    }
}
