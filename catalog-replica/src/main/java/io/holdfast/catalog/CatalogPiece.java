package io.holdfast.catalog;

import java.util.Optional;

/**
 * A data piece as it was found.
 *
 * @param row the row
 * @param forgotten its tombstone, when it is no longer wanted
 */
public record CatalogPiece(CatalogRow row, Optional<Tombstone> forgotten) {}
