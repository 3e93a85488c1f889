package io.holdfast.chunk.gc;

import io.holdfast.standard.Epoch;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** What a store's collector is told. */
public sealed interface GcEvent {
    /** The store was opened: the sessions and marks of the process before are no more. */
    record Opened() implements GcEvent {}

    /** A session began. */
    record SessionOpened(UUID session) implements GcEvent {}

    /** A session was closed or has expired; its pins are gone. */
    record SessionEnded(UUID session) implements GcEvent {}

    /** The leader orders a mark. */
    record MarkOrdered(Order order) implements GcEvent {}

    /** Everything that the roots reach has been visited, and is resurrected; the store's time then. */
    record Walked(long run, long storeMicros) implements GcEvent {}

    /** The mark could not be finished; nothing of it stays. */
    record WalkFailed(long run) implements GcEvent {}

    /** The leader orders a sweep. */
    record SweepOrdered(Order order, Standing standing) implements GcEvent {}

    /** No fossil of these runs is left. */
    record Emptied(Set<Long> runs) implements GcEvent {
        /** Copies the set. */
        public Emptied {
            runs = Set.copyOf(runs);
        }
    }

    /**
     * The lease under which the leader orders, and two clocks.
     *
     * @param epoch in which the leader is active
     * @param leaderMicros its time
     * @param storeMicros the store's time when the order came
     * @param peersSkewMillis largest disagreement that the leader knows of among the members
     */
    record Order(Epoch epoch, long leaderMicros, long storeMicros, long peersSkewMillis) {
        long skewMillis() {
            return Math.max(Math.abs(peersSkewMillis), Math.abs(leaderMicros - storeMicros) / 1000);
        }
    }

    /**
     * What the leader says about the store's site, for the freeze of G4.
     *
     * @param settled whether the site is ACTIVE or STANDBY in the order's epoch
     * @param role its role, for the message
     * @param outOfSyncMillis how long replication has not been SYNC; 0 when it is
     * @param forced whether the epoch was forced, and the peer is neither reconciled nor declared lost
     * @param pins rehearsals and returns under way that must find everything, by name
     */
    record Standing(
            boolean settled, String role, long outOfSyncMillis, boolean forced, Set<String> pins) {
        /** Copies the set. */
        public Standing {
            pins = java.util.Collections.unmodifiableSet(new TreeSet<>(pins));
        }

        /** Nothing stands in the way. */
        public static Standing calm(String role) {
            return new Standing(true, role, 0, false, Set.of());
        }
    }
}
