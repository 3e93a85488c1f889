package io.holdfast.chunk;

import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * One file, directory, symbolic link or special file of a data piece. The arrays pass to the entry:
 * neither giver nor reader may change them.
 *
 * @param name bytes as the file system has them; empty only for the root of a piece
 * @param mode the 12 permission bits
 * @param uid unsigned 32 bits
 * @param gid unsigned 32 bits
 * @param user name of the uid at the source, or empty
 * @param group name of the gid at the source, or empty
 * @param mtimeNanos since the epoch
 * @param size bytes of a file; 0 for others
 * @param linkTarget of a symbolic link; empty for others
 * @param hardlink 0, or a positive number that entries of one inode share within the piece
 * @param device {@code st_rdev} of a device; 0 for others
 * @param xattrs extended attributes by full name, {@code user.comment}
 * @param content chunks of a file in order; complete also when it was read back from a split list
 *     (then reading an element may throw {@link java.io.UncheckedIOException})
 * @param subtree node of a directory; empty for others
 */
@SuppressWarnings("ArrayRecordComponent") // names are bytes, and there are millions of them
public record ManifestEntry(
        byte[] name,
        Type type,
        int mode,
        int uid,
        int gid,
        String user,
        String group,
        long mtimeNanos,
        long size,
        byte[] linkTarget,
        int hardlink,
        long device,
        SortedMap<String, byte[]> xattrs,
        List<ChunkId> content,
        Optional<ChunkId> subtree) {
    /** What it is. */
    public enum Type {
        FILE,
        DIRECTORY,
        SYMLINK,
        FIFO,
        SOCKET,
        CHARACTER_DEVICE,
        BLOCK_DEVICE
    }
}
