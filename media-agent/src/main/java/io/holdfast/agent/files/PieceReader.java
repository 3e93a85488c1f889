package io.holdfast.agent.files;

import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.ManifestEntry;
import io.holdfast.chunk.ManifestReader;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A data piece as a tree that is read from a storage while it is walked. Every frame is verified: it
 * is the one asked for, and opens with the domain's key. One thread walks; others may read the
 * contents of its entries, which fetch nodes too.
 */
final class PieceReader implements AutoCloseable {
    private static final int AHEAD_NODES = 32;
    private static final int AHEAD_BYTES = 16 << 20;

    private final JobStorage storage;
    private final Sealer sealer;
    private final PieceHeader header;
    private final ManifestReader manifest;
    private final Map<ChunkId, byte[]> ahead = new HashMap<>();
    private int aheadBytes;

    private PieceReader(JobStorage storage, Sealer sealer, PieceHeader header) {
        this.storage = storage;
        this.sealer = sealer;
        this.header = header;
        this.manifest = new ManifestReader(this::node);
    }

    /**
     * Opens a piece.
     *
     * @param id of the PIECE frame
     * @throws StoreException.Corrupt when the frame is not that piece
     * @throws BackupJob.Failed when {@code key} is not the key of the piece
     */
    static PieceReader open(JobStorage storage, DomainKey key, ChunkId id) throws IOException {
        byte[] frame = one(storage, id);
        PieceHeader header = PieceHeader.parse(frame);
        if (!header.id().equals(id)) {
            throw new StoreException.Corrupt(
                    "The storage answered piece header " + header.id() + " when asked for " + id);
        }
        if (!header.domain().equals(key.domain()) || header.keyEpoch() != key.keyEpoch()) {
            throw new BackupJob.Failed(
                    "Piece "
                            + header.record().piece()
                            + " is sealed with key "
                            + header.keyEpoch()
                            + " of domain "
                            + header.domain()
                            + ", and the order came with key "
                            + key.keyEpoch()
                            + " of "
                            + key.domain()
                            + "; send the slot of the piece's key");
        }
        return new PieceReader(storage, new Sealer(key, 0), header);
    }

    PieceHeader header() {
        return header;
    }

    /** What was backed up. */
    ManifestEntry root() throws IOException {
        return manifest.root(header.root());
    }

    /** What stands in a folder, in order of names; may throw {@code UncheckedIOException}. */
    Iterable<ManifestEntry> entries(ManifestEntry folder) throws IOException {
        ChunkId node =
                folder.subtree()
                        .orElseThrow(() ->
                                new StoreException.Corrupt("a folder of the manifest has no node"));
        return manifest.entries(node);
    }

    /** Fetches the nodes of these folders at once; a failure shows when the node is needed. */
    synchronized void fetchAhead(List<ManifestEntry> folders) {
        List<ChunkId> ids = new ArrayList<>();
        for (ManifestEntry folder : folders) {
            folder.subtree().filter(id -> !ahead.containsKey(id)).ifPresent(ids::add);
            if (ids.size() == AHEAD_NODES || aheadBytes > AHEAD_BYTES) {
                break;
            }
        }
        if (ids.size() < 2 || aheadBytes > AHEAD_BYTES) {
            return;
        }
        try {
            storage.read(
                    ids,
                    (id, frame) -> {
                        byte[] plain = open(sealer, id, frame);
                        if (ahead.put(id, plain) == null) {
                            aheadBytes += plain.length;
                        }
                    });
        } catch (IOException e) {
            // One by one, then, and by name.
        }
    }

    private synchronized byte[] node(ChunkId id) throws IOException {
        byte[] fetched = ahead.remove(id);
        if (fetched != null) {
            aheadBytes -= fetched.length;
            return fetched;
        }
        return open(sealer, id, one(storage, id));
    }

    /** Verifies and opens a frame. @throws StoreException.Corrupt when it is not what was asked */
    static byte[] open(Sealer sealer, ChunkId id, byte[] frame) throws StoreException.Corrupt {
        if (!Frame.parse(frame, 0, frame.length).id().equals(id)) {
            throw new StoreException.Corrupt("the storage answered another chunk than " + id);
        }
        return sealer.open(frame);
    }

    private static byte[] one(JobStorage storage, ChunkId id) throws IOException {
        List<byte[]> found = new ArrayList<>(1);
        storage.read(List.of(id), (asked, frame) -> found.add(frame));
        if (found.size() != 1) {
            throw new StoreException.Missing("the storage answered no chunk " + id);
        }
        return found.getFirst();
    }

    /** Why a chunk cannot be had, when that concerns this chunk alone; null for any other failure. */
    static @Nullable String damage(IOException e) {
        return switch (e) {
            case StoreException.Corrupt corrupt -> message(corrupt);
            case StoreException.Missing missing -> message(missing);
            case RemoteException.Refused refused
                    when refused.code() == ErrorDetail.Code.NOT_FOUND
                            || refused.code() == ErrorDetail.Code.CORRUPT ->
                    message(refused);
            default -> null;
        };
    }

    private static String message(Exception e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    @Override
    public void close() {
        sealer.close();
    }
}
