package io.holdfast.node.server;

import io.holdfast.agent.wire.RemoteException;
import io.holdfast.modeswitch.Layout;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.node.api.ApiException;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.Member;
import io.holdfast.replication.raft.RaftEvents;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.SubmitException;
import io.holdfast.replication.site.ProtectionWatch;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Draining;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does while it leads and its site is active: runs jobs, protects pieces, levels the
 * catalogs, adopts members, watches how the other site follows. It works only while both hold: the
 * site machine allows it ({@link #allow}), and Raft says that this node leads. Each kind of work has a
 * thread of its own, so that one silent peer holds up nothing else.
 */
final class LeaderServices implements SitePorts.Services, RaftEvents, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderServices.class);
    private static final Duration FAST = Duration.ofMillis(100);
    private static final Duration SLOW = Duration.ofMillis(500);
    private static final Duration IN_TIME = Duration.ofSeconds(3);
    private static final Duration BOOTSTRAP_PATIENCE = Duration.ofSeconds(30);

    private final String self;
    private final Site site;
    private final RaftHost raft;
    private final ClusterLog log;
    private final PeerWatch watch;
    private final SiteActions actions;
    private final NodeSiteHandler handler;
    private final JobRunner jobs;
    private final Protector protector;
    private final CatalogPump pump;
    private final Scheduler scheduler;
    private final Supplier<Mbr> mbr;
    private final List<Resource> seed;
    private final InstantSource clock;
    private final List<Thread> threads = new ArrayList<>();
    private Runnable garbage = () -> {};
    private Runnable successors = () -> {};
    private @Nullable Epoch allowed;
    private @Nullable ProtectionWatch protection;
    private volatile BooleanSupplier commands = () -> true;
    private volatile BooleanSupplier overdue = () -> false;
    private volatile BooleanSupplier drains = () -> false;
    private boolean working;
    private volatile boolean ready;
    private volatile boolean closed;

    LeaderServices(
            String self,
            Site site,
            RaftHost raft,
            ClusterLog log,
            PeerWatch watch,
            SiteActions actions,
            NodeSiteHandler handler,
            JobRunner jobs,
            Protector protector,
            CatalogPump pump,
            Scheduler scheduler,
            Supplier<Mbr> mbr,
            List<Resource> seed,
            InstantSource clock) {
        this.self = self;
        this.site = site;
        this.raft = raft;
        this.log = log;
        this.watch = watch;
        this.actions = actions;
        this.handler = handler;
        this.jobs = jobs;
        this.protector = protector;
        this.pump = pump;
        this.scheduler = scheduler;
        this.mbr = mbr;
        this.seed = List.copyOf(seed);
        this.clock = clock;
    }

    /** What touches agents, stores and catalogs waits while this does not hold. */
    void commandsWhile(BooleanSupplier mayCommand) {
        commands = mayCommand;
        jobs.commandsWhile(mayCommand);
    }

    /** Whoever acknowledges so late that a write still waits is not in time, alive or not. */
    void overdueWhile(Predicate<Duration> waitedLonger) {
        overdue = () -> waitedLonger.test(IN_TIME);
    }

    /** Whether a planned move is under way at this node; set before anything begins. */
    void drainsWhile(BooleanSupplier draining) {
        drains = draining;
    }

    /** What looks after the end of data; set before anything begins. */
    void collects(Runnable round) {
        garbage = round;
    }

    /** What opens the successors of checkpointed jobs; set before anything begins. */
    void takesUp(Runnable round) {
        successors = round;
    }

    // ---------------------------------------------------------------- who may

    /** The site machine: this site owns the epoch. */
    @Override
    public synchronized void allow(Epoch epoch) {
        allowed = epoch;
        if (!raft.isOpen(log.lineage())) {
            if (epoch.n() == 1 && mbr.get().nodes(site).getFirst().id().equals(self)) {
                Thread.ofVirtual().name("bootstrap").start(() -> bootstrap(epoch));
            }
        } else if (raft.isLeader(log.lineage())) {
            leaderReady(log.lineage(), raft.term(log.lineage()));
        }
    }

    /** The site machine: this site owns nothing any more. */
    @Override
    public synchronized void forbid() {
        allowed = null;
        stopWork();
    }

    @Override
    public synchronized void leaderReady(UUID lineage, long term) {
        if (!lineage.equals(log.lineage()) || closed) {
            return;
        }
        Epoch epoch = allowed;
        if (epoch == null) {
            if (mbr.get().nodes(Site.WITNESS).isEmpty()) {
                handLeadershipHome(lineage); // in P3 the site machine says where it belongs
            }
            return;
        }
        ProtectionWatch old = protection;
        if (old != null && !old.book().epoch().equals(epoch)) {
            old.close();
            protection = null;
        }
        if (protection == null) {
            ProtectionWatch next = new ProtectionWatch(book(mbr.get(), site, self, lineage, epoch));
            protection = next;
            handler.watch(Optional.of(next));
            log.acknowledged(new Acknowledged(next, log.appliedIndex()));
        }
        startWork();
    }

    /** Protected is what a quorum of each site has; of the own one, this leader is a member. */
    static SiteAckBook book(Mbr mbr, Site site, String self, UUID lineage, Epoch epoch) {
        Set<String> peers = ids(mbr, site.peer());
        Set<String> own = ids(mbr, site);
        int ownQuorum = own.size() / 2 + 1;
        own.remove(self);
        return new SiteAckBook(lineage, epoch, peers, peers.size() / 2 + 1, own, ownQuorum - 1);
    }

    private static Set<String> ids(Mbr mbr, Site of) {
        return mbr.nodes(of).stream()
                .map(NodeAddress::id)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Override
    public synchronized void notLeader(UUID lineage) {
        if (!lineage.equals(log.lineage())) {
            return;
        }
        ProtectionWatch old = protection;
        protection = null;
        handler.watch(Optional.empty());
        log.acknowledged(Acknowledged.NOTHING);
        if (old != null) {
            old.close();
        }
        stopWork();
    }

    /** A voter of the passive site that was elected gives the lead to the active site. */
    private void handLeadershipHome(UUID lineage) {
        Thread.ofVirtual()
                .name("hand-home")
                .start(() -> {
                    ClusterState state = log.state();
                    Site active = state.epoch().site();
                    if (state.isSeeded() && active != site) {
                        actions.preferWhile(
                                () ->
                                        !closed
                                                && raft.isLeader(lineage)
                                                && log.state().epoch().site() == active,
                                () -> lineage,
                                active);
                    }
                });
    }

    /** Whether this node leads the active site and the record is whole: it may serve. */
    @Override
    public boolean isReady() {
        return ready;
    }

    private void startWork() {
        if (working) {
            return;
        }
        working = true;
        LOG.info("Node {} leads site {} and begins its work", self, site.word());
        threads.add(
                Thread.ofVirtual()
                        .name("leader-start")
                        .start(() -> {
                            try {
                                ensureSeeded();
                                ensureSuspended();
                                ready = true;
                                jobs.start();
                            } catch (InterruptedException e) {
                                LOG.debug("stopped while starting");
                            } catch (IOException | RuntimeException e) {
                                LOG.error("The first lineage is not complete", e);
                            }
                        }));
        loop("protector", FAST, protector::round);
        loop("catalog-pump", FAST, pump::round);
        loop("adoption", SLOW, this::adopt);
        loop("storages", SLOW, this::tellStoragesApart);
        loop("drain", Duration.ofSeconds(1), this::takeBackDrain);
        loop("scheduler", Duration.ofSeconds(1), scheduler::round);
        loop("garbage", Duration.ofSeconds(1), () -> garbage.run());
        loop("successors", SLOW, this::takeUp);
    }

    private void stopWork() {
        if (!working) {
            return;
        }
        working = false;
        ready = false;
        LOG.info("Node {} stops its work as leader", self);
        jobs.stop();
        threads.forEach(Thread::interrupt);
        threads.clear();
    }

    private void loop(String name, Duration pause, Runnable round) {
        threads.add(
                Thread.ofVirtual()
                        .name(name)
                        .start(() -> {
                            while (!Thread.currentThread().isInterrupted()) {
                                try {
                                    if (log.state().isSeeded() && commands.getAsBoolean()) {
                                        round.run();
                                    }
                                    Thread.sleep(pause);
                                } catch (InterruptedException e) {
                                    return;
                                } catch (RuntimeException e) {
                                    LOG.warn("{}: {}", name, e.toString(), e);
                                    if (!sleepQuietly(SLOW)) {
                                        return;
                                    }
                                }
                            }
                        }));
    }

    private static boolean sleepQuietly(Duration time) {
        try {
            Thread.sleep(time);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    // ---------------------------------------------------------------- the first lineage

    private void bootstrap(Epoch epoch) {
        long patience = System.nanoTime() + BOOTSTRAP_PATIENCE.toNanos();
        int own = mbr.get().nodes(site).size();
        while (!closed && !raft.isOpen(log.lineage())) {
            boolean patient = System.nanoTime() < patience;
            try {
                actions.openLineage(log.lineage(), epoch, patient ? own : own / 2 + 1);
                return;
            } catch (IOException e) {
                LOG.info("The first lineage waits: {}", e.getMessage());
            } catch (RuntimeException e) {
                LOG.error("The first lineage was not opened", e);
            }
            if (!sleepQuietly(SLOW)) {
                return;
            }
        }
    }

    /** Plants the first epoch, the MBR and the resources that init wrote; harmless when repeated. */
    private void ensureSeeded() throws IOException, InterruptedException {
        Epoch epoch = allowed;
        if (epoch == null || epoch.n() != 1) {
            return;
        }
        while (!log.state().isSeeded()) {
            try {
                actions.plant(
                        log.lineage(),
                        epoch,
                        mbr.get(),
                        seed,
                        ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()));
            } catch (SubmitException e) {
                LOG.info("Planting the first state goes on: {}", e.getMessage());
                Thread.sleep(FAST);
            }
        }
    }

    /** In one lineage (P3) nobody else has written who is suspended at this site. */
    private void ensureSuspended() throws InterruptedException {
        Map<UUID, String> suspended = new TreeMap<>();
        Views.suspended(Lookup.in(log.state()), site)
                .forEach(s -> suspended.put(s.client(), s.reason()));
        if (!log.state().suspended().equals(suspended)) {
            log.submitWhileLeading(new Command.SetSuspended(suspended), UUID.randomUUID());
        }
    }

    // ---------------------------------------------------------------- members

    /** Brings every node that is ready into the lineage, in the layout of the active site. */
    private void adopt() {
        UUID lineage = log.lineage();
        Epoch epoch = log.state().epoch();
        if (!mbr.get().nodes(Site.WITNESS).isEmpty()) {
            adoptStretched(lineage, epoch);
            return;
        }
        for (PeerWatch.Seen peer : watch.all()) {
            Optional<SiteDescription> description = peer.description();
            if (!peer.reachable() || description.isEmpty() || !log.leads()) {
                continue;
            }
            try {
                adopt(lineage, epoch, peer.node(), description.get());
            } catch (RemoteException e) {
                LOG.info("Node {} is not adopted yet: {}", peer.node().id(), e.getMessage());
            } catch (IOException e) {
                LOG.warn("Node {} is not adopted yet: {}", peer.node().id(), e.getMessage());
            }
        }
    }

    /**
     * A node has acknowledged with two storages, so one is lost, and only an entry written after that can
     * tell which. Where nobody writes, this does.
     */
    private void tellStoragesApart() {
        ProtectionWatch current;
        synchronized (this) {
            current = protection;
        }
        try {
            if (current != null
                    && log.leads()
                    && current.book().waitsForEntry(raft.lastIndex(log.lineage()))) {
                log.submit(
                        new Command.AuditNote(
                                self,
                                "asked which storage of a node is alive",
                                log.lineage().toString()));
            }
        } catch (SubmitException.Unavailable | ApiException e) {
            LOG.info("Which storage of a node is alive is asked again: {}", e.getMessage());
        }
    }

    private void adopt(UUID lineage, Epoch epoch, NodeAddress node, SiteDescription description)
            throws IOException {
        List<Member> now = raft.members(lineage);
        Optional<Member> member =
                now.stream().filter(m -> m.nodeId().equals(node.id())).findFirst();
        boolean belongs =
                member.isPresent() && member.get().incarnation().equals(description.incarnation());
        Member next = layout(mbr.get(), site, now, node, description);
        if (!isReady(description, epoch) || belongs && (member.get().voter() || !next.voter())) {
            return;
        }
        if (member.isPresent() && !belongs) {
            LOG.warn("Node {} lost its storage; it is added again as a new member", node.id());
        }
        List<Member> members = new ArrayList<>(now);
        members.removeIf(m -> m.nodeId().equals(node.id()));
        members.add(next);
        if (!belongs) {
            watch.client(node).openLineage(new LineageSpec(lineage, members), epoch, true);
        }
        // In one step also for a lost storage: without it, the active site might have no majority.
        raft.addMember(lineage, next);
        LOG.info("Node {} is adopted as {}", node.id(), next.voter() ? "voter" : "listener");
    }

    private boolean isReady(SiteDescription description, Epoch epoch) {
        boolean ours = description.site() == site;
        boolean rests =
                switch (description.state()) {
                    case "STANDBY", "WITNESS" -> true;
                    case "ACTIVE", "AWAIT_CONFIRM" -> ours;
                    default -> false;
                };
        return rests
                && description.admitted()
                && description.promise().filter(p -> p.compareTo(epoch) <= 0).isPresent();
    }

    /**
     * In P3 every node votes, and all that are missing become voters in one step, so that no place has
     * a majority on the way. Until then the lineage is the own site's, and P2 applies.
     */
    private void adoptStretched(UUID lineage, Epoch epoch) {
        List<Member> now = raft.members(lineage);
        List<Member> missing = new ArrayList<>();
        List<NodeAddress> nodes = new ArrayList<>();
        boolean stretched = GroupWatch.isStretched(mbr.get(), now);
        for (PeerWatch.Seen peer : watch.all()) {
            Optional<SiteDescription> description = peer.description();
            boolean there =
                    description.isPresent()
                            && now.stream()
                                    .anyMatch(m ->
                                            m.nodeId().equals(peer.node().id())
                                                    && m.incarnation()
                                                            .equals(
                                                                    description
                                                                            .get()
                                                                            .incarnation()));
            if (there) {
                if (peer.reachable() && isReady(description.get(), epoch)) {
                    reopen(peer.node(), description.get(), new LineageSpec(lineage, now), epoch);
                }
                continue;
            }
            if (peer.reachable() && description.isPresent() && isReady(description.get(), epoch)) {
                missing.add(
                        SiteActions.member(
                                peer.node(),
                                description.get(),
                                true,
                                votes(peer.node(), description.get().site())));
                nodes.add(peer.node());
            } else if (!stretched) {
                return; // all or none
            }
        }
        if (missing.isEmpty() || !log.leads()) {
            return;
        }
        List<Member> members = new ArrayList<>(now);
        missing.forEach(a -> members.removeIf(m -> m.nodeId().equals(a.nodeId())));
        members.addAll(missing);
        try {
            for (NodeAddress node : nodes) {
                watch.client(node).openLineage(new LineageSpec(lineage, members), epoch, true);
            }
            raft.addMembers(lineage, missing);
            LOG.info("Adopted as voters: {}", missing);
        } catch (RemoteException e) {
            LOG.info("Not adopted yet: {}", e.getMessage());
        } catch (IOException e) {
            LOG.warn("Not adopted yet: {}", e.getMessage());
        }
    }

    /** It had left the lineage for a fork, and is back: it goes on with the log that it closed. */
    private void reopen(
            NodeAddress node, SiteDescription description, LineageSpec spec, Epoch epoch) {
        if (description.lineage().equals(Optional.of(spec.lineage()))) {
            return;
        }
        try {
            watch.client(node).openLineage(spec, epoch, true);
            LOG.info("Node {} is back in lineage {}", node.id(), spec.lineage());
        } catch (RemoteException e) {
            LOG.info("Node {} is not back yet: {}", node.id(), e.getMessage());
        }
    }

    /** The active site leads, then the other one; the witness when nobody else can. */
    private int votes(NodeAddress node, Site of) {
        if (of == Site.WITNESS) {
            return 0;
        }
        return of == site ? 1 + SiteActions.priority(mbr.get().nodes(site), node.id()) : 1;
    }

    /** How a node belongs to a lineage of P2, beside those who do now. */
    static Member layout(
            Mbr mbr, Site site, List<Member> now, NodeAddress node, SiteDescription description) {
        if (description.site() == site) {
            return SiteActions.member(
                    node, description, true, SiteActions.priority(mbr.nodes(site), node.id()));
        }
        List<Member> others = now.stream().filter(m -> !m.nodeId().equals(node.id())).toList();
        boolean voter =
                Layout.passiveMayVote(
                        mbr.nodes(site.peer()).size(),
                        voters(mbr, site, others),
                        voters(mbr, site.peer(), others));
        return SiteActions.member(node, description, voter, 0);
    }

    private static int voters(Mbr mbr, Site of, List<Member> members) {
        return (int)
                members.stream()
                        .filter(Member::voter)
                        .filter(m -> mbr.siteOf(m.nodeId()).equals(Optional.of(of)))
                        .count();
    }

    // ---------------------------------------------------------------- planned moves

    /** The node that had drained is gone, or could not take it back: this one does. */
    private void takeBackDrain() {
        Optional<Draining> drain = log.state().draining();
        if (drain.isPresent()
                && !drains.getAsBoolean()
                && SiteOperations.isLeftBehind(drain.get(), clock.instant())) {
            try {
                log.submit(new Command.SwitchAbort("who had prepared it did not end it"));
                LOG.warn("A switchover that was left behind is taken back: {}", drain.get());
            } catch (ApiException e) {
                LOG.info("The switchover that was left behind stands: {}", e.getMessage());
            }
        }
    }

    /** Once this node serves: what the epoch has suspended is known then. */
    private void takeUp() {
        if (ready) {
            successors.run();
        }
    }

    @Override
    public String agentOf(JobRecord job) {
        return JobPlanner.agentOf(Lookup.in(log.state()), job).toString();
    }

    @Override
    public void checkpoint(JobRecord job) throws RemoteException {
        jobs.checkpoint(job);
    }

    // ---------------------------------------------------------------- replication

    /** Tells the machine when the other site acknowledges in time. */
    @Override
    public void watchReplication(SiteController controller) {
        List<String> passive = mbr.get().nodes(site.peer()).stream().map(NodeAddress::id).toList();
        if (!overdue.getAsBoolean()
                && handler.heardWithin(passive, IN_TIME) >= passive.size() / 2 + 1) {
            controller.post(new SiteEvent.PeerInTime());
        }
    }

    /** Commits how replication stands; left to the leader where this node is not it. */
    @Override
    public void commitReplication(ReplicationState state) throws InterruptedException {
        while (!closed && !(log.leads() && log.state().isSeeded())) {
            if (raft.leader(log.lineage()).filter(id -> !id.equals(self)).isPresent()) {
                return;
            }
            Thread.sleep(FAST);
        }
        log.submitWhileLeading(
                new Command.ReplStateChange(
                        new ReplState(
                                ReplState.Mode.valueOf(state.name()),
                                ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()),
                                Math.max(0, log.protectedIndex()))),
                UUID.randomUUID());
    }

    /** Waits until the other site has all that stands here now. @return false when it was given up */
    @Override
    public boolean awaitCaughtUp() throws InterruptedException {
        long index = log.appliedIndex();
        Set<UUID> pieces =
                log.state().unprotectedPieces().stream()
                        .map(j -> j.id())
                        .collect(Collectors.toCollection(TreeSet::new));
        while (!closed && log.leads()) {
            boolean caughtUp =
                    log.protectedIndex() >= index
                            && log.state().unprotectedPieces().stream()
                                    .noneMatch(j -> pieces.contains(j.id()));
            try {
                if (caughtUp && pump.round()) {
                    return true;
                }
            } catch (ApiException e) {
                LOG.debug("not level yet: {}", e.getMessage());
            }
            Thread.sleep(FAST);
        }
        return false;
    }

    /** Whether the other site has everything: record, chunks, catalog. */
    @Override
    public boolean isLevel() {
        long index = log.appliedIndex();
        return log.state().unprotectedPieces().isEmpty()
                && pump.round()
                && log.protectedIndex() >= index;
    }

    /** Whether what the other site lacks is little enough for a planned move. */
    @Override
    public boolean lagBounded() {
        return log.state().unprotectedPieces().size() <= 100;
    }

    @Override
    public void close() {
        closed = true;
        forbid();
    }
}
