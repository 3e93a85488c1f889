package io.holdfast.chunk;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.holdfast.chunk.proto.v1.OptionalField;
import io.holdfast.chunk.proto.v1.PieceBody;
import io.holdfast.chunk.proto.v1.PieceChunking;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.FormatException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What makes a manifest a data piece: the catalog's record in clear, and how to read the piece. It
 * is the body of a PIECE frame, so that a catalog can be rebuilt from the store alone, without keys.
 *
 * <p>Clear also means unproven: its id shows that it is what was committed, not who wrote it.
 *
 * @param record the catalog's record, with the piece's id
 * @param job the job that made it
 * @param domain dedup domain of its chunks
 * @param keyEpoch key of the domain that opens them
 * @param root root node of the manifest, see {@link ManifestWriter#root}
 * @param chunking how its files were cut
 */
public record PieceHeader(
        CatalogRecord record,
        UUID job,
        UUID domain,
        int keyEpoch,
        ChunkId root,
        Chunking chunking) {
    private static final int VERSION = 1;
    private static final int MAX_BODY_BYTES = 1 << 20;

    /**
     * The whole PIECE frame; the same header always gives the same bytes.
     *
     * @throws FormatException when the catalog fields are longer than 1 MiB
     */
    public byte[] frame() {
        byte[] body = body();
        if (body.length > MAX_BODY_BYTES) {
            throw new FormatException(
                    "piece header", body.length + " bytes", 0, "at most " + MAX_BODY_BYTES);
        }
        int headerBytes = Frame.headerBytes(1);
        byte[] frame = new byte[headerBytes + body.length];
        Frame.writeHeader(
                frame,
                FrameKind.PIECE,
                domain,
                keyEpoch,
                sha256(body),
                List.of(root),
                new byte[Frame.NONCE_BYTES]);
        System.arraycopy(body, 0, frame, headerBytes, body.length);
        return frame;
    }

    /** The id of the PIECE frame: SHA-256 of its body. */
    public ChunkId id() {
        return sha256(body());
    }

    /**
     * Reads a PIECE frame.
     *
     * @throws StoreException.Corrupt when it is not one, or its id is not that of its body
     */
    public static PieceHeader parse(byte[] frame) throws StoreException.Corrupt {
        Frame.Header header = Frame.parse(frame, 0, frame.length);
        int bodyBytes = header.totalBytes() - header.headerBytes();
        if (header.kind() != FrameKind.PIECE || bodyBytes > MAX_BODY_BYTES) {
            throw corrupt(header.id(), "it is a " + header.kind() + " of " + bodyBytes + " bytes");
        }
        byte[] body = Arrays.copyOfRange(frame, header.headerBytes(), frame.length);
        if (!sha256(body).equals(header.id())) {
            throw corrupt(header.id(), "its body has the id " + sha256(body));
        }
        PieceHeader piece;
        try {
            piece = of(header, PieceBody.parseFrom(body));
        } catch (InvalidProtocolBufferException | FormatException e) {
            throw corrupt(header.id(), e.getMessage());
        }
        // One header, one frame: what does not print back the same is not ours.
        if (!Arrays.equals(piece.frame(), frame)) {
            throw corrupt(header.id(), "its bytes are not in canonical form");
        }
        return piece;
    }

    private static PieceHeader of(Frame.Header header, PieceBody body)
            throws StoreException.Corrupt {
        if (body.getVersion() != VERSION) {
            throw corrupt(
                    header.id(),
                    "version " + body.getVersion() + " is unknown here; expected version 1");
        }
        Map<String, String> optional = new LinkedHashMap<>();
        for (OptionalField field : body.getOptionalList()) {
            optional.put(field.getKey(), field.getValue());
        }
        PieceChunking chunking = body.getChunking();
        return new PieceHeader(
                new CatalogRecord(
                        uuid(body.getPiece()),
                        uuid(body.getClient()),
                        body.getClientName(),
                        body.getDataPiece(),
                        body.getType(),
                        body.getOwner(),
                        body.getLocation(),
                        body.getBackupTimeMicros(),
                        body.getExpiryMicros(),
                        body.getSizeBytes(),
                        body.getOriginCatalog(),
                        optional),
                uuid(body.getJob()),
                header.domain(),
                header.keyEpoch(),
                ChunkId.of(body.getRoot().toByteArray()),
                new Chunking(
                        chunking.getMinBytes(),
                        chunking.getAverageBytes(),
                        chunking.getMaxBytes(),
                        chunking.getNormalization()));
    }

    private byte[] body() {
        PieceBody.Builder body =
                PieceBody.newBuilder()
                        .setVersion(VERSION)
                        .setPiece(bytes(record.piece()))
                        .setJob(bytes(job))
                        .setRoot(ByteString.copyFrom(root.bytes()))
                        .setChunking(
                                PieceChunking.newBuilder()
                                        .setMinBytes(chunking.minBytes())
                                        .setAverageBytes(chunking.averageBytes())
                                        .setMaxBytes(chunking.maxBytes())
                                        .setNormalization(chunking.normalization()))
                        .setClient(bytes(record.client()))
                        .setClientName(record.clientName())
                        .setDataPiece(record.dataPiece())
                        .setType(record.type())
                        .setOwner(record.owner())
                        .setLocation(record.location())
                        .setBackupTimeMicros(record.backupTimeMicros())
                        .setExpiryMicros(record.expiryMicros())
                        .setSizeBytes(record.sizeBytes())
                        .setOriginCatalog(record.originCatalog());
        record.optional().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Utf8.ORDER))
                .forEach(field ->
                        body.addOptional(
                                OptionalField.newBuilder()
                                        .setKey(field.getKey())
                                        .setValue(field.getValue())));
        return body.build().toByteArray();
    }

    private static ByteString bytes(UUID uuid) {
        return ByteString.copyFrom(
                ByteBuffer.allocate(16)
                        .putLong(uuid.getMostSignificantBits())
                        .putLong(uuid.getLeastSignificantBits())
                        .flip());
    }

    private static UUID uuid(ByteString bytes) {
        if (bytes.size() != 16) {
            throw new FormatException("UUID", bytes.size() + " bytes", 0, "16 bytes");
        }
        ByteBuffer in = bytes.asReadOnlyByteBuffer();
        return new UUID(in.getLong(), in.getLong());
    }

    private static ChunkId sha256(byte[] body) {
        try {
            return ChunkId.of(MessageDigest.getInstance("SHA-256").digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This JDK lacks SHA-256", e);
        }
    }

    private static StoreException.Corrupt corrupt(
            ChunkId id, @org.jspecify.annotations.Nullable String why) {
        return new StoreException.Corrupt("Not a piece header: " + id + ": " + why);
    }
}
