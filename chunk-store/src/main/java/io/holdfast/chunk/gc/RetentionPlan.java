package io.holdfast.chunk.gc;

import io.holdfast.standard.Retention;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.IsoFields;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/**
 * Which data pieces expire, each with the reason why it stays or goes. Pure. All times are the active
 * leader's; a client's clock is not among the arguments.
 *
 * <table>
 * <caption>The first line that fits a piece decides</caption>
 * <tr><th>#</th><th>piece</th><th>verdict</th></tr>
 * <tr><td>1</td><td>expired before</td><td>GONE</td></tr>
 * <tr><td>2</td><td>a legal hold names it (G6)</td><td>KEEP</td></tr>
 * <tr><td>3</td><td>the leader's clock is not to be trusted, or the piece is from its future</td><td>KEEP</td></tr>
 * <tr><td>4</td><td>the policy says forever</td><td>KEEP</td></tr>
 * <tr><td>5</td><td>younger than the policy's duration</td><td>KEEP</td></tr>
 * <tr><td>6</td><td>chosen by a count of the policy</td><td>KEEP</td></tr>
 * <tr><td>7</td><td>the newest restorable one of its source</td><td>KEEP</td></tr>
 * <tr><td>8</td><td>any other</td><td>EXPIRE</td></tr>
 * </table>
 *
 * <p>Line 7 goes beyond the protocol: when backups of a source fail for longer than its retention, the
 * last good one must not go by itself. An operator may expire it by name.
 */
public record RetentionPlan(List<Verdict> verdicts) {
    /** Copies the list. */
    public RetentionPlan {
        verdicts = List.copyOf(verdicts);
    }

    /** What is to happen with a piece. */
    public enum Action {
        /** It stays. */
        KEEP,
        /** It is to expire now. */
        EXPIRE,
        /** It has expired before. */
        GONE
    }

    /**
     * A data piece, as far as retention asks.
     *
     * @param id its identity
     * @param source what it is a backup of, for example client and path; pieces of one source are counted together
     * @param timeMicros leader's time at the start of its job, epoch microseconds
     * @param retention of the policy in force for its source
     * @param held whether a legal hold names it
     * @param restorable whether its job ended whole, so that it can stand for its source
     * @param expired whether it has expired before
     */
    public record Piece(
            UUID id,
            String source,
            long timeMicros,
            Retention retention,
            boolean held,
            boolean restorable,
            boolean expired) {}

    /**
     * One piece's fate and why, in words for people.
     *
     * @param reason with what is particular to it, such as a date
     * @param kind the same in words that many pieces share
     */
    public record Verdict(Piece piece, Action action, String reason, String kind) {}

    /**
     * Plans for all pieces at once; verdicts are sorted by source, then newest first.
     *
     * @param nowMicros the leader's time
     * @param clockTrusted false when the clocks of the cluster disagree: nothing expires then
     */
    public static RetentionPlan of(List<Piece> pieces, long nowMicros, boolean clockTrusted) {
        Map<String, List<Piece>> sources = new TreeMap<>();
        for (Piece piece : pieces) {
            sources.computeIfAbsent(piece.source(), s -> new ArrayList<>()).add(piece);
        }
        List<Verdict> verdicts = new ArrayList<>();
        for (List<Piece> source : sources.values()) {
            source.sort(
                    Comparator.comparingLong(Piece::timeMicros)
                            .thenComparing(Piece::id)
                            .reversed());
            Map<UUID, Counted> counted = counted(source, nowMicros);
            for (Piece piece : source) {
                verdicts.add(verdict(piece, counted.get(piece.id()), nowMicros, clockTrusted));
            }
        }
        return new RetentionPlan(verdicts);
    }

    /** Those that expire now. */
    public List<Verdict> expiring() {
        return verdicts.stream().filter(v -> v.action() == Action.EXPIRE).toList();
    }

    private static Verdict verdict(
            Piece piece,
            @org.jspecify.annotations.Nullable Counted counted,
            long nowMicros,
            boolean clockTrusted) {
        Retention retention = piece.retention();
        if (piece.expired()) {
            return new Verdict(piece, Action.GONE, "expired before", "expired");
        }
        if (piece.held()) {
            return keep(piece, "legal hold");
        }
        if (!clockTrusted) {
            return keep(
                    piece, "the clocks of the cluster disagree; nothing expires until they agree");
        }
        if (piece.timeMicros() > nowMicros) {
            return keep(
                    piece,
                    "its time " + at(piece.timeMicros()) + " is in the leader's future",
                    "from the leader's future");
        }
        if (retention.forever()) {
            return keep(piece, "the policy keeps for ever");
        }
        if (retention.keepFor().isPresent()) {
            String kept = "kept for " + Retention.of(retention.keepFor().get());
            long until = piece.timeMicros() + micros(retention.keepFor().get());
            if (nowMicros < until) {
                return keep(piece, kept + ", until " + at(until), kept);
            }
        }
        if (counted != null) {
            return keep(piece, counted.reason(), counted.kind());
        }
        return new Verdict(
                piece, Action.EXPIRE, "no clause of '" + retention + "' keeps it", "expires now");
    }

    private static Verdict keep(Piece piece, String reason) {
        return keep(piece, reason, reason);
    }

    private static Verdict keep(Piece piece, String reason, String kind) {
        return new Verdict(piece, Action.KEEP, reason, kind);
    }

    private record Counted(String reason, String kind) {}

    /** Why pieces of one source are kept by a count; {@code newestFirst} is sorted so. */
    private static Map<UUID, Counted> counted(List<Piece> newestFirst, long nowMicros) {
        List<Piece> candidates =
                newestFirst.stream()
                        .filter(p -> p.restorable() && !p.expired() && p.timeMicros() <= nowMicros)
                        .toList();
        Map<UUID, Counted> reasons = new HashMap<>();
        if (candidates.isEmpty()) {
            return reasons;
        }
        Retention retention = candidates.getFirst().retention();
        String last = "one of the last " + retention.last();
        for (int i = 0; i < Math.min(retention.last(), candidates.size()); i++) {
            reasons.putIfAbsent(candidates.get(i).id(), new Counted(last, last));
        }
        periods(candidates, retention.daily(), "day", LocalDate::toString, reasons);
        periods(candidates, retention.weekly(), "week", RetentionPlan::week, reasons);
        periods(
                candidates,
                retention.monthly(),
                "month",
                d -> "%04d-%02d".formatted(d.getYear(), d.getMonthValue()),
                reasons);
        periods(
                candidates,
                retention.yearly(),
                "year",
                d -> Integer.toString(d.getYear()),
                reasons);
        String newest = "the newest restorable backup of its source";
        reasons.putIfAbsent(
                candidates.getFirst().id(),
                new Counted(newest + "; expire it by name if it shall go", newest));
        return reasons;
    }

    private static String week(LocalDate day) {
        return "%04d-W%02d"
                .formatted(
                        day.get(IsoFields.WEEK_BASED_YEAR),
                        day.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
    }

    /** The newest piece of each of the newest {@code count} periods that have one. */
    private static void periods(
            List<Piece> newestFirst,
            int count,
            String word,
            Function<LocalDate, String> name,
            Map<UUID, Counted> reasons) {
        Set<String> seen = new HashSet<>();
        for (Piece piece : newestFirst) {
            if (seen.size() == count) {
                return;
            }
            String period =
                    name.apply(instant(piece.timeMicros()).atZone(ZoneOffset.UTC).toLocalDate());
            if (seen.add(period)) {
                reasons.putIfAbsent(
                        piece.id(),
                        new Counted(
                                "the newest of " + word + " " + period, "the newest of a " + word));
            }
        }
    }

    private static Instant instant(long micros) {
        return Instant.ofEpochSecond(
                Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1000);
    }

    private static String at(long micros) {
        return instant(micros).toString();
    }

    private static long micros(Duration duration) {
        return duration.toMillis() * 1000;
    }
}
