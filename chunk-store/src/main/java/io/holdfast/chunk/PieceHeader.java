package io.holdfast.chunk;

import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.util.UUID;

/**
 * What makes a manifest a data piece: the catalog's record in clear, and how to read the piece. It
 * is the body of a PIECE frame, so that a catalog can be rebuilt from the store alone, without keys.
 *
 * @param record the catalog's record, with the piece's id
 * @param job the job that made it
 * @param domain dedup domain of its chunks
 * @param keyEpoch key of the domain that opens them
 * @param root root node of the manifest
 * @param chunking how its files were cut
 */
public record PieceHeader(
        CatalogRecord record,
        UUID job,
        UUID domain,
        int keyEpoch,
        ChunkId root,
        Chunking chunking) {
    /** The whole PIECE frame; the same header always gives the same bytes. */
    public byte[] frame() {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * Reads a PIECE frame.
     *
     * @throws StoreException.Corrupt when it is not one, or its id is not that of its body
     */
    public static PieceHeader parse(byte[] frame) throws StoreException.Corrupt {
        throw new UnsupportedOperationException("not built yet");
    }

    /** The id of the PIECE frame: SHA-256 of its body. */
    public ChunkId id() {
        throw new UnsupportedOperationException("not built yet");
    }
}
