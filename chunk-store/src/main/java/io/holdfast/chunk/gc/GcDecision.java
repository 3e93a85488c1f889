package io.holdfast.chunk.gc;

import java.util.List;

/**
 * What a collector decided.
 *
 * @param state its next state; take it only together with the effects
 * @param effects what to do, in this order
 */
public record GcDecision(GcState state, List<GcEffect> effects) {
    /** Copies the list. */
    public GcDecision {
        effects = List.copyOf(effects);
    }
}
