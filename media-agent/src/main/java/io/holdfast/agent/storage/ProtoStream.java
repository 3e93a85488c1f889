package io.holdfast.agent.storage;

import io.holdfast.agent.wire.Wire;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * Protobuf's wire format read field by field from a stream, for the two messages that carry frames:
 * their bytes go where the reader wants them, without an intermediate copy.
 */
final class ProtoStream {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    private ProtoStream() {}

    /** The next field's number and type, or 0 at the end. */
    static int tag(InputStream in) throws IOException {
        int first = in.read();
        if (first < 0) {
            return 0;
        }
        long tag = varint(first, in);
        if (tag >>> 3 == 0 || tag > 0xffffffffL) {
            throw new IOException("field number " + (tag >>> 3) + " is impossible");
        }
        return (int) tag;
    }

    static long varint(InputStream in) throws IOException {
        return varint(in.read(), in);
    }

    private static long varint(int first, InputStream in) throws IOException {
        long value = 0;
        int next = first;
        for (int shift = 0; shift < 64; shift += 7) {
            if (next < 0) {
                throw new EOFException("a number is cut off");
            }
            value |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                return value;
            }
            next = in.read();
        }
        throw new IOException("a number has more than ten bytes");
    }

    static int length(InputStream in) throws IOException {
        long length = varint(in);
        if (length < 0 || length > Wire.MAX_MESSAGE_BYTES) {
            throw new IOException("a field of " + length + " bytes is longer than a message");
        }
        return (int) length;
    }

    static byte[] bytes(InputStream in) throws IOException {
        int length = length(in);
        byte[] bytes = in.readNBytes(length);
        if (bytes.length != length) {
            throw new EOFException("a field of " + length + " bytes is cut off");
        }
        return bytes;
    }

    static void skip(InputStream in, int type) throws IOException {
        switch (type) {
            case VARINT -> varint(in);
            case FIXED64 -> in.skipNBytes(8);
            case BYTES -> in.skipNBytes(length(in));
            case FIXED32 -> in.skipNBytes(4);
            default -> throw new IOException("wire type " + type + " is not known");
        }
    }
}
