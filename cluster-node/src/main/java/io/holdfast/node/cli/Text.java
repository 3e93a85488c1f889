package io.holdfast.node.cli;

import io.holdfast.node.api.Moment;
import io.holdfast.node.api.RpoAtRisk;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How numbers, times and tables look to people. */
final class Text {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB"};

    private Text() {}

    /** {@code 999 B}, {@code 1.5 MB}: powers of 1000. */
    static String bytes(long bytes) {
        if (bytes < 0) {
            return "?";
        }
        double value = bytes;
        int unit = 0;
        while (value >= 999.95 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    /** {@code 12,345}. */
    static String count(long number) {
        return number < 0 ? "?" : String.format(Locale.ROOT, "%,d", number);
    }

    /** {@code 0.42 s}, {@code 12.3 s}, {@code 4 m 05 s}, {@code 2 h 10 m}, {@code 3 d 4 h}. */
    static String seconds(double seconds) {
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.2f s", seconds);
        }
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        Duration d = Duration.ofSeconds(Math.round(seconds));
        if (d.toHours() < 1) {
            return String.format(Locale.ROOT, "%d m %02d s", d.toMinutes(), d.toSecondsPart());
        }
        return d.toDays() < 1
                ? String.format(Locale.ROOT, "%d h %02d m", d.toHours(), d.toMinutesPart())
                : d.toDays() + " d " + d.toHoursPart() + " h";
    }

    /** {@code 700 ms} or {@link #seconds}. */
    static String millis(long millis) {
        return millis < 1000 ? millis + " ms" : seconds(millis / 1000.0);
    }

    /** Local time to the second; a dash for none. */
    static String time(@Nullable Moment moment) {
        return moment == null
                ? "-"
                : TIME.format(
                        Instant.EPOCH
                                .plus(moment.micros(), ChronoUnit.MICROS)
                                .atZone(ZoneId.systemDefault()));
    }

    /** {@code : RPO at risk since 2026-11-22T10:00:00Z, 12 changes, 3.4 MB}; nothing for none. */
    static String atRisk(@Nullable RpoAtRisk risk) {
        return risk == null
                ? ""
                : ": RPO at risk since "
                        + Instant.EPOCH
                                .plus(risk.since().micros(), ChronoUnit.MICROS)
                                .truncatedTo(ChronoUnit.SECONDS)
                        + ", "
                        + count(risk.changes())
                        + (risk.changes() == 1 ? " change, " : " changes, ")
                        + bytes(risk.bytes());
    }

    /** {@code -rw-r--r--} of a type and permission bits. */
    static String mode(String type, int mode) {
        char kind =
                switch (type) {
                    case "directory" -> 'd';
                    case "symlink" -> 'l';
                    case "fifo" -> 'p';
                    case "socket" -> 's';
                    case "device" -> 'c';
                    default -> '-';
                };
        StringBuilder text = new StringBuilder().append(kind);
        for (int bit = 8; bit >= 0; bit--) {
            text.append((mode >> bit & 1) == 0 ? '-' : "xwr".charAt(bit % 3));
        }
        return text.toString();
    }

    /** Lines with aligned columns. A header that begins with {@code >} is right-aligned. */
    static final class Table {
        private final List<String> header = new ArrayList<>();
        private final List<Boolean> right = new ArrayList<>();
        private final List<List<String>> rows = new ArrayList<>();

        Table(String... columns) {
            for (String column : columns) {
                right.add(column.startsWith(">"));
                header.add(column.startsWith(">") ? column.substring(1) : column);
            }
        }

        /** Adds a row of as many cells as there are columns. */
        void row(String... cells) {
            if (cells.length != header.size()) {
                throw new IllegalArgumentException(cells.length + " cells");
            }
            rows.add(List.of(cells));
        }

        boolean isEmpty() {
            return rows.isEmpty();
        }

        @Override
        public String toString() {
            int[] width = new int[header.size()];
            List<List<String>> all = new ArrayList<>();
            all.add(header);
            all.addAll(rows);
            for (List<String> row : all) {
                for (int i = 0; i < width.length; i++) {
                    width[i] = Math.max(width[i], length(row.get(i)));
                }
            }
            StringBuilder text = new StringBuilder();
            for (List<String> row : all) {
                StringBuilder line = new StringBuilder();
                for (int i = 0; i < width.length; i++) {
                    String pad = " ".repeat(width[i] - length(row.get(i)));
                    line.append(i == 0 ? "" : "  ")
                            .append(right.get(i) ? pad + row.get(i) : row.get(i) + pad);
                }
                text.append(line.toString().stripTrailing()).append('\n');
            }
            return text.toString();
        }

        private static int length(String cell) {
            return cell.codePointCount(0, cell.length());
        }
    }
}
