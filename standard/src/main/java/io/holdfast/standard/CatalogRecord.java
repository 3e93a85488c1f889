package io.holdfast.standard;

import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The catalog's record of one data piece, with the columns of the standard (F20).
 *
 * @param piece identity of the data piece, UUIDv7
 * @param client identity of the client whose data it is
 * @param clientName its name when the backup was taken
 * @param dataPiece what was backed up: the path or database
 * @param type {@code files/full}, {@code files/incremental}, ...
 * @param owner the data owner
 * @param location logical identifier of the backup on its storage
 * @param backupTimeMicros leader's time at the start of the job, epoch microseconds
 * @param expiryMicros when it expires, epoch microseconds; {@link Long#MAX_VALUE} for never
 * @param sizeBytes source bytes that the piece represents
 * @param originCatalog name of the catalog that recorded it first
 * @param optional the vendor's fields, sorted by key: {@code job}, {@code epoch}, {@code root}, {@code files}, ...
 */
public record CatalogRecord(
        UUID piece,
        UUID client,
        String clientName,
        String dataPiece,
        String type,
        String owner,
        String location,
        long backupTimeMicros,
        long expiryMicros,
        long sizeBytes,
        String originCatalog,
        Map<String, String> optional) {
    /** Copies the map, sorted. */
    public CatalogRecord {
        optional = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(optional));
    }
}
