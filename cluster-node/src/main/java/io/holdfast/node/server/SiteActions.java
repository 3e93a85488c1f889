package io.holdfast.node.server;

import io.holdfast.agent.DurableFile;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.Member;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RefusedException;
import io.holdfast.replication.site.Recovered;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.Applied;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Reply;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a change of the active site does to Raft and to the disk, step by step: promises, tails,
 * lineages, the archive of what diverged. Holds no decision. Blocking; thread-safe.
 */
final class SiteActions {
    private static final Logger LOG = LoggerFactory.getLogger(SiteActions.class);

    private static final Duration SEED_LIMIT = Duration.ofSeconds(30);
    private static final Duration RETRY = Duration.ofMillis(50);

    private final String self;
    private final Site site;
    private final Supplier<Mbr> mbr;
    private final EpochGuard guard;
    private final RaftHost raft;
    private final SiteAckSender sender;
    private final PeerWatch watch;
    private final Path folder;
    private final Map<String, Tail> tails = new ConcurrentHashMap<>();
    private volatile Optional<Tail> longest = Optional.empty();

    /**
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
            Path folder)
            throws IOException {
        this.self = self;
        this.site = site;
        this.mbr = mbr;
        this.guard = guard;
        this.raft = raft;
        this.sender = sender;
        this.watch = watch;
        this.folder = Files.createDirectories(folder);
    }

    // ---------------------------------------------------------------- promises

    /** To whom the durable promise was given; empty text for nobody. */
    String promisedTo() {
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
    void persistPromise(Epoch epoch, String candidate) throws IOException, StaleEpochException {
        DurableFile.write(
                folder.resolve("promised-to"),
                (epoch + " " + candidate + "\n").getBytes(StandardCharsets.UTF_8));
        guard.promise(epoch);
        sender.gate(epoch);
    }

    void askPromise(String member, String candidate, Epoch epoch) throws RemoteException {
        watch.client(node(member)).promise(epoch, candidate);
    }

    private NodeAddress node(String id) {
        return mbr.get()
                .node(id)
                .orElseThrow(() -> new IllegalStateException("The MBR lists no node " + id));
    }

    // ---------------------------------------------------------------- tails

    /** Reads the logs of members that have promised. @return those that were read whole */
    Set<String> readTails(UUID lineage, Epoch epoch, Set<String> members) throws IOException {
        tails.clear();
        Set<String> read = new TreeSet<>();
        IOException failed = null;
        for (String member : members) {
            try {
                tails.put(
                        member,
                        member.equals(self)
                                ? ownTail(lineage)
                                : watch.client(node(member)).readTail(lineage, epoch));
                read.add(member);
            } catch (IOException e) {
                LOG.warn("The log of {} could not be read: {}", member, e.getMessage());
                failed = e;
            }
        }
        longest = Tail.longest(List.copyOf(tails.values()));
        if (read.isEmpty() && failed != null) {
            throw failed;
        }
        return read;
    }

    /** This member's log of a lineage, open or archived by {@link #closeLineages}. */
    Tail ownTail(UUID lineage) throws IOException {
        return raft.isOpen(lineage) ? raft.readTail(lineage) : TailFile.read(tailFile(lineage));
    }

    Tail longestTail() {
        return longest.orElseThrow(() -> new IllegalStateException("no tail was read"));
    }

    String tailText() {
        return tails.entrySet().stream()
                .map(e ->
                        e.getKey() + " " + e.getValue().lastTerm() + ":" + e.getValue().lastIndex())
                .sorted()
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
    }

    private Path tailFile(UUID lineage) {
        return folder.resolve("tail-" + lineage);
    }

    // ---------------------------------------------------------------- lineages

    /** Closes every lineage but that of an epoch, archived, its tail kept readable. */
    synchronized void closeLineages(UUID but) throws IOException {
        for (UUID lineage : raft.lineages()) {
            if (lineage.equals(but)) {
                continue;
            }
            if (!Files.exists(tailFile(lineage))) {
                TailFile.write(tailFile(lineage), raft.readTail(lineage));
            }
            sender.forget(lineage);
            raft.closeLineage(lineage);
            LOG.info("Lineage {} is closed and archived", lineage);
        }
    }

    /** Opens the lineage of an epoch on the members of the own site that answer. */
    void openLineage(UUID lineage, Epoch epoch, int quorum) throws IOException {
        List<Member> members = new ArrayList<>();
        List<NodeAddress> others = new ArrayList<>();
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
                others.add(peer.node());
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
        for (NodeAddress other : others) {
            watch.client(other).openLineage(spec, epoch, false);
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

    /** Plants the longest tail into the new lineage; one visible step with the change of epoch. */
    ClusterState seed(UUID lineage, Epoch epoch, String reason, String operator)
            throws IOException, InterruptedException {
        return seed(raft, longestTail(), lineage, epoch, reason, operator);
    }

    /** Plants a tail into a new lineage that is just electing its leader. */
    static ClusterState seed(
            RaftHost raft, Tail tail, UUID lineage, Epoch epoch, String reason, String operator)
            throws IOException, InterruptedException {
        Command.EpochChange change = tail.fork(epoch, lineage, reason, operator);
        ClusterState state = tail.materialize();
        long deadline = System.nanoTime() + SEED_LIMIT.toNanos();
        while (true) {
            try {
                raft.seed(lineage, state, change);
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
            raft.seed(lineage, state, first);
        } catch (RefusedException e) {
            if (!isSeeded(raft, lineage, epoch)) {
                throw new IOException("The first lineage refused its state: " + e.getMessage(), e);
            }
        }
    }

    // ---------------------------------------------------------------- return

    /**
     * Offers what only this member had to the leader of the active site: jobs completed here and not
     * known to be protected. Their chunks are shipped by the storage, their rows by the catalog pump;
     * the leader takes a job once both have arrived, and until then this throws.
     */
    void reconcile(Epoch epoch, List<PeerWatch.Seen> peers) throws IOException {
        for (Path file : divergent()) {
            Tail tail = TailFile.read(file);
            ClusterState ours = tail.materialize();
            // A lineage of the own site was seeded from the longest tail of its members.
            List<JobRecord> offered = epoch.site() == site ? List.of() : ours.unprotectedPieces();
            if (!offered.isEmpty()) {
                NodeAddress leader =
                        peers.stream()
                                .filter(PeerWatch.Seen::reachable)
                                .filter(p ->
                                        p.description().filter(SiteDescription::leader).isPresent())
                                .map(PeerWatch.Seen::node)
                                .findFirst()
                                .orElseThrow(() ->
                                        new IOException("no leader of the active site answers"));
                Recovered recovered = watch.client(leader).recover(epoch, tail.lineage(), offered);
                LOG.info(
                        "Offered {} data pieces of lineage {}: {} merged, {} known",
                        offered.size(),
                        tail.lineage(),
                        recovered.merged().size(),
                        recovered.known().size());
            }
            Files.move(file, file.resolveSibling("reconciled-" + tail.lineage()));
        }
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
