package io.holdfast.replication.ship;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What a shipper knows: how far the peer is, what stands in the way, which pieces are there. Pure of
 * I/O; the shipper's thread writes, anybody reads.
 *
 * <p>Two positions: {@link #position} is how far everything has been dealt with and acknowledged;
 * {@link #floor} is where a later run must begin again, because something before {@code position}
 * could not be shipped. Only the floor is kept on disk.
 */
final class ShipBook {
    /** Problems that are listed; those beyond still hold the floor. */
    static final int MAX_LISTED = 1_000;

    /** Committed pieces that are remembered. */
    static final int MAX_PIECES = 100_000;

    private record Mark(long sequence, LogPosition position) {}

    private record Problem(LogPosition before, ShipStatus.Damage damage) {}

    private record Stuck(LogPosition before, ShipStatus.Unshipped unshipped) {}

    private final ArrayDeque<Mark> marks = new ArrayDeque<>();
    private final Map<ChunkId, Problem> damage = new LinkedHashMap<>();
    private final Map<ChunkId, Stuck> unshipped = new LinkedHashMap<>();
    private final Map<ChunkId, Boolean> pieces = new LinkedHashMap<>();
    private LogPosition position = LogPosition.START;
    private LogPosition unlisted = NOTHING;
    private long framesMoved;
    private long bytesMoved;
    private long piecesCommitted;

    private static final LogPosition NOTHING = new LogPosition(Long.MAX_VALUE, Long.MAX_VALUE);

    /** Begins at a position, for a peer of which nothing else is known. */
    synchronized void begin(LogPosition from) {
        marks.clear();
        damage.clear();
        unshipped.clear();
        pieces.clear();
        unlisted = NOTHING;
        position = from;
    }

    /** Forgets what was under way: it will be offered again. */
    synchronized void reconnect() {
        marks.clear();
    }

    /** All up to {@code after} has been dealt with, once {@code sequence} is durable at the peer. */
    synchronized void mark(long sequence, LogPosition after) {
        Mark last = marks.peekLast();
        if (last != null && last.sequence() == sequence) {
            marks.removeLast();
        }
        marks.add(new Mark(sequence, after));
    }

    /** The peer has made durable all up to {@code sequence}. */
    synchronized void durable(long sequence) {
        for (Mark mark = marks.peek();
                mark != null && mark.sequence() <= sequence;
                mark = marks.peek()) {
            if (mark.position().compareTo(position) > 0) {
                position = mark.position(); // a walk that began at the floor is behind at first
            }
            marks.remove();
        }
    }

    synchronized void moved(int bytes) {
        framesMoved++;
        bytesMoved += bytes;
    }

    synchronized void damaged(LogPosition before, ShipStatus.Damage what) {
        if (damage.size() < MAX_LISTED || damage.containsKey(what.id())) {
            damage.put(what.id(), new Problem(before, what));
        } else {
            unlisted = least(unlisted, before);
        }
    }

    synchronized void stuck(LogPosition before, ShipStatus.Unshipped what) {
        if (unshipped.size() < MAX_LISTED || unshipped.containsKey(what.piece())) {
            unshipped.put(what.piece(), new Stuck(before, what));
        } else {
            unlisted = least(unlisted, before);
        }
    }

    /** The peer has this frame. */
    synchronized void held(ChunkId id) {
        damage.remove(id);
    }

    /** Forgets the pieces among those not shipped that are not to be shipped any more. */
    synchronized void forgetUnshipped(Predicate<ChunkId> gone) {
        unshipped.keySet().removeIf(gone);
        damage.keySet().removeIf(gone);
    }

    /** The peer has this piece, whole. Returns true when that is news. */
    synchronized boolean committed(ChunkId piece) {
        unshipped.remove(piece);
        damage.remove(piece);
        if (pieces.put(piece, true) != null) {
            return false;
        }
        piecesCommitted++;
        if (pieces.size() > MAX_PIECES) {
            pieces.remove(pieces.keySet().iterator().next());
        }
        return true;
    }

    synchronized boolean isCommitted(ChunkId piece) {
        return pieces.containsKey(piece);
    }

    synchronized int problems() {
        return damage.size() + unshipped.size() + (unlisted.equals(NOTHING) ? 0 : 1);
    }

    synchronized LogPosition position() {
        return position;
    }

    /** Where the next walk begins: not after the oldest problem. */
    synchronized LogPosition floor() {
        LogPosition floor = least(position, unlisted);
        for (Problem problem : damage.values()) {
            floor = least(floor, problem.before());
        }
        for (Stuck stuck : unshipped.values()) {
            floor = least(floor, stuck.before());
        }
        return floor;
    }

    synchronized List<ShipStatus.Damage> damageList() {
        List<ShipStatus.Damage> list = new ArrayList<>();
        damage.values().forEach(problem -> list.add(problem.damage()));
        return list;
    }

    synchronized List<ShipStatus.Unshipped> unshippedList() {
        List<ShipStatus.Unshipped> list = new ArrayList<>();
        unshipped.values().forEach(stuck -> list.add(stuck.unshipped()));
        return list;
    }

    synchronized long framesMoved() {
        return framesMoved;
    }

    synchronized long bytesMoved() {
        return bytesMoved;
    }

    synchronized long piecesCommitted() {
        return piecesCommitted;
    }

    private static LogPosition least(LogPosition a, LogPosition b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
