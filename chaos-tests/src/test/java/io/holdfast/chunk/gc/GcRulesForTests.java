package io.holdfast.chunk.gc;

import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/** Lets the joint simulation switch off clauses of {@link GcMachine}. */
public final class GcRulesForTests {
    private static final List<String> CLAUSES =
            List.of(
                    "secondMark",
                    "grace",
                    "sessionsEnded",
                    "sameEpoch",
                    "sameOpening",
                    "clocks",
                    "fence",
                    "freezeUnsettled",
                    "freezeOutOfSync",
                    "freezeForced",
                    "freezePins");

    private GcRulesForTests() {}

    /** The machine without these clauses. */
    public static BiFunction<GcState, GcEvent, GcDecision> without(Set<String> clauses) {
        if (!CLAUSES.containsAll(clauses)) {
            throw new IllegalArgumentException(clauses + " are not all of " + CLAUSES);
        }
        boolean[] on = new boolean[CLAUSES.size()];
        for (int i = 0; i < on.length; i++) {
            on[i] = !clauses.contains(CLAUSES.get(i));
        }
        GcMachine.Rules rules =
                new GcMachine.Rules(
                        on[0], on[1], on[2], on[3], on[4], on[5], on[6], on[7], on[8], on[9],
                        on[10]);
        return (state, event) -> GcMachine.step(state, event, rules);
    }
}
