package io.holdfast.standard;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How long data pieces of one source are kept. A piece is kept while at least one clause keeps it.
 * Text form: clauses with commas between, {@code P30D, last 3, daily 7, weekly 4, monthly 12, yearly
 * 5}, each at most once; or {@code forever}.
 *
 * @param keepFor kept this long after the backup, positive; empty when no clause says so
 * @param last how many of the newest are kept
 * @param daily of how many of the newest days (UTC) that have a piece the newest piece is kept
 * @param weekly the same for ISO weeks
 * @param monthly the same for months
 * @param yearly the same for years
 */
public record Retention(
        Optional<Duration> keepFor, int last, int daily, int weekly, int monthly, int yearly) {
    /** Nothing expires. */
    public static final Retention FOREVER = new Retention(Optional.empty(), 0, 0, 0, 0, 0);

    /** Largest count of a clause. */
    public static final int MAX_COUNT = 100_000;

    /** Longest {@code keepFor}: about 300 years, so that microseconds fit. */
    public static final Duration MAX_KEEP = Duration.ofDays(110_000);

    private static final String FORM =
            "clauses such as 'P30D, last 3, daily 7, weekly 4, monthly 12, yearly 5', or 'forever'";

    /** Checks the ranges. */
    public Retention {
        if (keepFor.isPresent()
                && (!keepFor.get().isPositive() || keepFor.get().compareTo(MAX_KEEP) > 0)) {
            throw refuse(keepFor.get().toString(), "a positive duration of at most " + MAX_KEEP);
        }
        for (int count : new int[] {last, daily, weekly, monthly, yearly}) {
            if (count < 0 || count > MAX_COUNT) {
                throw refuse(Integer.toString(count), "a count of 0 to " + MAX_COUNT);
            }
        }
    }

    /** Keeps for a duration alone. */
    public static Retention of(Duration keepFor) {
        return new Retention(Optional.of(keepFor), 0, 0, 0, 0, 0);
    }

    /** Whether nothing ever expires. */
    public boolean forever() {
        return equals(FOREVER);
    }

    /** Whether a count may keep a piece longer than {@link #keepFor}. */
    public boolean counts() {
        return last + daily + weekly + monthly + yearly > 0;
    }

    /** How long a piece is kept at most, when that is known from the start: no count may keep it longer. */
    public Optional<Duration> certainly() {
        return counts() ? Optional.empty() : keepFor;
    }

    /**
     * Whether the words alone say that this lets a piece go which {@code other} still keeps. Counts cannot
     * be compared so: where they decide, the answer is no.
     */
    public boolean isSurelyShorterThan(Retention other) {
        if (other.forever()) {
            return !forever();
        }
        return certainly()
                .flatMap(own -> other.keepFor().map(theirs -> own.compareTo(theirs) < 0))
                .orElse(false);
    }

    /** Reads the text form. @throws FormatException naming the clause */
    public static Retention parse(String text) {
        if (text.strip().equals("forever")) {
            return FOREVER;
        }
        Optional<Duration> keepFor = Optional.empty();
        int[] counts = new int[WORDS.size()];
        for (String part : text.split(",", -1)) {
            String clause = part.strip();
            int space = clause.indexOf(' ');
            if (space < 0) {
                if (keepFor.isPresent()) {
                    throw refuse(clause, "one duration only");
                }
                keepFor = Optional.of(duration(clause));
                continue;
            }
            int word = WORDS.indexOf(clause.substring(0, space));
            if (word < 0) {
                throw refuse(clause, FORM);
            }
            if (counts[word] > 0) {
                throw refuse(clause, "'" + WORDS.get(word) + "' only once");
            }
            counts[word] = count(clause, clause.substring(space + 1).strip());
        }
        return new Retention(keepFor, counts[0], counts[1], counts[2], counts[3], counts[4]);
    }

    private static final List<String> WORDS =
            List.of("last", "daily", "weekly", "monthly", "yearly");

    private static Duration duration(String clause) {
        try {
            Duration duration = Duration.parse(clause);
            if (duration.isPositive() && duration.compareTo(MAX_KEEP) <= 0) {
                return duration;
            }
        } catch (DateTimeParseException e) {
            // told below
        }
        throw refuse(clause, FORM);
    }

    private static int count(String clause, String digits) {
        if (digits.matches("[1-9][0-9]{0,5}") && Integer.parseInt(digits) <= MAX_COUNT) {
            return Integer.parseInt(digits);
        }
        throw refuse(clause, "a count of 1 to " + MAX_COUNT);
    }

    private static FormatException refuse(String text, String expected) {
        return new FormatException("retention", text, 0, expected);
    }

    /** The text form; {@link #parse} reads it. */
    @Override
    public String toString() {
        if (forever()) {
            return "forever";
        }
        List<String> clauses = new ArrayList<>();
        keepFor.ifPresent(d ->
                clauses.add(
                        d.equals(Duration.ofDays(d.toDays()))
                                ? "P" + d.toDays() + "D"
                                : d.toString()));
        int[] counts = {last, daily, weekly, monthly, yearly};
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0) {
                clauses.add(WORDS.get(i) + " " + counts[i]);
            }
        }
        return String.join(", ", clauses);
    }
}
