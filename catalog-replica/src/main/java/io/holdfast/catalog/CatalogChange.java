package io.holdfast.catalog;

import java.util.UUID;

/** What one outbox entry says. */
public sealed interface CatalogChange {
    /** The data piece it is about. */
    UUID piece();

    /** A backup ended and its row was written. */
    record Recorded(CatalogRow row) implements CatalogChange {
        @Override
        public UUID piece() {
            return row.piece();
        }
    }

    /** The piece is no longer wanted. */
    record Forgotten(Tombstone tombstone) implements CatalogChange {
        @Override
        public UUID piece() {
            return tombstone.piece();
        }
    }

    /** The row was read back from its PIECE frame; it yields to what a receiver knows already. */
    record Rebuilt(CatalogRow row) implements CatalogChange {
        @Override
        public UUID piece() {
            return row.piece();
        }
    }
}
