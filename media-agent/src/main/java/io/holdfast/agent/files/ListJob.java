package io.holdfast.agent.files;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.holdfast.agent.proto.v1.ListEntry;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.ManifestEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** Lists what a data piece holds, in order of names, a folder before what is in it. */
public final class ListJob {
    private final DomainKey key;
    private final JobStorage storage;
    private final Consumer<ListEntry> entries;
    private final Map<Integer, byte[]> firstNames = new HashMap<>();

    /** Lists into {@code entries}, which may block. */
    public ListJob(DomainKey key, JobStorage storage, Consumer<ListEntry> entries) {
        this.key = key;
        this.storage = storage;
        this.entries = entries;
    }

    /** No such path in the piece. */
    public static final class NotFound extends IOException {
        private static final long serialVersionUID = 1;

        NotFound(String path) {
            super("The piece holds no path '" + path + "'; list its root to see what it holds");
        }
    }

    /** A folder whose entries are being listed. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Level(byte[] path, Iterator<ManifestEntry> entries) {}

    /**
     * Lists a folder's entries, or the one file that {@code path} names.
     *
     * @param path below the piece's root, as UTF-8; empty for the root
     * @param recursive whether what is in folders below is listed too
     * @throws NotFound when there is no such path
     */
    public void run(ChunkId pieceHeader, String path, boolean recursive) throws IOException {
        try (PieceReader piece = PieceReader.open(storage, key, pieceHeader)) {
            ManifestEntry at = piece.root();
            byte[] name = {};
            for (String step : path.split("/")) {
                if (step.isEmpty()) {
                    continue;
                }
                at = find(piece, at, TargetFolders.utf8(step), path);
                name = PathBytes.join(name, at.name());
            }
            if (at.type() != ManifestEntry.Type.DIRECTORY) {
                if (name.length == 0) {
                    String source = piece.header().record().dataPiece();
                    name = TargetFolders.last(TargetFolders.utf8(source));
                }
                entries.accept(entry(name, at));
                return;
            }
            Deque<Level> levels = new ArrayDeque<>();
            levels.push(new Level(name, piece.entries(at).iterator()));
            while (!levels.isEmpty()) {
                Level level = levels.element();
                if (!level.entries().hasNext()) {
                    levels.pop();
                    continue;
                }
                ManifestEntry next = level.entries().next();
                byte[] nextPath = PathBytes.join(level.path(), next.name());
                entries.accept(entry(nextPath, next));
                if (recursive && next.type() == ManifestEntry.Type.DIRECTORY) {
                    levels.push(new Level(nextPath, piece.entries(next).iterator()));
                }
            }
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private static ManifestEntry find(
            PieceReader piece, ManifestEntry folder, byte[] name, String path) throws IOException {
        if (folder.type() == ManifestEntry.Type.DIRECTORY) {
            for (ManifestEntry entry : piece.entries(folder)) {
                if (Arrays.equals(entry.name(), name)) {
                    return entry;
                }
            }
        }
        throw new NotFound(path);
    }

    private ListEntry entry(byte[] path, ManifestEntry entry) {
        String type =
                switch (entry.type()) {
                    case FILE -> "file";
                    case DIRECTORY -> "directory";
                    case SYMLINK -> "symlink";
                    case FIFO -> "fifo";
                    case SOCKET -> "socket";
                    case CHARACTER_DEVICE, BLOCK_DEVICE -> "device";
                };
        byte[] target = entry.linkTarget();
        if (entry.hardlink() != 0) {
            byte[] first = firstNames.putIfAbsent(entry.hardlink(), path);
            if (first != null) {
                type = "hardlink";
                target = first;
            }
        }
        return ListEntry.newBuilder()
                .setPath(bytes(path))
                .setType(type)
                .setMode(entry.mode())
                .setUid(entry.uid())
                .setGid(entry.gid())
                .setMtimeNanos(entry.mtimeNanos())
                .setSize(entry.size())
                .setLinkTarget(bytes(target))
                .build();
    }

    private static ByteString bytes(byte[] bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes);
    }
}
