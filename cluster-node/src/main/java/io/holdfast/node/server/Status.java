package io.holdfast.node.server;

import io.holdfast.agent.storage.StoreStatus;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.catalog.CatalogStatus;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.node.api.HealthView;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.node.api.StatusView;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The cluster as this node sees it, for people. Asks stores and catalogs at once, bounded in time. */
final class Status {
    private static final long ASK_MILLIS = 2_000;

    private final String self;
    private final Site site;
    private final ClusterLog log;
    private final PeerWatch watch;
    private final Peers peers;
    private final Protector protector;
    private final Shipping shipping;
    private final Acknowledgements acks;
    private final Supplier<Mbr> mbr;
    private final InstantSource clock;
    private final ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor();
    private @Nullable SiteController controller;

    Status(
            String self,
            Site site,
            ClusterLog log,
            PeerWatch watch,
            Peers peers,
            Protector protector,
            Shipping shipping,
            Acknowledgements acks,
            Supplier<Mbr> mbr,
            InstantSource clock) {
        this.self = self;
        this.site = site;
        this.log = log;
        this.watch = watch;
        this.peers = peers;
        this.protector = protector;
        this.shipping = shipping;
        this.acks = acks;
        this.mbr = mbr;
        this.clock = clock;
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

    /** Where catalogs are read while this node answers by itself. */
    Site siteToRead(Lookup lookup) {
        SiteController c = controller();
        return c.state().mayCommand() ? lookup.state().epoch().site() : site;
    }

    // ---------------------------------------------------------------- status

    StatusView status() {
        watch.round();
        ClusterState state = log.state();
        Lookup lookup = Lookup.in(state);
        SiteController c = controller();
        Epoch epoch = c.epoch();
        Site active = epoch.site();
        Mbr record = mbr.get();
        List<JobRecord> unprotected = state.unprotectedPieces().stream().toList();
        Optional<NodeAddress> leader = leader(record);
        ReplState repl = state.repl();
        RpoAtRisk atRisk = c.serves() ? acks.settled() : null;
        return new StatusView(
                record.cluster(),
                record.name(),
                record.profile(),
                self,
                site.word(),
                c.role(),
                active == Site.DR ? "DR" : "NORMAL",
                epoch.toString(),
                active.word(),
                log.lineage(),
                leader.map(NodeAddress::id).orElse(null),
                replication(record, state),
                repl.sinceMicros() == 0 ? null : Moment.of(repl.sinceMicros()),
                watch.lastContactMicros().map(Moment::of).orElse(null),
                state.ackPolicy().word(),
                state.ackPolicy() == state.bindingPolicy(),
                level(atRisk),
                atRisk == null || isNothing(atRisk) ? null : atRisk,
                rpoSeconds(state, unprotected),
                log.appliedIndex(),
                log.protectedIndex(),
                members(record, leader),
                stores(lookup),
                catalogs(lookup),
                clients(lookup, active),
                state.openJobs().size(),
                unprotected.size(),
                record.nodes(Site.WITNESS).isEmpty() ? null : state.autoFailover() ? "on" : "off",
                record.nodes(Site.WITNESS).isEmpty() ? null : state.autoFailoverRequires().word(),
                warnings(state, unprotected, c));
    }

    private String replication(Mbr record, ClusterState state) {
        if (record.nodes(PeerWatch.across(site)).isEmpty()) {
            return "NONE";
        }
        return state.repl().mode().name();
    }

    private static @Nullable Level level(@Nullable RpoAtRisk atRisk) {
        return atRisk == null ? null : isNothing(atRisk) ? Level.PROTECTED : Level.UNPROTECTED;
    }

    private static boolean isNothing(RpoAtRisk atRisk) {
        return atRisk.changes() == 0 && atRisk.bytes() == 0;
    }

    private double rpoSeconds(ClusterState state, List<JobRecord> unprotected) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
        long oldest = unprotected.stream().mapToLong(JobRecord::endedMicros).min().orElse(now);
        boolean behind = log.leads() && log.protectedIndex() < log.appliedIndex();
        if (behind && state.repl().mode() != ReplState.Mode.SYNC) {
            oldest = Math.min(oldest, Math.max(1, state.repl().sinceMicros()));
        }
        return Math.max(0, (now - oldest) / 1e6);
    }

    private Optional<NodeAddress> leader(Mbr record) {
        return (log.leads() ? Optional.of(self) : controller().activeLeader())
                .flatMap(record::node);
    }

    private List<StatusView.Member> members(Mbr record, Optional<NodeAddress> leader) {
        List<StatusView.Member> members = new ArrayList<>();
        SiteController c = controller();
        record.node(self)
                .ifPresent(n ->
                        members.add(
                                member(
                                        n,
                                        site,
                                        true,
                                        c.role(),
                                        leader.filter(l -> l.id().equals(self)).isPresent(),
                                        c.epoch().toString(),
                                        log.appliedIndex(),
                                        nowMoment())));
        for (PeerWatch.Seen seen : watch.all()) {
            Optional<SiteDescription> d = seen.description();
            members.add(
                    member(
                            seen.node(),
                            record.siteOf(seen.node().id()).orElse(site),
                            seen.reachable(),
                            seen.reachable()
                                    ? d.map(SiteDescription::state).orElse("UNKNOWN")
                                    : "UNKNOWN",
                            leader.filter(l -> l.id().equals(seen.node().id())).isPresent(),
                            d.flatMap(SiteDescription::promise).map(Epoch::toString).orElse(null),
                            d.map(SiteDescription::appliedIndex).orElse(-1L),
                            seen.atMicros() == 0 ? null : Moment.of(seen.atMicros())));
        }
        return members;
    }

    private Moment nowMoment() {
        return Moment.of(ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()));
    }

    private static StatusView.Member member(
            NodeAddress node,
            Site site,
            boolean reachable,
            String role,
            boolean leader,
            @Nullable String epoch,
            long applied,
            @Nullable Moment contact) {
        return new StatusView.Member(
                node.id(),
                site.word(),
                node.host() + ":" + node.restPort(),
                reachable,
                role,
                leader,
                epoch,
                applied,
                contact);
    }

    private <T> List<T> ask(List<Callable<T>> questions) {
        List<T> answers = new ArrayList<>();
        try {
            for (Future<T> answer :
                    asking.invokeAll(questions, ASK_MILLIS, TimeUnit.MILLISECONDS)) {
                if (!answer.isCancelled()) {
                    answers.add(answer.get());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("asking stores and catalogs failed", e);
        }
        return answers;
    }

    private List<StatusView.Store> stores(Lookup lookup) {
        List<Callable<StatusView.Store>> questions = new ArrayList<>();
        for (DeviceResource device : lookup.devices()) {
            for (Site where : List.of(Site.LOCAL, Site.DR)) {
                lookup.at(device.storage(), where)
                        .ifPresent(endpoint -> questions.add(() -> store(where, endpoint)));
            }
        }
        return ask(questions);
    }

    private StatusView.Store store(Site where, Endpoint endpoint) {
        try {
            StoreStatus s = peers.storage(endpoint).status();
            return new StatusView.Store(
                    where.word(),
                    endpoint.toString(),
                    true,
                    s.frameBytes(),
                    s.frames(),
                    s.freeBytes());
        } catch (RemoteException e) {
            return new StatusView.Store(where.word(), endpoint.toString(), false, -1, -1, -1);
        }
    }

    private List<StatusView.CatalogState> catalogs(Lookup lookup) {
        List<Callable<StatusView.CatalogState>> questions = new ArrayList<>();
        for (CatalogResource catalog : lookup.catalogs()) {
            for (Site where : List.of(Site.LOCAL, Site.DR)) {
                lookup.at(catalog.address(), where)
                        .ifPresent(endpoint ->
                                questions.add(() -> catalog(catalog.name(), where, endpoint)));
            }
        }
        return ask(questions);
    }

    private StatusView.CatalogState catalog(String name, Site where, Endpoint endpoint) {
        try {
            CatalogStatus s = peers.catalog(endpoint).status();
            return new StatusView.CatalogState(
                    name, where.word(), endpoint.toString(), true, s.pieces());
        } catch (RemoteException e) {
            return new StatusView.CatalogState(name, where.word(), endpoint.toString(), false, -1);
        }
    }

    private static List<StatusView.ClientState> clients(Lookup lookup, Site active) {
        List<StatusView.ClientState> clients = new ArrayList<>();
        for (Lookup.Client client : lookup.clients()) {
            Optional<String> why = Lookup.suspension(client.view(), active);
            clients.add(
                    new StatusView.ClientState(
                            client.id(),
                            client.view().name(),
                            client.view().critical() ? "critical" : "non-critical",
                            why.isPresent() ? "SUSPENDED" : "ACTIVE",
                            why.orElse(null),
                            lookup.at(client.view().address(), active)
                                    .map(Endpoint::toString)
                                    .orElse(null)));
        }
        return clients;
    }

    private List<String> warnings(
            ClusterState state, List<JobRecord> unprotected, SiteController c) {
        List<String> warnings = new ArrayList<>();
        if (c.state().mayCommand() && state.repl().mode() != ReplState.Mode.SYNC) {
            RpoAtRisk risk = acks.atRisk();
            warnings.add(
                    "RPO AT RISK since "
                            + risk.since().iso()
                            + ": replication is "
                            + c.state().replication()
                            + ", "
                            + risk.changes()
                            + " changes and "
                            + unprotected.size()
                            + " data pieces with "
                            + risk.bytes()
                            + " stored bytes are at this site only"
                            + (state.bindingPolicy() == AckPolicy.PROTECTION && acks.isAway()
                                    ? "; ack policy protection: writes are refused"
                                    : ""));
        }
        if (c.role().equals("FENCED") || c.role().equals("RECONCILING")) {
            warnings.add(
                    "This site was fenced by epoch "
                            + c.epoch()
                            + ": it takes no backups until it has reconciled with site "
                            + c.epoch().site().word());
        }
        if (!c.problem().isEmpty() && !c.role().equals("ACTIVE") && !c.role().equals("STANDBY")) {
            warnings.add(c.problem());
        }
        state.storageMoves().stream()
                .filter(io.holdfast.replication.state.StorageMove::isActive)
                .forEach(m ->
                        warnings.add(
                                "Storage "
                                        + m.storage()
                                        + " is lost since "
                                        + Moment.of(m.sinceMicros()).iso()
                                        + ": its jobs use the store of site "
                                        + m.servedAt().word()
                                        + "; when it is healed: holdfast storage failback "
                                        + m.storage()));
        state.abandoned()
                .ifPresent(a ->
                        warnings.add(
                                "Site "
                                        + a.site().word()
                                        + " is abandoned since "
                                        + Moment.of(a.timeMicros()).iso()
                                        + ": expired data goes without waiting for it"));
        state.reports().stream()
                .filter(io.holdfast.replication.state.ReturnReport::isOpen)
                .forEach(r ->
                        warnings.add(
                                "Site "
                                        + r.epoch().site().word()
                                        + " returned with "
                                        + r.resources().size()
                                        + " changed resources; the way home waits for: holdfast"
                                        + " reconcile, then: holdfast reconcile sign"));
        warnings.addAll(Checkpoints.sentences(Lookup.in(state)));
        shipping().damage().forEach(d -> warnings.add("Damaged frame, not shipped: " + d));
        return warnings;
    }

    // ---------------------------------------------------------------- health

    HealthView health() {
        SiteController c = controller();
        Map<String, String> checks = new TreeMap<>();
        checks.put("raft", log.state().isSeeded() ? "ok" : "no lineage is open or seeded yet");
        checks.put("site", c.problem().isEmpty() ? "ok" : c.problem());
        checks.put("shipping", shipping.text());
        boolean writable = c.serves() && log.state().isSeeded();
        return new HealthView(
                "UP", self, site.word(), c.role(), c.epoch().toString(), writable, checks);
    }

    // ---------------------------------------------------------------- reconcile

    /** What became of the other site's return, as the active leader knows it. */
    ReconcileView reconcile() {
        ClusterState state = log.state();
        ShipStatus.CatchUp catchUp = shipping().catchUp();
        return Returns.forced(state)
                .map(change ->
                        Returns.view(
                                state,
                                change,
                                stage(state, change.epoch().site().peer(), catchUp),
                                protector::isShown,
                                catchUp))
                .orElse(ReconcileView.NONE);
    }

    /** Of all the site's stores, whichever node has them, as it was last heard. */
    private ShipReport shipping() {
        return watch.of(site).stream()
                .flatMap(s -> s.description().stream())
                .map(SiteDescription::shipping)
                .reduce(shipping.report(), ShipReport::plus);
    }

    private String stage(ClusterState state, Site returned, ShipStatus.CatchUp catchUp) {
        if (state.epoch().site() == returned) {
            return "DONE";
        }
        List<String> roles =
                watch.of(returned).stream()
                        .filter(PeerWatch.Seen::reachable)
                        .flatMap(s -> s.description().stream())
                        .map(SiteDescription::state)
                        .toList();
        if (roles.isEmpty()) {
            return "WAITING";
        }
        if (!roles.stream().allMatch("STANDBY"::equals)) {
            return "RECONCILING";
        }
        return state.repl().mode() == ReplState.Mode.SYNC
                        && catchUp.done()
                        && protector.allShown(state)
                ? "DONE"
                : "CATCHUP";
    }

    /** The other nodes that answered when they were asked last. */
    List<NodeAddress> reachable() {
        return watch.all().stream()
                .filter(PeerWatch.Seen::reachable)
                .map(PeerWatch.Seen::node)
                .toList();
    }

    void close() {
        asking.shutdownNow();
    }
}
