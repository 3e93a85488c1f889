package io.holdfast.node.server;

import com.google.protobuf.ByteString;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.modeswitch.SiteEffect;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.modeswitch.SiteState;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.StepView;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Draining;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The operators' commands that change the active site, and the parts of a change that write into the
 * cluster's record. One command at a time; a repeated one (same operation id) gets the same answer.
 */
final class SiteOperations {
    private static final Duration COMMAND_LIMIT = MoveLimits.REST;
    private static final Duration LOOK = Duration.ofMillis(50);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(1);
    private static final String TAKEN_BACK =
            "the record does not wait for this switchover any more: another leader has taken it back."
                    + " Run switchover again";
    private static final String COORDINATOR = " coordinator=";

    private final String self;
    private final String host;
    private final Site site;
    private final SitePorts.Log log;
    private final SitePorts.Sightings watch;
    private final SitePorts.Steps actions;
    private final SitePorts.Services services;
    private final Supplier<Mbr> mbr;
    private @Nullable SiteController controller;
    private @Nullable Running running;
    private @Nullable Running finished;

    /** A command under way. */
    private static final class Running {
        final UUID operation;
        final String reason;
        final String operator;
        final Epoch from;
        final UUID fromLineage;
        final MoveLimits limits;
        final Set<UUID> stopped = new TreeSet<>();
        volatile @Nullable String gaveUp;
        final long startNanos = System.nanoTime();
        final List<StepView> steps = new ArrayList<>();
        final CompletableFuture<Epoch> done = new CompletableFuture<>();
        long lastNanos = startNanos;

        Running(
                UUID operation,
                String reason,
                String operator,
                Epoch from,
                UUID fromLineage,
                MoveLimits limits) {
            this.operation = operation;
            this.reason = reason;
            this.operator = operator;
            this.from = from;
            this.fromLineage = fromLineage;
            this.limits = limits;
        }

        synchronized void step(String name, String detail) {
            long now = System.nanoTime();
            steps.add(new StepView(name, (now - lastNanos) / 1_000_000, detail));
            lastNanos = now;
        }

        synchronized List<StepView> steps() {
            return List.copyOf(steps);
        }

        synchronized MoveView soFar(String doing) {
            long millis = (System.nanoTime() - lastNanos) / 1_000_000;
            return new MoveView(operation, steps, doing, millis);
        }
    }

    SiteOperations(
            String self,
            String host,
            Site site,
            SitePorts.Log log,
            SitePorts.Sightings watch,
            SitePorts.Steps actions,
            SitePorts.Services services,
            Supplier<Mbr> mbr) {
        this.self = self;
        this.host = host;
        this.site = site;
        this.log = log;
        this.watch = watch;
        this.actions = actions;
        this.services = services;
        this.mbr = mbr;
    }

    void bind(SiteController newController) {
        controller = newController;
    }

    private SiteController controller() {
        SiteController bound = controller;
        if (bound == null) {
            throw new IllegalStateException("not bound to its controller");
        }
        return bound;
    }

    // ---------------------------------------------------------------- pre-flight

    PreflightView preflight() {
        if (site == Site.WITNESS) {
            throw refusal("a witness stores no backup and is never active");
        }
        watch.round();
        SiteState state = controller().state();
        ClusterState cluster = log.state();
        Lookup lookup = Lookup.in(cluster);
        List<String> refusals = new ArrayList<>();
        List<String> seen = new ArrayList<>();
        PreflightView.Verdict verdict = PreflightView.Verdict.ALLOWED;
        for (PeerWatch.Seen peer : watch.of(site.peer())) {
            seen.add(sighting(peer));
            if (peer.reachable() && verdict == PreflightView.Verdict.ALLOWED) {
                verdict = PreflightView.Verdict.NEEDS_FORCE;
                refusals.add(
                        "Node "
                                + peer.node().id()
                                + " of site "
                                + site.peer().word()
                                + " answers. Use switchover for a planned move, or --force if that"
                                + " site must not go on");
            }
        }
        Optional<String> force = onlyByForce(state);
        if (force.isPresent()) {
            verdict = PreflightView.Verdict.NEEDS_FORCE;
            refusals.addFirst(force.get());
        }
        Optional<String> never = neverHere(state);
        if (never.isPresent()) {
            verdict = PreflightView.Verdict.REFUSED;
            refusals.addFirst(never.get());
        }
        Epoch highest = highest(state);
        return new PreflightView(
                self,
                site.word(),
                state.role().name(),
                controller().epoch().toString(),
                highest.successor(site).toString(),
                verdict,
                refusals,
                seen,
                cluster.repl().mode().name(),
                cluster.repl().sinceMicros() == 0
                        ? null
                        : io.holdfast.node.api.Moment.of(cluster.repl().sinceMicros()),
                watch.lastContactMicros().map(io.holdfast.node.api.Moment::of).orElse(null),
                Views.ledgerAhead(cluster, watch.lastContactMicros()),
                Views.goOn(lookup, site),
                Views.suspended(lookup, site),
                Views.unmapped(lookup, site));
    }

    private Epoch highest(SiteState state) {
        Epoch highest = state.seen();
        for (PeerWatch.Seen peer : watch.all()) {
            Optional<Epoch> promise = peer.description().flatMap(SiteDescription::promise);
            if (promise.isPresent() && promise.get().compareTo(highest) > 0) {
                highest = promise.get();
            }
        }
        return highest;
    }

    /** Why not even force helps: this node stands at no site of the MBR, or is active already. */
    private Optional<String> neverHere(SiteState state) {
        boolean listed =
                mbr.get().nodes(site).stream()
                        .anyMatch(n -> n.id().equals(self) && n.host().equals(host));
        if (!listed) {
            return Optional.of(
                    "The MBR does not list node "
                            + self
                            + " at "
                            + host
                            + " under site "
                            + site.word()
                            + ": only a node whose own address stands there may take over. Correct"
                            + " the node's configuration, or the MBR");
        }
        if (!log.state().isSeeded()) {
            return Optional.of(
                    "This node has never received the cluster's record: there is nothing to take"
                            + " over");
        }
        return switch (state.role()) {
            case STANDBY, AWAIT_CONFIRM, FENCED, RECONCILING -> Optional.empty();
            case DRAINING ->
                    handsOver(state)
                            ? Optional.empty()
                            : Optional.of(
                                    "This site is DRAINING for a switchover; run failover at the"
                                            + " other one, or wait until the switchover ends");
            case ACTIVE -> Optional.of("This site is ACTIVE already, in epoch " + state.epoch());
            case WITNESS -> Optional.of("A witness stores no backup and is never active");
            case BOOT, SEALING, PROMOTING ->
                    Optional.of(
                            "This site is "
                                    + state.role()
                                    + "; wait until it is STANDBY (see: holdfast status)");
        };
    }

    /** Past the barrier of a planned move: from there only force takes it back (T8f). */
    private static boolean handsOver(SiteState state) {
        return state.role() == SiteRole.DRAINING
                && !state.group().stretched()
                && state.attempt()
                        .map(SiteState.Attempt::stage)
                        .filter(s -> s == SiteState.Stage.SEAL || s == SiteState.Stage.HANDOVER)
                        .isPresent();
    }

    /** What force costs beyond the other site's answer: T5f, T8f. */
    private static Optional<String> onlyByForce(SiteState state) {
        return switch (state.role()) {
            case FENCED, RECONCILING ->
                    Optional.of(
                            "This site is "
                                    + state.role()
                                    + " below epoch "
                                    + state.promise()
                                    + ". Let it join the active site. If that is lost for good,"
                                    + " --force goes on from what this site has; what only the"
                                    + " other one acknowledged is missing until it returns");
            case DRAINING ->
                    Optional.of(
                            "This site hands over to the other one. If that is lost, --force takes"
                                    + " the switchover back in a new epoch");
            case BOOT, AWAIT_CONFIRM, STANDBY, ACTIVE, SEALING, PROMOTING, WITNESS ->
                    Optional.empty();
        };
    }

    private static String sighting(PeerWatch.Seen peer) {
        String who = peer.node().id() + " at " + peer.node().host() + ":" + peer.node().sitePort();
        if (!peer.reachable()) {
            return who + " does not answer";
        }
        return who
                + " answers: "
                + peer.description()
                        .map(d ->
                                d.state()
                                        + ", promise "
                                        + d.promise().map(Epoch::toString).orElse("none"))
                        .orElse("");
    }

    // ---------------------------------------------------------------- failover

    FailoverView failover(Requests.Failover request) {
        if (site == Site.WITNESS) {
            throw refusal("a witness stores no backup and is never active");
        }
        Running mine =
                begin(
                        request.operation(),
                        "failover: " + request.reason(),
                        request.operator(),
                        request.force() && handsOver(controller().state()),
                        MoveLimits.DEFAULT);
        if (!mine.done.isDone() && mine.steps().isEmpty()) {
            PreflightView before = preflight();
            mine.step("pre-flight", String.join("; ", before.seen()));
            if (before.verdict() == PreflightView.Verdict.REFUSED
                    || before.verdict() == PreflightView.Verdict.NEEDS_FORCE && !request.force()) {
                fail(mine, refusal(String.join("; ", before.refusals())));
            } else {
                List<SiteEvent.Sight> sights =
                        watch.of(site.peer()).stream()
                                .filter(PeerWatch.Seen::reachable)
                                .flatMap(p -> p.description().stream())
                                .map(d ->
                                        new SiteEvent.Sight(
                                                d.node(),
                                                SiteRole.valueOf(d.state()),
                                                d.promise().orElse(mine.from)))
                                .toList();
                controller().post(new SiteEvent.OperatorFailover(request.force(), sights));
            }
        }
        Epoch opened = await(mine, "failover", COMMAND_LIMIT);
        ClusterState state = log.state();
        Lookup lookup = Lookup.in(state);
        return new FailoverView(
                mine.operation,
                mine.steps(),
                mine.steps().stream().mapToLong(StepView::millis).sum(),
                mine.from.toString(),
                opened.toString(),
                mine.fromLineage,
                log.lineage(),
                Views.lossLedger(state, watch.lastContactMicros()),
                Views.rewritten(lookup),
                Views.goOn(lookup, site),
                Views.suspended(lookup, site));
    }

    private ApiException refusal(String message) {
        SiteController c = controller();
        return new ApiException(
                ApiException.Kind.REFUSED,
                "Refused at node " + self + ": " + message,
                "See: holdfast status",
                c.epoch().toString(),
                c.role(),
                null);
    }

    /**
     * @param takesBack whether a planned move that only waits for the other site ends because of it
     */
    private synchronized Running begin(
            @Nullable UUID wanted,
            String reason,
            String operator,
            boolean takesBack,
            MoveLimits limits) {
        UUID operation = wanted == null ? UUID.randomUUID() : wanted;
        Running last = finished;
        if (last != null && last.operation.equals(operation)) {
            return last;
        }
        Running now = running;
        if (now != null && !now.done.isDone()) {
            if (now.operation.equals(operation)) {
                return now;
            }
            if (takesBack) {
                fail(now, refusal("it was taken back by a forced failover"));
                return begun(operation, reason, operator, limits);
            }
            throw refusal("another change of the active site is under way (" + now.reason + ")");
        }
        return begun(operation, reason, operator, limits);
    }

    private synchronized Running begun(
            UUID operation, String reason, String operator, MoveLimits limits) {
        SiteController c = controller();
        Running next =
                new Running(operation, reason, operator, c.state().epoch(), log.lineage(), limits);
        running = next;
        return next;
    }

    private static void fail(Running mine, RuntimeException why) {
        mine.done.completeExceptionally(why);
    }

    private Epoch await(Running mine, String what, Duration limit) {
        try {
            return mine.done.get(limit.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ApiException api) {
                throw api;
            }
            throw new ApiException(
                    ApiException.Kind.FAILED,
                    "The " + what + " failed: " + e.getMessage(),
                    "See: holdfast status, and the log of node " + self);
        } catch (TimeoutException e) {
            throw new ApiException(
                    ApiException.Kind.UNKNOWN,
                    "The " + what + " did not end within " + limit.toSeconds() + " s",
                    "See: holdfast status; repeat with the same operation id " + mine.operation);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.UNKNOWN,
                    "Interrupted during the " + what,
                    "See: holdfast status");
        }
    }

    // ---------------------------------------------------------------- asked meanwhile

    /** How far a command is; empty when it is none of the newest two. Waits for nothing. */
    Optional<MoveView> move(UUID operation) {
        return known(operation).map(c -> c.soFar(doing(c, controller().state())));
    }

    private synchronized Optional<Running> known(UUID operation) {
        return Stream.of(Optional.ofNullable(running), Optional.ofNullable(finished))
                .flatMap(Optional::stream)
                .filter(c -> c.operation.equals(operation))
                .findFirst();
    }

    private static String doing(Running command, SiteState state) {
        return switch (command.done.state()) {
            case RUNNING ->
                    state.attempt().map(SiteState.Attempt::stage).map(s -> words(s)).orElse("");
            case SUCCESS -> "waits until the new epoch is served";
            case FAILED, CANCELLED -> "";
        };
    }

    private static String words(SiteState.Stage stage) {
        return switch (stage) {
            case PROMISES, SEAL -> "collects promises";
            case TAILS -> "reads the logs";
            case LINEAGE -> "opens the lineage";
            case COMMIT, TAKEOVER, HANDOVER -> "commits the change of epoch";
            case WITNESS -> "asks the witness";
            case LEASE -> "waits until the old leader's lease is over";
            case JOBS -> "waits until no job runs";
            case BARRIER -> "waits until the other site is level";
        };
    }

    // ---------------------------------------------------------------- told by the controller

    void step(String name, String detail) {
        Running now = current();
        if (now != null) {
            now.step(name, detail);
        }
    }

    private synchronized @Nullable Running current() {
        return running;
    }

    void refused(String reason) {
        Running now = current();
        if (now != null && !now.done.isDone()) {
            fail(now, refusal(reason));
        }
    }

    void failed(Object what, Throwable why) {
        Running now = current();
        boolean own =
                !(what instanceof SiteEffect.CommitReplication)
                        && !what.toString().startsWith("promise of ")
                        && !what.equals("replication state")
                        && !what.equals("catch-up")
                        && !what.equals("reconcile");
        if (now != null && !now.done.isDone() && own) {
            fail(now, new IllegalStateException(what + ": " + why.getMessage(), why));
        }
    }

    /** After each step of the machine. */
    void advanced(SiteState before, SiteState after, SiteEvent event) {
        Running now = current();
        if (now == null || now.done.isDone() || before.role() == after.role()) {
            return;
        }
        if (before.role() == SiteRole.DRAINING && handedOver(before, after)) {
            finish(now, after.promise());
            return;
        }
        switch (after.role()) {
            case SEALING -> now.step("seal", "collects promises for the new epoch");
            case PROMOTING ->
                    now.step(
                            before.role() == SiteRole.SEALING ? "promises" : "lease",
                            before.role() == SiteRole.SEALING
                                    ? "durable on a quorum: " + promises(after)
                                    : "waits until that of the old leader is over");
            case ACTIVE -> {
                boolean taken =
                        before.role() == SiteRole.PROMOTING
                                || before.role() == SiteRole.AWAIT_CONFIRM
                                        && after.epoch().compareTo(now.from) > 0;
                // A move that was given up ends with its abort: until then the record drains.
                if (taken) {
                    finish(now, after.epoch());
                }
            }
            case FENCED, RECONCILING ->
                    fail(now, refusal("a higher epoch was seen: " + after.promise()));
            case BOOT, AWAIT_CONFIRM, STANDBY, DRAINING, WITNESS -> {}
        }
    }

    private String notLevel(Running now) {
        int pieces = log.state().unprotectedPieces().size();
        return "the other site did not draw level within "
                + now.limits.barrier().toSeconds()
                + " s"
                + (pieces == 0 ? "" : " (" + pieces + " pieces are not there)")
                + "; the switchover is taken back, and epoch "
                + now.from
                + " goes on"
                + (now.stopped.isEmpty()
                        ? ""
                        : ", with a new job for each that was checkpointed ("
                                + now.stopped.size()
                                + ")")
                + ". Heal the way to the other site, then run switchover again";
    }

    /** Whether the planned epoch is there: committed here, or seen active at the other site. */
    private static boolean handedOver(SiteState before, SiteState after) {
        return after.role() != SiteRole.ACTIVE
                && before.attempt().filter(a -> a.epoch().equals(after.promise())).isPresent();
    }

    private static String promises(SiteState state) {
        return state.attempt()
                .map(a -> a.promises().stream().collect(Collectors.joining(", ")))
                .orElse("");
    }

    private synchronized void finish(Running now, Epoch epoch) {
        finished = now;
        now.done.complete(epoch);
    }

    // ---------------------------------------------------------------- a promotion's write

    /** Seeds the new lineage from the longest tail and opens its epoch. */
    void promote(Epoch epoch, String why) throws IOException, InterruptedException {
        Running now = current();
        boolean forced = why.equals("forced");
        String reason = forced && now != null ? now.reason : why;
        String operator = now == null ? "node " + self : now.operator;
        UUID lineage = controller().lineageOf(epoch);
        ClusterState state =
                actions.seed(lineage, epoch, reason, operator, forced ? lastContact() : 0);
        log.use(lineage);
        step("epoch change", "committed in lineage " + lineage);
        Map<UUID, String> suspended = new TreeMap<>();
        Views.suspended(Lookup.in(state), site).forEach(s -> suspended.put(s.client(), s.reason()));
        log.submitOnceLed(new Command.SetSuspended(suspended), operation("suspended/" + epoch));
        step("rewrite map", suspended.size() + " clients suspended");
    }

    /** The change of epoch in the same lineage (P3); the machine hears of it when it is applied. */
    void changeEpoch(Epoch epoch, Epoch parent, String why, String coordinator, UUID operation) {
        Running now = current();
        Running asker = now == null || now.done.isDone() ? null : now;
        String reason =
                switch (why) {
                    case "automatic" ->
                            "failover: automatic; site "
                                    + parent.site().word()
                                    + " was lost at node "
                                    + self
                                    + " and at the witness";
                    case "forced" -> asker != null ? asker.reason : "failover: forced";
                    default ->
                            why
                                    + COORDINATOR
                                    + coordinator
                                    + (asker != null ? " " + asker.reason : "");
                };
        UUID lineage = log.lineage();
        log.changeEpoch(
                new Command.EpochChange(
                        epoch,
                        lineage,
                        Optional.of(lineage),
                        0,
                        log.appliedIndex(),
                        ByteString.EMPTY,
                        reason,
                        asker != null ? asker.operator : "node " + self,
                        reason.startsWith("failover") ? lastContact() : 0),
                parent,
                operation);
        step("epoch change", epoch + " committed in the same lineage");
    }

    /** Of the site that is given up, for its loss ledger; 0 when it was not heard since the start. */
    private long lastContact() {
        return watch.lastContactMicros().orElse(0L);
    }

    private static UUID operation(String what) {
        return UUID.nameUUIDFromBytes(what.getBytes(StandardCharsets.UTF_8));
    }

    // ---------------------------------------------------------------- switchover

    SwitchoverView switchover(Requests.Switchover request) {
        Site target;
        try {
            target = Site.ofWord(request.to());
        } catch (io.holdfast.standard.FormatException e) {
            throw new ApiException(ApiException.Kind.USAGE, String.valueOf(e.getMessage()), "");
        }
        if (target == site) {
            throw refusal("site " + site.word() + " is active already");
        }
        Returns.requireSigned(log.state(), controller().role());
        Lookup before = Lookup.in(log.state());
        List<String> suspendedBefore =
                Views.suspended(before, site).stream().map(s -> s.name()).toList();
        Running mine =
                begin(
                        request.operation(),
                        "switchover: " + request.reason(),
                        request.operator(),
                        false,
                        MoveLimits.of(request));
        if (!mine.done.isDone() && mine.steps().isEmpty()) {
            watch.round();
            String coordinator =
                    watch.of(target).stream()
                            .filter(PeerWatch.Seen::reachable)
                            .filter(p ->
                                    p.description()
                                            .filter(d -> d.state().equals("STANDBY"))
                                            .isPresent())
                            .map(p -> p.node().id())
                            .findFirst()
                            .orElse("nobody at site " + target.word());
            mine.step("pre-flight", "coordinator " + coordinator);
            controller()
                    .post(
                            new SiteEvent.OperatorSwitchover(
                                    coordinator,
                                    services.lagBounded(),
                                    watch.of(site).stream()
                                            .filter(p -> !p.reachable())
                                            .map(p -> p.node().id())
                                            .collect(Collectors.toSet())));
        }
        Epoch opened = await(mine, "switchover", mine.limits.whole());
        awaitTarget(mine, target, opened);
        Lookup lookup = Lookup.in(log.state());
        return new SwitchoverView(
                mine.operation,
                mine.steps(),
                site.word(),
                target.word(),
                mine.from.toString(),
                opened.toString(),
                mine.fromLineage,
                controller().state().group().stretched()
                        ? log.lineage()
                        : controller().lineageOf(opened),
                Views.rewritten(lookup),
                suspendedBefore.stream()
                        .filter(n -> Views.goOn(lookup, target).contains(n))
                        .toList(),
                Views.suspended(lookup, target));
    }

    /** The command is done when the other site serves. */
    private void awaitTarget(Running mine, Site target, Epoch opened) {
        long deadline = System.nanoTime() + COMMAND_LIMIT.toNanos();
        while (System.nanoTime() < deadline) {
            if (serves(target, opened)) {
                mine.step("activate", "site " + target.word() + " serves in epoch " + opened);
                return;
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw new ApiException(
                ApiException.Kind.UNKNOWN,
                "Epoch "
                        + opened
                        + " is committed, but site "
                        + target.word()
                        + " was not seen active",
                "See: holdfast status; if it stays so, run failover at site " + target.word());
    }

    /** Whether a site was seen active, with a leader, in an epoch. */
    private boolean serves(Site which, Epoch epoch) {
        return watch.of(which).stream()
                .filter(PeerWatch.Seen::reachable)
                .flatMap(p -> p.description().stream())
                .anyMatch(d ->
                        d.state().equals("ACTIVE")
                                && d.leader()
                                && d.epoch().equals(Optional.of(epoch)));
    }

    /**
     * No job runs any more, and none is opened: those that took too long were checkpointed.
     *
     * @return false when one of them did not stop
     */
    boolean drain(Epoch next) throws InterruptedException {
        Running now = current();
        MoveLimits limits = limits(now);
        log.submit(
                new Command.SwitchPrepare(
                        next.site(),
                        now == null ? "" : now.reason,
                        now == null ? "node " + self : now.operator,
                        limits.whole().toMillis()),
                // A move that was taken back consumes no epoch: the next one to it is another.
                UUID.randomUUID());
        long began = System.nanoTime();
        Stops stops = new Stops();
        while (true) {
            Duration waited = Duration.ofNanos(System.nanoTime() - began);
            switch (Checkpoints.next(log.state().openJobs(), waited, limits)) {
                case Checkpoints.Next.Drained() -> {
                    if (!stands(next)) {
                        giveUp(now, TAKEN_BACK);
                        return false;
                    }
                    drained(now, stops);
                    return true;
                }
                case Checkpoints.Next.Await _ -> {}
                case Checkpoints.Next.Stop(List<JobRecord> jobs) -> {
                    if (stops.asked.isEmpty()) {
                        step(
                                "drain",
                                jobs.size() + " open after " + limits.drain().toSeconds() + " s");
                    }
                    jobs.forEach(stops::ask);
                }
                case Checkpoints.Next.GiveUp(List<JobRecord> jobs) -> {
                    note(now, stops);
                    giveUp(now, stops.why(jobs));
                    return false;
                }
            }
            Thread.sleep(LOOK);
        }
    }

    /** Whether the record waits for this move: else a job may begin at any time. */
    private boolean stands(Epoch next) {
        return log.state().draining().filter(d -> d.target() == next.site()).isPresent();
    }

    private static void giveUp(@Nullable Running now, String why) {
        if (now != null) {
            now.gaveUp = why;
        }
    }

    private static MoveLimits limits(@Nullable Running now) {
        return now == null ? MoveLimits.DEFAULT : now.limits;
    }

    private void drained(@Nullable Running now, Stops stops) {
        if (stops.asked.isEmpty()) {
            step("drain", "no job runs");
            return;
        }
        int count = note(now, stops);
        step("checkpoint", count + (count == 1 ? " backup" : " backups") + " will go on");
    }

    /** Which of the jobs that were asked another will go on with: some end by themselves. */
    private int note(@Nullable Running now, Stops stops) {
        List<UUID> stopped =
                stops.asked.stream()
                        .filter(id ->
                                log.state()
                                        .job(id)
                                        .filter(j -> j.state() == JobState.CHECKPOINTED)
                                        .filter(j -> j.kind().equals("backup"))
                                        .isPresent())
                        .toList();
        if (now != null) {
            now.stopped.addAll(stopped);
        }
        return stopped.size();
    }

    /** The agents that are asked to stop their jobs, all at once, each until it has answered. */
    private final class Stops {
        final Set<UUID> asked = new TreeSet<>();
        private final Set<UUID> waiting = ConcurrentHashMap.newKeySet();
        private final Map<UUID, String> answers = new ConcurrentHashMap<>();

        void ask(JobRecord job) {
            asked.add(job.id());
            if (waiting.add(job.id())) {
                Thread.ofVirtual().name("checkpoint-" + job.id()).start(() -> askNow(job));
            }
        }

        private void askNow(JobRecord job) {
            try {
                services.checkpoint(job);
                answers.put(job.id(), "was asked to stop it and has not done so");
            } catch (RemoteException | RuntimeException e) {
                answers.put(job.id(), "does not answer: " + e.getMessage());
                try {
                    Thread.sleep(ASK_AGAIN);
                } catch (InterruptedException interrupted) {
                    return;
                }
                waiting.remove(job.id());
            }
        }

        /** Why the move ends: each job, its client, its agent, and what that has answered. */
        String why(List<JobRecord> open) {
            Lookup lookup = Lookup.in(log.state());
            return open.stream()
                            .map(j ->
                                    j.kind()
                                            + " job "
                                            + j.id()
                                            + " of client "
                                            + lookup.client(j.client())
                                                    .map(c -> c.view().name())
                                                    .orElse(j.client().toString())
                                            + " did not stop within "
                                            + MoveLimits.STOP.toSeconds()
                                            + " s: its agent "
                                            + services.agentOf(j)
                                            + " "
                                            + answers.getOrDefault(j.id(), "does not answer"))
                            .collect(Collectors.joining("; "))
                    + ". The switchover is taken back. Mend the agent or cancel the job, then run"
                    + " switchover again";
        }
    }

    /**
     * Whether a planned move that the record still waits for was left behind: who had prepared it would
     * have ended it by now. Until it is taken back no job is opened.
     */
    static boolean isLeftBehind(Draining drain, Instant now) {
        Instant since = Instant.EPOCH.plus(drain.sinceMicros(), ChronoUnit.MICROS);
        Duration limit =
                drain.limitMillis() == 0
                        ? MoveLimits.DEFAULT.whole()
                        : Duration.ofMillis(drain.limitMillis());
        return now.isAfter(since.plus(limit));
    }

    /** Waits until the other site has everything. @return false when it took too long */
    boolean barrier(Epoch next) throws InterruptedException {
        long deadline = System.nanoTime() + limits(current()).barrier().toNanos();
        for (long left = 1; left > 0; left = deadline - System.nanoTime()) {
            if (!stands(next)) {
                giveUp(current(), TAKEN_BACK);
                return false;
            }
            if (isLevel(Duration.ofNanos(deadline - System.nanoTime()))) {
                step("barrier", "chunks, catalog and record are at site " + next.site().word());
                return true;
            }
            Thread.sleep(LOOK);
        }
        return false;
    }

    /** Asks no longer than this: a catalog that stands still answers later than the barrier waits. */
    private boolean isLevel(Duration limit) throws InterruptedException {
        CompletableFuture<Boolean> level = new CompletableFuture<>();
        Thread.ofVirtual()
                .name("site-level")
                .start(() -> {
                    try {
                        level.complete(services.isLevel());
                    } catch (RuntimeException e) {
                        level.completeExceptionally(e);
                    }
                });
        try {
            return level.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failed
                    ? failed
                    : new IllegalStateException(e.getCause());
        }
    }

    /** Takes the move back, as long as this node leads; the command ends when that is done. */
    void abortDrain(Epoch epoch) throws InterruptedException {
        Running now = current();
        Command abort = new Command.SwitchAbort("it was not drained, or not level, in time");
        UUID operation = UUID.randomUUID();
        try {
            while (!submitted(abort, operation) && log.leads()) {
                Thread.sleep(LOOK);
            }
            step("abort", "goes on in epoch " + epoch);
        } finally {
            if (now != null && !now.done.isDone()) {
                fail(now, refusal(now.gaveUp == null ? notLevel(now) : now.gaveUp));
            }
        }
    }

    /** @return false when it is not known to be done */
    private boolean submitted(Command command, UUID operation) {
        try {
            log.submit(command, operation);
            return true;
        } catch (ApiException e) {
            return switch (e.kind()) {
                case UNKNOWN, UNAVAILABLE -> false;
                case REFUSED, STALE_EPOCH, NOT_FOUND, USAGE, FAILED -> throw e;
            };
        }
    }

    /** The last write of the drained lineage; returns once the other site has it. */
    void handOver(Epoch epoch, Epoch parent, String why, String coordinator)
            throws IOException, InterruptedException {
        Running now = current();
        Written written =
                log.submit(
                        new Command.EpochChange(
                                epoch,
                                controller().lineageOf(epoch),
                                Optional.of(controller().lineageOf(parent)),
                                0,
                                log.appliedIndex(),
                                ByteString.EMPTY,
                                why
                                        + COORDINATOR
                                        + coordinator
                                        + (now == null ? "" : " " + now.reason),
                                now == null ? "node " + self : now.operator),
                        operation("handover/" + epoch));
        while (!log.awaitProtected(written.index(), Duration.ofMillis(500))) {
            if (serves(epoch.site(), epoch)) {
                break; // it applied the entry and went on before its acknowledgement was heard
            }
            if (!log.leads()) {
                throw new IOException("this node leads no more; the next leader goes on");
            }
        }
        step("epoch change", epoch + " committed, and at site " + epoch.site().word());
    }

    /** The member that an EpochChange of a planned move names; empty for any other change. */
    static Optional<String> coordinatorOf(Command.EpochChange change) {
        int at = change.reason().indexOf(COORDINATOR);
        if (at < 0) {
            return Optional.empty();
        }
        String rest = change.reason().substring(at + COORDINATOR.length());
        int end = rest.indexOf(' ');
        return Optional.of(end < 0 ? rest : rest.substring(0, end));
    }
}
