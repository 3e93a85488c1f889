package io.holdfast.catalog;

import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.CatalogRecord;
import java.util.UUID;

/**
 * What a catalog keeps of one data piece: the standard's record, and the frame to restore it from.
 *
 * @param record the standard's columns; its location is a logical identifier
 * @param header id of the PIECE frame
 */
public record CatalogRow(CatalogRecord record, ChunkId header) {
    /** Identity of the data piece. */
    public UUID piece() {
        return record.piece();
    }
}
