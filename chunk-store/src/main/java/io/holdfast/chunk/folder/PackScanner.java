package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.StoreException;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a pack without its index, frame by frame, and decides where it ends. Changes nothing.
 *
 * <p>Bytes that are no whole record may be a torn tail (a crash before the fsync: never acknowledged)
 * or damage (a flipped bit in something acknowledged). The two look the same, so the rule is: what
 * stands <em>before</em> a whole record is damage, kept and named; what stands after the last whole
 * record is a torn tail, to be cut off. Cutting can lose only bytes that are of no use any more, and
 * one flipped bit never costs the frames behind it.
 */
final class PackScanner {
    private static final int SEARCH_BYTES = 1 << 20;

    private final Path path;
    private final RandomAccessFile file;
    private final long fileBytes;
    private final MessageDigest sha256 = PackFormat.sha256();
    private final List<PackIndexFile.Entry> entries = new ArrayList<>();
    private final List<Hole> holes = new ArrayList<>();
    private byte[] frame = new byte[1 << 20];

    /** Bytes before a whole record that are none. */
    record Hole(long from, long to) {}

    /**
     * What a pack holds.
     *
     * @param entries its records in order; a damaged one is listed where its header can be read
     * @param holes damaged stretches before the end
     * @param end just after the last whole record; what follows is a torn tail
     */
    record Scan(List<PackIndexFile.Entry> entries, List<Hole> holes, long end, long fileBytes) {}

    private PackScanner(Path path, RandomAccessFile file) throws IOException {
        this.path = path;
        this.file = file;
        this.fileBytes = file.length();
    }

    static Scan scan(Path path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            return new PackScanner(path, file).scan();
        } catch (EOFException e) {
            throw new StoreException.Failed("Pack " + path + " shrank while it was read", e);
        }
    }

    private Scan scan() throws IOException {
        long end = PackFormat.HEADER_BYTES;
        long at = end;
        List<PackIndexFile.Entry> doubtful = new ArrayList<>();
        while (at < fileBytes) {
            int frameBytes = recordAt(at);
            PackIndexFile.Entry entry = frameBytes < 0 ? null : entryAt(at, frameBytes);
            if (entry != null && !entry.damaged()) {
                if (end < at) {
                    holes.add(new Hole(end, at));
                    entries.addAll(doubtful);
                }
                doubtful.clear();
                entries.add(entry);
                at += PackFormat.RECORD_BYTES + frameBytes;
                end = at;
            } else if (frameBytes >= 0 && complete(at, frameBytes)) {
                // The record header is whole, so it says where the next one is.
                if (entry != null) {
                    doubtful.add(entry);
                }
                at += PackFormat.RECORD_BYTES + frameBytes;
            } else {
                at = nextRecord(at + 1);
            }
        }
        return new Scan(entries, holes, Math.min(end, fileBytes), fileBytes);
    }

    private boolean complete(long at, int frameBytes) {
        return at + PackFormat.RECORD_BYTES + frameBytes <= fileBytes;
    }

    /** Bytes of the frame of the record at {@code at}; -1 when there is no whole record header. */
    private int recordAt(long at) throws IOException {
        if (at + PackFormat.RECORD_BYTES > fileBytes) {
            return -1;
        }
        file.seek(at);
        file.readFully(frame, 0, PackFormat.RECORD_BYTES);
        return PackFormat.frameBytes(frame, 0);
    }

    /** The record's frame, marked damaged when its bytes are; null when not even its id is known. */
    private PackIndexFile.@org.jspecify.annotations.Nullable Entry entryAt(long at, int frameBytes)
            throws IOException {
        if (!complete(at, frameBytes)) {
            return null;
        }
        byte[] digest = java.util.Arrays.copyOfRange(frame, 8, 8 + PackFormat.DIGEST_BYTES);
        if (frame.length < frameBytes) {
            frame = new byte[frameBytes];
        }
        file.readFully(frame, 0, frameBytes);
        sha256.update(frame, 0, frameBytes);
        boolean damaged = !MessageDigest.isEqual(digest, sha256.digest());
        ChunkId id;
        FrameKind kind;
        try {
            Frame.Header header = Frame.parse(frame, 0, frameBytes);
            id = header.id();
            kind = header.kind();
        } catch (StoreException.Corrupt e) {
            if (!damaged) {
                throw new StoreException.Corrupt(
                        "Refused pack %s: the frame at offset %d is whole, but: %s"
                                .formatted(path, at, e.getMessage()));
            }
            return null;
        }
        int offset = (int) (at + PackFormat.RECORD_BYTES);
        return new PackIndexFile.Entry(id, kind, offset, frameBytes, digest, damaged);
    }

    /** The next offset from {@code from} on where a record header stands; the file's end if none. */
    private long nextRecord(long from) throws IOException {
        byte[] window = new byte[SEARCH_BYTES];
        for (long at = from; at + PackFormat.RECORD_BYTES <= fileBytes; ) {
            int bytes = (int) Math.min(window.length, fileBytes - at);
            file.seek(at);
            file.readFully(window, 0, bytes);
            int last = bytes - PackFormat.RECORD_BYTES;
            for (int i = 0; i <= last; i++) {
                if (window[i] == 'H'
                        && window[i + 1] == 'F'
                        && window[i + 2] == 'R'
                        && window[i + 3] == 'C'
                        && PackFormat.frameBytes(window, i) >= 0) {
                    return at + i;
                }
            }
            at += last + 1;
        }
        return fileBytes;
    }
}
