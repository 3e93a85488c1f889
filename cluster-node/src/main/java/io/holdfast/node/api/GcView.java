package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How the collection of garbage stands.
 *
 * @param stores every store of every site
 * @param runs what was ordered lately, oldest first
 * @param expired pieces that have expired at both sites and may still be at one
 * @param held legal holds
 * @param abandoned the site that was declared lost; absent when none
 * @param keptAtOneSite pieces that have expired at one site, while the other keeps them
 * @param waits what the whole cluster waits for, before anything is marked; empty when nothing
 */
public record GcView(
        List<Store> stores,
        List<Run> runs,
        long expired,
        long held,
        @Nullable String abandoned,
        long keptAtOneSite,
        List<String> waits) {
    /** Copies the lists. */
    public GcView {
        stores = List.copyOf(stores);
        runs = List.copyOf(runs);
        waits = List.copyOf(waits);
    }

    /**
     * A store.
     *
     * @param site where it stands
     * @param storage its logical address
     * @param endpoint where it is dialled
     * @param reachable whether its collector answers; the rest means nothing when not
     * @param role of its site, as it knows it
     * @param graceSeconds between two marks
     * @param sessions open now
     * @param marks those with fossils, oldest first
     * @param freezes why a sweep would be refused; empty when it would not
     */
    public record Store(
            String site,
            String storage,
            String endpoint,
            boolean reachable,
            String role,
            long graceSeconds,
            int sessions,
            List<Mark> marks,
            List<String> freezes) {
        /** Copies the lists. */
        public Store {
            marks = List.copyOf(marks);
            freezes = List.copyOf(freezes);
        }
    }

    /**
     * A mark that found something which is still there.
     *
     * @param number of the mark
     * @param epoch in which it was ordered
     * @param made when
     * @param sessions that were open then and are open still
     * @param confirmed whether a second mark found the same
     * @param frames found
     * @param bytes of them
     */
    public record Mark(
            long number,
            String epoch,
            Moment made,
            int sessions,
            boolean confirmed,
            long frames,
            long bytes) {}

    /**
     * What was ordered of a store.
     *
     * @param id its own
     * @param site whose store
     * @param storage its logical address
     * @param work MARK or SWEEP
     * @param epoch in which
     * @param node the leader
     * @param began when
     * @param ended when; absent while it goes on
     * @param outcome DONE, WAITS, REFUSED, FAILED or UNKNOWN; empty while it goes on
     * @param reasons why not
     * @param frames found by a mark, or deleted by a sweep
     * @param bytes of them
     */
    public record Run(
            UUID id,
            String site,
            String storage,
            String work,
            String epoch,
            String node,
            Moment began,
            @Nullable Moment ended,
            String outcome,
            List<String> reasons,
            long frames,
            long bytes) {
        /** Copies the list. */
        public Run {
            reasons = List.copyOf(reasons);
        }
    }
}
