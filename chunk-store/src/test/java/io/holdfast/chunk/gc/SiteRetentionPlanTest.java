package io.holdfast.chunk.gc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chunk.gc.RetentionPlan.Action;
import io.holdfast.chunk.gc.SiteRetentionPlan.Piece;
import io.holdfast.chunk.gc.SiteRetentionPlan.Verdict;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SiteRetentionPlanTest {
    private static final long NOW = 1_795_348_800_000_000L;
    private static final long DAY = 86_400_000_000L;
    private static final Set<Site> NOWHERE = Set.of();
    private static final Set<Site> LOCAL = Set.of(Site.LOCAL);
    private static final Set<Site> DR = Set.of(Site.DR);
    private static final Set<Site> BOTH = Set.of(Site.LOCAL, Site.DR);

    private static Piece piece(int n, long days, String local, String dr) {
        return new Piece(
                new UUID(1, n),
                "crit:/home",
                NOW - days * DAY,
                Retention.parse(local),
                Retention.parse(dr),
                false,
                false,
                true,
                true,
                NOWHERE);
    }

    private static Piece with(Piece p, boolean first, boolean held, Set<Site> expiredAt) {
        return new Piece(
                p.id(),
                p.source(),
                p.timeMicros(),
                p.local(),
                p.dr(),
                first,
                held,
                p.restorable(),
                p.proven(),
                expiredAt);
    }

    /** The verdict on the last of some pieces, beside a new one of the same policy. */
    private static Verdict verdict(Piece piece) {
        Piece newest = piece(99, 0, piece.local().toString(), piece.dr().toString());
        return SiteRetentionPlan.of(List.of(newest, piece), NOW, true, Site.LOCAL)
                .verdicts()
                .getLast();
    }

    @Test
    void oneRetentionRulesOverBothSitesAsOneSite() {
        List<Piece> pieces = new ArrayList<>();
        List<RetentionPlan.Piece> one = new ArrayList<>();
        for (int n = 0; n < 40; n++) {
            Piece p = piece(n, n, "P3D, weekly 2", "P3D, weekly 2").withProven(n % 2 == 0);
            pieces.add(p);
            one.add(
                    new RetentionPlan.Piece(
                            p.id(), p.source(), p.timeMicros(), p.local(), false, true, false));
        }
        List<RetentionPlan.Verdict> expected = RetentionPlan.of(one, NOW, true).verdicts();
        List<Verdict> verdicts = SiteRetentionPlan.of(pieces, NOW, true, Site.LOCAL).verdicts();
        assertThat(verdicts).extracting(Verdict::local).isEqualTo(expected);
        assertThat(verdicts).extracting(Verdict::dr).isEqualTo(expected);
        assertThat(verdicts).allMatch(v -> v.reason().equals(v.local().reason()));
    }

    @Test
    void localGoesFirstWhereDrKeepsLonger() {
        Verdict verdict = verdict(piece(1, 10, "P3D", "P30D"));
        assertThat(verdict.expires()).isEqualTo(LOCAL);
        assertThat(verdict.keeps()).isEqualTo(DR);
        assertThat(verdict.action()).isEqualTo(Action.KEEP);
        assertThat(verdict.reason())
                .startsWith("local: no clause of 'P3D' keeps it; dr: kept for P30D, until");
    }

    @Test
    void thenDr() {
        Piece gone = with(piece(1, 40, "P3D", "P30D"), false, false, LOCAL);
        assertThat(verdict(gone).expires()).isEqualTo(DR);
        assertThat(verdict(gone).action()).isEqualTo(Action.EXPIRE);
        assertThat(verdict(with(gone, false, false, BOTH)).action()).isEqualTo(Action.GONE);
        assertThat(verdict(piece(1, 40, "P3D", "P30D")).expires()).isEqualTo(BOTH);
    }

    @Test
    void noSiteIsLeftAloneWithWhatItIsNotKnownToHave() {
        Verdict verdict = verdict(piece(1, 10, "P3D", "P30D").withProven(false));
        assertThat(verdict.expires()).isEmpty();
        assertThat(verdict.local().reason()).contains("site dr", "DR_PROTECTED");
        assertThat(verdict(piece(1, 40, "P3D", "P30D").withProven(false)).expires())
                .as("nothing of it is to stay")
                .isEqualTo(BOTH);
        Piece shorter = with(piece(1, 10, "P30D", "P3D"), true, false, NOWHERE);
        assertThat(verdict(shorter).expires()).isEqualTo(DR);
        assertThat(verdict(shorter.withProven(false)).expires()).isEmpty();
    }

    @Test
    void drNeverGoesFirstUnlessThePolicySaysSo() {
        Piece shorter = piece(1, 10, "last 2", "P3D");
        Verdict verdict = verdict(shorter);
        assertThat(verdict.expires()).isEmpty();
        assertThat(verdict.dr().reason()).isEqualTo("local keeps it: one of the last 2");
        assertThat(verdict(with(shorter, true, false, NOWHERE)).expires()).isEqualTo(DR);
    }

    @Test
    void aPolicyThatBecameLongerSavesWhatOnlyDrHas() {
        Piece gone = with(piece(1, 10, "last 2", "P3D"), false, false, LOCAL);
        Verdict verdict = verdict(gone);
        assertThat(verdict.local().action()).isEqualTo(Action.GONE);
        assertThat(verdict.dr().reason())
                .isEqualTo("local's retention keeps it: one of the last 2");
        assertThat(verdict(with(gone, true, false, LOCAL)).expires())
                .as("first is not last")
                .isEmpty();
    }

    private static List<Set<Site>> expires(List<Piece> pieces, Site active) {
        return SiteRetentionPlan.of(pieces, NOW, true, active).verdicts().stream()
                .map(Verdict::expires)
                .toList();
    }

    @Test
    void whatThePassiveSiteMayLackTakesThePlaceOfNothingThere() {
        Piece old = piece(1, 5, "last 1", "last 2");
        Piece middle = piece(2, 3, "last 1", "last 2");
        Piece newest = piece(3, 1, "last 1", "last 2");
        assertThat(expires(List.of(old, middle, newest), Site.LOCAL))
                .containsExactly(NOWHERE, LOCAL, BOTH);
        List<Piece> unshipped = List.of(old, middle, newest.withProven(false));
        assertThat(expires(unshipped, Site.LOCAL)).containsExactly(NOWHERE, LOCAL, LOCAL);
        assertThat(expires(List.of(newest.withProven(false), old), Site.LOCAL))
                .as("it keeps itself, and so does the newest that DR has")
                .containsExactly(NOWHERE, LOCAL);
        // At local, while that is the passive site.
        assertThat(
                        SiteRetentionPlan.of(unshipped, NOW, true, Site.DR).verdicts().stream()
                                .map(v -> v.local().action())
                                .toList())
                .containsExactly(Action.KEEP, Action.KEEP, Action.EXPIRE);
    }

    @Test
    void aLegalHoldKeepsTheLastCopyToo() {
        Piece held = with(piece(1, 400, "P3D", "P30D"), true, true, LOCAL);
        assertThat(verdict(held).expires()).isEmpty();
        assertThat(verdict(held).dr().reason()).isEqualTo("legal hold");
    }

    @Test
    void nothingExpiresByAClockThatIsNotTrusted() {
        List<Piece> pieces = List.of(piece(1, 0, "P3D", "P30D"), piece(2, 10, "P3D", "P30D"));
        assertThat(SiteRetentionPlan.of(pieces, NOW, true, Site.LOCAL).expiring()).hasSize(1);
        assertThat(SiteRetentionPlan.of(pieces, NOW, false, Site.LOCAL).expiring()).isEmpty();
    }

    @Test
    void theWitnessKeepsNothing() {
        assertThatThrownBy(
                        () -> with(piece(1, 1, "P1D", "P1D"), false, false, Set.of(Site.WITNESS)))
                .isInstanceOf(FormatException.class);
    }

    private static String retention(RandomGenerator random) {
        return switch (random.nextInt(5)) {
            case 0 -> "P" + (1 + random.nextInt(40)) + "D";
            case 1 -> "last " + (1 + random.nextInt(9));
            case 2 -> "P" + (1 + random.nextInt(20)) + "D, daily " + (1 + random.nextInt(9));
            case 3 -> "weekly " + (1 + random.nextInt(5)) + ", last " + (1 + random.nextInt(3));
            default -> "forever";
        };
    }

    /**
     * Rounds of a growing source, whose policy changes now and then: no piece is ever gone at DR while local
     * keeps it unless the policy lets DR go first, none loses its only proven copy, nothing held goes anywhere, and planning twice at one
     * time equals once.
     */
    @Test
    void drKeepsWhatLocalKeepsWhateverThePolicies() {
        int atOneSite = 0;
        int everywhere = 0;
        for (long seed = 1; seed <= 150; seed++) {
            RandomGenerator random = new SplittableRandom(seed);
            String local = retention(random);
            String dr = retention(random);
            boolean first = seed % 3 == 0;
            Site active = seed % 2 == 0 ? Site.LOCAL : Site.DR;
            Map<UUID, Set<Site>> expired = new HashMap<>();
            List<Piece> pieces = new ArrayList<>();
            for (int day = 0; day < 60; day++) {
                if (random.nextInt(15) == 0) {
                    local = retention(random);
                    dr = retention(random);
                }
                pieces.add(piece(day, -day, local, dr));
                Retention now = Retention.parse(local);
                Retention nowDr = Retention.parse(dr);
                pieces.replaceAll(p ->
                        new Piece(
                                p.id(),
                                p.source(),
                                p.timeMicros(),
                                now,
                                nowDr,
                                first,
                                random.nextInt(20) == 0,
                                random.nextInt(10) > 0,
                                random.nextInt(4) > 0,
                                expired.getOrDefault(p.id(), NOWHERE)));
                long time = NOW + day * DAY + DAY / 2;
                SiteRetentionPlan plan = SiteRetentionPlan.of(pieces, time, true, active);
                assertThat(plan.verdicts()).hasSameSizeAs(pieces);
                for (Verdict v : plan.verdicts()) {
                    String at = "seed " + seed + " day " + day + ": " + v;
                    boolean goesAtDr = v.dr().action() != Action.KEEP;
                    if (!first && v.local().action() == Action.KEEP) {
                        assertThat(goesAtDr).as(at).isFalse();
                    }
                    if (!v.expires().isEmpty() && v.piece().held()) {
                        throw new AssertionError("held, and expires: " + at);
                    }
                    if (v.expires().size() == 1 && !v.keeps().isEmpty()) {
                        assertThat(v.piece().proven()).as(at).isTrue();
                        atOneSite++;
                    }
                    Set<Site> sites = new TreeSet<>(v.piece().expiredAt());
                    sites.addAll(v.expires());
                    if (sites.size() == 2 && v.piece().expiredAt().size() < 2) {
                        everywhere++;
                    }
                    expired.put(v.piece().id(), sites);
                }
                List<Piece> after =
                        pieces.stream()
                                .map(p ->
                                        with(
                                                p,
                                                first,
                                                p.held(),
                                                expired.getOrDefault(p.id(), NOWHERE)))
                                .toList();
                assertThat(SiteRetentionPlan.of(after, time, true, active).expiring())
                        .as("seed %d day %d", seed, day)
                        .isEmpty();
            }
        }
        assertThat(atOneSite).isGreaterThan(500);
        assertThat(everywhere).isGreaterThan(500);
    }
}
