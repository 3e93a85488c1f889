package io.holdfast.modeswitch;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** {@code ops/bench/simulate}: runs seeds by the million, or one with its trace. */
final class SimulateMain {
    private static final long BATCH = 200;

    private final SimProfile profile;
    private final Rules rules;
    private final AtomicLong next;
    private final AtomicLong done = new AtomicLong();
    private final long end;
    private final SimCounts counts = new SimCounts();
    private @Nullable SimViolation broken;

    private SimulateMain(SimProfile profile, Rules rules, long from, long seeds) {
        this.profile = profile;
        this.rules = rules;
        next = new AtomicLong(from);
        end = from + seeds;
    }

    /** Exit code 0: every seed held; 1: one did not; 2: usage. */
    public static void main(String[] args) throws InterruptedException {
        List<SimProfile> profiles = new ArrayList<>();
        Rules rules = Rules.ALL;
        long seeds = 10_000;
        long from = 1;
        long seed = -1;
        int threads = Runtime.getRuntime().availableProcessors();
        boolean trace = false;
        try {
            for (int i = 0; i < args.length; i++) {
                switch (args[i]) {
                    case "--seeds" -> seeds = Long.parseLong(args[++i]);
                    case "--from" -> from = Long.parseLong(args[++i]);
                    case "--seed" -> seed = Long.parseLong(args[++i]);
                    case "--threads" -> threads = Integer.parseInt(args[++i]);
                    case "--trace" -> trace = true;
                    case "--profile" -> profiles.add(SimProfile.of(args[++i]));
                    case "--without" ->
                            rules = Rules.without(Rule.valueOf(args[++i].toUpperCase(Locale.ROOT)));
                    default -> throw new IllegalArgumentException("Unknown option " + args[i]);
                }
            }
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            System.err.println(e.getMessage() + "; see --help");
            System.exit(2);
        }
        if (profiles.isEmpty()) {
            profiles.addAll(List.of(SimProfile.values()));
        }
        boolean held = true;
        for (SimProfile profile : profiles) {
            held &=
                    seed >= 0
                            ? one(seed, profile, rules, trace)
                            : new SimulateMain(profile, rules, from, seeds).all(from, threads);
        }
        System.exit(held ? 0 : 1);
    }

    private static boolean one(long seed, SimProfile profile, Rules rules, boolean trace) {
        List<String> lines = Simulation.replay(seed, profile, rules);
        for (String line : trace ? lines : lines.subList(lines.size() - 1, lines.size())) {
            System.out.println(line);
        }
        return lines.getLast().startsWith("held");
    }

    private boolean all(long from, int threads) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.ofPlatform().name("simulate-" + i).start(this::work));
        }
        long said = start;
        for (Thread thread : running) {
            while (!thread.join(java.time.Duration.ofMillis(500))) {
                if (System.nanoTime() - said > 10_000_000_000L) {
                    said = System.nanoTime();
                    say(start, "...");
                }
            }
        }
        SimViolation violation = broken;
        say(start, violation == null ? "held" : "BROKEN");
        System.out.println("  seeds " + from + " to " + (from + done.get() - 1) + ": " + counts);
        if (violation != null) {
            System.out.println("  " + violation.getMessage());
        }
        return violation == null;
    }

    private void say(long start, String what) {
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%-8s %s: %,d seeds in %.1f s, %,.0f seeds/s%n",
                profile.word(),
                what,
                done.get(),
                seconds,
                done.get() / seconds);
    }

    private void work() {
        SimCounts mine = new SimCounts();
        while (broken == null) {
            long first = next.getAndAdd(BATCH);
            for (long seed = first; seed < Math.min(first + BATCH, end); seed++) {
                try {
                    mine.add(Simulation.run(seed, profile, rules));
                    done.incrementAndGet();
                } catch (SimViolation e) {
                    report(e);
                    return;
                }
            }
            if (first >= end) {
                break;
            }
        }
        collect(mine);
    }

    private synchronized void collect(SimCounts mine) {
        counts.add(mine);
    }

    private synchronized void report(SimViolation violation) {
        if (broken == null) {
            broken = violation;
        }
    }
}
