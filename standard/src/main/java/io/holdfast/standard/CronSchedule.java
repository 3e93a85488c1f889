package io.holdfast.standard;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.time.zone.ZoneOffsetTransition;
import java.util.List;
import java.util.Locale;

/**
 * When a job starts: five fields as cron reads them, {@code minute hour day-of-month month
 * day-of-week}.
 *
 * <ul>
 *   <li>A field is {@code *}, or numbers and ranges {@code a-b} separated by commas, each with an
 *       optional step {@code /n}. Months and days of the week have English names of three letters;
 *       Sunday is 0 or 7.
 *   <li>Where both days are restricted (neither begins with {@code *}), one match is enough.
 *   <li>{@code @hourly}, {@code @daily}, {@code @weekly}, {@code @monthly}, {@code @yearly} are short
 *       for the obvious.
 *   <li>A start that falls into the hour skipped in spring happens at the first minute after the gap,
 *       once. In the hour repeated in autumn it happens once, the first time; a schedule of every
 *       hour goes on as usual.
 * </ul>
 *
 * <p>Pure and immutable; equal when the texts are.
 */
public final class CronSchedule {
    private static final String WHAT = "cron schedule";
    private static final String FORM = "five fields: minute hour day-of-month month day-of-week";
    private static final List<String> MONTHS =
            List.of(
                    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
                    "dec");
    private static final List<String> DAYS =
            List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");
    private static final int[] LONGEST = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    private static final int MAX_DAYS = 366 * 9;

    private final String text;
    private final long minutes;
    private final long hours;
    private final long daysOfMonth;
    private final long months;
    private final long daysOfWeek;
    private final boolean eitherDay;

    private CronSchedule(String text, long[] fields, boolean eitherDay) {
        this.text = text;
        this.minutes = fields[0];
        this.hours = fields[1];
        this.daysOfMonth = fields[2];
        this.months = fields[3];
        this.daysOfWeek = fields[4];
        this.eitherDay = eitherDay;
    }

    /**
     * Reads five fields.
     *
     * @throws FormatException with the position; also when no day of any year can match
     */
    public static CronSchedule parse(String text) {
        String expanded =
                switch (text) {
                    case "@hourly" -> "0 * * * *";
                    case "@daily" -> "0 0 * * *";
                    case "@weekly" -> "0 0 * * 0";
                    case "@monthly" -> "0 0 1 * *";
                    case "@yearly" -> "0 0 1 1 *";
                    default -> text;
                };
        if (text.length() > 1000) {
            throw new FormatException(WHAT, text, 1000, "at most 1000 characters");
        }
        long[] fields = new long[5];
        boolean[] star = new boolean[5];
        int at = 0;
        for (int i = 0; i < 5; i++) {
            while (at < expanded.length() && expanded.charAt(at) == ' ') {
                at++;
            }
            int end = expanded.indexOf(' ', at);
            end = end < 0 ? expanded.length() : end;
            if (at == end) {
                throw new FormatException(WHAT, text, Math.min(at, text.length()), FORM);
            }
            star[i] = expanded.charAt(at) == '*';
            fields[i] =
                    switch (i) {
                        case 0 -> field(expanded, at, end, 0, 59, List.of());
                        case 1 -> field(expanded, at, end, 0, 23, List.of());
                        case 2 -> field(expanded, at, end, 1, 31, List.of());
                        case 3 -> field(expanded, at, end, 1, 12, MONTHS);
                        default -> field(expanded, at, end, 0, 7, DAYS);
                    };
            at = end;
        }
        if (!expanded.substring(at).isBlank()) {
            throw new FormatException(WHAT, text, at, FORM);
        }
        fields[4] = (fields[4] | fields[4] >> 7) & 0x7f;
        boolean eitherDay = !star[2] && !star[4];
        if (!eitherDay && !dayExists(fields[2], fields[3])) {
            throw new FormatException(WHAT, text, 0, "a day of the month that exists");
        }
        return new CronSchedule(text, fields, eitherDay);
    }

    private static boolean dayExists(long days, long months) {
        for (int month = 1; month <= 12; month++) {
            if ((months >> month & 1) != 0 && (days & ((1L << (LONGEST[month] + 1)) - 1)) != 0) {
                return true;
            }
        }
        return false;
    }

    private static long field(String text, int from, int to, int min, int max, List<String> names) {
        long bits = 0;
        int at = from;
        while (at <= to) {
            int comma = text.indexOf(',', at);
            int end = comma < 0 || comma > to ? to : comma;
            bits |= item(text, at, end, min, max, names);
            at = end + 1;
        }
        return bits;
    }

    private static long item(String text, int from, int to, int min, int max, List<String> names) {
        int slash = text.indexOf('/', from);
        int rangeTo = slash < 0 || slash > to ? to : slash;
        int step = 1;
        if (rangeTo < to) {
            step = number(text, rangeTo + 1, to, 1, max, List.of());
        }
        int low;
        int high;
        if (text.substring(from, rangeTo).equals("*")) {
            low = min;
            high = max;
        } else {
            int dash = text.indexOf('-', from);
            boolean range = dash > 0 && dash < rangeTo;
            low = number(text, from, range ? dash : rangeTo, min, max, names);
            high = range ? number(text, dash + 1, rangeTo, min, max, names) : low;
            if (!range && rangeTo < to) {
                high = max;
            }
            if (high < low) {
                throw new FormatException(
                        WHAT, text, from, "a range whose end is not before its" + " beginning");
            }
        }
        long bits = 0;
        for (int value = low; value <= high; value += step) {
            bits |= 1L << value;
        }
        return bits;
    }

    private static int number(String text, int from, int to, int min, int max, List<String> names) {
        String word = text.substring(from, to);
        int name = names.indexOf(word.toLowerCase(Locale.ROOT));
        if (name >= 0) {
            return name + min;
        }
        if (!word.isEmpty()
                && word.length() <= 2
                && word.chars().allMatch(c -> c >= '0' && c <= '9')) {
            int value = Integer.parseInt(word);
            if (value >= min && value <= max) {
                return value;
            }
        }
        throw new FormatException(
                WHAT,
                text,
                from,
                "*, or a number from "
                        + min
                        + " to "
                        + max
                        + (names.isEmpty() ? "" : " or a name such as " + names.get(1)));
    }

    /** The text that was read. */
    public String text() {
        return text;
    }

    /**
     * The first start strictly after a time.
     *
     * @param after any time; the fields are read in its zone
     * @return a whole minute in the same zone
     */
    public ZonedDateTime next(ZonedDateTime after) {
        ZonedDateTime at = after.truncatedTo(ChronoUnit.MINUTES).plusMinutes(1);
        for (int day = 0; day < MAX_DAYS; day++) {
            LocalDate date = at.toLocalDate();
            ZonedDateTime midnight = date.plusDays(1).atStartOfDay(at.getZone());
            if (matchesDay(date)) {
                while (at.isBefore(midnight)) {
                    if (matches(at) || endsGapWithStart(at)) {
                        return at;
                    }
                    at = at.plusMinutes(1);
                }
            } else if (endsGapWithStart(at)) {
                return at;
            }
            at = midnight;
        }
        throw new IllegalStateException("no start of '" + text + "' within nine years of " + after);
    }

    private boolean everyHour() {
        return hours == (1L << 24) - 1;
    }

    private boolean matches(ZonedDateTime at) {
        return matchesTime(at.getHour(), at.getMinute())
                && (everyHour() || at.equals(at.withEarlierOffsetAtOverlap()));
    }

    private boolean matchesTime(int hour, int minute) {
        return (hours >> hour & 1) != 0 && (minutes >> minute & 1) != 0;
    }

    private boolean matchesDay(LocalDate date) {
        boolean dayOfMonth = (daysOfMonth >> date.getDayOfMonth() & 1) != 0;
        boolean dayOfWeek = (daysOfWeek >> date.getDayOfWeek().getValue() % 7 & 1) != 0;
        return (months >> date.getMonthValue() & 1) != 0
                && (eitherDay ? dayOfMonth || dayOfWeek : dayOfMonth && dayOfWeek);
    }

    /** Whether this is the first minute after a gap of local time into which a start falls. */
    private boolean endsGapWithStart(ZonedDateTime at) {
        if (everyHour()) {
            return false;
        }
        ZoneOffsetTransition transition =
                at.getZone().getRules().previousTransition(at.toInstant().plusMillis(1));
        if (transition == null
                || !transition.isGap()
                || !transition.getInstant().equals(at.toInstant())) {
            return false;
        }
        LocalDateTime skipped = transition.getDateTimeBefore();
        while (skipped.isBefore(transition.getDateTimeAfter())) {
            if (matchesDay(skipped.toLocalDate())
                    && matchesTime(skipped.getHour(), skipped.getMinute())) {
                return true;
            }
            skipped = skipped.plusMinutes(1);
        }
        return false;
    }

    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof CronSchedule cron && cron.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
