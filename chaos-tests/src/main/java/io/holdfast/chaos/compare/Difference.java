package io.holdfast.chaos.compare;

/**
 * One way in which a path of the second tree is not what it is in the first.
 *
 * @param path printable, relative to the root; {@code .} is the root
 * @param kind what differs
 * @param expected as it is in the first tree
 * @param actual as it is in the second tree
 */
public record Difference(String path, Kind kind, String expected, String actual) {
    /** What can differ. */
    public enum Kind {
        /** In the first tree only. */
        MISSING,
        /** In the second tree only. */
        EXTRA,
        /** A file here, a folder there. */
        TYPE,
        /** Other bytes. */
        CONTENT,
        /** Other permission bits. */
        MODE,
        /** Another user or group. */
        OWNER,
        /** Another modification time, to the nanosecond. */
        MTIME,
        /** A symbolic link to elsewhere. */
        LINK_TARGET,
        /** The same file as other paths than before. */
        HARD_LINK,
        /** Other extended attributes. */
        XATTR,
        /** Another device number. */
        DEVICE,
        /** Could not be read in one of the trees. */
        UNREAD
    }

    @Override
    public String toString() {
        return path
                + ": "
                + kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ')
                + ", expected "
                + expected
                + ", found "
                + actual;
    }
}
