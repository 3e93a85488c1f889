package io.holdfast.chunk;

/**
 * A place in a store's append order: every frame has one, and a frame's children always have smaller
 * ones. A position means nothing without the store incarnation it belongs to.
 *
 * @param pack sequence number of the pack, from 1; 0 only in {@link #START}
 * @param offset byte offset in the pack of the first byte not covered
 */
public record LogPosition(long pack, long offset) implements Comparable<LogPosition> {
    /** Before the first frame. */
    public static final LogPosition START = new LogPosition(0, 0);

    @Override
    public int compareTo(LogPosition other) {
        int byPack = Long.compare(pack, other.pack);
        return byPack != 0 ? byPack : Long.compare(offset, other.offset);
    }

    @Override
    public String toString() {
        return pack + ":" + offset;
    }
}
