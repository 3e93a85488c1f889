package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The protocol holds over fixed seeds and a few fresh ones, does something in them, and misses each
 * rule that is removed. More seeds: {@code ops/bench/simulate}.
 */
class SimulationTest {
    /** Over the four profiles. */
    private static final int SEEDS = Integer.getInteger("seeds", 20_000);

    private static final int FRESH = 200;

    private static SimCounts run(SimProfile profile, long from, long seeds) {
        SimCounts all = new SimCounts();
        for (long seed = from; seed < from + seeds; seed++) {
            all.add(Simulation.run(seed, profile, Rules.ALL));
        }
        System.out.println(profile.word() + " seeds " + from + "+" + seeds + ": " + all);
        return all;
    }

    @ParameterizedTest
    @EnumSource
    void noSeedBreaksAnInvariant(SimProfile profile) {
        int seeds = SEEDS / SimProfile.values().length;
        SimCounts all = run(profile, 1, seeds);
        assertThat(all.promotions).as("promotions").isGreaterThan(seeds / 10);
        assertThat(all.switchovers).as("switchovers").isGreaterThan(seeds / 20);
        assertThat(all.fencings).as("fencings").isGreaterThan(seeds / 10);
        assertThat(all.reconciled).as("reconciled").isGreaterThan(seeds / 10);
        assertThat(all.protectedAcks).as("protected acknowledgements").isGreaterThan(seeds);
        assertThat(all.unprotectedAcks).as("unprotected acknowledgements").isGreaterThan(seeds);
        assertThat(all.forcedBesideActive).as("forced beside active").isGreaterThan(seeds / 200);
        assertThat(all.readmissions).as("storages re-admitted").isGreaterThan(seeds / 200);
        assertThat(all.commandsRefused).as("stale commands refused").isGreaterThan(seeds / 200);
        if (profile.witness) {
            assertThat(all.autoFailovers).as("automatic failovers").isGreaterThan(seeds / 200);
            assertThat(all.selfFences).as("leaders fenced themselves").isGreaterThan(seeds / 10);
        }
    }

    @ParameterizedTest
    @EnumSource
    void norDoesAFreshOne(SimProfile profile) {
        run(profile, new java.util.Random().nextLong(1L << 40), FRESH);
    }

    @Test
    void aSeedIsARun() {
        for (SimProfile profile : SimProfile.values()) {
            assertThat(Simulation.replay(7, profile, Rules.ALL))
                    .isEqualTo(Simulation.replay(7, profile, Rules.ALL));
        }
    }

    /** Stops at the first seed that misses the rule. */
    @ParameterizedTest
    @EnumSource(
            names = {
                "EPOCH_CARRIES_SITE",
                "CONFIRM_AFTER_BOOT",
                "FRESH_REPORTS",
                "PERSIST_PROMISE",
                "PERSIST_BEFORE_ANNOUNCE",
                "PROMISE_NAMES_CANDIDATE",
                "READ_QUORUM",
                "SEAL_BEFORE_HANDOVER",
                "ARCHIVE_DIVERGENT",
                "COMMIT_BEFORE_UNPROTECTED",
                "FENCE",
                "ACK_OF_OTHER_SITE",
                "ACK_QUORUM",
                "AGENT_REMEMBERS",
                "SELF_FENCE",
                "DOWN_TIME",
                "WITNESS_AGREES",
                "AUTO_REQUIRES"
            })
    void aRemovedRuleIsMissed(Rule rule) {
        Rules rules = Rules.without(rule);
        for (long seed = 1; seed <= 1_000; seed++) {
            for (SimProfile profile : SimProfile.values()) {
                try {
                    Simulation.run(seed, profile, rules);
                } catch (SimViolation missed) {
                    String first = missed.getMessage().lines().findFirst().orElse("");
                    System.out.printf("%s | %s %d | %s%n", rule, profile.word(), seed, first);
                    return;
                }
            }
        }
        fail(rule + " was not missed by 1,000 seeds of each profile");
    }
}
