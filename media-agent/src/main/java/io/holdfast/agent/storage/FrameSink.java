package io.holdfast.agent.storage;

import io.holdfast.chunk.ChunkId;
import java.io.IOException;

/** Takes the frames of a read, in the order asked, in the caller's thread. */
@FunctionalInterface
public interface FrameSink {
    /** Takes one frame; the array is the sink's own. An exception ends the read and is thrown on. */
    void accept(ChunkId id, byte[] frame) throws IOException;
}
