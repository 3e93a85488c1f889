package io.holdfast.chunk;

import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcPlan;
import io.holdfast.chunk.gc.GcState;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** A store whose garbage is collected on order; see {@code GC.md}. Thread-safe; one order at a time. */
public interface CollectedStore extends ChunkStore {
    /**
     * Marks, when the collector allows it (DR-PROTOCOL 4.2). Every PIECE frame but {@code expired} is a
     * root. Reads every reachable node; runs beside everything else.
     *
     * @param expired ids of PIECE frames that the leader's lineage has expired for good
     * @return what was decided, the last effect telling it
     * @throws StoreException.Corrupt when a node cannot be read; nothing was marked
     * @throws IllegalStateException while another mark or sweep is under way
     */
    List<GcEffect> mark(GcEvent.Order order, Set<ChunkId> expired) throws IOException;

    /**
     * Sweeps, when the collector allows it: removes the fossils that are ready, and gives their bytes
     * back where much of a pack is garbage. After a failure what was removed stays removed, and the
     * next sweep goes on.
     *
     * @throws IllegalStateException while another mark or sweep is under way
     */
    List<GcEffect> sweep(GcEvent.Order order, GcEvent.Standing standing) throws IOException;

    /** What the collector knows now. */
    Collected collected();

    /**
     * Why every byte of the store's files stays or goes. Reads every node; changes nothing. What is
     * written, deleted or replaced meanwhile may be counted as it was before or after.
     *
     * @param order the order that a sweep would be given now
     * @param fates of a PIECE frame, whether it stays, and why in a few words
     */
    GcPlan explain(
            GcEvent.Order order, GcEvent.Standing standing, Function<ChunkId, GcPlan.Fate> fates)
            throws IOException;

    /**
     * What a collector knows.
     *
     * @param state what it decides by
     * @param fossils of each run that has some
     * @param deletedFrames since the store was opened
     * @param deletedBytes of them
     * @param damagedFrames known to be damaged, and not sent again since
     */
    record Collected(
            GcState state,
            SortedMap<Long, Count> fossils,
            long deletedFrames,
            long deletedBytes,
            long damagedFrames) {
        /** Copies the map. */
        public Collected {
            fossils = Collections.unmodifiableSortedMap(new TreeMap<>(fossils));
        }
    }

    /** Frames and their bytes. */
    record Count(long frames, long bytes) {}
}
