package io.holdfast.node.api;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A data piece as the catalog records it, with what the cluster knows about its safety.
 *
 * @param piece its identity, UUIDv7
 * @param client whose data it is
 * @param clientName the client's name when the backup was taken
 * @param dataPiece what was backed up: path or database
 * @param type {@code files/full}, {@code files/incremental}, ...
 * @param owner the data owner
 * @param location where it lies, logical and as it would be dialled now
 * @param backupTime leader's time at the start of the job
 * @param expiry when it expires, at the site that keeps it longer; absent for never
 * @param sizeBytes source bytes that it represents
 * @param originCatalog catalog that recorded it first
 * @param protection whether it survives the loss of the local site: one that DR alone keeps does, one that
 *     DR has let go does not
 * @param protectedAt since when
 * @param state {@code NORMAL}, {@code EXPIRED}, {@code LOST} with its storage, or {@code RECOVERED_FROM_DIVERGENCE}
 *     when a returned site brought it
 * @param keptAt the sites where it has not expired, {@code local} and {@code dr}; one alone when the policy lets
 *     that one keep longer, none when it is EXPIRED
 * @param optional the vendor's fields: {@code job}, {@code epoch}, {@code root}, {@code files}, ...
 */
public record PieceView(
        UUID piece,
        UUID client,
        String clientName,
        String dataPiece,
        String type,
        String owner,
        IdentifierView location,
        Moment backupTime,
        @Nullable Moment expiry,
        long sizeBytes,
        String originCatalog,
        Protection protection,
        @Nullable Moment protectedAt,
        String state,
        List<String> keptAt,
        Map<String, String> optional) {
    /** Copies the list, and the map, sorted. */
    public PieceView {
        keptAt = List.copyOf(keptAt);
        optional = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(optional));
    }
}
