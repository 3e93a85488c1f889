package io.holdfast.modeswitch;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.holdfast.modeswitch.FailoverSimulation.Counts;
import io.holdfast.modeswitch.FailoverSimulation.Violation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FailoverSimulationTest {
    private static final int SEEDS = Integer.getInteger("seeds", 2000);
    private static final int STEPS = 500;

    @Test
    void noSeedBreaksAnInvariant() {
        Counts all = new Counts();
        for (long seed = 1; seed <= SEEDS; seed++) {
            all.add(FailoverSimulation.run(seed, Rules.ALL, STEPS));
        }
        System.out.println(SEEDS + " seeds: " + all);
        assertTrue(all.activations > SEEDS / 2, all.toString());
        assertTrue(all.confirmations > SEEDS / 2, all.toString());
        assertTrue(all.switchovers > SEEDS / 10, all.toString());
        assertTrue(all.fencings > SEEDS / 2, all.toString());
        assertTrue(all.forcedWhileActive > SEEDS / 20, all.toString());
    }

    @Test
    @EnabledIfSystemProperty(named = "seed", matches = "[0-9]+")
    void replay() {
        FailoverSimulation.run(Long.getLong("seed", 0), Rules.ALL, STEPS);
    }

    /** Each rule that is left out must be missed within as many seeds as the test above runs. */
    @ParameterizedTest
    @EnumSource(
            value = Rule.class,
            names = {
                "EPOCH_CARRIES_SITE",
                "CONFIRM_AFTER_BOOT",
                "PERSIST_PROMISE",
                "READ_QUORUM",
                "FRESH_REPORTS",
                "SEAL_BEFORE_HANDOVER",
                "PERSIST_BEFORE_ANNOUNCE",
                "PROMISE_NAMES_CANDIDATE"
            })
    void removedRuleIsCaught(Rule name) {
        Rules rules = Rules.without(name);
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                FailoverSimulation.run(seed, rules, STEPS);
            } catch (Violation caught) {
                System.out.println(
                        name
                                + " caught by seed "
                                + seed
                                + ": "
                                + caught.getMessage().lines().findFirst().orElse(""));
                return;
            }
        }
        fail(name + " was not caught by " + SEEDS + " seeds");
    }
}
