package io.holdfast.agent.storage;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.MethodDescriptor;
import io.holdfast.agent.proto.v1.PutRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A {@code PutRequest} as the storage reads it: the frame lies in a buffer of a pool, copied once from
 * the socket's. Whoever handles it gives it back with {@link #recycle}. Fields may come in any order.
 */
final class PutFrame {
    private static final int FIELD_CONTEXT = 1;
    private static final int FIELD_SESSION = 2;
    private static final int FIELD_SEQUENCE = 3;
    private static final int FIELD_FRAME = 4;

    final @Nullable RequestContext context;
    final ByteString session;
    final long sequence;
    final byte[] buffer;
    final int length;
    final String malformed;
    private final BufferPool pool;

    private PutFrame(
            @Nullable RequestContext context,
            ByteString session,
            long sequence,
            byte[] buffer,
            int length,
            String malformed,
            BufferPool pool) {
        this.context = context;
        this.session = session;
        this.sequence = sequence;
        this.buffer = buffer;
        this.length = length;
        this.malformed = malformed;
        this.pool = pool;
    }

    /** Gives the buffer back; the frame must not be used any more. */
    void recycle() {
        pool.give(buffer);
    }

    /** Reads requests into buffers of {@code pool}; what is malformed says so in the value. */
    static MethodDescriptor.Marshaller<PutFrame> marshaller(BufferPool pool) {
        return new MethodDescriptor.Marshaller<>() {
            @Override
            public InputStream stream(PutFrame value) {
                PutRequest.Builder request =
                        PutRequest.newBuilder()
                                .setSession(value.session)
                                .setSequence(value.sequence)
                                .setFrame(
                                        UnsafeByteOperations.unsafeWrap(
                                                value.buffer, 0, value.length));
                if (value.context != null) {
                    request.setContext(value.context);
                }
                return new ByteArrayInputStream(request.build().toByteArray());
            }

            @Override
            public PutFrame parse(InputStream stream) {
                return read(stream, pool);
            }
        };
    }

    private static PutFrame read(InputStream stream, BufferPool pool) {
        RequestContext context = null;
        ByteString session = ByteString.EMPTY;
        long sequence = 0;
        byte[] buffer = BufferPool.EMPTY;
        int length = 0;
        try {
            for (int tag = ProtoStream.tag(stream); tag != 0; tag = ProtoStream.tag(stream)) {
                int field = tag >>> 3;
                int type = tag & 7;
                if (field == FIELD_CONTEXT && type == ProtoStream.BYTES) {
                    context = RequestContext.parseFrom(ProtoStream.bytes(stream));
                } else if (field == FIELD_SESSION && type == ProtoStream.BYTES) {
                    session = UnsafeByteOperations.unsafeWrap(ProtoStream.bytes(stream));
                } else if (field == FIELD_SEQUENCE && type == ProtoStream.VARINT) {
                    sequence = ProtoStream.varint(stream);
                } else if (field == FIELD_FRAME && type == ProtoStream.BYTES) {
                    length = ProtoStream.length(stream);
                    pool.give(buffer);
                    buffer = pool.take(length);
                    if (stream.readNBytes(buffer, 0, length) != length) {
                        throw new EOFException("frame of " + length + " bytes is cut off");
                    }
                } else {
                    ProtoStream.skip(stream, type);
                }
            }
            return new PutFrame(context, session, sequence, buffer, length, "", pool);
        } catch (IOException e) {
            return new PutFrame(
                    null, ByteString.EMPTY, 0, buffer, 0, String.valueOf(e.getMessage()), pool);
        }
    }
}
