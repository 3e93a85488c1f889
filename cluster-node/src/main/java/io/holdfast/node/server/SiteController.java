package io.holdfast.node.server;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.modeswitch.Decision;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteEffect;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteMachine;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.modeswitch.SiteState;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.node.config.RoleFile;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives {@link SiteMachine}: translates the world into its events, takes its decisions one at a
 * time on one thread, and performs their effects in the order it gives. Decides nothing itself.
 *
 * <p>Effects that wait for others (promises, draining, barriers, reconciling) run on virtual threads
 * and come back as events. A failed effect is told to whoever waits for the attempt, logged, and
 * shown in {@link #problem()}; the machine's state stands, and its next tick tries again or gives up.
 */
final class SiteController implements AutoCloseable {
    /** How often the other nodes are asked, and time is told to the machine. */
    static final Duration ROUND = Duration.ofMillis(300);

    private static final long LONG_AGO = Duration.ofDays(1).toNanos();
    private static final Logger LOG = LoggerFactory.getLogger(SiteController.class);

    private final SiteConfig config;
    private final UUID cluster;
    private final Path roleFile;
    private final EpochGuard guard;
    private final SiteAckSender sender;
    private final SitePorts.Log log;
    private final SitePorts.Sightings watch;
    private final SitePorts.Steps actions;
    private final SitePorts.Services services;
    private final SiteOperations operations;
    private final LinkedBlockingQueue<SiteEvent> queue = new LinkedBlockingQueue<>();
    private final Map<String, CompletableFuture<Optional<Epoch>>> asked = new ConcurrentHashMap<>();

    /** One after the other: what the record says last must be what the machine decided last. */
    private final ExecutorService replications =
            Executors.newSingleThreadExecutor(
                    Thread.ofVirtual().name("site-replication").factory());

    private final Map<Long, CompletableFuture<Boolean>> witnessed = new ConcurrentHashMap<>();
    private final AtomicLong majorityAt = new AtomicLong(System.nanoTime() - LONG_AGO);
    private final AtomicLong questions = new AtomicLong();
    private volatile @Nullable Site preferred;
    private final AtomicLong ticked = new AtomicLong(System.nanoTime());
    private volatile SiteState state;
    private volatile String problem = "";
    private volatile boolean closed;
    private @Nullable Thread decider;
    private @Nullable Thread watcher;

    SiteController(
            SiteConfig config,
            UUID cluster,
            Path roleFile,
            EpochGuard guard,
            SiteAckSender sender,
            SitePorts.Log log,
            SitePorts.Sightings watch,
            SitePorts.Steps actions,
            SitePorts.Services services,
            SiteOperations operations) {
        this.config = config;
        this.cluster = cluster;
        this.roleFile = roleFile;
        this.guard = guard;
        this.sender = sender;
        this.log = log;
        this.watch = watch;
        this.actions = actions;
        this.services = services;
        this.operations = operations;
        this.state = SiteState.booting(config);
    }

    /** Begins with what the disk says. */
    void start(RoleFile durable) {
        operations.bind(this);
        SiteRole role =
                switch (durable.role()) {
                    case "ACTIVE", "DRAINING" -> SiteRole.ACTIVE;
                    case "FENCED", "RECONCILING" -> SiteRole.FENCED;
                    default -> SiteRole.STANDBY;
                };
        Epoch lineage = lineageEpoch(durable.lineage(), durable.epoch());
        log.use(lineageOf(lineage));
        post(
                new SiteEvent.Booted(
                        config.site() == Site.WITNESS && role == SiteRole.STANDBY
                                ? SiteRole.WITNESS
                                : role,
                        durable.epoch(),
                        lineage,
                        guard.max(),
                        actions.promisedTo(),
                        System.currentTimeMillis()));
        decider = Thread.ofPlatform().name("site-machine").start(this::decide);
        watcher = Thread.ofVirtual().name("peer-watch").start(this::watch);
    }

    // ---------------------------------------------------------------- what it is now

    String role() {
        return state.role().name();
    }

    SiteState state() {
        return state;
    }

    /** The newest epoch that this node obeys. */
    Epoch epoch() {
        return guard.max();
    }

    String problem() {
        return problem;
    }

    /** Whether this node serves writes: it leads the active site. */
    boolean serves() {
        return mayCommand()
                && services.isReady()
                && log.leads()
                && guard.max().equals(state.epoch());
    }

    /**
     * Whether this node may command agents and stores now. In P3 the lease is measured here, too: a
     * process that stood still has told the machine nothing of the time that has passed.
     */
    boolean mayCommand() {
        SiteState now = state;
        return now.mayCommand() && (!now.group().stretched() || leaseRuns());
    }

    private boolean leaseRuns() {
        long left = config.profile().leaseMillis() * 1_000_000;
        return System.nanoTime() - majorityAt.get() < left;
    }

    /** A majority has answered what was sent at this time, on {@link System#nanoTime}. */
    void majorityAt(long sentNanos) {
        majorityAt.accumulateAndGet(sentNanos, (a, b) -> b - a > 0 ? b : a);
    }

    /** The leader of the active site, as far as this node knows. */
    Optional<String> activeLeader() {
        Epoch newest = guard.max();
        return watch.of(newest.site()).stream()
                .filter(PeerWatch.Seen::reachable)
                .flatMap(s -> s.description().stream())
                .filter(d -> d.leader() && d.promise().equals(Optional.of(newest)))
                .filter(d -> d.state().equals("ACTIVE") || d.state().equals("DRAINING"))
                .map(SiteDescription::node)
                .findFirst();
    }

    Optional<Long> lastContactMicros() {
        return watch.lastContactMicros();
    }

    UUID lineageOf(Epoch epoch) {
        return LineageSpec.idOf(cluster, epoch);
    }

    /** The epoch at which a lineage was opened: {@code newest}, or in P3 one before it. */
    private Epoch lineageEpoch(UUID lineage, Epoch newest) {
        for (long n = newest.n(); n > 0; n--) {
            for (Site owner : List.of(Site.LOCAL, Site.DR)) {
                Epoch candidate = new Epoch(n, owner);
                if (candidate.compareTo(newest) <= 0 && lineageOf(candidate).equals(lineage)) {
                    return candidate;
                }
            }
        }
        return newest;
    }

    // ---------------------------------------------------------------- operators

    PreflightView preflight() {
        return operations.preflight();
    }

    FailoverView failover(Requests.Failover request) {
        return operations.failover(request);
    }

    SwitchoverView switchover(Requests.Switchover request) {
        return operations.switchover(request);
    }

    Optional<MoveView> move(UUID operation) {
        return operations.move(operation);
    }

    // ---------------------------------------------------------------- events in

    void post(SiteEvent event) {
        queue.add(event);
    }

    /** Somebody obeys a higher epoch than this site owns. */
    void higherEpochSeen(Epoch seen) {
        post(new SiteEvent.HigherEpochSeen(seen));
    }

    /**
     * A member of the own site asks for this member's promise. Blocks until the machine has answered.
     *
     * @return empty when it is given and durable, else the promise that stands
     */
    Optional<Epoch> promiseAsked(String candidate, Epoch epoch) throws IOException {
        CompletableFuture<Optional<Epoch>> answer =
                asked.computeIfAbsent(candidate + "/" + epoch, _ -> new CompletableFuture<>());
        post(new SiteEvent.PromiseAsked(candidate, epoch));
        try {
            return decided(answer, 10, "The site machine did not answer for epoch " + epoch);
        } finally {
            asked.remove(candidate + "/" + epoch);
        }
    }

    /**
     * A member that leads asks this witness. Blocks until the machine has answered.
     *
     * @return whether these members are lost here, too
     */
    boolean witnessAsked(String candidate, Set<String> lost, long term, long question)
            throws IOException {
        long number = questions.incrementAndGet();
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        witnessed.put(number, answer);
        // The machine only hands term and question back; which call they belong to is ours.
        post(new SiteEvent.WitnessAsked(candidate, lost, term, number));
        try {
            return decided(answer, 1, "This node is no witness in question " + question);
        } finally {
            witnessed.remove(number);
        }
    }

    private static <T> T decided(CompletableFuture<T> answer, int seconds, String otherwise)
            throws IOException {
        try {
            return answer.get(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (java.util.concurrent.ExecutionException
                | java.util.concurrent.TimeoutException e) {
            throw new IOException(otherwise, e);
        }
    }

    private void watch() {
        while (!closed) {
            try {
                long round = state.round();
                for (PeerWatch.Seen seen : watch.round()) {
                    if (seen.reachable()) {
                        seen.description().ifPresent(d -> report(d, round));
                    }
                }
                if (mayCommand() && log.leads()) {
                    services.watchReplication(this);
                }
                if (guard.max().compareTo(state.promise()) > 0) {
                    higherEpochSeen(guard.max());
                }
                long now = System.nanoTime();
                long elapsed = (now - ticked.getAndSet(now)) / 1_000_000;
                post(new SiteEvent.Tick(elapsed));
                Thread.sleep(ROUND);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.error("Watching the other nodes failed; trying again", e);
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ROUND);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void report(SiteDescription peer, long round) {
        SiteRole role;
        try {
            role = SiteRole.valueOf(peer.state());
        } catch (IllegalArgumentException e) {
            return;
        }
        Epoch promise = peer.promise().orElse(null);
        if (promise == null || !peer.admitted()) {
            return;
        }
        Epoch epoch = peer.epoch().orElse(promise);
        Epoch lineage =
                peer.lineage()
                        .map(id -> lineageEpoch(id, promise.compareTo(epoch) > 0 ? promise : epoch))
                        .orElse(epoch);
        post(
                new SiteEvent.PeerReport(
                        peer.node(),
                        promise,
                        role,
                        epoch,
                        config.profile().isP3() ? lineage : epoch,
                        round));
    }

    // ---------------------------------------------------------------- decisions out

    private void decide() {
        while (!closed) {
            SiteEvent event;
            try {
                event = queue.take();
            } catch (InterruptedException e) {
                return;
            }
            SiteState before = state;
            Decision decision;
            try {
                decision = SiteMachine.step(before, event);
            } catch (RuntimeException e) {
                LOG.error("The site machine refused {} in {}", event, before.describe(), e);
                problem = e.getMessage() == null ? e.toString() : e.getMessage();
                continue;
            }
            state = decision.state();
            if (before.role() != state.role()) {
                LOG.info(
                        "Site {}: {} -> {} by {}",
                        config.site().word(),
                        before.role(),
                        state.role(),
                        event);
            }
            for (SiteEffect effect : decision.effects()) {
                try {
                    perform(effect);
                } catch (IOException | StaleEpochException | RuntimeException e) {
                    LOG.error("Effect {} failed", effect, e);
                    problem = effect.getClass().getSimpleName() + ": " + e.getMessage();
                    operations.failed(effect, e);
                }
            }
            operations.advanced(before, state, event);
        }
    }

    private void perform(SiteEffect effect) throws IOException, StaleEpochException {
        LOG.debug("perform {}", effect);
        switch (effect) {
            case SiteEffect.PersistPromise(Epoch epoch, String candidate) -> {
                actions.persistPromise(epoch, candidate);
                post(new SiteEvent.PromiseDurable(config.self(), epoch));
            }
            case SiteEffect.PersistRole(SiteRole role, Epoch epoch, Epoch lineage) ->
                    new RoleFile(role.name(), epoch, lineageOf(lineage)).write(roleFile);
            case SiteEffect.CloseAckGate(Epoch epoch) -> sender.gate(epoch);
            case SiteEffect.AskConfirmation _, SiteEffect.SendReport _ -> {
                // Every round of the watch asks, and Describe answers.
            }
            case SiteEffect.AskPromises(Set<String> members, Epoch epoch) ->
                    aside("promises", () -> askPromises(members, epoch));
            case SiteEffect.GrantPromise(String candidate, Epoch epoch) ->
                    answer(candidate, epoch, Optional.empty());
            case SiteEffect.RefusePromise(String candidate, Epoch promise) ->
                    answerAll(candidate, promise);
            case SiteEffect.ReadTails(Epoch epoch, Set<String> members) ->
                    attempt(
                            "tails",
                            epoch,
                            () -> {
                                SitePorts.Steps.Logs read = actions.readTails(epoch, members);
                                operations.step("read tails", read.text());
                                post(
                                        new SiteEvent.TailsRead(
                                                epoch, members, read.members(), read.newest()));
                            });
            case SiteEffect.CloseLineage(Epoch but) -> actions.closeLineages(lineageOf(but));
            case SiteEffect.OpenLineage(Epoch epoch) ->
                    attempt(
                            "lineage",
                            epoch,
                            () -> {
                                actions.openLineage(lineageOf(epoch), epoch, config.ownQuorum());
                                operations.step("open lineage", lineageOf(epoch).toString());
                                post(new SiteEvent.LineageOpen(epoch));
                            });
            case SiteEffect.SeedLineage _ -> {
                // Seeding and the change of epoch are one visible step: see CommitEpochChange.
            }
            case SiteEffect.CommitEpochChange(
                            Epoch epoch,
                            Epoch parent,
                            String reason,
                            String coordinator) ->
                    attempt(
                            "epoch change",
                            epoch,
                            () -> {
                                commitEpochChange(epoch, parent, reason, coordinator);
                                post(new SiteEvent.EpochChangeCommitted(epoch));
                            });
            case SiteEffect.StartServices(Epoch epoch) -> {
                log.use(lineageOf(state.lineage()));
                services.allow(epoch);
                if (state.group().stretched()) {
                    prefer(config.site());
                }
            }
            case SiteEffect.StopServices() -> services.forbid();
            case SiteEffect.Drain(Epoch epoch) ->
                    beforeBarrier(
                            "drain", epoch, () -> operations.drain(epoch), new SiteEvent.Drained());
            case SiteEffect.AwaitBarrier(Epoch epoch) ->
                    beforeBarrier(
                            "barrier",
                            epoch,
                            () -> operations.barrier(epoch),
                            new SiteEvent.BarrierReached());
            case SiteEffect.AbortDrain(Epoch epoch) ->
                    aside("abort", () -> operations.abortDrain(epoch));
            case SiteEffect.BeginReconcile(Epoch epoch) ->
                    aside("reconcile", () -> reconcile(epoch));
            case SiteEffect.JoinLineage(Epoch epoch, Epoch lineage) -> {
                log.use(lineageOf(lineage));
                LOG.info("Waits to be adopted in epoch {}, lineage of {}", epoch, lineage);
            }
            case SiteEffect.CommitReplication(ReplicationState replication) ->
                    replications.execute(
                            work(
                                    "replication state",
                                    () -> {
                                        services.commitReplication(replication);
                                        post(new SiteEvent.ReplicationCommitted(replication));
                                    },
                                    () -> true));
            case SiteEffect.AllowUnprotectedAcks() -> {
                // The state itself says so: SiteState.mayAckUnprotected.
            }
            case SiteEffect.CaptureBarrier() ->
                    aside(
                            "catch-up",
                            () -> {
                                if (services.awaitCaughtUp()) {
                                    post(new SiteEvent.CaughtUp());
                                }
                            });
            case SiteEffect.Refuse(String reason) -> operations.refused(reason);
            case SiteEffect.Ignore ignored -> LOG.debug("Ignored: {}", ignored.reason());
            case SiteEffect.ChangeEpoch(
                            Epoch epoch,
                            Epoch parent,
                            String reason,
                            String coordinator) ->
                    attempt(
                            "epoch change",
                            epoch,
                            () -> changeEpoch(epoch, parent, reason, coordinator));
            case SiteEffect.OpenAckGate _ -> {
                // The sender compares the applied epoch with the promise, and both are the new one.
            }
            case SiteEffect.AskWitness(
                            String witness,
                            Set<String> lost,
                            long term,
                            long question) ->
                    Thread.ofVirtual()
                            .name("site-witness")
                            .start(() -> askWitness(witness, lost, term, question));
            case SiteEffect.AnswerWitness(String _, boolean lost, long _, long question) -> {
                CompletableFuture<Boolean> waiting = witnessed.get(question);
                if (waiting != null) {
                    waiting.complete(lost);
                }
            }
            case SiteEffect.PreferSite(Site site) -> prefer(site);
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    /** Runs work that waits for others; its failure is told to whoever waits for the attempt. */
    private void aside(String what, Work work) {
        Thread.ofVirtual().name("site-" + what).start(work(what, work, () -> true));
    }

    /** Work of the attempt at an epoch: once that was given up or taken back, nobody asks for it. */
    private void attempt(String what, Epoch epoch, Work work) {
        Thread.ofVirtual().name("site-" + what).start(work(what, work, () -> attempts(epoch)));
    }

    private interface Step {
        /** @return false when its time is over */
        boolean done() throws Exception;
    }

    /** Work of a planned move that nobody has promised yet: where it fails, this site goes on. */
    private void beforeBarrier(String what, Epoch epoch, Step step, SiteEvent done) {
        attempt(
                what,
                epoch,
                () -> {
                    try {
                        post(step.done() ? done : new SiteEvent.BarrierTimeout());
                    } catch (RuntimeException e) {
                        LOG.warn("The planned move to {} is given up", epoch, e);
                        operations.failed(what, e);
                        post(new SiteEvent.BarrierTimeout());
                    }
                });
    }

    private boolean attempts(Epoch epoch) {
        return state.attempt().filter(a -> a.epoch().equals(epoch)).isPresent();
    }

    private Runnable work(String what, Work work, BooleanSupplier wanted) {
        return () -> {
            try {
                work.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                if (!wanted.getAsBoolean()) {
                    LOG.info("Site {}: {} ended: {}", config.site().word(), what, e.getMessage());
                    return;
                }
                LOG.error("Site {}: {} failed", config.site().word(), what, e);
                problem = what + ": " + e.getMessage();
                operations.failed(what, e);
            }
        };
    }

    private void answer(String candidate, Epoch epoch, Optional<Epoch> standing) {
        CompletableFuture<Optional<Epoch>> waiting = asked.get(candidate + "/" + epoch);
        if (waiting != null) {
            waiting.complete(standing);
        }
    }

    private void answerAll(String candidate, Epoch promise) {
        asked.forEach((key, waiting) -> {
            if (key.startsWith(candidate + "/")) {
                waiting.complete(Optional.of(promise));
            }
        });
    }

    private void askPromises(Set<String> members, Epoch epoch) {
        for (String member : members) {
            if (!member.equals(config.self())) {
                aside("promise of " + member, () -> askPromise(member, epoch));
            }
        }
    }

    private void askPromise(String member, Epoch epoch) throws InterruptedException {
        while (!closed && attempts(epoch)) {
            try {
                actions.askPromise(member, config.self(), epoch);
                post(new SiteEvent.PromiseDurable(member, epoch));
                return;
            } catch (RemoteException.Refused e) {
                post(new SiteEvent.PromiseRefused(member, e.maxEpoch().orElse(epoch)));
                return;
            } catch (RemoteException e) {
                LOG.info("Member {} does not promise {} yet: {}", member, epoch, e.getMessage());
                Thread.sleep(ROUND);
            }
        }
    }

    private void commitEpochChange(Epoch epoch, Epoch parent, String reason, String coordinator)
            throws IOException, InterruptedException {
        if (state.role() == SiteRole.DRAINING) {
            handOver(epoch, parent, reason, coordinator);
        } else {
            operations.promote(epoch, reason);
        }
    }

    /** Again and again while it is wanted: every own member has promised, so nobody else goes on. */
    private void handOver(Epoch epoch, Epoch parent, String reason, String coordinator)
            throws InterruptedException {
        while (!closed && attempts(epoch)) {
            try {
                operations.handOver(epoch, parent, reason, coordinator);
                return;
            } catch (IOException e) {
                LOG.info("The handover to {} goes on: {}", epoch, e.getMessage());
            } catch (ApiException e) {
                throwUnlessLater(e);
            }
            Thread.sleep(ROUND);
        }
    }

    private static void throwUnlessLater(ApiException e) {
        switch (e.kind()) {
            case UNKNOWN, UNAVAILABLE -> LOG.info("Asked again: {}", e.getMessage());
            case REFUSED, STALE_EPOCH, NOT_FOUND, USAGE, FAILED -> throw e;
        }
    }

    /** Again and again while it is wanted: a takeover that is lost on the way would end it. */
    private void changeEpoch(Epoch epoch, Epoch parent, String reason, String coordinator)
            throws InterruptedException {
        UUID operation = UUID.randomUUID();
        while (!closed && attempts(epoch)) {
            try {
                operations.changeEpoch(epoch, parent, reason, coordinator, operation);
                return;
            } catch (ApiException e) {
                throwUnlessLater(e);
                Thread.sleep(ROUND);
            }
        }
    }

    /** Every tick asks anew: an answer that is lost needs nobody. */
    private void askWitness(String witness, Set<String> lost, long term, long question) {
        try {
            post(
                    new SiteEvent.WitnessAnswered(
                            actions.askWitness(witness, lost, term, question), term, question));
        } catch (RemoteException | RuntimeException e) {
            LOG.info("The witness does not answer: {}", e.getMessage());
        }
    }

    /** Until it is so, this node leads no more, or another site is preferred. */
    private void prefer(Site site) {
        preferred = site;
        Thread.ofVirtual()
                .name("site-prefer")
                .start(() ->
                        actions.preferWhile(
                                () -> !closed && log.leads() && preferred == site,
                                log::lineage,
                                site));
    }

    private void reconcile(Epoch epoch) throws InterruptedException {
        while (!closed && state.role() == SiteRole.RECONCILING) {
            try {
                actions.reconcile(epoch, watch.of(PeerWatch.across(config.site())));
                post(new SiteEvent.ReconcileDone(epoch));
                return;
            } catch (IOException | RuntimeException e) {
                LOG.info("Reconciling goes on: {}", e.getMessage());
                problem = "reconcile: " + e.getMessage();
                Thread.sleep(ROUND);
            }
        }
    }

    /** The members of the own site but this one. */
    List<String> ownOthers() {
        return config.ownMembers().stream().filter(m -> !m.equals(config.self())).toList();
    }

    Site site() {
        return config.site();
    }

    @Override
    public void close() {
        closed = true;
        replications.shutdownNow();
        if (decider != null) {
            decider.interrupt();
        }
        if (watcher != null) {
            watcher.interrupt();
        }
    }
}
