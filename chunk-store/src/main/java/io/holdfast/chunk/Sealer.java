package io.holdfast.chunk;

import java.util.List;

/** Names, compresses and encrypts chunks, and back. Not thread-safe: one per thread. */
public final class Sealer implements AutoCloseable {
    /** With {@code zstdLevel} 0 (no compression) or 1 to 22. */
    public Sealer(DomainKey key, int zstdLevel) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** The id of a chunk of file content. */
    public ChunkId id(byte[] plain, int offset, int length) {
        return id(FrameKind.DATA, plain, offset, length, List.of());
    }

    /** The id of a DATA chunk or a NODE; it covers the kind and the children too. */
    public ChunkId id(
            FrameKind kind, byte[] plain, int offset, int length, List<ChunkId> children) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** A whole frame, in an array of its own. {@code id} is what {@code id(...)} said. */
    public byte[] seal(
            FrameKind kind,
            ChunkId id,
            byte[] plain,
            int offset,
            int length,
            List<ChunkId> children) {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * The plain bytes of a DATA or NODE frame, in an array of their own.
     *
     * @throws StoreException.Corrupt when it is not a frame of this key, or was changed anywhere
     */
    public byte[] open(byte[] frame) throws StoreException.Corrupt {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Frees what zstd holds outside the heap. */
    @Override
    public void close() {
        throw new UnsupportedOperationException("not built yet");
    }
}
