package io.holdfast.node.server;

import com.google.protobuf.ByteString;
import io.holdfast.agent.DurableFile;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.node.config.RoleFile;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.Member;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RefusedException;
import io.holdfast.replication.raft.StorageAdmission;
import io.holdfast.replication.raft.SubmitException;
import io.holdfast.replication.site.Recovered;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteClient;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.Applied;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Divergence;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Reply;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.Seed;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a change of the active site does to Raft and to the disk, step by step: promises, tails,
 * lineages, the archive of what diverged. Holds no decision. Blocking; thread-safe.
 */
final class SiteActions implements SitePorts.Steps {
    private static final Logger LOG = LoggerFactory.getLogger(SiteActions.class);

    private static final Duration SEED_LIMIT = Duration.ofSeconds(30);
    private static final Duration RETRY = Duration.ofMillis(50);

    /** Logs of closed lineages, handed over or not. */
    private static final Pattern CLOSED = Pattern.compile("(tail|reconciled)-[0-9a-f-]{36}");

    private final String self;
    private final Site site;
    private final Supplier<Mbr> mbr;
    private final EpochGuard guard;
    private final RaftHost raft;
    private final SiteAckSender sender;
    private final PeerWatch watch;
    private final StorageAdmission admission;
    private final Path roleFile;
    private final Path folder;

    /** Read for one promotion, of {@link #tailsOf}. Guarded by itself, as what is next to it. */
    private final Map<String, Tail> tails = new TreeMap<>();

    private Optional<Epoch> tailsOf = Optional.empty();
    private final Map<UUID, HandOver> handOvers = new ConcurrentHashMap<>();
    private Optional<Tail> newest = Optional.empty();

    /**
     * @param admission whether this member's log may be read by a promotion
     * @param roleFile in which lineage this member stands
     * @param folder for what this class keeps: whom the promise was given to, divergent states
     */
    SiteActions(
            String self,
            Site site,
            Supplier<Mbr> mbr,
            EpochGuard guard,
            RaftHost raft,
            SiteAckSender sender,
            PeerWatch watch,
            StorageAdmission admission,
            Path roleFile,
            Path folder)
            throws IOException {
        this.self = self;
        this.site = site;
        this.mbr = mbr;
        this.guard = guard;
        this.raft = raft;
        this.sender = sender;
        this.watch = watch;
        this.admission = admission;
        this.roleFile = roleFile;
        this.folder = Files.createDirectories(folder);
    }

    // ---------------------------------------------------------------- promises

    /** To whom the durable promise was given; empty text for nobody. */
    @Override
    public String promisedTo() {
        try {
            Path file = folder.resolve("promised-to");
            if (!Files.exists(file)) {
                return "";
            }
            String[] parts = Files.readString(file).strip().split(" ", 2);
            return parts.length == 2 && parts[0].equals(guard.max().toString()) ? parts[1] : "";
        } catch (IOException e) {
            LOG.warn("Unreadable: to whom the promise was given; nobody gets it again", e);
            return "?";
        }
    }

    /** Durable when this returns: first to whom, then the promise itself. */
    @Override
    public void persistPromise(Epoch epoch, String candidate)
            throws IOException, StaleEpochException {
        DurableFile.write(
                folder.resolve("promised-to"),
                (epoch + " " + candidate + "\n").getBytes(StandardCharsets.UTF_8));
        guard.promise(epoch);
        sender.gate(epoch);
    }

    @Override
    public void askPromise(String member, String candidate, Epoch epoch) throws RemoteException {
        watch.client(node(member)).promise(epoch, candidate);
    }

    @Override
    public boolean askWitness(String witness, Set<String> lost, long term, long question)
            throws RemoteException {
        NodeAddress node = node(witness);
        return new SiteClient(watch.channel(node), PeerWatch.TIMEOUT)
                .askWitness(self, lost, term, question);
    }

    @Override
    public void prefer(UUID lineage, Site preferred) throws IOException {
        IOException failed = null;
        List<NodeAddress> nodes = new ArrayList<>(mbr.get().nodes(preferred));
        // Who leads already is asked first: then nothing moves but the priority.
        nodes.sort(Comparator.comparing(n -> !raft.leader(lineage).equals(Optional.of(n.id()))));
        for (NodeAddress node : nodes) {
            if (raft.members(lineage).stream()
                    .noneMatch(m -> m.voter() && m.nodeId().equals(node.id()))) {
                continue;
            }
            try {
                raft.transferLeadership(lineage, node.id(), Duration.ofSeconds(3));
                return;
            } catch (IOException e) {
                failed = e;
            }
        }
        throw failed == null
                ? new IOException("site " + preferred.word() + " has no voter in " + lineage)
                : failed;
    }

    private NodeAddress node(String id) {
        return mbr.get()
                .node(id)
                .orElseThrow(() -> new IllegalStateException("The MBR lists no node " + id));
    }

    // ---------------------------------------------------------------- tails

    /** A member does not acknowledge below its promise, so its log holds all that counts at any time. */
    @Override
    public Logs readTails(Epoch epoch, Set<String> members) throws IOException {
        Set<String> wanted = new TreeSet<>(members);
        synchronized (tails) {
            if (!tailsOf.equals(Optional.of(epoch))) {
                forgetTails();
                tailsOf = Optional.of(epoch);
            }
            wanted.removeAll(tails.keySet());
        }
        List<Done<Tail>> asked = atOnce(wanted, member -> tail(member, epoch));
        synchronized (tails) {
            Map<String, String> text = new TreeMap<>();
            boolean still = tailsOf.equals(Optional.of(epoch));
            for (Done<Tail> one : asked) {
                one.failure()
                        .ifPresent(why -> {
                            text.put(one.of(), "not read: " + why.getMessage());
                            LOG.warn(
                                    "The log of {} could not be read: {}",
                                    one.of(),
                                    why.getMessage());
                        });
                if (still && one.result().isPresent()) {
                    tails.put(one.of(), one.result().get());
                }
            }
            if (!still) {
                return new Logs(Set.of(), new Epoch(0, site), "not wanted any more");
            }
            newest = Tail.newest(List.copyOf(tails.values()));
            tails.forEach((of, tail) -> text.put(of, tail.lastTerm() + ":" + tail.lastIndex()));
            return new Logs(
                    Set.copyOf(tails.keySet()),
                    newest.map(tail -> tail.materialize().epoch()).orElse(new Epoch(0, site)),
                    text.entrySet().stream()
                            .map(e -> e.getKey() + " " + e.getValue())
                            .collect(Collectors.joining(", ")));
        }
    }

    /** Each holds a whole record. */
    private void forgetTails() {
        synchronized (tails) {
            tails.clear();
            newest = Optional.empty();
            tailsOf = Optional.empty();
        }
    }

    private Tail tail(String member, Epoch epoch) throws IOException {
        return member.equals(self)
                ? tailToPromoteFrom()
                : watch.client(node(member)).readNewestTail(epoch);
    }

    private interface Asked<T> {
        T of(String member) throws IOException;
    }

    private record Done<T>(String of, Optional<T> result, Optional<IOException> failure) {}

    /** Asks every member, all at once; each answers or fails for itself. */
    private static <T> List<Done<T>> atOnce(Collection<String> members, Asked<T> question)
            throws IOException {
        List<Callable<Done<T>>> calls = new ArrayList<>();
        for (String member : members) {
            calls.add(() -> {
                try {
                    return new Done<>(member, Optional.of(question.of(member)), Optional.empty());
                } catch (IOException e) {
                    return new Done<>(member, Optional.empty(), Optional.of(e));
                }
            });
        }
        List<Done<T>> all = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Done<T>> one : threads.invokeAll(calls)) {
                all.add(one.get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while asking " + members, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("asking " + members + " failed", e.getCause());
        }
        return all;
    }

    /** This member's log of a lineage, open or archived by {@link #closeLineages}. */
    Tail ownTail(UUID lineage) throws IOException {
        return raft.isOpen(lineage) ? raft.readTail(lineage) : TailFile.read(tailFile(lineage));
    }

    /** {@link #newestTail}, for a promotion: one that may lack what was PROTECTED must not be read. */
    Tail tailToPromoteFrom() throws IOException {
        if (!admission.admitted()) {
            throw new SubmitException.Unavailable(
                    "Node "
                            + self
                            + " has lost its log, and no leader has counted the new one yet.",
                    null);
        }
        return newestTail();
    }

    /**
     * This member's log of the lineage that it stands in; where it has not its seed yet, that of the
     * newest that it has whole, open or archived (TailKey).
     */
    Tail newestTail() throws IOException {
        Optional<RoleFile> now = RoleFile.read(roleFile);
        if (now.isPresent() && raft.isOpen(now.get().lineage())) {
            Tail tail = raft.readTail(now.get().lineage()).joinedIn(now.get().epoch());
            if (tail.key().isPresent()) {
                return tail;
            }
        }
        List<Tail> mine = new ArrayList<>();
        for (UUID lineage : raft.lineages()) {
            mine.add(raft.readTail(lineage));
        }
        try (var files = Files.list(folder)) {
            for (Path file :
                    files.filter(f -> CLOSED.matcher(f.getFileName().toString()).matches())
                            .toList()) {
                mine.add(TailFile.read(file));
            }
        }
        return Tail.newest(mine)
                .orElseThrow(() ->
                        new SubmitException.Unavailable(
                                "Node " + self + " has no lineage's record whole.", null));
    }

    /** The tail that wins of those that were read for an epoch; empty when none was, or it is seeded. */
    private Optional<Tail> tailToSeed(Epoch epoch) {
        synchronized (tails) {
            return tailsOf.equals(Optional.of(epoch)) ? newest : Optional.empty();
        }
    }

    private Path tailFile(UUID lineage) {
        return folder.resolve("tail-" + lineage);
    }

    // ---------------------------------------------------------------- lineages

    /** Closes every lineage but that of an epoch, archived, its tail kept readable. */
    @Override
    public synchronized void closeLineages(UUID but) throws IOException {
        for (UUID lineage : raft.lineages()) {
            if (lineage.equals(but)) {
                continue;
            }
            if (!Files.exists(tailFile(lineage))) {
                Tail tail = raft.readTail(lineage);
                writeLog(tail);
                TailFile.write(tailFile(lineage), tail);
            }
            sender.forget(lineage);
            raft.closeLineage(lineage);
            LOG.info("Lineage {} is closed and archived", lineage);
        }
    }

    /**
     * Keeps what the log still holds: a report needs the entries beyond a fork that is not known yet.
     * Without them it names what differs all the same, so a failure must not keep a lineage open.
     */
    private void writeLog(Tail tail) {
        try {
            List<Tail.LogEntry> entries = raft.readLog(tail.lineage(), tail.lastIndex());
            if (!entries.isEmpty()) {
                TailFile.write(
                        logFile(tail.lineage()),
                        new Tail(
                                tail.lineage(),
                                0,
                                entries.getFirst().index() - 1,
                                ByteString.EMPTY,
                                entries,
                                tail.lastTerm(),
                                tail.lastIndex()));
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("The log of lineage {} is not kept for its report", tail.lineage(), e);
        }
    }

    private Path logFile(UUID lineage) {
        return folder.resolve("log-" + lineage);
    }

    /** Opens the lineage of an epoch on the members of the own site that answer. */
    @Override
    public void openLineage(UUID lineage, Epoch epoch, int quorum) throws IOException {
        List<Member> members = new ArrayList<>();
        List<String> others = new ArrayList<>();
        List<NodeAddress> own = mbr.get().nodes(site);
        members.add(raft.self(true, priority(own, self)));
        List<PeerWatch.Seen> seen = watch.round();
        for (PeerWatch.Seen peer : seen) {
            boolean ours = own.stream().anyMatch(n -> n.id().equals(peer.node().id()));
            if (ours && peer.reachable()) {
                members.add(
                        member(
                                peer.node(),
                                peer.description().orElseThrow(),
                                true,
                                priority(own, peer.node().id())));
                others.add(peer.node().id());
            }
        }
        if (members.size() < quorum) {
            throw new IOException(
                    "Only "
                            + members.size()
                            + " of "
                            + own.size()
                            + " members of site "
                            + site.word()
                            + " answer; "
                            + quorum
                            + " are needed");
        }
        LineageSpec spec = new LineageSpec(lineage, members);
        closeLineages(lineage);
        raft.createLineage(spec);
        for (Done<Long> one :
                atOnce(others, m -> watch.client(node(m)).openLineage(spec, epoch, false))) {
            if (one.failure().isPresent()) {
                throw one.failure().get();
            }
        }
    }

    /**
     * A lineage that this member had left is opened again (P3), with the log that it closed: what was
     * archived of it is no tail any more.
     */
    void reopens(UUID lineage) throws IOException {
        if (raft.isOpen(lineage)) {
            return;
        }
        for (String kind : List.of("tail-", "reconciled-")) {
            Path file = folder.resolve(kind + lineage);
            if (Files.exists(file)) {
                Files.move(
                        file,
                        folder.resolve("reopened-" + lineage),
                        StandardCopyOption.REPLACE_EXISTING);
                LOG.info("Lineage {} goes on here with the log that was closed", lineage);
            }
        }
    }

    /** One member of the active site is preferred as leader; the others are equal. */
    static int priority(List<NodeAddress> own, String id) {
        return own.getFirst().id().equals(id) ? 2 : 1;
    }

    static Member member(
            NodeAddress node, SiteDescription description, boolean voter, int priority) {
        return new Member(
                node.id(),
                description.incarnation(),
                Endpoint.of(node.host(), node.raftPort()),
                voter,
                priority);
    }

    /** Plants the newest tail into the new lineage; one visible step with the change of epoch. */
    @Override
    public ClusterState seed(
            UUID lineage, Epoch epoch, String reason, String operator, long lastContactMicros)
            throws IOException, InterruptedException {
        Optional<Tail> tail = tailToSeed(epoch);
        if (tail.isEmpty() && raft.isOpen(lineage) && isSeeded(raft, lineage, epoch)) {
            return raft.state(lineage);
        }
        ClusterState seeded =
                seed(
                        raft,
                        tail.orElseThrow(
                                () -> new IllegalStateException("no tail was read for " + epoch)),
                        lineage,
                        epoch,
                        reason,
                        operator,
                        lastContactMicros);
        forgetTails(); // the lineage has it now
        return seeded;
    }

    /** Plants a tail into a new lineage that is just electing its leader. */
    static ClusterState seed(
            RaftHost raft,
            Tail tail,
            UUID lineage,
            Epoch epoch,
            String reason,
            String operator,
            long lastContactMicros)
            throws IOException, InterruptedException {
        Seed seed = tail.seed(epoch, lineage, reason, operator, lastContactMicros);
        long deadline = System.nanoTime() + SEED_LIMIT.toNanos();
        while (true) {
            try {
                raft.seed(lineage, seed);
                return raft.state(lineage);
            } catch (RefusedException e) {
                if (isSeeded(raft, lineage, epoch)) {
                    return raft.state(lineage);
                }
                throw new IOException("The new lineage refused its seed: " + e.getMessage(), e);
            } catch (IOException e) {
                // Repeating is harmless: a seed that was planted is refused the second time.
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                LOG.info("Seeding {} goes on: {}", lineage, e.getMessage());
                Thread.sleep(RETRY);
            }
        }
    }

    private static boolean isSeeded(RaftHost raft, UUID lineage, Epoch epoch) throws IOException {
        ClusterState now = raft.state(lineage);
        return now.isSeeded() && now.epoch().equals(epoch);
    }

    /** Plants what init wrote as the first state of a cluster, in one visible step. */
    void plant(UUID lineage, Epoch epoch, Mbr record, List<Resource> resources, long nowMicros)
            throws IOException {
        Command.EpochChange first = Command.EpochChange.first(epoch, lineage, "init");
        List<Command> commands = new ArrayList<>();
        commands.add(first);
        commands.add(new Command.PutMbr(record));
        resources.forEach(r -> commands.add(new Command.PutResource(r, Command.NEW)));
        ClusterState state = ClusterState.empty();
        long index = 0;
        for (Command command : commands) {
            Applied applied =
                    state.apply(new Entry(UUID.randomUUID(), epoch, nowMicros, command), ++index);
            if (applied.reply() instanceof Reply.Refused refused) {
                throw new IOException("What init wrote is refused: " + refused.message());
            }
            state = applied.state();
        }
        try {
            raft.seed(lineage, Seed.of(state, first));
        } catch (RefusedException e) {
            if (!isSeeded(raft, lineage, epoch)) {
                throw new IOException("The first lineage refused its state: " + e.getMessage(), e);
            }
        }
    }

    // ---------------------------------------------------------------- return

    /**
     * Hands over to the leader of the active site what only this member had: the report of what had
     * diverged, first as a notice; then the jobs completed here and not known to be protected; then the
     * report again, as complete. Chunks are shipped by the storage, rows by the catalog pump; the leader
     * takes a job once both have arrived, and until then this throws. Repeating it is harmless, and the
     * files of what was handed over stay.
     */
    @Override
    public void reconcile(Epoch epoch, List<PeerWatch.Seen> peers) throws IOException {
        List<Tail> left = new ArrayList<>();
        for (Path file : divergent()) {
            left.add(TailFile.read(file));
        }
        left.sort(Comparator.comparing(t -> t.materialize().epoch()));
        for (Tail tail : left) {
            // A lineage of the own site was seeded from the newest tail of its members; a witness
            // has acknowledged nothing.
            if (epoch.site() != site && site != Site.WITNESS) {
                handOver(epoch, tail, leaderOf(peers));
            }
            Files.move(
                    tailFile(tail.lineage()),
                    folder.resolve("reconciled-" + tail.lineage()),
                    StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** What this member has to hand over of a lineage; its report is known to the leader already. */
    private record HandOver(Epoch epoch, Optional<ReturnReport> report, List<JobRecord> offered) {}

    private void handOver(Epoch epoch, Tail tail, PeerWatch.Seen leader) throws IOException {
        SiteClient client = watch.client(leader.node());
        HandOver mine = handOvers.get(tail.lineage());
        if (mine == null || !mine.epoch().equals(epoch)) {
            mine = prepare(epoch, tail, leader);
            if (mine.report().isPresent()) {
                client.handOver(epoch, self, mine.report().get().from(Set.of()));
            }
            handOvers.put(tail.lineage(), mine);
        }
        if (!mine.offered().isEmpty()) {
            Recovered recovered = client.recover(epoch, tail.lineage(), mine.offered());
            LOG.info(
                    "Offered {} data pieces of lineage {}: {} merged, {} known",
                    mine.offered().size(),
                    tail.lineage(),
                    recovered.merged().size(),
                    recovered.known().size());
        }
        if (mine.report().isPresent()) {
            ReturnReport report = mine.report().get();
            client.handOver(epoch, self, report);
            LOG.info(
                    "Handed over lineage {} beyond entry {}: {} resources, {} jobs differ",
                    tail.lineage(),
                    report.forkIndex(),
                    report.resources().size(),
                    report.jobs().size());
        }
    }

    private HandOver prepare(Epoch epoch, Tail tail, PeerWatch.Seen leader) throws IOException {
        ClusterState theirs = tail.materialize();
        UUID active = leader.description().flatMap(SiteDescription::lineage).orElseThrow();
        ClusterState ours = watch.client(leader.node()).readTail(active, epoch).materialize();
        return new HandOver(
                epoch,
                Divergence.forkOf(tail.lineage(), theirs, ours)
                        .map(fork ->
                                Divergence.report(
                                        self,
                                        tail.lineage(),
                                        fork,
                                        theirs,
                                        log(tail.lineage()),
                                        tail.lastTerm(),
                                        tail.lastIndex(),
                                        ours)),
                theirs.unprotectedPieces().stream()
                        .filter(j -> !Divergence.isCorrupt(j, ours))
                        .toList());
    }

    /** What the log of a closed lineage held; nothing when it was closed by an older program. */
    private List<Tail.LogEntry> log(UUID lineage) {
        try {
            return Files.exists(logFile(lineage))
                    ? TailFile.read(logFile(lineage)).entries()
                    : List.of();
        } catch (IOException e) {
            LOG.warn(
                    "The log of lineage {} is unreadable; its report names resources without their"
                            + " entries",
                    lineage,
                    e);
            return List.of();
        }
    }

    private static PeerWatch.Seen leaderOf(List<PeerWatch.Seen> peers) throws IOException {
        return peers.stream()
                .filter(PeerWatch.Seen::reachable)
                .filter(p -> p.description().filter(SiteDescription::leader).isPresent())
                .findFirst()
                .orElseThrow(() -> new IOException("no leader of the active site answers"));
    }

    private List<Path> divergent() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("tail-")).toList();
        }
    }

    /** State bytes of the newest divergent lineage that is not reconciled; empty when there is none. */
    Optional<ClusterState> divergentState() {
        try {
            for (Path file : divergent()) {
                return Optional.of(TailFile.read(file).materialize());
            }
        } catch (IOException e) {
            LOG.warn("A divergent state is unreadable", e);
        }
        return Optional.empty();
    }
}
