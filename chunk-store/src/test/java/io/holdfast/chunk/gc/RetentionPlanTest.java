package io.holdfast.chunk.gc;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.gc.RetentionPlan.Action;
import io.holdfast.chunk.gc.RetentionPlan.Piece;
import io.holdfast.chunk.gc.RetentionPlan.Verdict;
import io.holdfast.standard.Retention;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class RetentionPlanTest {
    private static final long NOW = micros("2026-11-22T12:00:00Z");
    private static final long DAY = 86_400_000_000L;

    private static long micros(String time) {
        Instant instant = Instant.parse(time);
        return instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1000;
    }

    private static Piece piece(int n, long time, String retention) {
        return new Piece(
                new UUID(1, n), "crit:/home", time, Retention.parse(retention), false, true, false);
    }

    private static List<Integer> kept(List<Piece> pieces) {
        return RetentionPlan.of(pieces, NOW, true).verdicts().stream()
                .filter(v -> v.action() == Action.KEEP)
                .map(v -> (int) v.piece().id().getLeastSignificantBits())
                .sorted()
                .toList();
    }

    /** One piece a day, number n being n days old. */
    private static List<Piece> daily(int days, String retention) {
        List<Piece> pieces = new ArrayList<>();
        for (int n = 0; n < days; n++) {
            pieces.add(piece(n, NOW - n * DAY, retention));
        }
        return pieces;
    }

    @Test
    void aDurationKeepsWhatIsYounger() {
        assertThat(kept(daily(10, "P3D"))).containsExactly(0, 1, 2);
    }

    @Test
    void theLastOnesAreCounted() {
        assertThat(kept(daily(10, "last 4"))).containsExactly(0, 1, 2, 3);
    }

    @Test
    void grandfathersKeepTheNewestOfEachPeriod() {
        // 2026-11-22 is a Sunday; weeks end on Sundays, months at 31 October and 30 September.
        assertThat(kept(daily(400, "daily 2, weekly 3, monthly 3, yearly 2")))
                .containsExactly(0, 1, 7, 14, 22, 53, 326);
    }

    @Test
    void theNewestRestorableOneStaysWhenBackupsHaveFailedForLong() {
        Piece good = piece(1, NOW - 90 * DAY, "P30D");
        Piece broken =
                new Piece(
                        new UUID(1, 2),
                        "crit:/home",
                        NOW - 80 * DAY,
                        Retention.parse("P30D"),
                        false,
                        false,
                        false);
        List<Verdict> verdicts = RetentionPlan.of(List.of(good, broken), NOW, true).verdicts();
        assertThat(verdicts)
                .extracting(Verdict::action)
                .containsExactly(Action.EXPIRE, Action.KEEP);
        assertThat(verdicts.get(1).reason()).contains("newest restorable");
    }

    @Test
    void aLegalHoldBeatsAll() {
        Piece held =
                new Piece(
                        new UUID(1, 9),
                        "crit:/home",
                        NOW - 1000 * DAY,
                        Retention.parse("P1D"),
                        true,
                        false,
                        false);
        assertThat(RetentionPlan.of(List.of(piece(1, NOW, "P1D"), held), NOW, true).expiring())
                .isEmpty();
    }

    @Test
    void nothingExpiresByAClockThatIsNotTrusted() {
        assertThat(RetentionPlan.of(daily(10, "P3D"), NOW, false).expiring()).isEmpty();
    }

    @Test
    void aPieceFromTheFutureExpiresNothing() {
        // A clock that ran ahead recorded it; the newest true one must still stand for its source.
        List<Piece> pieces =
                List.of(piece(1, NOW + 400 * DAY, "last 1"), piece(2, NOW - DAY, "last 1"));
        assertThat(RetentionPlan.of(pieces, NOW, true).expiring()).isEmpty();
    }

    @Test
    void sourcesAreCountedApart() {
        Piece other =
                new Piece(
                        new UUID(1, 7),
                        "crit:/etc",
                        NOW - 50 * DAY,
                        Retention.parse("last 1"),
                        false,
                        true,
                        false);
        assertThat(RetentionPlan.of(List.of(piece(1, NOW, "last 1"), other), NOW, true).expiring())
                .isEmpty();
    }

    /** What expired stays expired, and planning again expires nothing that was kept at this time. */
    @Test
    void planningTwiceAtOneTimeEqualsOnce() {
        RandomGenerator random = new SplittableRandom(7);
        for (int round = 0; round < 300; round++) {
            String retention =
                    "PT"
                            + (1 + random.nextInt(2000))
                            + "H, last "
                            + (1 + random.nextInt(5))
                            + ", daily "
                            + (1 + random.nextInt(9))
                            + ", weekly "
                            + (1 + random.nextInt(5));
            List<Piece> pieces = new ArrayList<>();
            for (int n = 0; n < 60; n++) {
                pieces.add(piece(n, NOW - random.nextLong(200 * DAY), retention));
            }
            RetentionPlan first = RetentionPlan.of(pieces, NOW, true);
            List<Piece> after =
                    first.verdicts().stream()
                            .map(v ->
                                    new Piece(
                                            v.piece().id(),
                                            v.piece().source(),
                                            v.piece().timeMicros(),
                                            v.piece().retention(),
                                            false,
                                            true,
                                            v.action() != Action.KEEP))
                            .toList();
            assertThat(first.expiring()).isNotEmpty();
            assertThat(RetentionPlan.of(after, NOW, true).expiring()).isEmpty();
        }
    }
}
