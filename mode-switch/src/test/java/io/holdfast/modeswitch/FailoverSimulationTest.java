package io.holdfast.modeswitch;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.holdfast.modeswitch.FailoverSimulation.Counts;
import io.holdfast.modeswitch.FailoverSimulation.Violation;
import io.holdfast.modeswitch.SiteMachine.Rules;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "epochWithoutSite,        false,true,true,true,true,true,true,true",
        "bootWithoutConfirmation, true,false,true,true,true,true,true,true",
        "promiseNotPersisted,     true,true,false,true,true,true,true,true",
        "promoteWithoutReadQuorum,true,true,true,false,true,true,true,true",
        "staleReportsCount,       true,true,true,true,false,true,true,true",
        "handoverWithoutSeal,     true,true,true,true,true,false,true,true",
        "announceBeforePersist,   true,true,true,true,true,true,false,true",
        "promiseWithoutCandidate, true,true,true,true,true,true,true,false",
    })
    void removedRuleIsCaught(
            String name,
            boolean site,
            boolean confirm,
            boolean persist,
            boolean quorum,
            boolean fresh,
            boolean seal,
            boolean order,
            boolean candidate) {
        Rules rules = new Rules(site, confirm, persist, quorum, fresh, seal, order, candidate);
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
