package io.holdfast.catalog;

import io.holdfast.chunk.ChunkId;
import java.io.IOException;

/**
 * Children before parents (DR-PROTOCOL 4.1): asked before a row of another database is applied,
 * whether this site's storage holds the piece. Called by several threads.
 */
@FunctionalInterface
public interface PieceGate {
    /** Lets everything pass: for a catalog whose storage is looked after elsewhere. */
    PieceGate OPEN = header -> true;

    /**
     * Whether the PIECE frame is durable here. Once true, it stays true until the piece is forgotten.
     *
     * @throws IOException when it could not be asked; the row waits
     */
    boolean isDurable(ChunkId pieceHeader) throws IOException;
}
