package io.holdfast.chunk.gc;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What every frame of a store is: LIVE, FOSSIL of a run, or DELETED; and which frames sessions pin. Frames
 * are named by their number in the log. Deterministic; no I/O. Not thread-safe: the store calls it
 * under its lock, so that a resurrection and a deletion of the same frame cannot both happen.
 */
public final class Fossils {
    private final SortedMap<Long, BitSet> runs = new TreeMap<>();
    private final BitSet deleted = new BitSet();
    private final Map<UUID, BitSet> pins = new HashMap<>();

    /** What a frame is. */
    public enum Fate {
        /** Held. */
        LIVE,
        /** Held, and found unreferenced by a mark. */
        FOSSIL,
        /** Not held any more, although its bytes may still be there. */
        DELETED
    }

    /** What this frame is. */
    public Fate fate(int frame) {
        if (deleted.get(frame)) {
            return Fate.DELETED;
        }
        return run(frame) == 0 ? Fate.LIVE : Fate.FOSSIL;
    }

    /** The run whose fossil this frame is; 0 for none. */
    public long run(int frame) {
        for (Map.Entry<Long, BitSet> run : runs.entrySet()) {
            if (run.getValue().get(frame)) {
                return run.getKey();
            }
        }
        return 0;
    }

    /**
     * Pins a frame for a session, and resurrects it if it is a fossil (G2).
     *
     * @return false when it is DELETED: it is not held, and nothing is pinned
     */
    public boolean pin(UUID session, int frame) {
        if (!resurrect(frame)) {
            return false;
        }
        pins.computeIfAbsent(session, s -> new BitSet()).set(frame);
        return true;
    }

    /** Makes a fossil live again. @return false when it is DELETED */
    public boolean resurrect(int frame) {
        if (deleted.get(frame)) {
            return false;
        }
        runs.values().forEach(fossils -> fossils.clear(frame));
        return true;
    }

    /** Ends the pins of a session. */
    public void release(UUID session) {
        pins.remove(session);
    }

    /** Frames that some session pins. */
    public BitSet pinned() {
        BitSet all = new BitSet();
        pins.values().forEach(all::or);
        return all;
    }

    /**
     * Makes fossils of what a walk left.
     *
     * @param run its number
     * @param adopts runs whose fossils become those of this one
     * @param reached frames that it reached
     * @param end number of the first frame that is younger than the walk
     * @return how many new fossils there are
     */
    public int fossilise(long run, Set<Long> adopts, BitSet reached, int end) {
        for (long other : adopts) {
            BitSet fossils = runs.remove(other);
            if (fossils != null) {
                runs.computeIfAbsent(run, r -> new BitSet()).or(fossils);
            }
        }
        BitSet left = new BitSet();
        left.set(0, end);
        left.andNot(reached);
        left.andNot(deleted);
        pins.values().forEach(left::andNot);
        runs.values().forEach(left::andNot);
        if (!left.isEmpty()) {
            runs.computeIfAbsent(run, r -> new BitSet()).or(left);
        }
        return left.cardinality();
    }

    /** Resurrects every fossil among these. */
    public void resurrectAll(BitSet reached) {
        runs.values().forEach(fossils -> fossils.andNot(reached));
    }

    /** Deletes the fossils of these runs. @return what was deleted */
    public BitSet delete(Set<Long> of) {
        BitSet gone = new BitSet();
        for (long run : of) {
            BitSet fossils = runs.remove(run);
            if (fossils != null) {
                gone.or(fossils);
            }
        }
        deleted.or(gone);
        return gone;
    }

    /** Runs that have no fossil (any more) among those given. */
    public Set<Long> empty(Set<Long> of) {
        Set<Long> empty = new java.util.TreeSet<>(of);
        empty.removeIf(run -> runs.containsKey(run) && !runs.get(run).isEmpty());
        return empty;
    }

    /** The fossils of every run, as copies. */
    public SortedMap<Long, BitSet> fossils() {
        SortedMap<Long, BitSet> copy = new TreeMap<>();
        runs.forEach((run, fossils) -> copy.put(run, (BitSet) fossils.clone()));
        return copy;
    }

    /** All of this, as it is now. */
    public Fossils copy() {
        Fossils copy = new Fossils();
        copy.runs.putAll(fossils());
        copy.deleted.or(deleted);
        pins.forEach((session, some) -> copy.pins.put(session, (BitSet) some.clone()));
        return copy;
    }

    /** The deleted frames, as a copy. */
    public BitSet deleted() {
        return (BitSet) deleted.clone();
    }

    /** Begins with these deleted, and nothing else: a store is opened. */
    public void open(BitSet gone) {
        runs.clear();
        pins.clear();
        deleted.clear();
        deleted.or(gone);
    }
}
