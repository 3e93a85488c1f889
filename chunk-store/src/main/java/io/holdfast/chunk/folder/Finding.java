package io.holdfast.chunk.folder;

/**
 * Something that opening a store found and dealt with. A finding is news for an operator, and those
 * of damage are work for repair from the other site.
 *
 * @param kind what it is
 * @param message names the file, the offset, what was done
 */
public record Finding(Kind kind, String message) {
    /** What was found. */
    public enum Kind {
        /** Bytes after the last whole frame were cut off: a crash before an fsync. Harmless. */
        TORN_TAIL,
        /** A pack had no index, or a damaged one: it was built again from the pack. Harmless. */
        INDEX_REBUILT,
        /** Bytes of a pack are not what was appended: the chunks in it count as missing. */
        DAMAGE,
        /** A pack is gone: its chunks count as missing. */
        PACK_LOST,
        /** The file STORE was gone; the packs told the incarnation. */
        STORE_FILE_REBUILT
    }

    @Override
    public String toString() {
        return kind + ": " + message;
    }
}
