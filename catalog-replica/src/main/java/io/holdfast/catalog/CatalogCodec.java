package io.holdfast.catalog;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.holdfast.catalog.proto.v1.PieceRow;
import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.UUID;

/** Between values, messages of catalog.proto, and rows of the tables. Pure. */
final class CatalogCodec {
    static final String RECORDED = "recorded";
    static final String FORGOTTEN = "forgotten";
    static final String REBUILT = "rebuilt";

    private CatalogCodec() {}

    static PieceRow row(CatalogRow row) {
        CatalogRecord record = row.record();
        return PieceRow.newBuilder()
                .setPiece(bytes(record.piece()))
                .setPieceHeader(ByteString.copyFrom(row.header().bytes()))
                .setClient(bytes(record.client()))
                .setClientName(record.clientName())
                .setDataPiece(record.dataPiece())
                .setType(record.type())
                .setOwner(record.owner())
                .setLocation(record.location())
                .setBackupTimeMicros(record.backupTimeMicros())
                .setExpiryMicros(record.expiryMicros())
                .setSizeBytes(record.sizeBytes())
                .setOriginCatalog(record.originCatalog())
                .putAllOptional(record.optional())
                .build();
    }

    /** Checks the shapes. @throws FormatException naming the field */
    static CatalogRow row(PieceRow row) {
        return new CatalogRow(
                new CatalogRecord(
                        uuid(row.getPiece(), "piece id"),
                        uuid(row.getClient(), "client id"),
                        row.getClientName(),
                        row.getDataPiece(),
                        row.getType(),
                        row.getOwner(),
                        row.getLocation(),
                        row.getBackupTimeMicros(),
                        row.getExpiryMicros(),
                        row.getSizeBytes(),
                        row.getOriginCatalog(),
                        row.getOptionalMap()),
                ChunkId.of(row.getPieceHeader().toByteArray()));
    }

    static io.holdfast.catalog.proto.v1.Tombstone tombstone(Tombstone tombstone) {
        return io.holdfast.catalog.proto.v1.Tombstone.newBuilder()
                .setPiece(bytes(tombstone.piece()))
                .setReason(tombstone.reason())
                .setEpoch(tombstone.epoch().encoded())
                .build();
    }

    static Tombstone tombstone(io.holdfast.catalog.proto.v1.Tombstone tombstone) {
        return new Tombstone(
                uuid(tombstone.getPiece(), "piece id"),
                tombstone.getReason(),
                Epoch.decode(tombstone.getEpoch()));
    }

    static io.holdfast.catalog.proto.v1.OutboxEntry entry(OutboxEntry entry) {
        var message =
                io.holdfast.catalog.proto.v1.OutboxEntry.newBuilder()
                        .setSeq(entry.seq())
                        .setEpoch(entry.epoch().encoded());
        switch (entry.change()) {
            case CatalogChange.Recorded(CatalogRow row) -> message.setRecorded(row(row));
            case CatalogChange.Rebuilt(CatalogRow row) -> message.setRebuilt(row(row));
            case CatalogChange.Forgotten(Tombstone tombstone) ->
                    message.setForgotten(tombstone(tombstone));
        }
        return message.build();
    }

    /** @throws FormatException when it is malformed, or of a kind that this version does not know */
    static OutboxEntry entry(io.holdfast.catalog.proto.v1.OutboxEntry entry) {
        if (entry.getSeq() < 1) {
            throw new FormatException(
                    "outbox sequence number", Long.toString(entry.getSeq()), 0, "1 or more");
        }
        CatalogChange change =
                switch (entry.getChangeCase()) {
                    case RECORDED -> new CatalogChange.Recorded(row(entry.getRecorded()));
                    case REBUILT -> new CatalogChange.Rebuilt(row(entry.getRebuilt()));
                    case FORGOTTEN -> new CatalogChange.Forgotten(tombstone(entry.getForgotten()));
                    case CHANGE_NOT_SET ->
                            throw new FormatException(
                                    "outbox entry " + entry.getSeq(),
                                    "no change that this version knows",
                                    0,
                                    "recorded, forgotten or rebuilt");
                };
        return new OutboxEntry(entry.getSeq(), Epoch.decode(entry.getEpoch()), change);
    }

    static OutboxEntity outbox(OutboxEntry entry) {
        return new OutboxEntity(
                entry.seq(),
                entry.epoch().encoded(),
                entry.change().piece().toString(),
                kind(entry.change()),
                entry(entry).toByteArray());
    }

    static OutboxEntry outbox(OutboxEntity row) throws CatalogException.Corrupt {
        try {
            OutboxEntry entry =
                    entry(io.holdfast.catalog.proto.v1.OutboxEntry.parseFrom(row.payload()));
            if (entry.seq() == row.seq()) {
                return entry;
            }
            throw corrupt(row, "its payload is that of entry " + entry.seq());
        } catch (InvalidProtocolBufferException | FormatException e) {
            throw corrupt(row, String.valueOf(e.getMessage()));
        }
    }

    private static CatalogException.Corrupt corrupt(OutboxEntity row, String why) {
        return new CatalogException.Corrupt(
                "Outbox entry " + row.seq() + " about piece " + row.pieceId() + ": " + why,
                "Rebuild this catalog from its storage");
    }

    static String kind(CatalogChange change) {
        return switch (change) {
            case CatalogChange.Recorded r -> RECORDED;
            case CatalogChange.Rebuilt r -> REBUILT;
            case CatalogChange.Forgotten f -> FORGOTTEN;
        };
    }

    static PieceEntity piece(CatalogRow row, String source) {
        CatalogRecord record = row.record();
        return new PieceEntity(
                record.piece().toString(),
                row.header().bytes(),
                record.client().toString(),
                record.clientName(),
                record.dataPiece(),
                hash(record.dataPiece()),
                record.type(),
                record.owner(),
                record.location(),
                record.backupTimeMicros(),
                record.expiryMicros(),
                record.sizeBytes(),
                record.originCatalog(),
                source);
    }

    static CatalogRow row(PieceEntity row, java.util.Map<String, String> optional) {
        return new CatalogRow(
                new CatalogRecord(
                        UUID.fromString(row.pieceId()),
                        UUID.fromString(row.clientId()),
                        row.client(),
                        row.dataPiece(),
                        row.dataPieceType(),
                        row.dataPieceOwner(),
                        row.backupLocation(),
                        row.backupTime(),
                        row.expiryTime(),
                        row.sizeBytes(),
                        row.originCatalog(),
                        optional),
                ChunkId.of(row.pieceHeaderId()));
    }

    static Collection<OptionalField> optional(CatalogRow row) {
        String piece = row.piece().toString();
        return row.record().optional().entrySet().stream()
                .map(field ->
                        new OptionalField(
                                new OptionalField.Key(piece, field.getKey()), field.getValue()))
                .toList();
    }

    /** SHA-256 of the UTF-8 bytes: what a source is found by, because it is too long for an index. */
    static byte[] hash(String dataPiece) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(dataPiece.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }

    static ByteString bytes(UUID id) {
        return ByteString.copyFrom(
                ByteBuffer.allocate(16)
                        .putLong(id.getMostSignificantBits())
                        .putLong(id.getLeastSignificantBits())
                        .flip());
    }

    static UUID uuid(ByteString bytes, String what) {
        if (bytes.size() != 16) {
            throw new FormatException(what, bytes.size() + " bytes", 0, "the 16 bytes of a UUID");
        }
        ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
        return new UUID(buffer.getLong(), buffer.getLong());
    }
}
