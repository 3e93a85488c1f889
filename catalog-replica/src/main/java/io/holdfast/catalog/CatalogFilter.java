package io.holdfast.catalog;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * Which data pieces to list; what is empty does not matter.
 *
 * @param client only this client's
 * @param dataPiece only of exactly this source
 * @param fromMicros backup time, inclusive, epoch microseconds
 * @param toMicros backup time, exclusive, epoch microseconds
 * @param originCatalog only what this catalog recorded first
 * @param includeForgotten pieces with a tombstone, too
 */
public record CatalogFilter(
        Optional<UUID> client,
        Optional<String> dataPiece,
        OptionalLong fromMicros,
        OptionalLong toMicros,
        Optional<String> originCatalog,
        boolean includeForgotten) {
    private static final CatalogFilter ALL =
            new CatalogFilter(
                    Optional.empty(),
                    Optional.empty(),
                    OptionalLong.empty(),
                    OptionalLong.empty(),
                    Optional.empty(),
                    false);

    /** Every piece that is not forgotten. */
    public static CatalogFilter all() {
        return ALL;
    }

    /** The same, for one client. */
    public CatalogFilter ofClient(UUID id) {
        return new CatalogFilter(
                Optional.of(id), dataPiece, fromMicros, toMicros, originCatalog, includeForgotten);
    }

    /** The same, for one source. */
    public CatalogFilter ofDataPiece(String source) {
        return new CatalogFilter(
                client, Optional.of(source), fromMicros, toMicros, originCatalog, includeForgotten);
    }

    /** The same, for backups within {@code [from, to)}. */
    public CatalogFilter between(long from, long to) {
        return new CatalogFilter(
                client,
                dataPiece,
                OptionalLong.of(from),
                OptionalLong.of(to),
                originCatalog,
                includeForgotten);
    }

    /** The same, for one origin catalog. */
    public CatalogFilter ofOrigin(String catalog) {
        return new CatalogFilter(
                client, dataPiece, fromMicros, toMicros, Optional.of(catalog), includeForgotten);
    }

    /** The same, with forgotten pieces. */
    public CatalogFilter withForgotten() {
        return new CatalogFilter(client, dataPiece, fromMicros, toMicros, originCatalog, true);
    }
}
