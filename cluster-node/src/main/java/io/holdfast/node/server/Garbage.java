package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.CollectorStatusReply;
import io.holdfast.agent.proto.v1.ExplainReply;
import io.holdfast.agent.proto.v1.ExplainRequest;
import io.holdfast.agent.proto.v1.FateGroup;
import io.holdfast.agent.proto.v1.FossilRun;
import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.storage.CollectorService;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.gc.RetentionPlan;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.server.StoreCollectors.Seen;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.Abandonment;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Expiry;
import io.holdfast.replication.state.GcRun;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.StorageMove;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of data, as the active leader drives it (DR-PROTOCOL 4.2): retention proposes expiries; once
 * they are acknowledged by the other site, tombstones follow; then every store of every site is marked
 * and swept, each for itself. What the whole cluster waits for is said here, what one store waits for by
 * that store.
 */
final class Garbage {
    private static final Logger LOG = LoggerFactory.getLogger(Garbage.class);
    private static final Duration ACKNOWLEDGED = Duration.ofSeconds(5);

    private final ClusterLog log;
    private final PeerWatch watch;
    private final Peers peers;
    private final Lifetimes lifetimes;
    private final StoreCollectors collectors;
    private final Site site;
    private final Duration every;
    private final Map<UUID, Long> absentSince = new HashMap<>();
    private long lastRetention;

    Garbage(
            String self,
            Site site,
            ClusterLog log,
            PeerWatch watch,
            Peers peers,
            Predicate<JobRecord> shown,
            Duration every,
            java.time.InstantSource clock) {
        this.log = log;
        this.watch = watch;
        this.peers = peers;
        this.lifetimes = new Lifetimes(log, peers, shown);
        this.collectors = new StoreCollectors(self, log, peers, clock);
        this.site = site;
        this.every = every;
    }

    Lifetimes lifetimes() {
        return lifetimes;
    }

    // ---------------------------------------------------------------- rounds

    /** What is due now. */
    void round() {
        try {
            var _ = work(false);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ApiException e) {
            LOG.info("The collection goes on later: {}", e.getMessage());
        }
    }

    /** Everything now, whether it is due or not. */
    GcView collect() {
        try {
            return view(work(true));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.UNKNOWN,
                    "Interrupted while the stores were collected",
                    "See: holdfast gc status");
        }
    }

    private synchronized List<Seen> work(boolean now) throws InterruptedException {
        List<Expiry> ending = Holdings.ending(log.state());
        List<Seen> seen = look(headers(ending));
        expireDue(now, seen);
        Lookup lookup = Lookup.in(log.state());
        List<Expiry> expiries = lookup.state().expiries();
        if (!isLasting(lookup.state())) {
            LOG.debug("Expiries wait for the other site");
            return seen;
        }
        lifetimes.bury(lookup, expiries);
        settle(lookup, seen, ending);
        OptionalLong skew = skew(lookup.state(), seen);
        for (Seen store : seen) {
            if (store.reachable() && skew.isPresent()) {
                collect(lookup, store, skew.getAsLong(), now);
            }
        }
        return look(headers(ending));
    }

    private List<Seen> look(List<ChunkId> headers) throws InterruptedException {
        return collectors.look(StoreCollectors.stores(Lookup.in(log.state())), headers);
    }

    private static List<ChunkId> headers(List<Expiry> expiries) {
        return expiries.stream().map(Expiry::header).toList();
    }

    /** Asks all stores now for what one site keeps; nobody when there is nothing of the kind. */
    private Holdings holdings(Lookup lookup) throws InterruptedException {
        List<Expiry> kept = Holdings.kept(lookup.state());
        return new Holdings(lookup, kept.isEmpty() ? List.of() : look(headers(kept)), kept);
    }

    /**
     * Asks the stores of a site for the PIECE frames of rows, each for those that belong to it. A site that was
     * declared lost holds nothing.
     */
    private Set<UUID> holding(Lookup lookup, Site at, List<CatalogRow> rows)
            throws InterruptedException {
        Set<UUID> held = new HashSet<>();
        if (lookup.state().isAbandoned(at)) {
            return held;
        }
        for (int from = 0; from < rows.size(); from += CollectorService.MAX_IDS) {
            List<CatalogRow> some =
                    rows.subList(from, Math.min(rows.size(), from + CollectorService.MAX_IDS));
            List<Optional<Endpoint>> stores =
                    some.stream()
                            .map(r -> Identifier.parse(r.record().location()))
                            .map(location -> Peers.storageAt(lookup, location, at))
                            .toList();
            for (Seen seen : look(some.stream().map(CatalogRow::header).toList())) {
                if (seen.reachable() && seen.store().site() == at) {
                    Optional<Endpoint> own = Optional.of(seen.store().endpoint());
                    seen.proven().stream()
                            .filter(i -> stores.get(i).equals(own))
                            .forEach(i -> held.add(some.get(i).piece()));
                }
            }
        }
        return held;
    }

    private OptionalLong skew(ClusterState state, List<Seen> seen) {
        return StoreCollectors.skewMillis(seen, state.abandoned().map(Abandonment::site));
    }

    /** Clocks are trusted only while every store's is known to agree with ours. */
    private boolean clockTrusted(List<Seen> seen) {
        OptionalLong skew = skew(log.state(), seen);
        return skew.isPresent() && skew.getAsLong() < StoreCollectors.MAX_SKEW.toMillis();
    }

    private void expireDue(boolean now, List<Seen> seen) throws InterruptedException {
        long time = collectors.nowMicros();
        if (!now && time - lastRetention < micros(every)) {
            return;
        }
        lastRetention = time;
        boolean trusted = clockTrusted(seen);
        if (trusted) {
            var _ = lifetimes.expireDue(time, true, this::holding);
        } else {
            LOG.info("Nothing expires: the clocks of the stores are not known to agree");
        }
    }

    /** Whether no forced move can take back what this state has expired. */
    private boolean isLasting(ClusterState state) throws InterruptedException {
        // Every expiry of the state stands at or before this index.
        long index = log.appliedIndex();
        return state.expiries().isEmpty()
                || state.abandoned().isPresent()
                || noOtherSite(state)
                || log.awaitProtected(index, ACKNOWLEDGED);
    }

    private boolean noOtherSite(ClusterState state) {
        return state.mbr().filter(m -> !m.nodes(site.peer()).isEmpty()).isEmpty();
    }

    private void collect(Lookup lookup, Seen seen, long skew, boolean now)
            throws InterruptedException {
        CollectorStatusReply status = seen.status().orElseThrow();
        StoreCollectors.Store store = seen.store();
        ClusterState state = lookup.state();
        boolean frozen = !freezes(standing(lookup, store), status).isEmpty();
        boolean concerned = Holdings.concern(state, store.site());
        GcPacing.Step step =
                now && status.getWorking().isEmpty()
                        ? GcPacing.Step.MARK
                        : GcPacing.next(
                                collectors.nowMicros(),
                                !status.getWorking().isEmpty(),
                                frozen && concerned,
                                marks(status, state.epoch()),
                                Duration.ofMillis(status.getGraceMillis()),
                                every,
                                last(state, store, GcRun.Work.MARK),
                                last(state, store, concerned));
        if (frozen && concerned && !GcPacing.leavesRoom(status.getRunsCount())) {
            return;
        }
        if (step != GcPacing.Step.SWEEP || now || !frozen) {
            StoreOrders.give(step, now, orders(store, skew));
        }
    }

    private StoreOrders.Orders orders(StoreCollectors.Store store, long skew) {
        return new StoreOrders.Orders() {
            @Override
            public Optional<StoreOrders.Known> ask() throws InterruptedException {
                Lookup now = Lookup.in(log.state());
                return Holdings.concern(now.state(), store.site())
                        ? proven(now, store)
                        : Optional.of(known(new Holdings(now, List.of(), List.of()), store, skew));
            }

            @Override
            public boolean mark(StoreOrders.Known known) throws InterruptedException {
                return collectors
                        .mark(store, known.skewMillis(), known.expired())
                        .outcome()
                        .equals("DONE");
            }

            @Override
            public void sweep(StoreOrders.Known known) throws InterruptedException {
                var _ = collectors.sweep(store, known.skewMillis(), known.standing());
            }
        };
    }

    /** What is known now where the other site keeps something; empty while a proof would not last. */
    private Optional<StoreOrders.Known> proven(Lookup lookup, StoreCollectors.Store store)
            throws InterruptedException {
        if (!isLasting(lookup.state())) {
            return Optional.empty();
        }
        Holdings holdings = holdings(lookup);
        OptionalLong skew = skew(lookup.state(), holdings.seen());
        return skew.isEmpty()
                ? Optional.empty()
                : Optional.of(known(holdings, store, skew.getAsLong()));
    }

    private StoreOrders.Known known(Holdings holdings, StoreCollectors.Store store, long skew) {
        return holdings.known(
                store,
                piece -> lifetimes.isBuried(store.site(), piece),
                skew,
                standing(holdings.lookup(), store));
    }

    private static List<GcPacing.Fossils> marks(CollectorStatusReply status, Epoch epoch) {
        return status.getRunsList().stream()
                .filter(r -> r.getEpoch() == epoch.encoded())
                .map(r ->
                        new GcPacing.Fossils(
                                r.getMadeMicros(), r.getSessions(), r.getConfirmedBy() != 0))
                .toList();
    }

    private static Optional<Long> last(
            ClusterState state, StoreCollectors.Store store, GcRun.Work work) {
        return runs(state, store, work).map(GcRun::beganMicros).max(Long::compare);
    }

    /**
     * When a sweep was tried last that deleted nothing.
     *
     * @param proven whether a mark comes before it: when the newest one was not done, that was the try
     */
    private static Optional<Long> last(
            ClusterState state, StoreCollectors.Store store, boolean proven) {
        Stream<GcRun> marks =
                runs(state, store, GcRun.Work.MARK)
                        .max(Comparator.comparingLong(GcRun::beganMicros))
                        .filter(_ -> proven)
                        .stream();
        return Stream.concat(marks, runs(state, store, GcRun.Work.SWEEP))
                .filter(r -> !r.outcome().equals("DONE"))
                .map(GcRun::beganMicros)
                .max(Long::compare);
    }

    private static Stream<GcRun> runs(
            ClusterState state, StoreCollectors.Store store, GcRun.Work work) {
        return state.gcRuns().stream()
                .filter(r ->
                        r.storage().equals(store.device().storage())
                                && r.site() == store.site()
                                && r.work() == work
                                && r.epoch().equals(state.epoch()));
    }

    /** Forgets the expiries whose pieces have been gone from all stores for a grace. */
    private void settle(Lookup lookup, List<Seen> seen, List<Expiry> asked) {
        if (lookup.state().abandoned().isPresent()
                || asked.isEmpty()
                || !seen.stream().allMatch(Seen::reachable)) {
            return;
        }
        long now = collectors.nowMicros();
        long grace =
                seen.stream()
                                .mapToLong(s -> s.status().orElseThrow().getGraceMillis())
                                .max()
                                .orElse(0)
                        * 1_000;
        List<UUID> gone = new ArrayList<>();
        List<java.util.BitSet> held = seen.stream().map(Seen::held).toList();
        for (int i = 0; i < asked.size(); i++) {
            UUID piece = asked.get(i).piece();
            int at = i;
            boolean absent =
                    asked.get(i).isEverywhere()
                            && held.stream().noneMatch(h -> h.get(at))
                            && lifetimes.isBuried(Site.LOCAL, piece)
                            && lifetimes.isBuried(Site.DR, piece);
            if (!absent) {
                absentSince.remove(piece);
            } else if (now - absentSince.computeIfAbsent(piece, _ -> now) > grace) {
                gone.add(piece);
            }
        }
        List<UUID> some = gone.subList(0, Math.min(gone.size(), Command.MAX_EXPIRING));
        if (!some.isEmpty()) {
            log.submit(new Command.ExpirySettled(some));
            some.forEach(absentSince::remove);
            lifetimes.settled(some);
        }
    }

    private static long micros(Duration duration) {
        return duration.toMillis() * 1_000;
    }

    // ---------------------------------------------------------------- what freezes (G4)

    /** What the leader knows of a store's site. */
    private GcStanding standing(Lookup lookup, StoreCollectors.Store store) {
        ClusterState state = lookup.state();
        boolean alone = state.abandoned().isPresent() || noOtherSite(state);
        String role = role(state, store);
        Set<String> pins = new TreeSet<>();
        if (state.draining().isPresent()) {
            pins.add("a switchover under way");
        }
        if (state.repl().mode() == ReplState.Mode.CATCHUP && !alone) {
            pins.add("the other site, which receives what it lacks");
        }
        state.storageMoves().stream()
                .filter(StorageMove::isActive)
                .forEach(m -> pins.add("the healing of storage " + m.storage()));
        state.reports().stream()
                .filter(ReturnReport::isOpen)
                .forEach(r ->
                        pins.add(
                                "the report of the return of site "
                                        + r.epoch().site().word()
                                        + ", which is not signed"));
        return GcStanding.newBuilder()
                .setSettled(role.equals("ACTIVE") || role.equals("STANDBY"))
                .setRole(role)
                .setOutOfSyncMillis(alone ? 0 : outOfSyncMillis(state))
                .setForced(state.forcedMicros() != 0 && state.abandoned().isEmpty())
                .addAllPins(pins)
                .build();
    }

    /** The role of a store's site in this epoch, or what keeps it from being settled in it. */
    private String role(ClusterState state, StoreCollectors.Store store) {
        if (store.site() == site) {
            return state.draining().isPresent() ? "DRAINING" : "ACTIVE";
        }
        List<PeerWatch.Seen> nodes =
                watch.of(store.site()).stream().filter(PeerWatch.Seen::reachable).toList();
        if (nodes.isEmpty()) {
            return "SILENT";
        }
        for (PeerWatch.Seen node : nodes) {
            String role = node.description().map(SiteDescription::state).orElse("UNKNOWN");
            if (!role.equals("STANDBY")) {
                return role;
            }
            if (!node.description()
                    .flatMap(SiteDescription::epoch)
                    .equals(Optional.of(state.epoch()))) {
                return "STANDBY of an older epoch";
            }
        }
        return "STANDBY";
    }

    /** What the log says, or silence that the log does not know of yet. */
    private long outOfSyncMillis(ClusterState state) {
        long now = collectors.nowMicros();
        long recorded =
                state.repl().mode() == ReplState.Mode.SYNC ? 0 : now - state.repl().sinceMicros();
        long silent = now - watch.lastContactMicros().orElse(0L);
        return Math.max(recorded, silent) / 1_000;
    }

    /** Why a sweep would be refused, as far as leader and store know now. */
    private static List<String> freezes(GcStanding standing, CollectorStatusReply status) {
        List<String> reasons = new ArrayList<>();
        if (!standing.getSettled()) {
            reasons.add("the site is " + standing.getRole() + " and not settled in this epoch");
        }
        if (standing.getOutOfSyncMillis() > status.getGraceMillis()) {
            reasons.add(
                    "replication has not been SYNC for "
                            + standing.getOutOfSyncMillis() / 1_000
                            + " s");
        }
        if (standing.getForced()) {
            reasons.add("the epoch was forced and the other site is not reconciled");
        }
        Set<String> pins = new TreeSet<>(standing.getPinsList());
        pins.addAll(status.getPinsList());
        if (!pins.isEmpty()) {
            reasons.add("pinned by " + String.join(", ", pins));
        }
        return reasons;
    }

    // ---------------------------------------------------------------- for people

    /** Everything that is known now. */
    GcView view() {
        try {
            return view(look(List.of()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE, "Interrupted", "See: holdfast gc status");
        }
    }

    private GcView view(List<Seen> seen) throws InterruptedException {
        Lookup lookup = Lookup.in(log.state());
        ClusterState state = lookup.state();
        Holdings holdings = holdings(lookup);
        List<String> waits = new ArrayList<>();
        OptionalLong skew = skew(state, seen);
        if (skew.isEmpty()) {
            waits.add("a store does not answer: its clock is not known, so nothing expires");
        } else if (skew.getAsLong() >= StoreCollectors.MAX_SKEW.toMillis()) {
            waits.add("clocks disagree by " + skew.getAsLong() / 1_000 + " s: nothing expires");
        }
        if (!state.expiries().isEmpty()
                && state.abandoned().isEmpty()
                && !noOtherSite(state)
                && log.protectedIndex() < log.appliedIndex()
                && state.repl().mode() != ReplState.Mode.SYNC) {
            waits.add("the other site has not acknowledged the expiries: nothing is marked");
        }
        long kept = state.expiries().stream().filter(e -> !e.isEverywhere()).count();
        if (kept >= ClusterState.MAX_KEPT_ELSEWHERE) {
            waits.add(
                    kept
                            + " pieces are kept by one site alone, the most there may be: others stay"
                            + " at both sites");
        }
        int nowhere = holdings.nowhere();
        if (nowhere > 0) {
            waits.add(
                    nowhere
                            + (nowhere == 1 ? " piece is" : " pieces are")
                            + " to be kept by one site alone, and no store has"
                            + (nowhere == 1 ? " it" : " them")
                            + ": look for a storage that lost its disk (holdfast storage list)");
        }
        return new GcView(
                seen.stream().map(s -> view(lookup, s)).toList(),
                state.gcRuns().stream().map(Garbage::view).toList(),
                state.expiries().size() - kept,
                state.holds().size(),
                state.abandoned().map(a -> a.site().word()).orElse(null),
                kept,
                waits);
    }

    private GcView.Store view(Lookup lookup, Seen seen) {
        String site = seen.store().site().word();
        String storage = seen.store().device().storage().toString();
        String endpoint = seen.store().endpoint().toString();
        if (!seen.reachable()) {
            return new GcView.Store(
                    site, storage, endpoint, false, "", 0, 0, List.of(), List.of(seen.problem()));
        }
        CollectorStatusReply status = seen.status().orElseThrow();
        return new GcView.Store(
                site,
                storage,
                endpoint,
                true,
                status.getRole(),
                status.getGraceMillis() / 1_000,
                status.getSessions(),
                status.getRunsList().stream().map(Garbage::view).toList(),
                freezes(standing(lookup, seen.store()), status));
    }

    private static GcView.Mark view(FossilRun run) {
        return new GcView.Mark(
                run.getNumber(),
                Epoch.decode(run.getEpoch()).toString(),
                Moment.of(run.getMadeMicros()),
                run.getSessions(),
                run.getConfirmedBy() != 0,
                run.getFrames(),
                run.getBytes());
    }

    private static GcView.Run view(GcRun run) {
        return new GcView.Run(
                run.id(),
                run.site().word(),
                run.storage().toString(),
                run.work().name(),
                run.epoch().toString(),
                run.node(),
                Moment.of(run.beganMicros()),
                run.endedMicros() == 0 ? null : Moment.of(run.endedMicros()),
                run.outcome(),
                run.reasons(),
                run.frames(),
                run.bytes());
    }

    RetentionView retention() {
        try {
            return lifetimes.view(
                    collectors.nowMicros(), clockTrusted(look(List.of())), this::holding);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE, "Interrupted", "See: holdfast retention show");
        }
    }

    GcView abandon(Requests.Abandon request) {
        Site lost;
        try {
            lost = Site.ofWord(request.site());
        } catch (FormatException e) {
            throw new ApiException(ApiException.Kind.USAGE, String.valueOf(e.getMessage()), "");
        }
        boolean answers = watch.of(lost).stream().anyMatch(PeerWatch.Seen::reachable);
        if (answers && lost != site) {
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    "Refused to abandon site " + lost.word() + ": a node of it answers",
                    "Only a site that is lost for good is abandoned; see: holdfast status",
                    log.state().epoch().toString(),
                    null,
                    null);
        }
        log.submit(
                new Command.AbandonSite(
                        lost,
                        Optional.ofNullable(request.operator()).orElse("operator"),
                        Optional.ofNullable(request.reason()).orElse("")));
        return view();
    }

    // ---------------------------------------------------------------- why

    /** Why every byte stays or goes. */
    GcPlanView plan() {
        try {
            List<Seen> seen = look(List.of());
            Lookup lookup = Lookup.in(log.state());
            Holdings holdings = holdings(lookup);
            boolean lasting = isLasting(lookup.state());
            if (lasting) {
                lifetimes.look(lookup, lookup.state().expiries());
            }
            OptionalLong skew = skew(lookup.state(), seen);
            List<Lifetimes.Ruled> ruled =
                    lifetimes.rule(
                            lookup, collectors.nowMicros(), clockTrusted(seen), this::holding);
            List<GcPlanView.Store> stores = new ArrayList<>();
            for (Seen store : seen) {
                stores.add(plan(lookup, store, holdings, ruled, lasting, skew.orElse(0)));
            }
            return new GcPlanView(stores);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE,
                    "Interrupted",
                    "Ask again: holdfast gc --dry-run");
        }
    }

    private GcPlanView.Store plan(
            Lookup lookup,
            Seen seen,
            Holdings holdings,
            List<Lifetimes.Ruled> ruled,
            boolean lasting,
            long skew) {
        var store = seen.store();
        String site = store.site().word();
        String storage = store.device().storage().toString();
        if (!seen.reachable()) {
            return new GcPlanView.Store(site, storage, seen.problem(), 0, 0, List.of(), List.of());
        }
        Map<ExpiryFate, List<ChunkId>> fates = new LinkedHashMap<>();
        Map<UUID, String> reasons = new HashMap<>();
        for (Lifetimes.Ruled one : ruled) {
            RetentionPlan.Verdict verdict = one.verdict().at(store.site());
            if (verdict.action() != RetentionPlan.Action.GONE) {
                fates.computeIfAbsent(new ExpiryFate(true, verdict.kind()), _ -> new ArrayList<>())
                        .add(one.row().header());
                reasons.put(one.row().piece(), verdict.reason());
            }
        }
        Set<UUID> elsewhere = holdings.ofCounterpart(store);
        for (Expiry expiry : lookup.state().expiries()) {
            if (expiry.isAt(store.site())) {
                ExpiryFate fate =
                        holdings.fate(
                                store,
                                expiry,
                                elsewhere,
                                piece -> lifetimes.isBuried(store.site(), piece),
                                lasting);
                fates.computeIfAbsent(fate, _ -> new ArrayList<>()).add(expiry.header());
                reasons.put(expiry.piece(), fate.kind() + ": " + expiry.reason());
            }
        }
        ExplainRequest.Builder request =
                ExplainRequest.newBuilder()
                        .setOrder(collectors.order(skew))
                        .setStanding(standing(lookup, store))
                        .setUnknown(
                                FateGroup.newBuilder()
                                        .setStays(true)
                                        .setReason(
                                                "no catalog lists it: its job ended early, or only"
                                                        + " the other site knows it"));
        fates.forEach((fate, ids) ->
                request.addGroups(
                        FateGroup.newBuilder()
                                .setStays(fate.stays())
                                .setReason(fate.kind())
                                .setIds(Wire.bytes(ids))));
        List<ExplainReply> lines = new ArrayList<>();
        try {
            peers.collector(store.endpoint()).explain(request, lines::add);
        } catch (RemoteException e) {
            return new GcPlanView.Store(
                    site, storage, String.valueOf(e.getMessage()), 0, 0, List.of(), List.of());
        }
        return new GcPlanView.Store(
                site,
                storage,
                "",
                lines.getFirst().getTotals().getFrames(),
                lines.getFirst().getTotals().getBytes(),
                lines.stream()
                        .filter(ExplainReply::hasGroup)
                        .map(ExplainReply::getGroup)
                        .map(g ->
                                new GcPlanView.Group(
                                        g.getOutcome(), g.getReason(), g.getFrames(), g.getBytes()))
                        .toList(),
                lines.stream()
                        .filter(ExplainReply::hasPiece)
                        .map(ExplainReply::getPiece)
                        .map(p -> {
                            UUID piece = Wire.uuid(p.getPiece(), "piece");
                            return new GcPlanView.Piece(
                                    piece,
                                    p.getStays(),
                                    reasons.getOrDefault(piece, p.getReason()),
                                    p.getBytes(),
                                    p.getOwnBytes());
                        })
                        .toList());
    }
}
