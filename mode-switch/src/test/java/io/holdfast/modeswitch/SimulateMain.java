package io.holdfast.modeswitch;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** {@code ops/bench/simulate}: runs seeds by the million, or one with its trace. */
final class SimulateMain {
    private static final long BATCH = 200;
    private static final long PROGRESS_NANOS = 10_000_000_000L;

    private final SimProfile profile;
    private final Rules rules;
    private final AtomicLong next;
    private final AtomicLong done = new AtomicLong();
    private final long from;
    private final long end;
    private final SimCounts counts = new SimCounts();
    private volatile @Nullable SimViolation broken;

    private SimulateMain(SimProfile profile, Rules rules, long from, long seeds) {
        this.profile = profile;
        this.rules = rules;
        this.from = from;
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
        boolean json = false;
        try {
            for (int i = 0; i < args.length; i++) {
                switch (args[i]) {
                    case "--seeds" -> seeds = positive(args[++i]);
                    case "--from" -> from = positive(args[++i]);
                    case "--seed" -> seed = positive(args[++i]);
                    case "--threads" -> threads = (int) positive(args[++i]);
                    case "--trace" -> trace = true;
                    case "--json" -> json = true;
                    case "--profile" -> profiles.add(SimProfile.of(args[++i]));
                    case "--without" -> rules = Rules.without(rule(args[++i]));
                    default -> throw new IllegalArgumentException("Unknown option " + args[i]);
                }
            }
        } catch (IllegalArgumentException e) {
            usage(e.getMessage());
        } catch (ArrayIndexOutOfBoundsException e) {
            usage("A value is missing after " + args[args.length - 1]);
        }
        if (profiles.isEmpty()) {
            profiles.addAll(List.of(SimProfile.values()));
        }
        boolean held = true;
        for (SimProfile profile : profiles) {
            held &=
                    seed >= 0
                            ? one(seed, profile, rules, trace, json)
                            : new SimulateMain(profile, rules, from, seeds).all(threads, json);
        }
        System.exit(held ? 0 : 1);
    }

    private static void usage(@Nullable String why) {
        System.err.println(why + "; see --help");
        System.exit(2);
    }

    private static long positive(String text) {
        try {
            long value = Long.parseLong(text);
            if (value > 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw new IllegalArgumentException("'" + text + "' is no number above 0");
    }

    private static Rule rule(String word) {
        for (Rule rule : Rule.values()) {
            if (rule.name().equalsIgnoreCase(word.replace('-', '_'))) {
                return rule;
            }
        }
        throw new IllegalArgumentException(
                "No rule '" + word + "'; expected one of " + List.of(Rule.values()));
    }

    private static boolean one(
            long seed, SimProfile profile, Rules rules, boolean trace, boolean json) {
        List<String> lines = Simulation.replay(seed, profile, rules);
        boolean held = lines.getLast().startsWith("held");
        int shownLines = trace ? lines.size() : held ? 1 : Simulation.TOLD_LINES;
        List<String> shown = lines.subList(Math.max(0, lines.size() - shownLines), lines.size());
        if (json) {
            System.out.printf(
                    "{\"profile\":%s,\"seed\":%d,\"held\":%b,\"trace\":[%s]}%n",
                    quoted(profile.word()),
                    seed,
                    held,
                    String.join(",", shown.stream().map(SimulateMain::quoted).toList()));
        } else {
            shown.forEach(System.out::println);
            if (!held) {
                System.out.println("  replay: " + Simulation.command(seed, profile, rules));
            }
        }
        return held;
    }

    private boolean all(int threads, boolean json) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.ofPlatform().name("simulate-" + i).start(this::work));
        }
        long said = start;
        for (Thread thread : running) {
            while (!thread.join(Duration.ofMillis(500))) {
                if (System.nanoTime() - said > PROGRESS_NANOS) {
                    said = System.nanoTime();
                    System.err.println(line(start, "..."));
                }
            }
        }
        SimViolation violation = broken;
        if (json) {
            System.out.println(json(start, violation));
        } else {
            System.out.println(line(start, violation == null ? "held" : "BROKEN"));
            System.out.println("  " + counts);
            if (violation != null) {
                System.out.println("  " + violation.getMessage());
            }
        }
        return violation == null;
    }

    private String line(long start, String what) {
        double seconds = (System.nanoTime() - start) / 1e9;
        return String.format(
                Locale.ROOT,
                "%-8s %s: %,d seeds from %,d in %.1f s, %,.0f seeds/s",
                profile.word(),
                what,
                done.get(),
                from,
                seconds,
                done.get() / seconds);
    }

    private String json(long start, @Nullable SimViolation violation) {
        List<String> counted = new ArrayList<>();
        counts.byName().forEach((name, count) -> counted.add(quoted(name) + ":" + count));
        return String.format(
                Locale.ROOT,
                "{\"profile\":%s,\"from\":%d,\"seeds\":%d,\"seconds\":%.1f,\"held\":%b,"
                        + "\"violation\":%s,\"counts\":{%s}}",
                quoted(profile.word()),
                from,
                done.get(),
                (System.nanoTime() - start) / 1e9,
                violation == null,
                violation == null ? "null" : quoted(String.valueOf(violation.getMessage())),
                String.join(",", counted));
    }

    private static String quoted(String text) {
        String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"");
        return '"' + escaped.replace("\n", "\\n") + '"';
    }

    private void work() {
        SimCounts mine = new SimCounts();
        while (broken == null) {
            long first = next.getAndAdd(BATCH);
            for (long seed = first; seed < Math.min(first + BATCH, end) && broken == null; seed++) {
                try {
                    mine.add(Simulation.run(seed, profile, rules));
                    done.incrementAndGet();
                } catch (SimViolation e) {
                    report(e);
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
