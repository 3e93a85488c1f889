package io.holdfast.agent.storage;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.holdfast.agent.proto.v1.ReadReply;
import io.holdfast.agent.proto.v1.StorageGrpc;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A {@code ReadReply} whose frame is copied once, from the socket's buffers into its own array. */
final class ReadFrame {
    private static final int FIELD_FRAME = 1;

    private ReadFrame() {}

    private static final MethodDescriptor.Marshaller<byte[]> MARSHALLER =
            new MethodDescriptor.Marshaller<>() {
                @Override
                public InputStream stream(byte[] frame) {
                    return new ByteArrayInputStream(
                            ReadReply.newBuilder()
                                    .setFrame(UnsafeByteOperations.unsafeWrap(frame))
                                    .build()
                                    .toByteArray());
                }

                @Override
                public byte[] parse(InputStream stream) {
                    byte[] frame = BufferPool.EMPTY;
                    try {
                        int tag = ProtoStream.tag(stream);
                        for (; tag != 0; tag = ProtoStream.tag(stream)) {
                            if (tag >>> 3 == FIELD_FRAME && (tag & 7) == ProtoStream.BYTES) {
                                frame = ProtoStream.bytes(stream);
                            } else {
                                ProtoStream.skip(stream, tag & 7);
                            }
                        }
                    } catch (IOException e) {
                        throw Status.INTERNAL
                                .withDescription("ReadReply is malformed: " + e.getMessage())
                                .withCause(e)
                                .asRuntimeException();
                    }
                    return frame;
                }
            };

    /** The method Read, with frames as arrays. */
    static final MethodDescriptor<io.holdfast.agent.proto.v1.ReadRequest, byte[]> METHOD =
            StorageGrpc.getReadMethod().toBuilder(
                            StorageGrpc.getReadMethod().getRequestMarshaller(), MARSHALLER)
                    .build();
}
