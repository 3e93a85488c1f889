package io.holdfast.chaos.compare;

import java.util.Collections;
import java.util.HexFormat;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All that is to be seen of one path, without following it when it is a symbolic link.
 *
 * @param type what it is
 * @param mode permission bits with set-uid, set-gid and sticky, 0 to 07777
 * @param uid owner
 * @param gid group
 * @param mtimeNanos modification time, nanoseconds since 1970
 * @param size bytes of content of a regular file, otherwise 0
 * @param sha256 hexadecimal digest of the content of a regular file, otherwise empty
 * @param target printable target of a symbolic link, otherwise empty
 * @param device number of a block or character device, otherwise 0
 * @param linkedWith the first path, in order, that is the same file; empty when it stands alone
 * @param attributes extended attributes in hexadecimal, sorted by name
 * @param unread why some of this could not be read; empty on an ordinary day
 */
public record TreeEntry(
        Type type,
        int mode,
        long uid,
        long gid,
        long mtimeNanos,
        long size,
        String sha256,
        String target,
        long device,
        String linkedWith,
        SortedMap<String, String> attributes,
        Optional<String> unread) {
    /** Copies the map. */
    public TreeEntry {
        attributes = Collections.unmodifiableSortedMap(new TreeMap<>(attributes));
    }

    /** What a path is. */
    public enum Type {
        /** A regular file. */
        FILE,
        /** A folder. */
        DIRECTORY,
        /** A symbolic link. */
        SYMLINK,
        /** A named pipe. */
        FIFO,
        /** A socket. */
        SOCKET,
        /** A block device. */
        BLOCK_DEVICE,
        /** A character device. */
        CHARACTER_DEVICE,
        /** Anything else. */
        OTHER;

        /** The type in a Unix mode. */
        static Type ofMode(int mode) {
            return switch (mode & 0170000) {
                case 0100000 -> FILE;
                case 0040000 -> DIRECTORY;
                case 0120000 -> SYMLINK;
                case 0010000 -> FIFO;
                case 0140000 -> SOCKET;
                case 0060000 -> BLOCK_DEVICE;
                case 0020000 -> CHARACTER_DEVICE;
                default -> OTHER;
            };
        }
    }

    /** The same path, known to be the same file as {@code first}. */
    TreeEntry linkedWith(String first) {
        return new TreeEntry(
                type,
                mode,
                uid,
                gid,
                mtimeNanos,
                size,
                sha256,
                target,
                device,
                first,
                attributes,
                unread);
    }

    /** Attributes as they are kept here. */
    static SortedMap<String, String> hex(SortedMap<String, byte[]> raw) {
        SortedMap<String, String> hex = new TreeMap<>();
        raw.forEach((name, value) -> hex.put(name, HexFormat.of().formatHex(value)));
        return hex;
    }
}
