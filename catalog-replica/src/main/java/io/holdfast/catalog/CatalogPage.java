package io.holdfast.catalog;

import java.util.List;
import java.util.Optional;

/**
 * Some data pieces, newest backup first.
 *
 * @param pieces by backup time, then piece id, both descending
 * @param next where the next page begins; empty on the last page
 */
public record CatalogPage(List<CatalogPiece> pieces, Optional<PageToken> next) {
    /** Copies the list. */
    public CatalogPage {
        pieces = List.copyOf(pieces);
    }
}
