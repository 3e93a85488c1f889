package io.holdfast.chunk.gc;

import io.holdfast.standard.Epoch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;

/**
 * What one store's collector remembers. Only {@code fence} is durable; the rest is lost with the
 * process, and {@link GcEvent.Opened} says so.
 *
 * @param config what it was told once
 * @param fence highest epoch whose order was obeyed
 * @param lastRun number of the last mark whose fossils were made
 * @param runs marks that still have fossils, in rising number
 * @param walk the mark under way
 * @param sessions sessions open now
 */
public record GcState(
        Config config,
        Epoch fence,
        long lastRun,
        List<Run> runs,
        Optional<Walk> walk,
        Set<UUID> sessions) {
    /** Most runs that may wait with fossils. */
    public static final int MAX_RUNS = 16;

    /**
     * What a collector is told once.
     *
     * @param grace how long a fossil waits between its first and its second mark
     * @param maxSkew from which disagreement of clocks on nothing is marked or swept
     */
    public record Config(Duration grace, Duration maxSkew) {
        /** 24 hours and 5 minutes. */
        public static final Config DEFAULT =
                new Config(Duration.ofHours(24), Duration.ofMinutes(5));
    }

    /**
     * A mark that has fossils.
     *
     * @param number rising, never used again
     * @param epoch in which it was ordered
     * @param atMicros leader's time when its fossils were made
     * @param sessions those of the sessions open when its fossils were made that are open still
     * @param confirmedBy number of the second mark; empty before it
     */
    public record Run(
            long number, Epoch epoch, long atMicros, Set<UUID> sessions, OptionalLong confirmedBy) {
        /** Copies the set. */
        public Run {
            sessions = sorted(sessions);
        }

        Run without(UUID session) {
            SortedSet<UUID> left = new TreeSet<>(sessions);
            left.remove(session);
            return new Run(number, epoch, atMicros, left, confirmedBy);
        }

        Run confirmed(long by) {
            return new Run(number, epoch, atMicros, sessions, OptionalLong.of(by));
        }
    }

    /**
     * A mark under way.
     *
     * @param number of the run that it becomes
     * @param order the order
     * @param confirms runs for which it is the second mark
     */
    public record Walk(long number, GcEvent.Order order, Set<Long> confirms) {
        /** Copies the set. */
        public Walk {
            confirms = sorted(confirms);
        }
    }

    /** Copies the collections. */
    public GcState {
        runs = List.copyOf(runs);
        sessions = sorted(sessions);
    }

    private static <T> Set<T> sorted(Set<T> set) {
        return set.isEmpty() ? Set.of() : Collections.unmodifiableSet(new TreeSet<>(set));
    }

    /** A store in which nothing was ever marked. */
    public static GcState fresh(Config config, Epoch fence) {
        return new GcState(config, fence, 0, List.of(), Optional.empty(), Set.of());
    }

    /** The numbers of the runs. */
    public Set<Long> numbers() {
        Set<Long> numbers = new TreeSet<>();
        runs.forEach(run -> numbers.add(run.number()));
        return numbers;
    }

    GcState withFence(Epoch epoch) {
        return new GcState(config, epoch, lastRun, runs, walk, sessions);
    }

    GcState withRuns(List<Run> more) {
        return new GcState(config, fence, lastRun, more, walk, sessions);
    }

    GcState withWalk(Optional<Walk> next) {
        return new GcState(config, fence, lastRun, runs, next, sessions);
    }

    GcState withSessions(Set<UUID> open) {
        return new GcState(config, fence, lastRun, runs, walk, open);
    }

    GcState withRun(Run run) {
        List<Run> more = new ArrayList<>(runs);
        more.add(run);
        return new GcState(config, fence, run.number(), more, walk, sessions);
    }
}
