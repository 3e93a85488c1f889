package io.holdfast.modeswitch;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which clauses of the protocol hold; only tests remove one.
 *
 * @param removed those that do not
 */
record Rules(Set<Rule> removed) {
    static final Rules ALL = new Rules(EnumSet.noneOf(Rule.class));

    Rules {
        removed = Collections.unmodifiableSet(removed);
    }

    /** All but one. */
    static Rules without(Rule rule) {
        return new Rules(EnumSet.of(rule));
    }

    boolean has(Rule rule) {
        return removed.isEmpty() || !removed.contains(rule);
    }
}
