package io.holdfast.chunk.gc;

import io.holdfast.chunk.gc.RetentionPlan.Action;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Which data pieces expire at which site, when each has a retention of its own (G5). Pure. What one site
 * would do by itself says {@link RetentionPlan}, which counts what is still at that site; this puts the two
 * together:
 *
 * <table>
 * <caption>A site's verdict EXPIRE becomes KEEP when one of these fits</caption>
 * <tr><th>site</th><th>when</th><th>rule</th></tr>
 * <tr><td>DR</td><td>local keeps the piece; not when the policy lets DR go first</td><td>G5</td></tr>
 * <tr><td>DR</td><td>local does not keep it, and local's retention would among what DR has: DR would not go first,
 *     but last</td><td>G5</td></tr>
 * <tr><td>either</td><td>the other one keeps the piece, and is not proven to have it</td><td>G6</td></tr>
 * </table>
 *
 * <p>Where the sites have retentions of their own, a piece that the passive site may not have yet counts there for
 * itself alone: it does not take the place of an older one that the site has.
 *
 * <p>A piece that expires at both sites at once needs no proof: nothing of it is to stay. The second
 * line matters when a policy has become longer since local let a piece go.
 *
 * @param verdicts by source, then newest first
 */
public record SiteRetentionPlan(List<Verdict> verdicts) {
    /** Copies the list. */
    public SiteRetentionPlan {
        verdicts = List.copyOf(verdicts);
    }

    /**
     * A data piece, as far as the retentions of both sites ask.
     *
     * @param id its identity
     * @param source as in {@link RetentionPlan.Piece}
     * @param timeMicros as there
     * @param local retention at local of the policy in force for its source
     * @param dr the same at DR
     * @param drMayGoFirst whether that policy lets DR go first
     * @param held whether a legal hold names it
     * @param restorable whether its job ended whole
     * @param proven whether the site that would go on keeping it alone is known to have it
     * @param expiredAt where it has expired before
     */
    public record Piece(
            UUID id,
            String source,
            long timeMicros,
            Retention local,
            Retention dr,
            boolean drMayGoFirst,
            boolean held,
            boolean restorable,
            boolean proven,
            Set<Site> expiredAt) {
        /** Copies the set, and refuses the witness, which keeps nothing. */
        public Piece {
            expiredAt = Set.copyOf(expiredAt);
            if (expiredAt.contains(Site.WITNESS)) {
                throw new FormatException("expired at", "witness", 0, "local or dr");
            }
        }

        /** The same, of which it is another thing whether the other site is known to have it. */
        public Piece withProven(boolean isProven) {
            return new Piece(
                    id,
                    source,
                    timeMicros,
                    local,
                    dr,
                    drMayGoFirst,
                    held,
                    restorable,
                    isProven,
                    expiredAt);
        }
    }

    /** One piece's fate at each site. */
    public record Verdict(Piece piece, RetentionPlan.Verdict local, RetentionPlan.Verdict dr) {
        /** What a site does. */
        public RetentionPlan.Verdict at(Site site) {
            return site == Site.DR ? dr : local;
        }

        /** Where it is to expire now. */
        public Set<Site> expires() {
            Set<Site> sites = new TreeSet<>();
            for (Site site : List.of(Site.LOCAL, Site.DR)) {
                if (at(site).action() == Action.EXPIRE) {
                    sites.add(site);
                }
            }
            return sites;
        }

        /** The sites that keep it. */
        public Set<Site> keeps() {
            Set<Site> sites = new TreeSet<>();
            for (Site site : List.of(Site.LOCAL, Site.DR)) {
                if (at(site).action() == Action.KEEP) {
                    sites.add(site);
                }
            }
            return sites;
        }

        /** What becomes of it as a whole: it stays while a site keeps it. */
        public Action action() {
            return !keeps().isEmpty()
                    ? Action.KEEP
                    : expires().isEmpty() ? Action.GONE : Action.EXPIRE;
        }

        /** Why, in one line. */
        public String reason() {
            return local.action() == dr.action() && local.reason().equals(dr.reason())
                    ? local.reason()
                    : "local: " + local.reason() + "; dr: " + dr.reason();
        }
    }

    /**
     * Plans for all pieces at once.
     *
     * @param nowMicros as in {@link RetentionPlan#of}
     * @param clockTrusted as there
     * @param active the site that takes backups: what is not proven may be there alone
     */
    public static SiteRetentionPlan of(
            List<Piece> pieces, long nowMicros, boolean clockTrusted, Site active) {
        Predicate<Piece> goneAtLocal = p -> p.expiredAt().contains(Site.LOCAL);
        Predicate<Piece> goneAtDr = p -> p.expiredAt().contains(Site.DR);
        Map<UUID, Piece> byId = new HashMap<>();
        pieces.forEach(p -> byId.put(p.id(), p));
        boolean drLacks = active != Site.DR;
        List<RetentionPlan.Verdict> local =
                plan(pieces, Piece::local, goneAtLocal, nowMicros, clockTrusted, !drLacks);
        List<RetentionPlan.Verdict> dr =
                plan(pieces, Piece::dr, goneAtDr, nowMicros, clockTrusted, drLacks);
        List<RetentionPlan.Verdict> localAtDr =
                plan(pieces, Piece::local, goneAtDr, nowMicros, clockTrusted, drLacks);
        List<Verdict> verdicts = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
            // All three are of the same pieces in the same order.
            Piece piece = java.util.Objects.requireNonNull(byId.get(local.get(i).piece().id()));
            verdicts.add(together(piece, local.get(i), dr.get(i), localAtDr.get(i)));
        }
        return new SiteRetentionPlan(verdicts);
    }

    /** Those that expire somewhere now. */
    public List<Verdict> expiring() {
        return verdicts.stream().filter(v -> !v.expires().isEmpty()).toList();
    }

    /** What a site would do by itself; {@code lacks}: it may lack what is not proven. */
    private static List<RetentionPlan.Verdict> plan(
            List<Piece> pieces,
            Function<Piece, Retention> retention,
            Predicate<Piece> gone,
            long nowMicros,
            boolean clockTrusted,
            boolean lacks) {
        Set<UUID> lacking = new HashSet<>();
        pieces.stream()
                .filter(p -> lacks && !p.proven() && p.expiredAt().isEmpty())
                .filter(p -> !p.local().equals(p.dr()))
                .forEach(p -> lacking.add(p.id()));
        List<RetentionPlan.Verdict> verdicts =
                plan(pieces, retention, gone, nowMicros, clockTrusted, Set.of());
        if (lacking.isEmpty()) {
            return verdicts;
        }
        List<RetentionPlan.Verdict> withoutThem =
                plan(pieces, retention, gone, nowMicros, clockTrusted, lacking);
        List<RetentionPlan.Verdict> together = new ArrayList<>();
        String source = "";
        boolean keepsOlder = false;
        for (int i = verdicts.size() - 1; i >= 0; i--) {
            // Both are of the same pieces in the same order: by source, then newest first.
            RetentionPlan.Verdict verdict = verdicts.get(i);
            keepsOlder &= verdict.piece().source().equals(source);
            source = verdict.piece().source();
            if (!lacking.contains(verdict.piece().id())) {
                verdict = withoutThem.get(i);
                keepsOlder |= keeps(verdict);
            } else if (expires(verdict) && keepsOlder) {
                String why = "the site may not have it yet, and keeps an older one";
                verdict = new RetentionPlan.Verdict(verdict.piece(), Action.KEEP, why, why);
            }
            together.add(verdict);
        }
        return together.reversed();
    }

    private static List<RetentionPlan.Verdict> plan(
            List<Piece> pieces,
            Function<Piece, Retention> retention,
            Predicate<Piece> gone,
            long nowMicros,
            boolean clockTrusted,
            Set<UUID> uncounted) {
        return RetentionPlan.of(
                        pieces.stream()
                                .map(p ->
                                        new RetentionPlan.Piece(
                                                p.id(),
                                                p.source(),
                                                p.timeMicros(),
                                                retention.apply(p),
                                                p.held(),
                                                p.restorable() && !uncounted.contains(p.id()),
                                                gone.test(p)))
                                .toList(),
                        nowMicros,
                        clockTrusted)
                .verdicts();
    }

    private static Verdict together(
            Piece piece,
            RetentionPlan.Verdict local,
            RetentionPlan.Verdict dr,
            RetentionPlan.Verdict localAtDr) {
        RetentionPlan.Verdict atDr = dr;
        if (expires(dr) && !(piece.drMayGoFirst() && keeps(local))) {
            if (keeps(local)) {
                atDr = keep(dr, "local keeps it", local.reason(), local.kind());
            } else if (keeps(localAtDr)) {
                atDr = keep(dr, "local's retention keeps it", localAtDr.reason(), localAtDr.kind());
            }
        }
        boolean alone = !piece.proven();
        if (alone && expires(local) && keeps(atDr)) {
            return new Verdict(piece, unproven(local, Site.DR), atDr);
        }
        if (alone && expires(atDr) && keeps(local)) {
            return new Verdict(piece, local, unproven(atDr, Site.LOCAL));
        }
        return new Verdict(piece, local, atDr);
    }

    private static boolean expires(RetentionPlan.Verdict verdict) {
        return verdict.action() == Action.EXPIRE;
    }

    private static boolean keeps(RetentionPlan.Verdict verdict) {
        return verdict.action() == Action.KEEP;
    }

    private static RetentionPlan.Verdict keep(
            RetentionPlan.Verdict verdict, String who, String reason, String kind) {
        return new RetentionPlan.Verdict(
                verdict.piece(), Action.KEEP, who + ": " + reason, who + ": " + kind);
    }

    private static RetentionPlan.Verdict unproven(RetentionPlan.Verdict verdict, Site keeper) {
        String reason =
                "site "
                        + keeper.word()
                        + " is to keep it alone, and is not known to have it (DR_PROTECTED, in its"
                        + " store)";
        return new RetentionPlan.Verdict(verdict.piece(), Action.KEEP, reason, reason);
    }
}
