package io.holdfast.agent.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.holdfast.agent.proto.v1.EpochNamespace;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/** Values as the wire carries them. */
public final class Wire {
    /** The protocol version that this program speaks. */
    public static final int PROTOCOL = 1;

    /** The largest message, in bytes: a 4 MiB chunk and its seal exceed gRPC's default. */
    public static final int MAX_MESSAGE_BYTES = 8 << 20;

    private Wire() {}

    /** A UUID as 16 bytes, big-endian. */
    public static ByteString bytes(UUID id) {
        return UnsafeByteOperations.unsafeWrap(
                ByteBuffer.allocate(16)
                        .putLong(id.getMostSignificantBits())
                        .putLong(id.getLeastSignificantBits())
                        .array());
    }

    /**
     * Reads 16 bytes.
     *
     * @param what names the field in the message of the exception
     * @throws FormatException for another length
     */
    public static UUID uuid(ByteString bytes, String what) {
        if (bytes.size() != 16) {
            throw new FormatException(what, bytes.size() + " bytes", 0, "the 16 bytes of a UUID");
        }
        ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
        return new UUID(buffer.getLong(), buffer.getLong());
    }

    /** A chunk id as 32 bytes. */
    public static ByteString bytes(ChunkId id) {
        return UnsafeByteOperations.unsafeWrap(id.bytes());
    }

    /** Reads 32 bytes. @throws FormatException for another length */
    public static ChunkId chunkId(ByteString bytes) {
        return ChunkId.of(bytes.toByteArray());
    }

    /** Ids one after the other. */
    public static ByteString bytes(List<ChunkId> ids) {
        byte[] bytes = new byte[Math.multiplyExact(ids.size(), ChunkId.BYTES)];
        int at = 0;
        for (ChunkId id : ids) {
            id.copyTo(bytes, at);
            at += ChunkId.BYTES;
        }
        return UnsafeByteOperations.unsafeWrap(bytes);
    }

    /**
     * Reads ids, at most {@code max} of them.
     *
     * @throws FormatException when the length is no multiple of 32, or more than {@code max} ids
     */
    public static List<ChunkId> chunkIds(ByteString bytes, int max) {
        int count = bytes.size() / ChunkId.BYTES;
        if (count * ChunkId.BYTES != bytes.size() || count > max) {
            throw new FormatException(
                    "list of chunk ids",
                    bytes.size() + " bytes",
                    0,
                    "n * 32 bytes with n at most " + max);
        }
        byte[] array = bytes.toByteArray();
        List<ChunkId> ids = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            ids.add(ChunkId.of(array, i * ChunkId.BYTES, ChunkId.BYTES));
        }
        return ids;
    }

    /** {@code size} bits as bytes, bit i of byte i/8, lowest first. */
    public static ByteString bytes(BitSet bits, int size) {
        byte[] array = new byte[(size + 7) / 8];
        byte[] set = bits.toByteArray();
        System.arraycopy(set, 0, array, 0, Math.min(set.length, array.length));
        return UnsafeByteOperations.unsafeWrap(array);
    }

    /** Reads {@link #bytes(BitSet, int)}; missing trailing bytes are zeros. */
    public static BitSet bits(ByteString bytes) {
        return BitSet.valueOf(bytes.toByteArray());
    }

    /** A context: first field of every request. */
    public static RequestContext context(UUID cluster, Epoch epoch, UUID operation) {
        return RequestContext.newBuilder()
                .setCluster(bytes(cluster))
                .setEpoch(epoch.encoded())
                .setOperation(bytes(operation))
                .setProtocol(PROTOCOL)
                .build();
    }

    /** A context of a rehearsal, with a new operation id. */
    public static RequestContext rehearsal(UUID cluster, Epoch epoch) {
        return context(cluster, epoch).toBuilder().setNamespace(EpochNamespace.DRILL).build();
    }

    /** A context with a new operation id. */
    public static RequestContext context(UUID cluster, Epoch epoch) {
        return context(cluster, epoch, UUID.randomUUID());
    }

    /** Contexts with a new operation id each, in the epoch that {@code epoch} says at that time. */
    public static Supplier<RequestContext> contexts(UUID cluster, Supplier<Epoch> epoch) {
        return () -> context(cluster, epoch.get());
    }
}
