package io.holdfast.replication.ship;

import java.util.ArrayList;
import java.util.List;

/**
 * What a node tells others of the shipping of its store.
 *
 * @param catchUp the newest time that the peer had to catch up
 * @param damage frames that cannot be shipped because their bytes are damaged, in words; the first
 *     {@value #MAX_DAMAGE} of them
 */
public record ShipReport(ShipStatus.CatchUp catchUp, List<String> damage) {
    /** How many damaged frames are told of at most. */
    public static final int MAX_DAMAGE = 20;

    private static final int MAX_TEXT = 500;

    /** Of a node without a store, or without a peer for it. */
    public static final ShipReport NONE = new ShipReport(ShipStatus.CatchUp.NONE, List.of());

    /** Keeps the first {@value #MAX_DAMAGE} of a longer list, and the start of a longer text. */
    public ShipReport {
        damage =
                damage.stream()
                        .limit(MAX_DAMAGE)
                        .map(d -> d.substring(0, Math.min(d.length(), MAX_TEXT)))
                        .toList();
    }

    static ShipReport of(ShipStatus.CatchUp catchUp, List<ShipStatus.Damage> damage) {
        return new ShipReport(
                catchUp,
                damage.stream()
                        .limit(MAX_DAMAGE)
                        .map(d -> d.id() + " at " + d.after() + ": " + d.message())
                        .toList());
    }

    /** Of two stores of one site. */
    public ShipReport plus(ShipReport other) {
        List<String> both = new ArrayList<>(damage);
        both.addAll(other.damage);
        return new ShipReport(catchUp.plus(other.catchUp), both);
    }
}
