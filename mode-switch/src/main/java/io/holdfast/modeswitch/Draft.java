package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SiteState.Attempt;
import io.holdfast.modeswitch.SiteState.Stage;
import io.holdfast.standard.Epoch;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The state during one step of {@link SiteMachine}, with the moves that its phases share. */
final class Draft {
    private static final Map<SiteRole, Set<SiteRole>> EDGES = edges();

    final Rules rules;
    SiteConfig config;
    final List<SiteEffect> effects = new ArrayList<>(4);
    SiteRole role;
    Epoch epoch;
    Epoch lineage;
    Epoch promise;
    String promisedTo;
    Epoch seen;
    long round;
    Set<String> confirmations;
    Optional<Attempt> attempt;
    ReplicationState replication;
    boolean caughtUp;
    long silentMillis;
    long waitMillis;
    GroupView group;

    Draft(SiteState state, Rules rules) {
        this.rules = rules;
        config = state.config();
        role = state.role();
        epoch = state.epoch();
        lineage = state.lineage();
        promise = state.promise();
        promisedTo = state.promisedTo();
        seen = state.seen();
        round = state.round();
        confirmations = state.confirmations();
        attempt = state.attempt();
        replication = state.replication();
        caughtUp = state.caughtUp();
        silentMillis = state.silentMillis();
        waitMillis = state.waitMillis();
        group = state.group();
    }

    Decision decision() {
        return new Decision(
                new SiteState(
                        config,
                        role,
                        epoch,
                        lineage,
                        promise,
                        promisedTo,
                        seen,
                        round,
                        confirmations,
                        attempt,
                        replication,
                        caughtUp,
                        silentMillis,
                        waitMillis,
                        group),
                effects);
    }

    void become(SiteRole next) {
        if (!EDGES.getOrDefault(role, Set.of()).contains(next)) {
            throw new IllegalStateException("no transition from " + role + " to " + next);
        }
        role = next;
    }

    /** Becomes it, durably. */
    void settle(SiteRole next, SiteRole durable) {
        become(next);
        persistRole(durable);
    }

    void persistRole(SiteRole durable) {
        effects.add(new SiteEffect.PersistRole(durable, epoch, lineage));
    }

    void raisePromise(Epoch to, String candidate) {
        if (to.compareTo(promise) > 0) {
            promise = to;
            promisedTo = candidate;
            seen = max(seen, to);
            if (rules.has(Rule.PERSIST_PROMISE)) {
                effects.add(new SiteEffect.PersistPromise(to, candidate));
            }
        }
    }

    void closeGate(Epoch below) {
        if (rules.has(Rule.SEAL)) {
            effects.add(new SiteEffect.CloseAckGate(below));
        }
    }

    /** Ends the services, where they run. */
    void stopServices() {
        boolean run =
                role == SiteRole.ACTIVE
                        || (role == SiteRole.DRAINING
                                && attempt.map(Attempt::stage)
                                        .filter(s -> s == Stage.SEAL || s == Stage.HANDOVER)
                                        .isEmpty());
        if (run) {
            effects.add(new SiteEffect.StopServices());
        }
    }

    /** Begins the services of this epoch: T3 and T7. */
    void startServices() {
        confirmations = Set.of();
        attempt = Optional.empty();
        effects.add(new SiteEffect.StartServices(epoch));
        ReplicationPhase.begin(this);
    }

    /** The epoch that follows, for this site or, in a planned move, for the other. */
    Epoch next(io.holdfast.standard.Site owner) {
        return max(seen, promise)
                .successor(
                        rules.has(Rule.EPOCH_CARRIES_SITE)
                                ? owner
                                : io.holdfast.standard.Site.LOCAL);
    }

    boolean at(Stage stage) {
        return attempt.isPresent() && attempt.get().stage() == stage;
    }

    boolean at(Stage stage, Epoch of) {
        return at(stage) && attempt.orElseThrow().epoch().equals(of);
    }

    void refuse(String reason) {
        effects.add(
                new SiteEffect.Refuse(
                        "Refused at "
                                + config.self()
                                + " ("
                                + config.site().word()
                                + "): "
                                + reason));
    }

    void ignore(SiteEvent event) {
        effects.add(new SiteEffect.Ignore(event, role));
    }

    static Epoch max(Epoch a, Epoch b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    static Set<String> plus(Set<String> set, String member) {
        Set<String> more = new TreeSet<>(set);
        more.add(member);
        return more;
    }

    private static Map<SiteRole, Set<SiteRole>> edges() {
        Map<SiteRole, Set<SiteRole>> edges = new EnumMap<>(SiteRole.class);
        edge(
                edges,
                SiteRole.BOOT,
                SiteRole.STANDBY,
                SiteRole.AWAIT_CONFIRM,
                SiteRole.FENCED,
                SiteRole.WITNESS);
        edge(
                edges,
                SiteRole.AWAIT_CONFIRM,
                SiteRole.ACTIVE,
                SiteRole.FENCED,
                SiteRole.SEALING,
                SiteRole.PROMOTING,
                SiteRole.STANDBY);
        edge(
                edges,
                SiteRole.STANDBY,
                SiteRole.SEALING,
                SiteRole.PROMOTING,
                SiteRole.AWAIT_CONFIRM,
                SiteRole.FENCED);
        edge(
                edges,
                SiteRole.SEALING,
                SiteRole.PROMOTING,
                SiteRole.FENCED,
                SiteRole.STANDBY,
                SiteRole.AWAIT_CONFIRM);
        edge(
                edges,
                SiteRole.PROMOTING,
                SiteRole.ACTIVE,
                SiteRole.SEALING,
                SiteRole.FENCED,
                SiteRole.STANDBY,
                SiteRole.AWAIT_CONFIRM);
        edge(
                edges,
                SiteRole.ACTIVE,
                SiteRole.DRAINING,
                SiteRole.FENCED,
                SiteRole.STANDBY,
                SiteRole.AWAIT_CONFIRM);
        edge(
                edges,
                SiteRole.DRAINING,
                SiteRole.ACTIVE,
                SiteRole.SEALING,
                SiteRole.FENCED,
                SiteRole.STANDBY,
                SiteRole.AWAIT_CONFIRM);
        edge(
                edges,
                SiteRole.FENCED,
                SiteRole.RECONCILING,
                SiteRole.SEALING,
                SiteRole.STANDBY,
                SiteRole.AWAIT_CONFIRM,
                SiteRole.WITNESS);
        edge(
                edges,
                SiteRole.RECONCILING,
                SiteRole.STANDBY,
                SiteRole.ACTIVE,
                SiteRole.SEALING,
                SiteRole.FENCED,
                SiteRole.WITNESS);
        edge(edges, SiteRole.WITNESS, SiteRole.FENCED);
        return edges;
    }

    private static void edge(
            Map<SiteRole, Set<SiteRole>> edges, SiteRole from, SiteRole first, SiteRole... more) {
        edges.put(from, EnumSet.of(first, more));
    }
}
