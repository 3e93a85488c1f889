package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.Chunker;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.ManifestEntry;
import io.holdfast.chunk.Sealer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/**
 * Reads a restored tree back and compares it with its manifest: every name, type and size, and every
 * file's content, cut and hashed anew with the domain's key. One thread; nothing is changed.
 */
public final class RestoredCheck {
    private final DomainKey key;
    private final JobStorage storage;
    private final JobMonitor monitor;
    private final Consumer<String> problems;
    private final Set<Integer> inodes = new HashSet<>();
    private long chunks;

    /**
     * A check.
     *
     * @param problems told each difference, by path
     */
    public RestoredCheck(
            DomainKey key, JobStorage storage, JobMonitor monitor, Consumer<String> problems) {
        this.key = key;
        this.storage = storage;
        this.monitor = monitor;
        this.problems = problems;
    }

    /**
     * Compares.
     *
     * @param target what {@link RestoreJob} restored the whole piece into
     * @return chunks whose keyed hash is that of the manifest
     * @throws CancellationException when the monitor was told to cancel
     */
    public long run(ChunkId pieceHeader, Path target) throws IOException {
        try (PieceReader piece = PieceReader.open(storage, key, pieceHeader);
                Sealer sealer = new Sealer(key, 0)) {
            Chunker chunker = new Chunker(piece.header().chunking(), InputStream.nullInputStream());
            ManifestEntry top = piece.root();
            if (top.type() == ManifestEntry.Type.DIRECTORY) {
                folder(piece, top, target, chunker, sealer);
            } else {
                String source = piece.header().record().dataPiece();
                byte[] name = TargetFolders.last(TargetFolders.utf8(source));
                compare(top, PathBytes.child(target, name), chunker, sealer);
            }
            return chunks;
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private void folder(
            PieceReader piece, ManifestEntry entry, Path path, Chunker chunker, Sealer sealer)
            throws IOException {
        monitor.checkCancelled();
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            problems.accept(path + " is not a folder");
            return;
        }
        long expected = 0;
        for (ManifestEntry child : piece.entries(entry)) {
            Path at = PathBytes.child(path, child.name());
            if (isSpecial(child) && !Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
                // Devices need root; the restore has told so.
                continue;
            }
            if (child.type() == ManifestEntry.Type.DIRECTORY) {
                folder(piece, child, at, chunker, sealer);
            } else {
                compare(child, at, chunker, sealer);
            }
            expected++;
        }
        try (var found = Files.list(path)) {
            long count = found.count();
            if (count != expected) {
                problems.accept(path + " holds " + count + " entries, the piece " + expected);
            }
        }
    }

    private static boolean isSpecial(ManifestEntry entry) {
        return switch (entry.type()) {
            case FILE, DIRECTORY, SYMLINK -> false;
            case FIFO, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE -> true;
        };
    }

    private void compare(ManifestEntry entry, Path path, Chunker chunker, Sealer sealer)
            throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            problems.accept(path + " was not restored");
            return;
        }
        if (entry.type() == ManifestEntry.Type.SYMLINK
                && !java.util.Arrays.equals(
                        Posix.readlink(PathBytes.of(path)), entry.linkTarget())) {
            problems.accept(path + " leads elsewhere");
        }
        if (entry.type() != ManifestEntry.Type.FILE
                || entry.hardlink() != 0 && !inodes.add(entry.hardlink())) {
            return;
        }
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                || Files.size(path) != entry.size()) {
            problems.accept(path + " is not a file of " + entry.size() + " bytes");
            return;
        }
        content(entry, path, chunker, sealer);
    }

    private void content(ManifestEntry entry, Path path, Chunker chunker, Sealer sealer)
            throws IOException {
        try (InputStream in = Files.newInputStream(path, LinkOption.NOFOLLOW_LINKS)) {
            chunker.reset(in);
            Iterator<ChunkId> expected = entry.content().iterator();
            while (chunker.next()) {
                monitor.checkCancelled();
                ChunkId found = sealer.id(chunker.buffer(), chunker.offset(), chunker.length());
                if (!expected.hasNext() || !expected.next().equals(found)) {
                    problems.accept(path + " has other content than the piece");
                    return;
                }
                chunks++;
            }
            if (expected.hasNext()) {
                problems.accept(path + " is shorter than in the piece");
            }
        }
    }
}
