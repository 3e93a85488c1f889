package io.holdfast.chunk.gc;

import io.holdfast.standard.Epoch;
import java.util.List;
import java.util.Set;

/** What the store has to do, in the order of the decision, each finished before the next begins. */
public sealed interface GcEffect {
    /** Make this epoch durable: no order of a lower one is obeyed any more. */
    record PersistFence(Epoch epoch) implements GcEffect {}

    /**
     * Take the roots and the end of the log now, visit what they reach, resurrect every fossil among
     * it; then tell {@code Walked} or {@code WalkFailed}.
     */
    record Walk(long run) implements GcEffect {}

    /**
     * Make fossils of the live frames before the end taken by the walk that it did not reach and that
     * no session pins, and of the fossils of the runs that it adopts; forget all proofs.
     *
     * @param adopts runs of other epochs: what is left of them is marked for the first time anew
     */
    record Fossilise(long run, Set<Long> adopts) implements GcEffect {
        /** Copies the set. */
        public Fossilise {
            adopts = Set.copyOf(adopts);
        }
    }

    /**
     * Delete the fossils of these runs at once: durable before a byte of them is overwritten. What
     * was resurrected meanwhile stays. Then tell {@code Emptied}.
     */
    record Delete(Set<Long> runs) implements GcEffect {
        /** Copies the set. */
        public Delete {
            runs = Set.copyOf(runs);
        }
    }

    /** Tell the leader why not. Nothing was done. */
    record Refuse(List<String> reasons) implements GcEffect {
        /** Copies the list. */
        public Refuse {
            reasons = List.copyOf(reasons);
        }
    }

    /** Tell the leader that no run is ready, and for each why. Nothing was done. */
    record Wait(List<String> reasons) implements GcEffect {
        /** Copies the list. */
        public Wait {
            reasons = List.copyOf(reasons);
        }
    }
}
