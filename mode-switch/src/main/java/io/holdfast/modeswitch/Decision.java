package io.holdfast.modeswitch;

import java.util.List;

/**
 * What a machine decided.
 *
 * @param state its next state; take it only together with the effects
 * @param effects what to do, in this order
 */
public record Decision(SiteState state, List<SiteEffect> effects) {
    /** Copies the list. */
    public Decision {
        effects = List.copyOf(effects);
    }
}
