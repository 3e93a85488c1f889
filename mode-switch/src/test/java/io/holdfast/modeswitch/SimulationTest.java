package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The protocol holds over fixed seeds and a few fresh ones, and everything that can go wrong goes wrong
 * in them. A seed that breaks it prints what happened in it, and the command that replays it.
 * More seeds: {@code ops/bench/simulate}.
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
        assertThat(all.partitions).as("partitions").isGreaterThan(seeds);
        assertThat(all.isolations).as("members cut off").isGreaterThan(seeds);
        assertThat(all.stops).as("processes stopped").isGreaterThan(seeds);
        assertThat(all.crashes).as("crashes").isGreaterThan(seeds / 2);
        assertThat(all.lostWrites).as("writes lost in a crash").isGreaterThan(seeds / 20);
        assertThat(all.wipes).as("storages lost").isGreaterThan(seeds / 20);
        assertThat(all.readmissions).as("storages admitted again").isGreaterThan(seeds / 20);
        assertThat(all.agentCrashes).as("agents crashed").isGreaterThan(seeds);
        assertThat(all.forcedFailovers).as("forced failovers").isGreaterThan(seeds / 4);
        assertThat(all.forcedBesideActive).as("forced beside active").isGreaterThan(seeds / 100);
        assertThat(all.promotions).as("promotions").isGreaterThan(seeds / 4);
        assertThat(all.switchovers).as("planned moves").isGreaterThan(seeds / 100);
        assertThat(all.fencings).as("fencings").isGreaterThan(seeds / 10);
        assertThat(all.reconciled).as("reconciled").isGreaterThan(seeds / 2);
        assertThat(all.divergentEntries).as("entries reported").isGreaterThan(seeds);
        assertThat(all.protectedAcks).as("protected acknowledgements").isGreaterThan(5L * seeds);
        assertThat(all.unprotectedAcks).as("unprotected ones").isGreaterThan(2L * seeds);
        assertThat(all.commandsRefused).as("stale commands refused").isGreaterThan(seeds / 200);
        assertThat(all.refusedCommands).as("operators refused").isGreaterThan(seeds);
        if (!profile.word().endsWith("-small")) {
            assertThat(all.missedLogs).as("logs that were not read").isGreaterThan(seeds / 500);
        }
        if (profile.witness) {
            assertThat(all.autoFailovers).as("automatic failovers").isGreaterThan(seeds / 100);
            assertThat(all.operatorTakeovers).as("takeovers").isGreaterThan(seeds / 50);
            assertThat(all.selfFences).as("leaders fenced themselves").isGreaterThan(seeds / 10);
        }
    }

    @ParameterizedTest
    @EnumSource
    void norDoesAFreshOne(SimProfile profile) {
        run(profile, new Random().nextLong(1L << 40), FRESH);
    }

    /**
     * A member crashes between JoinLineage and PersistRole on its way back from a fork that failed: Raft
     * has the old lineage again, and the disk still names the fork. It must not take an epoch of the one
     * for an epoch of the other, or its acknowledgements stay closed.
     */
    @ParameterizedTest
    @ValueSource(longs = {321_558, 376_354})
    void aCrashOnTheWayBackFromAForkIsNoEnd(long seed) {
        assertThat(Simulation.run(seed, SimProfile.P3, Rules.ALL).seeds).isEqualTo(1);
    }

    /** Both came back from a failed fork to the lineage that had gone on, and were promoted again. */
    @Test
    void aLineageThatWentOnIsNewerThanAForkThatFailed() {
        assertThat(Simulation.run(623_128, SimProfile.P3, Rules.ALL).seeds).isEqualTo(1);
    }

    /** A member has granted, and its storage is lost before the epoch that it granted is active. */
    @Test
    void aPromiseCountsThoughItsStorageIsLostSince() {
        assertThat(Simulation.run(640_636, SimProfile.P2, Rules.ALL).seeds).isEqualTo(1);
    }

    /** What a failing seed prints: the violation, how it came to it, and the command that shows all. */
    @Test
    void aViolationEndsWithItsTraceAndTheCommand() {
        Rules rules = Rules.without(Rule.CONFIRM_ASKS_OWN);
        long seed = 448;
        SimViolation broken =
                catchThrowableOfType(
                        SimViolation.class, () -> Simulation.run(seed, SimProfile.P2, rules));
        List<String> lines = String.valueOf(broken.getMessage()).lines().toList();
        assertThat(broken.invariant()).isEqualTo("I6");
        assertThat(lines.getLast())
                .isEqualTo(
                        "  seed 448; replay: ops/bench/simulate --profile p2 --seed 448 --trace"
                                + " --without CONFIRM_ASKS_OWN");
        List<String> trace = Simulation.replay(seed, SimProfile.P2, rules);
        int told = Math.min(trace.size(), Simulation.TOLD_LINES);
        assertThat(trace.getLast()).isEqualTo("VIOLATION " + lines.getFirst());
        assertThat(lines.subList(lines.size() - 1 - told, lines.size() - 1))
                .allSatisfy(line -> assertThat(line).hasSizeLessThan(250))
                .zipSatisfy(
                        trace.subList(trace.size() - told, trace.size()),
                        (line, traced) ->
                                assertThat("  " + traced)
                                        .startsWith(line.replaceAll("[.]{3}$", "")))
                .anyMatch(
                        line -> line.matches(" +[0-9]+ [ld][123] .*-> SEALING.*OperatorFailover.*"))
                .anyMatch(
                        line -> line.matches(" +[0-9]+ [ld][123] .*-> ACTIVE, epoch.*PeerReport.*"))
                .anyMatch(line -> line.matches(" +[0-9]+ [ld][123] +crashes"));
    }

    @Test
    void aSeedIsARun() {
        for (SimProfile profile : SimProfile.values()) {
            assertThat(Simulation.replay(7, profile, Rules.ALL))
                    .isEqualTo(Simulation.replay(7, profile, Rules.ALL));
        }
    }
}
