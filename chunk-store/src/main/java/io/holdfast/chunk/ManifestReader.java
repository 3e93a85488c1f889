package io.holdfast.chunk;

import java.io.IOException;
import java.util.Iterator;

/** Reads the manifest of a data piece, node by node as it is walked. */
public final class ManifestReader {
    /** Where nodes come from: fetched and opened by the caller. */
    public interface NodeSource {
        /** The plain bytes of a NODE. */
        byte[] open(ChunkId id) throws IOException;
    }

    /** A reader from {@code source}. */
    public ManifestReader(NodeSource source) {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * The entries of a directory in order of names, read as the iterator moves; {@code next} may
     * throw {@link java.io.UncheckedIOException}.
     *
     * @throws StoreException.Corrupt when the node is no directory
     */
    public Iterable<ManifestEntry> entries(ChunkId node) throws IOException {
        throw new UnsupportedOperationException("not built yet");
    }

    /** The one entry of a piece's root node, as {@link ManifestWriter#root} wrote it. */
    public ManifestEntry root(ChunkId node) throws IOException {
        Iterator<ManifestEntry> entries = entries(node).iterator();
        return entries.next();
    }
}
