package io.holdfast.chaos.drill;

import java.util.Locale;

/** Numbers as people read them. */
final class Units {
    private Units() {}

    /** {@code 1.4 GB}; powers of 1000. */
    static String bytes(long count) {
        if (count < 1000) {
            return count + " B";
        }
        double value = count;
        String[] names = {"kB", "MB", "GB", "TB"};
        int unit = -1;
        while (value >= 999.95 && unit < names.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, names[unit]);
    }

    /** {@code 3.2 s}, {@code 2 min 05 s}. */
    static String seconds(double seconds) {
        if (seconds < 0.0995) {
            return String.format(Locale.ROOT, "%.0f ms", seconds * 1000);
        }
        if (seconds < 120) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
    }

    /** {@code 12,345}. */
    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /** {@code 212 MB/s}. */
    static String rate(long bytes, double seconds) {
        return bytes(Math.round(bytes / Math.max(seconds, 0.001))) + "/s";
    }

    /** {@code 1 file}, {@code 3 files}. */
    static String plural(long count, String noun) {
        String ending = count == 1 ? "" : noun.endsWith("s") ? "es" : "s";
        return count(count) + " " + noun + ending;
    }

    /** Rounded to milliseconds, for JSON. */
    static double milli(double seconds) {
        return Math.round(seconds * 1000) / 1000.0;
    }
}
