package io.holdfast.catalog;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;

/** A row of table {@code piece}; see SCHEMA.md. */
@MappedEntity("piece")
@SuppressWarnings("ArrayRecordComponent") // Only carried between the database and CatalogRows.
record PieceEntity(
        @Id String pieceId,
        byte[] pieceHeaderId,
        String clientId,
        String client,
        String dataPiece,
        byte[] dataPieceHash,
        String dataPieceType,
        String dataPieceOwner,
        String backupLocation,
        long backupTime,
        long expiryTime,
        long sizeBytes,
        String originCatalog,
        String rowSource) {}
