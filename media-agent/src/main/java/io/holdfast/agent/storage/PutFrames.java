package io.holdfast.agent.storage;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.MethodDescriptor;
import io.holdfast.agent.proto.v1.PutRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.wire.Wire;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A {@code PutRequest} as the storage reads it: its frames lie one after the other in a buffer of a
 * pool, copied once from the socket's. Whoever handles it gives it back with {@link #recycle}. Fields
 * may come in any order.
 */
final class PutFrames {
    /** Frames in one request. */
    static final int MAX_FRAMES = 4096;

    private static final int FIELD_CONTEXT = 1;
    private static final int FIELD_SESSION = 2;
    private static final int FIELD_SEQUENCE = 3;
    private static final int FIELD_FRAME = 4;

    final @Nullable RequestContext context;
    final ByteString session;

    /** Number of the first frame. */
    final long sequence;

    final byte[] buffer;
    final String malformed;
    private final int[] ends;
    private final int count;
    private final BufferPool pool;

    private PutFrames(
            @Nullable RequestContext context,
            ByteString session,
            long sequence,
            byte[] buffer,
            int[] ends,
            int count,
            String malformed,
            BufferPool pool) {
        this.context = context;
        this.session = session;
        this.sequence = sequence;
        this.buffer = buffer;
        this.ends = ends;
        this.count = count;
        this.malformed = malformed;
        this.pool = pool;
    }

    /** How many. */
    int count() {
        return count;
    }

    /** Where frame {@code i} begins in {@link #buffer}. */
    int offset(int i) {
        return i == 0 ? 0 : ends[i - 1];
    }

    /** Bytes of frame {@code i}. */
    int length(int i) {
        return ends[i] - offset(i);
    }

    /** Gives the buffer back; the frames must not be used any more. */
    void recycle() {
        pool.give(buffer);
    }

    /** Reads requests into buffers of {@code pool}; what is malformed says so in the value. */
    static MethodDescriptor.Marshaller<PutFrames> marshaller(BufferPool pool) {
        return new MethodDescriptor.Marshaller<>() {
            @Override
            public InputStream stream(PutFrames value) {
                PutRequest.Builder request =
                        PutRequest.newBuilder()
                                .setSession(value.session)
                                .setSequence(value.sequence);
                for (int i = 0; i < value.count; i++) {
                    request.addFrames(
                            UnsafeByteOperations.unsafeWrap(
                                    value.buffer, value.offset(i), value.length(i)));
                }
                if (value.context != null) {
                    request.setContext(value.context);
                }
                return new ByteArrayInputStream(request.build().toByteArray());
            }

            @Override
            public PutFrames parse(InputStream stream) {
                return new Reader(pool).read(stream);
            }
        };
    }

    /** What has been read of a request so far. */
    private static final class Reader {
        private final BufferPool pool;
        private @Nullable RequestContext context;
        private ByteString session = ByteString.EMPTY;
        private long sequence;
        private byte[] buffer = BufferPool.EMPTY;
        private int[] ends = new int[1];
        private int count;

        Reader(BufferPool pool) {
            this.pool = pool;
        }

        PutFrames read(InputStream stream) {
            try {
                for (int tag = ProtoStream.tag(stream); tag != 0; tag = ProtoStream.tag(stream)) {
                    field(tag >>> 3, tag & 7, stream);
                }
                return frames("");
            } catch (IOException e) {
                count = 0;
                return frames(String.valueOf(e.getMessage()));
            }
        }

        private PutFrames frames(String malformed) {
            return new PutFrames(context, session, sequence, buffer, ends, count, malformed, pool);
        }

        private void field(int field, int type, InputStream stream) throws IOException {
            if (field == FIELD_CONTEXT && type == ProtoStream.BYTES) {
                context = RequestContext.parseFrom(ProtoStream.bytes(stream));
            } else if (field == FIELD_SESSION && type == ProtoStream.BYTES) {
                session = UnsafeByteOperations.unsafeWrap(ProtoStream.bytes(stream));
            } else if (field == FIELD_SEQUENCE && type == ProtoStream.VARINT) {
                sequence = ProtoStream.varint(stream);
            } else if (field == FIELD_FRAME && type == ProtoStream.BYTES) {
                frame(stream);
            } else {
                ProtoStream.skip(stream, type);
            }
        }

        private void frame(InputStream stream) throws IOException {
            int length = ProtoStream.length(stream);
            int from = count == 0 ? 0 : ends[count - 1];
            if (count == MAX_FRAMES) {
                throw new IOException("more than " + MAX_FRAMES + " frames in one request");
            }
            if (count == ends.length) {
                ends = Arrays.copyOf(ends, Math.min(MAX_FRAMES, 4 * count));
            }
            reserve(from, length, stream.available());
            if (stream.readNBytes(buffer, from, length) != length) {
                throw new EOFException("frame of " + length + " bytes is cut off");
            }
            ends[count++] = from + length;
        }

        /** Room for this frame, and for those that the stream says are behind it. */
        private void reserve(int used, int length, int available) throws IOException {
            int needed = used + length;
            if (needed < 0 || needed > Wire.MAX_MESSAGE_BYTES) {
                throw new IOException("frames of more than a message's bytes");
            }
            if (buffer.length < needed) {
                byte[] larger =
                        pool.take(
                                Math.min(
                                        Wire.MAX_MESSAGE_BYTES,
                                        Math.max(needed, used + available)));
                System.arraycopy(buffer, 0, larger, 0, used);
                pool.give(buffer);
                buffer = larger;
            }
        }
    }
}
