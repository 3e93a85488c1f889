package io.holdfast.chunk;

import java.io.IOException;
import java.util.List;

/**
 * Writes the manifest of a data piece, bottom-up: first a directory's children, then the directory.
 * Unchanged directories give byte-identical nodes. Thread-safe as far as its sink is.
 */
public final class ManifestWriter {
    /** Where nodes go: named, sealed and sent by the caller. */
    public interface NodeSink {
        /** Takes a node's plain bytes and the ids it refers to; answers its id. */
        ChunkId put(FrameKind kind, byte[] plain, List<ChunkId> children) throws IOException;
    }

    /** A writer into {@code sink}. */
    public ManifestWriter(NodeSink sink) {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * Writes a directory: the id of its node, for {@link ManifestEntry#subtree}. Long content lists
     * and large directories are split into several nodes.
     *
     * @param sortedEntries sorted by name as unsigned bytes, no name twice, none empty
     * @throws IllegalArgumentException when they are not
     */
    public ChunkId directory(List<ManifestEntry> sortedEntries) throws IOException {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * Writes the root of a piece: a node with the one entry of what was backed up, its own
     * attributes included, under the empty name.
     */
    public ChunkId root(ManifestEntry top) throws IOException {
        throw new UnsupportedOperationException("not built yet");
    }
}
