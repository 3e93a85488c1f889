package io.holdfast.chaos.drill;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a person sees while the drill runs: a line for every phase with its seconds, below it the
 * commands as they could be typed and what came out. Not thread-safe.
 */
final class Screen {
    private static final int WIDTH = 92;

    private final PrintWriter out;
    private final boolean terminal;
    private String folder = "";
    private final long startNanos = System.nanoTime();
    private final List<Phase> phases = new ArrayList<>();
    private final List<String> below = new ArrayList<>();
    private @Nullable String open;
    private long openNanos;

    /** One phase that has ended. */
    record Phase(String name, double seconds) {}

    /**
     * A screen.
     *
     * @param terminal whether a line may be written over while its phase runs
     */
    Screen(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** From now on commands show this folder as {@code $D}. */
    void shorten(String longFolder) {
        folder = longFolder;
    }

    /** A step's heading. */
    void step(int number, String title) {
        end();
        out.println();
        out.printf(Locale.ROOT, "%d  %s%n", number, title);
        out.flush();
    }

    /** Begins a phase, which ends with {@link #end} or with the next one. */
    void phase(String name) {
        end();
        open = name;
        openNanos = System.nanoTime();
        if (terminal) {
            out.print("   " + name + " …");
            out.flush();
        }
    }

    /** Ends the phase: its line with its seconds, then what was told meanwhile. */
    double end() {
        if (open == null) {
            return 0;
        }
        double seconds = (System.nanoTime() - openNanos) / 1e9;
        phases.add(new Phase(open, Units.milli(seconds)));
        String time = Units.seconds(seconds);
        int dots = Math.max(3, WIDTH - 3 - open.length() - time.length() - 2);
        erase();
        out.println("   " + open + " " + ".".repeat(dots) + " " + time);
        open = null;
        below.forEach(out::println);
        below.clear();
        out.flush();
        return seconds;
    }

    /** A command as a person would type it. */
    void command(String line) {
        tell("       $ " + (folder.isEmpty() ? line : line.replace(folder, "$D")));
    }

    /** Something that came out. */
    void fact(String line) {
        tell("       " + line);
    }

    /** A line without indentation, at once. */
    void plain(String line) {
        end();
        out.println(line);
        out.flush();
    }

    private void tell(String line) {
        if (open != null) {
            below.add(line);
        } else {
            out.println(line);
            out.flush();
        }
    }

    /** A phase that did not end well: what was told so far is shown. */
    void abandon() {
        if (open != null) {
            erase();
            out.println("   " + open + " ... NOT DONE");
            below.forEach(out::println);
            below.clear();
            open = null;
            out.flush();
        }
    }

    private void erase() {
        if (terminal) {
            out.print("\r" + " ".repeat(WIDTH) + "\r");
        }
    }

    /** The phases so far, in order. */
    List<Phase> phases() {
        return List.copyOf(phases);
    }

    /** Seconds since the drill began. */
    double elapsed() {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
