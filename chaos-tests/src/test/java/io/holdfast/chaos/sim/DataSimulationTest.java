package io.holdfast.chaos.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.holdfast.chaos.sim.DataSimulation.Counts;
import io.holdfast.chaos.sim.DataSimulation.Violation;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DataSimulationTest {
    private static final long SEEDS = Long.getLong("seeds", 20_000);
    private static final int FRESH = 200;
    static final int STEPS = 400;

    @Test
    void noSeedBreaksAnInvariant() {
        Counts counts = run(1, SEEDS);
        for (String what :
                new String[] {
                    "backups",
                    "expiries",
                    "expiries of one copy",
                    "marks",
                    "sweeps",
                    "deletions",
                    "sweeps frozen or refused",
                    "sweeps too early",
                    "frames deleted",
                    "fossils resurrected",
                    "forced promotions",
                    "planned promotions",
                    "reconciled",
                    "recovered pieces",
                    "rehearsals",
                    "holds",
                    "server crashes",
                    "store crashes",
                    "in sync"
                }) {
            assertTrue(counts.get(what) > SEEDS / 100, what + " is too rare: " + counts);
        }
        assertTrue(counts.get("came to rest") == SEEDS, counts.toString());
    }

    @Test
    void noFreshSeedBreaksAnInvariant() {
        long first = ThreadLocalRandom.current().nextLong(1L << 40);
        System.out.println(FRESH + " fresh seeds from " + first);
        run(first, FRESH);
    }

    private static Counts run(long first, long seeds) {
        Counts all = new Counts();
        LongStream.range(first, first + seeds)
                .parallel()
                .forEach(seed -> all.addAll(DataSimulation.run(seed, Mutation.NONE, STEPS)));
        System.out.println(seeds + " seeds from " + first + ": " + all);
        return all;
    }

    /** Every rule that is left out must be missed, and by the invariant that it serves. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aRuleLeftOutIsCaught(Mutation mutation) {
        Optional<String> caught =
                LongStream.rangeClosed(1, SEEDS)
                        .parallel()
                        .mapToObj(seed -> broken(seed, mutation))
                        .flatMap(Optional::stream)
                        .filter(Pattern.compile(mutation.seen).asPredicate())
                        .findAny();
        if (caught.isEmpty()) {
            fail(mutation + " was not caught by " + SEEDS + " seeds");
        }
        System.out.println(mutation + " caught: " + caught.get());
    }

    private static Optional<String> broken(long seed, Mutation mutation) {
        return message(seed, mutation)
                .map(message -> {
                    List<String> told = message.lines().toList();
                    return told.getFirst() + "; " + told.getLast().strip();
                });
    }

    /** A failing seed says what happened in it, and how to see all of it. */
    @Test
    void aViolationEndsWithItsTraceAndTheCommand() {
        Mutation mutation = Mutation.G2_FOSSIL_NOT_RESURRECTED;
        String message =
                LongStream.rangeClosed(1, SEEDS)
                        .mapToObj(seed -> message(seed, mutation))
                        .flatMap(Optional::stream)
                        .findFirst()
                        .orElseThrow();
        List<String> lines = message.lines().toList();
        String seed = lines.getLast().replaceAll("\\D*(\\d+);.*", "$1");
        assertEquals(
                "  seed %s; replay: ops/bench/simulate-data --seed %s --mutation %s"
                        .formatted(seed, seed, mutation),
                lines.getLast());
        assertEquals("  BROKEN: " + lines.getFirst(), lines.get(lines.size() - 2));
        List<String> trace = DataSimulation.trace(Long.parseLong(seed), mutation, STEPS).reversed();
        assertTrue(lines.size() <= DataSimulation.TOLD_LINES + 3, lines.size() + " lines");
        assertTrue(lines.size() > 10, message);
        for (int i = 0; i < lines.size() - 3; i++) {
            assertEquals("  " + trace.get(i), lines.get(lines.size() - 2 - i));
        }
        assertTrue(Pattern.compile("(?m)^  \\d+ s .*(LOCAL|DR)").matcher(message).find(), message);
    }

    private static Optional<String> message(long seed, Mutation mutation) {
        try {
            DataSimulation.run(seed, mutation, STEPS);
            return Optional.empty();
        } catch (Violation caught) {
            return Optional.of(caught.getMessage());
        }
    }

    @Test
    @EnabledIfSystemProperty(named = "seed", matches = "[0-9]+")
    void replay() {
        Mutation mutation = Mutation.valueOf(System.getProperty("mutation", "NONE"));
        List<String> trace = DataSimulation.trace(Long.getLong("seed", 0), mutation, STEPS);
        trace.forEach(System.out::println);
        assertTrue(!trace.getLast().startsWith("BROKEN"), trace.getLast());
    }
}
