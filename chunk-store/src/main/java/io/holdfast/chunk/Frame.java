package io.holdfast.chunk;

import java.util.List;
import java.util.UUID;

/** The bytes of one sealed chunk: a clear header and a sealed body. */
public final class Frame {
    private Frame() {}

    /**
     * Reads the header of the frame that fills the given range.
     *
     * @throws StoreException.Corrupt when it is not a frame, or one of an unknown version
     */
    public static Header parse(byte[] bytes, int offset, int length) throws StoreException.Corrupt {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * What a frame says in clear.
     *
     * @param headerBytes bytes before the body
     * @param totalBytes bytes of the whole frame
     */
    public record Header(
            FrameKind kind,
            UUID domain,
            int keyEpoch,
            ChunkId id,
            List<ChunkId> children,
            int headerBytes,
            int totalBytes) {
        /** Copies the children. */
        public Header {
            children = List.copyOf(children);
        }
    }
}
