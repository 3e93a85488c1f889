package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.storage.CollectorService;
import io.holdfast.node.server.StoreCollectors.Seen;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Expiry;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Site;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the stores were just seen to hold of the pieces that one site keeps (G5): the proof on which the other
 * site's store lets them go. Pure.
 *
 * @param lookup the record as it was before the stores were asked
 * @param seen their answers about the PIECE frames of {@code asked}
 * @param asked expiries that one site keeps, in the order they were asked for
 */
record Holdings(Lookup lookup, List<Seen> seen, List<Expiry> asked) {
    /** Copies the lists. */
    Holdings {
        seen = List.copyOf(seen);
        asked = List.copyOf(asked);
    }

    /** The expiries that no site keeps, as many as one request takes: what they wait for is to be gone. */
    static List<Expiry> ending(ClusterState state) {
        return state.expiries().stream()
                .filter(Expiry::isEverywhere)
                .limit(CollectorService.MAX_IDS)
                .toList();
    }

    /**
     * The expiries that one site keeps, as many as one request takes: the newest, because older ones have gone
     * where they were to go.
     */
    static List<Expiry> kept(ClusterState state) {
        return state.expiries().stream()
                .filter(e -> !e.isEverywhere())
                .sorted(Comparator.comparingLong(Expiry::timeMicros).reversed())
                .limit(CollectorService.MAX_IDS)
                .toList();
    }

    /** Whether a site's stores let something go that the other site keeps, so that they need proof of it. */
    static boolean concern(ClusterState state, Site site) {
        return state.expiries().stream().anyMatch(e -> !e.isEverywhere() && e.isAt(site));
    }

    /**
     * The pieces that the counterparts of a store, at the other site, were seen to hold whole: those of every
     * device that is served there. A site that was declared lost proves nothing.
     */
    Set<UUID> ofCounterpart(StoreCollectors.Store store) {
        Site keeper = store.site().peer();
        if (lookup.state().isAbandoned(keeper)) {
            return Set.of();
        }
        Set<Endpoint> counterparts =
                lookup.devices().stream()
                        .filter(d ->
                                lookup.at(d.storage(), store.site())
                                        .filter(store.endpoint()::equals)
                                        .isPresent())
                        .flatMap(d -> lookup.at(d.storage(), keeper).stream())
                        .filter(e -> !e.equals(store.endpoint()))
                        .collect(Collectors.toSet());
        Set<UUID> held = new HashSet<>();
        for (Seen one : seen) {
            if (one.reachable() && counterparts.contains(one.store().endpoint())) {
                one.proven().stream().forEach(i -> held.add(asked.get(i).piece()));
            }
        }
        return held;
    }

    /**
     * The expired pieces that are no roots at a store.
     *
     * @param buried whether the catalog of the store's site has a piece's tombstone
     */
    List<Expiry> letGo(StoreCollectors.Store store, Predicate<UUID> buried) {
        Set<UUID> elsewhere = ofCounterpart(store);
        return Stream.concat(ending(lookup.state()).stream(), asked.stream())
                .filter(e -> e.isAt(store.site()))
                .filter(e -> !fate(store, e, elsewhere, buried, true).stays())
                .limit(CollectorService.MAX_IDS)
                .toList();
    }

    /** What is known of a store when it is given an order; {@code buried} as in {@link #letGo}. */
    StoreOrders.Known known(
            StoreCollectors.Store store,
            Predicate<UUID> buried,
            long skewMillis,
            GcStanding standing) {
        List<Expiry> letGo = letGo(store, buried);
        return new StoreOrders.Known(
                letGo.stream().map(Expiry::header).collect(Collectors.toSet()),
                new StoreOrders.Proof(
                        concern(lookup.state(), store.site()),
                        letGo.stream()
                                .filter(e -> !e.isEverywhere())
                                .map(Expiry::header)
                                .collect(Collectors.toSet())),
                skewMillis,
                standing);
    }

    /**
     * What becomes of a piece that has expired at a store.
     *
     * @param elsewhere as {@link #ofCounterpart} says
     * @param lasting whether no forced move can take the expiry back
     */
    ExpiryFate fate(
            StoreCollectors.Store store,
            Expiry expiry,
            Set<UUID> elsewhere,
            Predicate<UUID> buried,
            boolean lasting) {
        return ExpiryFate.of(
                expiry,
                store.site(),
                new ExpiryFate.Known(
                        lasting,
                        buried.test(expiry.piece()),
                        elsewhere.contains(expiry.piece()),
                        lookup.state().holdOn(expiry.piece(), expiry.client()).isPresent()));
    }

    /** How many of them no store holds; none while a store that matters does not answer. */
    int nowhere() {
        boolean known =
                seen.stream()
                        .filter(s -> !lookup.state().isAbandoned(s.store().site()))
                        .allMatch(Seen::reachable);
        if (!known) {
            return 0;
        }
        java.util.BitSet held = new java.util.BitSet();
        seen.stream().filter(Seen::reachable).forEach(s -> held.or(s.held()));
        return asked.size() - held.cardinality();
    }
}
