package io.holdfast.modeswitch;

import static io.holdfast.modeswitch.SimProfile.P2;
import static io.holdfast.modeswitch.SimProfile.P2_SMALL;
import static io.holdfast.modeswitch.SimProfile.P3;
import static io.holdfast.modeswitch.SimProfile.P3_SMALL;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Each clause of the protocol is taken away in turn, and the simulation misses it; together they break
 * every invariant, so no check is idle. Prints the table that stands in {@code DESIGN.md}.
 */
class MutationTest {
    private static final int SEEDS = 20_000;

    private static final Set<String> INVARIANTS =
            Set.of(
                    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I13", "I14", "L1", "R1", "R2",
                    "stable");

    /** Where each is missed soonest. */
    private static SimProfile profile(Rule rule) {
        return switch (rule) {
            case EPOCH_CARRIES_SITE,
                    CONFIRM_AFTER_BOOT,
                    FRESH_REPORTS,
                    PERSIST_PROMISE,
                    SEAL_BEFORE_HANDOVER,
                    ARCHIVE_DIVERGENT,
                    COMMIT_BEFORE_UNPROTECTED,
                    ACK_OF_OTHER_SITE,
                    INCARNATION,
                    RESET_MATCH,
                    READMISSION_BARRIER,
                    READ_ADMITTED,
                    CATCHUP_STABLE,
                    MOVE_FROM_SYNC,
                    FORCE_NEEDED,
                    FORCE_FENCED,
                    FORCE_AFTER_BARRIER,
                    CATCHUP_BARRIER,
                    AGENT_REMEMBERS ->
                    P2_SMALL;
            case CONFIRM_ASKS_OWN,
                    PERSIST_BEFORE_ANNOUNCE,
                    PROMISE_NAMES_CANDIDATE,
                    READ_QUORUM,
                    SEAL,
                    FENCE,
                    ACK_QUORUM,
                    ACK_OF_OWN_QUORUM,
                    HANDOVER_DRAINED,
                    NEWEST_LINEAGE_FIRST ->
                    P2;
            case STANDS_IN_LINEAGE,
                    LIVING_STORAGE,
                    FORK_ABOVE_LOG,
                    LATE_TICK,
                    LEASE_DRIFT,
                    FORCE_BESIDE_LEADER,
                    FRESH_AGREEMENT ->
                    P3;
            case BARRIER_BEFORE_HANDOVER,
                    SELF_FENCE,
                    LEASE_WAIT,
                    DOWN_TIME,
                    WITNESS_AGREES,
                    AUTO_REQUIRES ->
                    P3_SMALL;
        };
    }

    /** Whatever comes first; but the barrier's own check must not hide behind that of the time. */
    private static String mustBreak(Rule rule) {
        return rule == Rule.CATCHUP_BARRIER ? "R2" : ".*";
    }

    /** The seeds it took, and what was broken; empty when it was not missed. */
    private static List<String> hunt(Rule rule, SimProfile profile) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                Simulation.run(seed, profile, Rules.without(rule));
            } catch (SimViolation missed) {
                if (!missed.invariant().matches(mustBreak(rule))) {
                    continue;
                }
                String first = String.valueOf(missed.getMessage()).lines().findFirst().orElse("");
                return List.of(Long.toString(seed), missed.invariant(), first);
            }
        }
        return List.of();
    }

    @Test
    void everyRuleIsMissedAndEveryInvariantBroken() {
        List<String> idle = new ArrayList<>();
        Set<String> broken = new TreeSet<>();
        System.out.println("| Rule removed | Profile | Seeds | Broken |");
        for (Rule rule : Rule.values()) {
            List<String> missed = hunt(rule, profile(rule));
            if (missed.isEmpty()) {
                idle.add(rule + " in " + profile(rule).word());
                continue;
            }
            broken.add(missed.get(1));
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %s | %s | %s |%n",
                    rule,
                    profile(rule).word(),
                    missed.get(0),
                    missed.get(2));
        }
        assertThat(idle).as("not missed by %d seeds", SEEDS).isEmpty();
        assertThat(broken).as("invariants broken").containsAll(INVARIANTS);
    }
}
