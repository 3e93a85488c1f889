package io.holdfast.chunk.gc;

import io.holdfast.chunk.gc.GcState.Run;
import io.holdfast.chunk.gc.GcState.Walk;
import io.holdfast.standard.Epoch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Decides when one store may mark and sweep (DR-PROTOCOL 4.2): {@code step(state, event)} gives the next
 * state and the effects. Pure; the state is the shell's to keep, and two events must not be stepped at
 * once. What every frame is meanwhile stands in {@link Fossils}.
 *
 * <table>
 * <caption>A frame's way; r and s are runs, s after r</caption>
 * <tr><th>from -> to</th><th>when</th><th>rule</th></tr>
 * <tr><td>LIVE -> FOSSIL(r)</td><td>the walk of r did not reach it, it is older than the walk, and no
 *     session pins it</td><td>G2</td></tr>
 * <tr><td>FOSSIL(r) -> LIVE</td><td>a session asks for it, sends it, or commits a piece above it; or a
 *     later walk reaches it</td><td>G2</td></tr>
 * <tr><td>FOSSIL(r) -> LIVE</td><td>the store is opened again</td><td>ours</td></tr>
 * <tr><td>FOSSIL(r) -> FOSSIL(s)</td><td>r is of another epoch than s</td><td>G3</td></tr>
 * <tr><td>FOSSIL(r) -> DELETED</td><td>SweepOrdered, when r is ready and nothing freezes</td><td>G3, G4, G7</td></tr>
 * </table>
 *
 * <table>
 * <caption>r is ready when a second walk s has ended, which was ordered when</caption>
 * <tr><td>grace had passed since r's fossils were made</td><td>G3</td></tr>
 * <tr><td>all sessions open when r's fossils were made had ended</td><td>G3</td></tr>
 * <tr><td>the epoch was that of r, and it is that of the sweep</td><td>G3</td></tr>
 * </table>
 *
 * <p>An order below the fence is refused (G7), and one whose clocks disagree (G3). The sweep is frozen
 * (G4) while the site is not settled, replication has been out of SYNC for longer than grace, the epoch
 * was forced and the peer is not reconciled, or a pin exists. Marking goes on then.
 *
 * <p>Choices beyond the protocol, each forced by the joint simulation or by the code: the sessions of
 * the first mark must have ended before the second one <em>begins</em>, because a commit may believe a
 * proof from before the first; fossils are of one opening of the store, so that a resurrection need not
 * be durable before it is told; clocks are compared at both marks; a mark adopts fossils of other epochs.
 */
public final class GcMachine {
    /** The clauses of G3, G4 and G7; only tests switch one off. */
    record Rules(
            boolean secondMark,
            boolean grace,
            boolean sessionsEnded,
            boolean sameEpoch,
            boolean sameOpening,
            boolean clocks,
            boolean fence,
            boolean freezeUnsettled,
            boolean freezeOutOfSync,
            boolean freezeForced,
            boolean freezePins) {
        static final Rules ALL =
                new Rules(true, true, true, true, true, true, true, true, true, true, true);
    }

    private GcMachine() {}

    /** One step: the same state and event give the same decision. */
    public static GcDecision step(GcState state, GcEvent event) {
        return step(state, event, Rules.ALL);
    }

    static GcDecision step(GcState state, GcEvent event, Rules rules) {
        return switch (event) {
            case GcEvent.Opened e -> only(opened(state, rules));
            case GcEvent.SessionOpened e -> only(state.withSessions(plus(state, e.session())));
            case GcEvent.SessionEnded e -> only(ended(state, e.session()));
            case GcEvent.MarkOrdered e -> mark(state, e.order(), rules);
            case GcEvent.Walked e -> walked(state, e, rules);
            case GcEvent.WalkFailed e -> only(walkFailed(state, e.run()));
            case GcEvent.SweepOrdered e -> sweep(state, e.order(), e.standing(), rules);
            case GcEvent.Emptied e -> only(emptied(state, e.runs()));
        };
    }

    /**
     * Why the fossils of a run cannot be swept now; empty when they can. For people: what {@link
     * GcEvent.SweepOrdered} would be answered.
     */
    public static List<String> obstacles(
            GcState state, long number, GcEvent.Order order, GcEvent.Standing standing) {
        List<String> reasons = new ArrayList<>(refusals(state, order, Rules.ALL));
        reasons.addAll(freezes(state, standing, Rules.ALL));
        for (Run run : state.runs()) {
            if (run.number() == number) {
                unready(state, run, order, Rules.ALL).ifPresent(reasons::add);
            }
        }
        return reasons;
    }

    private static GcDecision only(GcState state) {
        return new GcDecision(state, List.of());
    }

    private static GcState opened(GcState state, Rules rules) {
        List<Run> runs = rules.sameOpening() ? List.of() : state.runs();
        return state.withRuns(runs).withWalk(Optional.empty()).withSessions(Set.of());
    }

    private static Set<UUID> plus(GcState state, UUID session) {
        Set<UUID> sessions = new TreeSet<>(state.sessions());
        sessions.add(session);
        return sessions;
    }

    private static GcState ended(GcState state, UUID session) {
        Set<UUID> sessions = new TreeSet<>(state.sessions());
        sessions.remove(session);
        return state.withSessions(sessions)
                .withRuns(state.runs().stream().map(run -> run.without(session)).toList());
    }

    // ---- marking

    private static GcDecision mark(GcState state, GcEvent.Order order, Rules rules) {
        List<String> reasons = new ArrayList<>(refusals(state, order, rules));
        state.walk().ifPresent(walk -> reasons.add("mark " + walk.number() + " is under way"));
        if (state.runs().size() >= GcState.MAX_RUNS) {
            reasons.add(
                    state.runs().size()
                            + " marks wait to be swept; sweep, or find out what freezes it");
        }
        if (!reasons.isEmpty()) {
            return new GcDecision(state, List.of(new GcEffect.Refuse(reasons)));
        }
        Set<Long> confirms = new TreeSet<>();
        for (Run run : state.runs()) {
            if (run.confirmedBy().isEmpty() && mayConfirm(state, run, order, rules)) {
                confirms.add(run.number());
            }
        }
        long number = state.lastRun() + 1;
        List<GcEffect> effects = new ArrayList<>();
        GcState next = obey(state, order.epoch(), effects);
        effects.add(new GcEffect.Walk(number));
        return new GcDecision(
                next.withWalk(Optional.of(new Walk(number, order, confirms))), effects);
    }

    private static boolean mayConfirm(GcState state, Run run, GcEvent.Order order, Rules rules) {
        return (!rules.grace() || graceLeft(state, run, order) <= 0)
                && (!rules.sessionsEnded() || run.sessions().isEmpty())
                && (!rules.sameEpoch() || run.epoch().equals(order.epoch()));
    }

    private static long graceLeft(GcState state, Run run, GcEvent.Order order) {
        return state.config().grace().toMillis() * 1000 - (order.leaderMicros() - run.atMicros());
    }

    private static GcDecision walked(GcState state, GcEvent.Walked walked, Rules rules) {
        long number = walked.run();
        Walk walk = walk(state, number);
        Set<Long> adopts = new TreeSet<>();
        List<Run> runs = new ArrayList<>();
        for (Run run : state.runs()) {
            if (rules.sameEpoch() && !run.epoch().equals(walk.order().epoch())) {
                adopts.add(run.number());
            } else {
                runs.add(walk.confirms().contains(run.number()) ? run.confirmed(number) : run);
            }
        }
        long lasted = walked.storeMicros() - walk.order().storeMicros();
        Run run =
                new Run(
                        number,
                        walk.order().epoch(),
                        walk.order().leaderMicros() + Math.max(0, lasted),
                        state.sessions(),
                        OptionalLong.empty());
        return new GcDecision(
                state.withRuns(runs).withRun(run).withWalk(Optional.empty()),
                List.of(new GcEffect.Fossilise(number, adopts)));
    }

    private static GcState walkFailed(GcState state, long number) {
        walk(state, number);
        return state.withWalk(Optional.empty());
    }

    private static Walk walk(GcState state, long number) {
        return state.walk()
                .filter(w -> w.number() == number)
                .orElseThrow(() ->
                        new IllegalStateException(
                                "no mark " + number + " is under way, but " + state.walk()));
    }

    // ---- sweeping

    private static GcDecision sweep(
            GcState state, GcEvent.Order order, GcEvent.Standing standing, Rules rules) {
        List<String> reasons = new ArrayList<>(refusals(state, order, rules));
        reasons.addAll(freezes(state, standing, rules));
        if (!reasons.isEmpty()) {
            return new GcDecision(state, List.of(new GcEffect.Refuse(reasons)));
        }
        List<GcEffect> effects = new ArrayList<>();
        GcState next = obey(state, order.epoch(), effects);
        Set<Long> ready = new TreeSet<>();
        List<String> waiting = new ArrayList<>();
        for (Run run : state.runs()) {
            Optional<String> why = unready(state, run, order, rules);
            if (why.isEmpty()) {
                ready.add(run.number());
            } else {
                waiting.add(why.get());
            }
        }
        effects.add(ready.isEmpty() ? new GcEffect.Wait(waiting) : new GcEffect.Delete(ready));
        return new GcDecision(next, effects);
    }

    private static Optional<String> unready(
            GcState state, Run run, GcEvent.Order order, Rules rules) {
        String fossils = "fossils of mark " + run.number();
        if (rules.sameEpoch() && !run.epoch().equals(order.epoch())) {
            return Optional.of(
                    fossils
                            + " are of epoch "
                            + run.epoch()
                            + "; a mark of this epoch counts anew");
        }
        if (run.confirmedBy().isPresent() || !rules.secondMark()) {
            return Optional.empty();
        }
        long left = graceLeft(state, run, order);
        if (left > 0) {
            return Optional.of(fossils + " wait " + left / 1_000_000 + " s more for a second mark");
        }
        if (!run.sessions().isEmpty()) {
            return Optional.of(fossils + " wait for " + run.sessions().size() + " sessions to end");
        }
        return Optional.of(fossils + " wait for a second mark");
    }

    private static List<String> freezes(GcState state, GcEvent.Standing standing, Rules rules) {
        List<String> reasons = new ArrayList<>();
        if (rules.freezeUnsettled() && !standing.settled()) {
            reasons.add("the site is " + standing.role() + " and not settled in this epoch");
        }
        if (rules.freezeOutOfSync()
                && standing.outOfSyncMillis() > state.config().grace().toMillis()) {
            reasons.add(
                    "replication has not been SYNC for "
                            + standing.outOfSyncMillis() / 1000
                            + " s, longer than the grace of "
                            + state.config().grace());
        }
        if (rules.freezeForced() && standing.forced()) {
            reasons.add("the epoch was forced and the other site is not reconciled");
        }
        if (rules.freezePins() && !standing.pins().isEmpty()) {
            reasons.add("pinned by " + String.join(", ", standing.pins()));
        }
        return reasons;
    }

    private static GcState emptied(GcState state, Set<Long> runs) {
        return state.withRuns(
                state.runs().stream().filter(run -> !runs.contains(run.number())).toList());
    }

    // ---- both

    private static List<String> refusals(GcState state, GcEvent.Order order, Rules rules) {
        List<String> reasons = new ArrayList<>();
        if (rules.fence() && order.epoch().compareTo(state.fence()) < 0) {
            reasons.add(
                    "the order is of epoch "
                            + order.epoch()
                            + ", this store obeys "
                            + state.fence());
        }
        if (rules.clocks() && order.skewMillis() >= state.config().maxSkew().toMillis()) {
            reasons.add(
                    "clocks disagree by "
                            + order.skewMillis() / 1000
                            + " s; set them, then order again");
        }
        return reasons;
    }

    private static GcState obey(GcState state, Epoch epoch, List<GcEffect> effects) {
        if (epoch.compareTo(state.fence()) <= 0) {
            return state;
        }
        effects.add(new GcEffect.PersistFence(epoch));
        return state.withFence(epoch);
    }
}
