package io.holdfast.chunk;

import io.holdfast.standard.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One file, directory, symbolic link or special file of a data piece. The arrays pass to the entry:
 * neither giver nor reader may change them.
 *
 * @param name bytes as the file system has them, without '/' or NUL, neither "." nor ".."; empty
 *     only for the root of a piece
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
 * @param content chunks of a file in order. Complete also when it was read back from a list that was
 *     split into nodes: it then fetches them as it is walked, keeps only the last one, and may throw
 *     {@link java.io.UncheckedIOException}
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

    /** Checks names and ranges, and that only what has a subtree or content gives one. */
    public ManifestEntry {
        xattrs = Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
        content = content instanceof ChunkIdList ? content : List.copyOf(content);
        checkName(name);
        require(name, (mode & ~07777) == 0, "a mode of 12 bits, without the type");
        require(name, size >= 0 && hardlink >= 0, "a size and a hard link number from 0");
        require(name, type == Type.FILE || content.isEmpty(), "content only in a file");
        require(name, type == Type.FILE || size == 0, "a size only of a file");
        require(name, type == Type.SYMLINK || linkTarget.length == 0, "no link target");
        require(
                name,
                (type == Type.DIRECTORY) == subtree.isPresent(),
                "a subtree in a directory, and only there");
    }

    private static void checkName(byte[] name) {
        boolean dots = name.length > 0 && name.length <= 2;
        for (byte b : name) {
            require(name, b != '/' && b != 0, "a name without '/' and NUL");
            dots &= b == '.';
        }
        require(name, !dots, "a name other than . and ..");
    }

    private static void require(byte[] name, boolean holds, String expected) {
        if (!holds) {
            throw new FormatException("manifest entry", printable(name), 0, expected);
        }
    }

    private static String printable(byte[] name) {
        return new String(name, StandardCharsets.UTF_8);
    }

    /** By content: names, targets and attributes are compared byte by byte. */
    @Override
    public boolean equals(Object other) {
        return other instanceof ManifestEntry that
                && Arrays.equals(name, that.name)
                && type == that.type
                && mode == that.mode
                && uid == that.uid
                && gid == that.gid
                && user.equals(that.user)
                && group.equals(that.group)
                && mtimeNanos == that.mtimeNanos
                && size == that.size
                && Arrays.equals(linkTarget, that.linkTarget)
                && hardlink == that.hardlink
                && device == that.device
                && sameXattrs(xattrs, that.xattrs)
                && content.equals(that.content)
                && subtree.equals(that.subtree);
    }

    private static boolean sameXattrs(
            SortedMap<String, byte[]> some, SortedMap<String, byte[]> others) {
        if (some.size() != others.size()) {
            return false;
        }
        Iterator<Map.Entry<String, byte[]>> rest = others.entrySet().iterator();
        for (Map.Entry<String, byte[]> entry : some.entrySet()) {
            Map.Entry<String, byte[]> other = rest.next();
            if (!entry.getKey().equals(other.getKey())
                    || !Arrays.equals(entry.getValue(), other.getValue())) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(name), type, size, mtimeNanos);
    }

    /** Type and name, for people. */
    @Override
    public String toString() {
        return type + " " + printable(name) + " (" + size + " bytes)";
    }
}
