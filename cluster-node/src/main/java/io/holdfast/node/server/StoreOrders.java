package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.chunk.ChunkId;
import java.util.Optional;
import java.util.Set;

/**
 * Gives one store its orders. What a store lets go because the other site keeps it may be the last copy by the
 * time of the sweep: that site may have lost its disk, or be lost itself, since the marks. So where a store lets
 * go such pieces, its sweep comes directly after a mark on new proof, whose walk takes back what is not proven
 * any more, and only while the proof of that mark still stands. Pure but for the orders.
 */
final class StoreOrders {
    private StoreOrders() {}

    /** What is known when an order is given. */
    record Known(Set<ChunkId> expired, Proof proof, long skewMillis, GcStanding standing) {
        /** Copies the set. */
        Known {
            expired = Set.copyOf(expired);
        }
    }

    /**
     * What stands and falls with the other site.
     *
     * @param needed whether the store lets go at all what the other site keeps
     * @param kept those of the expired PIECE frames that the other site was seen to keep
     */
    record Proof(boolean needed, Set<ChunkId> kept) {
        /** Copies the set. */
        Proof {
            kept = Set.copyOf(kept);
        }

        /** Whether what was let go on this proof might be let go on a later one too. */
        boolean standsIn(Proof later) {
            return later.kept.containsAll(kept);
        }
    }

    /** The store, and what is known around it. */
    interface Orders {
        /** Asks the record and the stores now; empty when nothing may be ordered. */
        Optional<Known> ask() throws InterruptedException;

        /** Orders a mark. @return whether it was done */
        boolean mark(Known known) throws InterruptedException;

        /** Orders a sweep. */
        void sweep(Known known) throws InterruptedException;
    }

    /**
     * Carries out a step.
     *
     * @param onDemand whether a mark is to be followed by a sweep at once
     */
    static void give(GcPacing.Step step, boolean onDemand, Orders orders)
            throws InterruptedException {
        if (step == GcPacing.Step.NOTHING) {
            return;
        }
        Optional<Known> known = orders.ask();
        if (known.isEmpty()) {
            return;
        }
        Proof proof = known.get().proof();
        boolean sweeps = step == GcPacing.Step.SWEEP || onDemand;
        if (step == GcPacing.Step.MARK || proof.needed()) {
            sweeps &= orders.mark(known.get());
        }
        if (sweeps && !proof.needed()) {
            orders.sweep(known.get());
        } else if (sweeps) {
            Optional<Known> later = orders.ask();
            if (later.filter(l -> proof.standsIn(l.proof())).isPresent()) {
                orders.sweep(later.get());
            }
        }
    }
}
