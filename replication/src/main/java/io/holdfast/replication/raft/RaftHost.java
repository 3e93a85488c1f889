package io.holdfast.replication.raft;

import com.google.protobuf.ByteString;
import io.holdfast.agent.DurableFile;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.replication.raft.ClusterStateMachine.View;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.Reply;
import io.holdfast.replication.state.Seed;
import io.holdfast.replication.state.Tail;
import io.holdfast.replication.state.WriteReplies;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.proto.RaftProtos;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.exceptions.AlreadyClosedException;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Raft server of one node, with a Raft group for each lineage that is open here. Thread-safe.
 *
 * <p>Its folder: {@code incarnation} ({@link StorageIncarnation}), {@code lineages/UUID} (Ratis'
 * files of one lineage), {@code specs/UUID[.created]} (the members a lineage was opened
 * with, for a restart before Ratis has logged them), {@code archive/UUID} (closed lineages; nothing is ever deleted).
 *
 * <p>Ratis survives things after which a member must not go on: a failed log, an apply that failed, a
 * group that closed itself after a long pause. Each calls the {@code fatal} hook, once; in production
 * it ends the process, and whoever supervises it starts it again.
 *
 * <p>Raft does not fence. Callers check epochs and promises before they open a lineage, and every
 * command carries the epoch of its proposer.
 */
public final class RaftHost implements AutoCloseable {
    static final String LINEAGES = "lineages";
    private static final String SPECS = "specs";
    private static final String ARCHIVE = "archive";
    private static final long PAUSE_MILLIS = 50;
    private static final Logger LOG = LoggerFactory.getLogger(RaftHost.class);

    private final String nodeId;
    private final UUID incarnation;
    private final Path folder;
    private final RaftSettings settings;
    private final InstantSource clock;
    private final Consumer<String> fatal;
    private final RaftPeerId self;
    private final RaftProperties properties;
    private final Parameters parameters;
    private final List<RaftEvents> events = new CopyOnWriteArrayList<>();
    private final Map<UUID, ClusterStateMachine> machines = new ConcurrentHashMap<>();
    private final Map<UUID, RaftClient> clients = new ConcurrentHashMap<>();
    private final Set<UUID> closing = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean dead = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicLong calls = new AtomicLong();
    private final ClientId clientId = ClientId.randomId();
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private volatile @Nullable RaftServer server;

    private RaftHost(
            String nodeId,
            UUID incarnation,
            Path folder,
            Endpoint address,
            TlsMaterial tls,
            RaftSettings settings,
            InstantSource clock,
            Consumer<String> fatal) {
        this.nodeId = nodeId;
        this.incarnation = incarnation;
        this.folder = folder;
        this.settings = settings;
        this.clock = clock;
        this.fatal = fatal;
        this.self =
                RaftPeerId.valueOf(new Member(nodeId, incarnation, address, true, 0).memberId());
        this.properties = properties(folder, address, settings);
        this.parameters = parameters(tls);
    }

    /**
     * Starts the server with every lineage that was open before.
     *
     * @param nodeId this node, as in the MBR
     * @param incarnation of the folder, see {@link StorageIncarnation}
     * @param folder for this server alone; created when missing
     * @param address to listen on
     * @param tls own certificate, of role {@code node}, in a sandbox of role {@code rehearsal}; only
     *     peers of the same role are talked to
     * @param clock gives the time that is stamped on commands while this node leads
     * @param fatal called at most once, on any thread, with what happened: this process must end
     * @param listeners told from the start, also about what is applied while starting
     * @throws IOException when the address is taken, or the folder is damaged; nothing runs then
     */
    public static RaftHost start(
            String nodeId,
            UUID incarnation,
            Path folder,
            Endpoint address,
            TlsMaterial tls,
            RaftSettings settings,
            InstantSource clock,
            Consumer<String> fatal,
            RaftEvents... listeners)
            throws IOException {
        RaftHost host =
                new RaftHost(
                        nodeId,
                        incarnation,
                        folder.toAbsolutePath(),
                        address,
                        tls,
                        settings,
                        clock,
                        fatal);
        host.events.addAll(List.of(listeners));
        try {
            host.open();
            return host;
        } catch (IOException | RuntimeException e) {
            host.close();
            throw e;
        }
    }

    private void open() throws IOException {
        for (String name : List.of(LINEAGES, SPECS, ARCHIVE)) {
            Files.createDirectories(folder.resolve(name));
        }
        DurableFile.syncFolder(folder);
        refuseHollowLineages();
        requireFreeAddress();
        RaftServer started =
                RaftServer.newBuilder()
                        .setServerId(self)
                        .setOption(RaftStorage.StartupOption.RECOVER)
                        .setProperties(properties)
                        .setParameters(parameters)
                        .setStateMachineRegistry(this::newMachine)
                        .build();
        server = started;
        started.start();
        reopenUnstartedLineages(started);
        for (UUID lineage : lineages()) {
            showApplied(lineage);
        }
    }

    /**
     * Shows what was applied before a start: Ratis itself knows only the snapshot until somebody leads.
     * An entry that the log still has with the term that it was applied with is the one that was.
     */
    private void showApplied(UUID lineage) throws IOException {
        ClusterStateMachine machine = machines.get(lineage);
        Optional<RaftServer.Division> division = division(lineage);
        if (machine == null || division.isEmpty()) {
            return;
        }
        Optional<TermIndex> before = machine.appliedBefore();
        RaftLog log = division.get().getRaftLog();
        if (before.isEmpty() || !before.get().equals(log.getTermIndex(before.get().getIndex()))) {
            return;
        }
        View base = machine.view();
        List<Tail.LogEntry> entries = entries(log, base.index() + 1, before.get().getIndex());
        if (entries.size() == before.get().getIndex() - base.index()) {
            Tail tail = Tail.of(lineage, base.term(), base.index(), base.state(), entries);
            machine.show(new View(tail.materialize(), tail.lastTerm(), tail.lastIndex()));
        }
    }

    /** Ratis ends the process, without a word to us, when it cannot listen. */
    private void requireFreeAddress() throws IOException {
        String host = GrpcConfigKeys.Server.host(properties);
        int port = GrpcConfigKeys.Server.port(properties);
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(host, port));
        } catch (IOException e) {
            throw new IOException(
                    "Cannot listen at "
                            + Endpoint.of(host, port)
                            + " for Raft: "
                            + e.getMessage()
                            + ". Free the port, or configure another address.",
                    e);
        }
    }

    private ClusterStateMachine newMachine(RaftGroupId group) {
        ClusterStateMachine machine = new ClusterStateMachine(group.getUuid(), this);
        machines.put(group.getUuid(), machine);
        return machine;
    }

    /**
     * Ratis formats a folder without {@code raft-meta}, silently. One without a log is what a crash
     * leaves while a lineage is created, and is set aside; one with a log has lost something.
     */
    private void refuseHollowLineages() throws IOException {
        try (Stream<Path> found = Files.list(folder.resolve(LINEAGES))) {
            for (Path lineage : found.toList()) {
                Path current = lineage.resolve("current");
                if (Files.exists(current.resolve("raft-meta"))) {
                    continue;
                }
                if (holdsFiles(current, "log_") || holdsFiles(lineage.resolve("sm"), "snapshot")) {
                    throw new IOException(
                            "Lineage folder "
                                    + lineage
                                    + " has lost its file current/raft-meta. Start this node with an"
                                    + " empty Raft folder, as a new member.");
                }
                archive(lineage);
            }
        }
    }

    private static boolean holdsFiles(Path folder, String prefix) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(f -> f.getFileName().toString().startsWith(prefix));
        }
    }

    /** Finishes what a crash interrupted, and refuses what somebody has removed. */
    private void reopenUnstartedLineages(RaftServer started) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve(SPECS))) {
            for (Path file : files.toList()) {
                if (file.getFileName().toString().endsWith(".tmp")) {
                    continue;
                }
                LineageSpec spec = SpecFile.read(file);
                if (isOpen(spec.lineage())) {
                    reopenWithMembers(started, spec);
                } else if (file.equals(createdSpec(spec.lineage()))) {
                    throw new IOException(
                            "The folder "
                                    + lineageFolder(spec.lineage())
                                    + " has disappeared. Restore it, or start this node with an"
                                    + " empty Raft folder, as a new member.");
                } else {
                    addGroup(spec, true);
                }
                finishSpec(spec);
            }
        }
    }

    /** A lineage that has logged no members yet: Ratis cannot know them, the file does. */
    private void reopenWithMembers(RaftServer started, LineageSpec spec) throws IOException {
        RaftConfiguration known =
                started.getDivision(RaftGroupId.valueOf(spec.lineage())).getRaftConf();
        if (!spec.members().isEmpty()
                && known.getAllPeers().isEmpty()
                && known.getAllPeers(RaftProtos.RaftPeerRole.LISTENER).isEmpty()) {
            removeGroup(spec.lineage());
            addGroup(spec, false);
        }
    }

    private Path pendingSpec(UUID lineage) {
        return folder.resolve(SPECS).resolve(lineage.toString());
    }

    private Path createdSpec(UUID lineage) {
        return folder.resolve(SPECS).resolve(lineage + ".created");
    }

    /** From now on the lineage's folder must be there at every start. */
    private void finishSpec(LineageSpec spec) throws IOException {
        Path group = lineageFolder(spec.lineage());
        for (Path path : List.of(group.resolve("current"), group, folder.resolve(LINEAGES))) {
            DurableFile.syncFolder(path);
        }
        Path pending = pendingSpec(spec.lineage());
        if (Files.exists(pending)) {
            Files.move(
                    pending,
                    createdSpec(spec.lineage()),
                    java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            DurableFile.syncFolder(folder.resolve(SPECS));
        }
    }

    // ------------------------------------------------------------------ settings

    private static RaftProperties properties(Path folder, Endpoint address, RaftSettings s) {
        RaftProperties p = new RaftProperties();
        org.apache.ratis.RaftConfigKeys.Rpc.setType(p, new PromptGrpc());
        GrpcConfigKeys.Server.setHost(p, address.host());
        GrpcConfigKeys.Server.setPort(p, address.requirePort());
        // One stream to each follower keeps what PromptGrpc tells behind the entries that it tells
        // of.
        GrpcConfigKeys.Server.setHeartbeatChannel(p, false);
        RaftServerConfigKeys.setStorageDir(p, List.of(folder.resolve(LINEAGES).toFile()));
        RaftServerConfigKeys.setRemovedGroupsDir(p, folder.resolve(ARCHIVE).toFile());
        RaftServerConfigKeys.setStorageFreeSpaceMin(p, SizeInBytes.valueOf(s.freeSpaceMinBytes()));
        RaftServerConfigKeys.setCloseThreshold(p, seconds(60));
        TimeDuration min = millis(s.electionMin());
        TimeDuration max = millis(s.electionMax());
        RaftServerConfigKeys.Rpc.setTimeoutMin(p, min);
        RaftServerConfigKeys.Rpc.setTimeoutMax(p, max);
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(p, min);
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(p, max);
        RaftServerConfigKeys.Rpc.setSlownessTimeout(p, seconds(30));
        RaftServerConfigKeys.LeaderElection.setPreVote(p, true);
        // A lineage is stretched over both sites and the witness in one step (addMembers).
        RaftServerConfigKeys.LeaderElection.setMemberMajorityAdd(p, true);
        RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(
                p, max.multiply(4).compareTo(seconds(10)) < 0 ? max.multiply(4) : seconds(10));
        RaftServerConfigKeys.Notification.setNoLeaderTimeout(p, seconds(5));
        RaftServerConfigKeys.Read.setOption(p, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
        RaftServerConfigKeys.Read.setLeaderLeaseEnabled(p, false);
        RaftServerConfigKeys.Read.setTimeout(p, millis(s.submitTimeout()));
        RaftServerConfigKeys.Log.setCorruptionPolicy(
                p, RaftServerConfigKeys.Log.CorruptionPolicy.EXCEPTION);
        RaftServerConfigKeys.Log.setSegmentSizeMax(p, SizeInBytes.valueOf(s.segmentBytes()));
        RaftServerConfigKeys.Log.setPreallocatedSize(
                p, SizeInBytes.valueOf(Math.min(s.segmentBytes(), 1 << 20)));
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(p, true);
        RaftServerConfigKeys.Log.setPurgePreservationLogNum(p, s.preservedEntries());
        RaftServerConfigKeys.Log.setPurgeGap(p, (int) Math.min(1024, s.snapshotEntries()));
        RaftServerConfigKeys.Log.setUnsafeFlushEnabled(p, false);
        RaftServerConfigKeys.Log.setAsyncFlushEnabled(p, false);
        // An entry after each commit, to remember it: a second fsync of every member for each
        // write, and a
        // follower hears of the commit after that. AppliedMark remembers it without.
        RaftServerConfigKeys.Log.setLogMetadataEnabled(p, false);
        RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(p, SizeInBytes.valueOf("1MB"));
        RaftServerConfigKeys.Log.Appender.setWaitTimeMin(p, TimeDuration.ONE_MILLISECOND);
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(p, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(p, s.snapshotEntries());
        // Stopping is no different from being killed: the log is enough, and closing is quick.
        RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(p, false);
        RaftServerConfigKeys.Snapshot.setTriggerWhenRemoveEnabled(p, false);
        RaftServerConfigKeys.Snapshot.setCreationGap(p, 1);
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(p, 3);
        RaftClientConfigKeys.Rpc.setRequestTimeout(
                p, seconds((int) Math.max(3, s.electionMax().toSeconds() * 3)));
        return p;
    }

    private static Parameters parameters(TlsMaterial tls) {
        Parameters p = new Parameters();
        GrpcConfigKeys.TLS.setConf(
                p,
                new GrpcTlsConfig(
                        tls.keyManager(), tls.trustManager(Set.of(tls.identity().role())), true));
        return p;
    }

    private static TimeDuration millis(Duration d) {
        return TimeDuration.valueOf(d.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static TimeDuration seconds(int n) {
        return TimeDuration.valueOf(n, TimeUnit.SECONDS);
    }

    // ------------------------------------------------------------------ lineages

    /** This node as a member. */
    public Member self(boolean voter, int priority) {
        return new Member(
                nodeId,
                incarnation,
                Endpoint.of(
                        GrpcConfigKeys.Server.host(properties),
                        GrpcConfigKeys.Server.port(properties)),
                voter,
                priority);
    }

    /** The lineages that are open here. */
    public List<UUID> lineages() {
        List<UUID> ids = new ArrayList<>();
        running().getGroupIds().forEach(id -> ids.add(id.getUuid()));
        ids.sort(Comparator.naturalOrder());
        return ids;
    }

    /** Whether a lineage is open here. */
    public boolean isOpen(UUID lineage) {
        return lineages().contains(lineage);
    }

    /**
     * Opens a new lineage with its first members. Each of them calls this with the same
     * specification, voters and listeners alike; then the voters elect. Harmless when it is open.
     *
     * @throws IOException when this node is not among the members, or its folder cannot be written
     */
    public void createLineage(LineageSpec spec) throws IOException {
        requireMember(spec);
        addDurably(spec);
    }

    /**
     * Makes this node ready to be added to a lineage that runs elsewhere. A listener starts as such,
     * beside the members named; a voter starts without members, so that it never stands for election,
     * and waits. Then a member calls {@link #addMember}. Harmless when the lineage is open. One that
     * was closed here goes on with the log that it had.
     *
     * @param spec the members that run, and this node
     */
    public void joinLineage(LineageSpec spec) throws IOException {
        Member me = requireMember(spec);
        addDurably(me.voter() ? new LineageSpec(spec.lineage(), List.of()) : spec);
    }

    private Member requireMember(LineageSpec spec) throws IOException {
        return spec.member(nodeId)
                .filter(m -> m.incarnation().equals(incarnation))
                .orElseThrow(() ->
                        new IOException("Node " + self + " is not among the members of " + spec));
    }

    private synchronized void addDurably(LineageSpec spec) throws IOException {
        if (isOpen(spec.lineage())) {
            return;
        }
        SpecFile.write(pendingSpec(spec.lineage()), spec);
        addGroup(spec, true);
        finishSpec(spec);
        showApplied(spec.lineage());
    }

    /** With {@code format} as a new member, unless it was closed here: then with the log that it had. */
    private void addGroup(LineageSpec spec, boolean format) throws IOException {
        boolean fresh = format && !unarchive(spec.lineage());
        RaftGroupId id = RaftGroupId.valueOf(spec.lineage());
        RaftGroup group =
                RaftGroup.valueOf(id, spec.members().stream().map(RaftHost::peer).toList());
        requireSuccess(
                running()
                        .groupManagement(
                                GroupManagementRequest.newAdd(
                                        clientId, self, calls.incrementAndGet(), group, fresh)));
    }

    /**
     * Closes a lineage and archives its folder. Nothing is deleted; harmless when it is not open.
     *
     * @return where it lies now; empty when there was none
     */
    public synchronized Optional<Path> closeLineage(UUID lineage) throws IOException {
        if (isOpen(lineage)) {
            removeGroup(lineage);
        }
        machines.remove(lineage);
        forgetClient(lineage);
        // First the specification: with it, a start would expect or create the folder.
        boolean known = Files.deleteIfExists(pendingSpec(lineage));
        if (Files.deleteIfExists(createdSpec(lineage)) || known) {
            DurableFile.syncFolder(folder.resolve(SPECS));
        }
        Path group = lineageFolder(lineage);
        return Files.isDirectory(group) ? Optional.of(archive(group)) : Optional.empty();
    }

    private void removeGroup(UUID lineage) throws IOException {
        closing.add(lineage);
        try {
            requireSuccess(
                    running()
                            .groupManagement(
                                    GroupManagementRequest.newRemove(
                                            clientId,
                                            self,
                                            calls.incrementAndGet(),
                                            RaftGroupId.valueOf(lineage),
                                            false,
                                            false)));
        } finally {
            closing.remove(lineage);
        }
    }

    private Path archive(Path group) throws IOException {
        Path archive = folder.resolve(ARCHIVE);
        String name = group.getFileName().toString();
        Path target = archive.resolve(name);
        for (int n = 2; Files.exists(target); n++) {
            target = archive.resolve(name + "." + n);
        }
        Files.move(group, target, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        DurableFile.syncFolder(archive);
        DurableFile.syncFolder(folder.resolve(LINEAGES));
        return target;
    }

    /**
     * Brings back what was archived last of a lineage. Whoever has voted and acknowledged in it is that
     * voter for good: without its log and its vote, what a majority has committed could be lost.
     */
    private boolean unarchive(UUID lineage) throws IOException {
        Path target = lineageFolder(lineage);
        if (Files.exists(target)) {
            return false;
        }
        Optional<Path> newest = Optional.empty();
        Path archive = folder.resolve(ARCHIVE);
        Path next = archive.resolve(lineage.toString());
        for (int n = 2; Files.exists(next); n++) {
            if (Files.exists(next.resolve("current").resolve("raft-meta"))) {
                newest = Optional.of(next);
            }
            next = archive.resolve(lineage + "." + n);
        }
        if (newest.isEmpty()) {
            return false;
        }
        Files.move(newest.get(), target, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        DurableFile.syncFolder(folder.resolve(LINEAGES));
        DurableFile.syncFolder(archive);
        return true;
    }

    private Path lineageFolder(UUID lineage) {
        return folder.resolve(LINEAGES).resolve(lineage.toString());
    }

    // ------------------------------------------------------------------ who leads, who belongs

    /** Whether this node leads and may serve: it has applied everything from earlier terms. */
    public boolean isLeader(UUID lineage) {
        return division(lineage).filter(d -> d.getInfo().isLeaderReady()).isPresent();
    }

    /** The node that leads, as far as this node knows. */
    public Optional<String> leader(UUID lineage) {
        return division(lineage)
                .flatMap(d -> Optional.ofNullable(d.getInfo().getLeaderId()))
                .map(RaftHost::nodeOf);
    }

    /** The newest term this node knows; 0 when the lineage is not open. */
    public long term(UUID lineage) {
        return division(lineage).map(d -> d.getInfo().getCurrentTerm()).orElse(0L);
    }

    /** The members as this node knows them; empty when the lineage is not open. */
    public List<Member> members(UUID lineage) {
        return division(lineage)
                .map(d -> {
                    RaftConfiguration conf = d.getRaftConf();
                    List<Member> members = new ArrayList<>();
                    conf.getCurrentPeers().forEach(p -> members.add(member(p, true)));
                    conf.getCurrentPeers(RaftProtos.RaftPeerRole.LISTENER)
                            .forEach(p -> members.add(member(p, false)));
                    members.sort(Comparator.comparing(Member::nodeId));
                    return members;
                })
                .orElse(List.of());
    }

    /**
     * Adds one member that has called {@link #joinLineage}, or changes how it belongs; call it on any
     * member. Blocks until the new member has caught up. Harmless when it belongs already.
     *
     * @throws IOException when it was not done within the submit timeout
     */
    public void addMember(UUID lineage, Member member) throws IOException {
        reconfigure(
                lineage,
                now -> {
                    List<Member> next = without(now, member.nodeId());
                    next.add(member);
                    return next;
                });
    }

    /** As {@link #addMember}, several in one step: no place has a majority on the way. */
    public void addMembers(UUID lineage, List<Member> added) throws IOException {
        reconfigure(
                lineage,
                now -> {
                    List<Member> next = new ArrayList<>(now);
                    added.forEach(a -> next.removeIf(m -> m.nodeId().equals(a.nodeId())));
                    next.addAll(added);
                    return next;
                });
    }

    /** Removes one member; call it on any other. Harmless when it does not belong. */
    public void removeMember(UUID lineage, String node) throws IOException {
        reconfigure(lineage, now -> without(now, node));
    }

    private static List<Member> without(List<Member> members, String node) {
        return members.stream()
                .filter(m -> !m.nodeId().equals(node))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** Repeats when the members have changed under it, or when the leader has. */
    private void reconfigure(UUID lineage, UnaryOperator<List<Member>> change) throws IOException {
        for (int attempt = 1; ; attempt++) {
            List<Member> now = members(lineage);
            List<Member> next = change.apply(now);
            if (now.equals(next.stream().sorted(Comparator.comparing(Member::nodeId)).toList())) {
                return;
            }
            try {
                requireSuccess(
                        client(lineage)
                                .admin()
                                .setConfiguration(
                                        SetConfigurationRequest.Arguments.newBuilder()
                                                .setServersInCurrentConf(peers(now, true))
                                                .setListenersInCurrentConf(peers(now, false))
                                                .setServersInNewConf(peers(next, true))
                                                .setListenersInNewConf(peers(next, false))
                                                .setMode(
                                                        SetConfigurationRequest.Mode
                                                                .COMPARE_AND_SET)
                                                .build()));
            } catch (IOException e) {
                LOG.debug("{}: members of {} not changed to {}", self, lineage, next, e);
                if (!isOpen(lineage) || attempt >= attempts()) {
                    throw new IOException(
                            "The members of lineage "
                                    + lineage
                                    + " could not be changed from "
                                    + now
                                    + " to "
                                    + next
                                    + ": "
                                    + e.getMessage(),
                            e);
                }
            }
            pause();
        }
    }

    private static List<RaftPeer> peers(List<Member> members, boolean voters) {
        return members.stream().filter(m -> m.voter() == voters).map(RaftHost::peer).toList();
    }

    /**
     * Makes a voter the leader, and the one preferred from now on. While Ratis waits for the voter to
     * take over the leader takes no writes, so that one that is silent is not even asked.
     *
     * @throws IOException when the voter does not answer this node, which leads, and nothing was
     *     changed; or when it did not take over within {@code timeout}
     */
    public void transferLeadership(UUID lineage, String node, Duration timeout) throws IOException {
        Member target =
                members(lineage).stream()
                        .filter(m -> m.nodeId().equals(node) && m.voter())
                        .findFirst()
                        .orElseThrow(() ->
                                new IOException(
                                        "Node "
                                                + node
                                                + " is no voter of lineage "
                                                + lineage
                                                + ": "
                                                + members(lineage)));
        requireAnswer(lineage, target);
        // Ratis refuses a transfer unless the target has the highest priority; once it has, the
        // leader hands over by itself as soon as the target has caught up.
        reconfigure(lineage, now -> preferring(now, node));
        if (!leader(lineage).equals(Optional.of(node))) {
            requireSuccess(
                    client(lineage)
                            .admin()
                            .transferLeadership(
                                    RaftPeerId.valueOf(target.memberId()), timeout.toMillis()));
        }
    }

    /** When this node leads: a member must have answered it within an election timeout. */
    private void requireAnswer(UUID lineage, Member member) throws IOException {
        Optional<RaftProtos.RoleInfoProto> leading =
                division(lineage)
                        .map(d -> d.getInfo().getRoleInfoProto())
                        .filter(RaftProtos.RoleInfoProto::hasLeaderInfo);
        if (leading.isEmpty() || member.memberId().equals(self.toString())) {
            return;
        }
        Optional<Long> silentMillis =
                leading.get().getLeaderInfo().getFollowerInfoList().stream()
                        .filter(f -> f.getId().getId().toStringUtf8().equals(member.memberId()))
                        .map(RaftProtos.ServerRpcProto::getLastRpcElapsedTimeMs)
                        .findFirst();
        // To one that has no appender at this moment Ratis would wait for ever.
        if (silentMillis.isEmpty() || silentMillis.get() > settings.electionMin().toMillis()) {
            throw new IOException(
                    "Node "
                            + member.nodeId()
                            + " has not answered"
                            + silentMillis.map(ms -> " for " + ms + " ms").orElse(" yet")
                            + "; it is not given the lead of lineage "
                            + lineage);
        }
    }

    private static List<Member> preferring(List<Member> members, String node) {
        int top = members.stream().mapToInt(Member::priority).max().orElse(0);
        boolean alone =
                members.stream()
                        .filter(m -> m.voter() && m.priority() == top)
                        .allMatch(m -> m.nodeId().equals(node));
        if (alone) {
            return members;
        }
        int preferred = Math.max(top, 1);
        return members.stream()
                .map(m -> {
                    if (!m.voter()) {
                        return m;
                    }
                    if (m.nodeId().equals(node)) {
                        return m.asVoter(preferred);
                    }
                    return m.asVoter(Math.min(m.priority(), preferred - 1));
                })
                .collect(Collectors.toCollection(ArrayList::new));
    }

    // ------------------------------------------------------------------ writes and reads

    /**
     * Proposes a command, from any member. The future completes with the answer of the state machine,
     * or fails with a {@link SubmitException} within about the submit timeout; an {@link
     * IllegalArgumentException} means that the command is too large or malformed.
     *
     * @param epoch of the proposer
     * @param operation the same when the same thing is asked again: then it is done once
     */
    public CompletableFuture<Written> submit(
            UUID lineage, Epoch epoch, Command command, UUID operation) {
        ByteString bytes = new Entry(operation, epoch, 0, command).toBytes();
        Message message = Message.valueOf(ClusterStateMachine.theirs(bytes));
        return CompletableFuture.supplyAsync(
                () -> unchecked(() -> write(lineage, message)), callers);
    }

    private Written write(UUID lineage, Message message) throws IOException {
        if (!isOpen(lineage)) {
            throw notOpen(lineage);
        }
        RaftClientReply reply;
        try {
            reply = isLeader(lineage) ? writeHere(lineage, message) : writeThere(lineage, message);
        } catch (StateMachineException e) {
            throw new IllegalArgumentException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        }
        WriteReplies.WriteReply answer =
                WriteReplies.parse(ClusterStateMachine.ours(reply.getMessage().getContent()));
        return new Written(lineage, answer.index(), answer.term(), answer.reply());
    }

    /** The short way of the leader; when it has just lost that, the long one. */
    private RaftClientReply writeHere(UUID lineage, Message message) throws IOException {
        RaftClientReply reply;
        try {
            reply = ask(request(lineage, message, RaftClientRequest.writeRequestType()));
        } catch (IOException e) {
            throw unknown(lineage, e);
        }
        if (reply.isSuccess()) {
            return reply;
        }
        if (reply.getStateMachineException() != null) {
            throw reply.getStateMachineException();
        }
        // "Not leader" may be said of an entry that is in the log already: the operation id makes
        // asking again safe.
        return writeThere(lineage, message);
    }

    private RaftClientReply writeThere(UUID lineage, Message message) throws IOException {
        for (int attempt = 1; ; attempt++) {
            RaftClient client = null;
            try {
                client = client(lineage);
                return requireSuccess(client.io().send(message));
            } catch (StateMachineException e) {
                throw e;
            } catch (GroupMismatchException e) {
                throw new SubmitException.Unavailable(
                        "Lineage " + lineage + " is closed at the node that leads it.", e);
            } catch (SubmitException.Unavailable e) {
                if (!isOpen(lineage) || attempt >= attempts()) {
                    throw e;
                }
            } catch (AlreadyClosedException e) {
                // The members changed, and the client that knew the old ones was closed under us.
                if (client != null) {
                    clients.remove(lineage, client);
                }
                if (attempt >= attempts()) {
                    throw unknown(lineage, e);
                }
            } catch (IOException e) {
                throw unknown(lineage, e);
            }
            pause();
        }
    }

    /** How often something may be tried within the submit timeout. */
    private int attempts() {
        return (int) Math.max(1, settings.submitTimeout().toMillis() / PAUSE_MILLIS);
    }

    private SubmitException unknown(UUID lineage, IOException e) {
        forgetClient(lineage);
        return new SubmitException.OutcomeUnknown(
                "No answer from lineage "
                        + lineage
                        + " within "
                        + settings.submitTimeout().toMillis()
                        + " ms (leader "
                        + leader(lineage).orElse("unknown")
                        + "). The command may have been done, or may still be. Ask again with the"
                        + " same operation id.",
                e);
    }

    private SubmitException.Unavailable notOpen(UUID lineage) {
        return new SubmitException.Unavailable(
                "Lineage " + lineage + " is not open at node " + nodeId + ".", null);
    }

    /** What is applied here, however old. @throws SubmitException.Unavailable when not open */
    public ClusterState state(UUID lineage) throws SubmitException.Unavailable {
        return view(lineage).state();
    }

    /** Index of the last entry that is applied here; -1 for none. */
    public long appliedIndex(UUID lineage) throws SubmitException.Unavailable {
        return view(lineage).index();
    }

    /** Index of the last entry in the log here, applied or not; -1 for none. */
    public long lastIndex(UUID lineage) throws SubmitException.Unavailable {
        RaftServer.Division division = division(lineage).orElseThrow(() -> notOpen(lineage));
        TermIndex last = division.getRaftLog().getLastEntryTermIndex();
        return Math.max(view(lineage).index(), last == null ? -1 : last.getIndex());
    }

    /** Term of the last entry in the log here; 0 for none, or when the lineage is not open. */
    public long lastTerm(UUID lineage) {
        return division(lineage)
                .map(d -> d.getRaftLog().getLastEntryTermIndex())
                .map(TermIndex::getTerm)
                .orElseGet(() -> {
                    ClusterStateMachine machine = machines.get(lineage);
                    return machine == null ? 0 : machine.view().term();
                });
    }

    private View view(UUID lineage) throws SubmitException.Unavailable {
        ClusterStateMachine machine = machines.get(lineage);
        if (machine == null || !isOpen(lineage)) {
            throw notOpen(lineage);
        }
        return machine.view();
    }

    /**
     * A state that holds everything answered before this call, wherever. Fails with {@link
     * SubmitException.Unavailable} when nobody leads.
     */
    public CompletableFuture<ClusterState> readLinearizable(UUID lineage) {
        return CompletableFuture.supplyAsync(
                () ->
                        unchecked(() -> {
                            barrier(lineage);
                            return state(lineage);
                        }),
                callers);
    }

    private void barrier(UUID lineage) throws IOException {
        if (!isOpen(lineage)) {
            throw notOpen(lineage);
        }
        IOException last = null;
        for (int attempt = 0; attempt < attempts() && isOpen(lineage); attempt++) {
            try {
                RaftClientReply reply =
                        ask(request(lineage, Message.EMPTY, RaftClientRequest.readRequestType()));
                if (reply.isSuccess()) {
                    return;
                }
                last = reply.getException();
            } catch (IOException e) {
                last = e;
            }
            pause();
        }
        throw new SubmitException.Unavailable(
                "Nobody leads lineage " + lineage + " as far as node " + nodeId + " knows.", last);
    }

    /**
     * Blocks until a majority of the voters has answered what this leader sends from now on.
     *
     * @return false when nobody answered in time, or this node does not lead in this term
     */
    public boolean confirmLeadership(UUID lineage, long term) {
        if (!leads(lineage, term)) {
            return false;
        }
        try {
            RaftClientReply reply =
                    ask(request(lineage, Message.EMPTY, RaftClientRequest.readRequestType()));
            return reply.isSuccess() && leads(lineage, term);
        } catch (IOException | RuntimeException e) {
            LOG.debug("{}: no majority of {} answers", self, lineage, e);
            return false;
        }
    }

    private boolean leads(UUID lineage, long term) {
        return isLeader(lineage) && term(lineage) == term;
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for a leader", e);
        }
    }

    private RaftClientRequest request(UUID lineage, Message message, RaftClientRequest.Type type) {
        return RaftClientRequest.newBuilder()
                .setClientId(clientId)
                .setServerId(self)
                .setGroupId(RaftGroupId.valueOf(lineage))
                .setCallId(calls.incrementAndGet())
                .setMessage(message)
                .setType(type)
                .build();
    }

    private RaftClientReply ask(RaftClientRequest request) throws IOException {
        CompletableFuture<RaftClientReply> reply = running().submitClientRequestAsync(request);
        try {
            return reply.get(settings.submitTimeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for Raft", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("no answer of the Raft log", e);
        }
    }

    // ------------------------------------------------------------------ tails and seeds

    /**
     * All that this member holds of a lineage: its state and every entry after it, also those that
     * are not committed. Close the gate for acknowledgements first: what is appended while this runs
     * may be missing.
     *
     * @throws IOException when the lineage is not open, or its log cannot be read
     */
    public Tail readTail(UUID lineage) throws IOException {
        RaftServer.Division division = division(lineage).orElseThrow(() -> notOpen(lineage));
        RaftLog log = division.getRaftLog();
        for (int attempt = 0; attempt < 10; attempt++) {
            View base = view(lineage);
            TermIndex last = log.getLastEntryTermIndex();
            if (last == null || last.getIndex() <= base.index()) {
                return Tail.of(lineage, base.term(), base.index(), base.state(), List.of());
            }
            List<Tail.LogEntry> entries = entries(log, base.index() + 1, last.getIndex());
            // Entries that a newer leader replaced meanwhile, or that were purged: read again.
            if (entries.size() == last.getIndex() - base.index()
                    && last.equals(log.getTermIndex(last.getIndex()))
                    && entries.getLast().term() == last.getTerm()) {
                return Tail.of(lineage, base.term(), base.index(), base.state(), entries);
            }
            pause();
        }
        throw new IOException(
                "The log of lineage " + lineage + " changes faster than it can be read.");
    }

    /**
     * Every entry that this member's log still holds, up to one: what was purged is not among them.
     *
     * @throws IOException when the lineage is not open, or its log cannot be read
     */
    public List<Tail.LogEntry> readLog(UUID lineage, long lastIndex) throws IOException {
        RaftLog log = division(lineage).orElseThrow(() -> notOpen(lineage)).getRaftLog();
        List<Tail.LogEntry> entries = List.of();
        for (int attempt = 0; attempt < 10; attempt++) {
            long start = Math.max(0, log.getStartIndex());
            entries = entries(log, start, lastIndex);
            // An old segment that was purged meanwhile ends the walk early: read again.
            if (start > lastIndex || entries.size() == lastIndex - start + 1) {
                return entries;
            }
            pause();
        }
        throw new IOException(
                "The log of lineage "
                        + lineage
                        + " ends after "
                        + entries.size()
                        + " entries, before "
                        + lastIndex
                        + ".");
    }

    private static List<Tail.LogEntry> entries(RaftLog log, long from, long to) throws IOException {
        List<Tail.LogEntry> entries = new ArrayList<>();
        for (long index = from; index <= to; index++) {
            RaftProtos.LogEntryProto entry = log.get(index);
            if (entry == null) {
                break;
            }
            entries.add(
                    new Tail.LogEntry(
                            entry.getTerm(),
                            entry.getIndex(),
                            entry.hasStateMachineLogEntry()
                                    ? ByteString.copyFrom(
                                            entry.getStateMachineLogEntry()
                                                    .getLogData()
                                                    .asReadOnlyByteBuffer())
                                    : ByteString.EMPTY));
        }
        return entries;
    }

    /**
     * Plants a state into a new lineage, in pieces, and opens its epoch, in one visible step. Blocks;
     * may be repeated when its outcome is unknown.
     *
     * @param lineage open, without state; this node need not lead it
     * @throws RefusedException when the lineage has a state already, or the epoch is not higher
     */
    public Written seed(UUID lineage, Seed seed) throws IOException, RefusedException {
        Optional<ClusterStateMachine> machine = Optional.ofNullable(machines.get(lineage));
        machine.ifPresent(m -> m.plants(Optional.of(seed.state())));
        try {
            return planted(lineage, seed);
        } finally {
            machine.ifPresent(m -> m.plants(Optional.empty()));
        }
    }

    private Written planted(UUID lineage, Seed seed) throws IOException, RefusedException {
        ByteString bytes = seed.bytes();
        ByteString hash = seed.state().hash();
        Epoch epoch = seed.change().epoch();
        UUID id =
                UUID.nameUUIDFromBytes(
                        (lineage + "/" + hash).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        step(lineage, epoch, new Command.SeedBegin(id, bytes.size(), hash));
        int sequence = 0;
        for (int at = 0; at < bytes.size(); at += Command.MAX_SEED_CHUNK) {
            int end = Math.min(bytes.size(), at + Command.MAX_SEED_CHUNK);
            step(lineage, epoch, new Command.SeedChunk(id, sequence++, bytes.substring(at, end)));
        }
        return step(lineage, epoch, new Command.SeedEnd(id, seed.change()));
    }

    private Written step(UUID lineage, Epoch epoch, Command command)
            throws IOException, RefusedException {
        Written written = await(submit(lineage, epoch, command, UUID.randomUUID()));
        if (written.reply() instanceof Reply.Refused refused) {
            throw new RefusedException(refused);
        }
        return written;
    }

    /** Waits for a future of this class, and unwraps its failure. */
    public static <T> T await(CompletableFuture<T> future) throws IOException {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for Raft", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException io -> throw io;
                case RuntimeException runtime -> throw runtime;
                case null, default -> throw new IOException(e.getCause());
            }
        }
    }

    /** Takes a snapshot now. @return the index of the last entry in it */
    public long takeSnapshot(UUID lineage) throws IOException {
        return requireSuccess(
                        running()
                                .snapshotManagement(
                                        SnapshotManagementRequest.newCreate(
                                                clientId,
                                                self,
                                                RaftGroupId.valueOf(lineage),
                                                calls.incrementAndGet(),
                                                settings.submitTimeout().toMillis(),
                                                1)))
                .getLogIndex();
    }

    // ------------------------------------------------------------------ events

    /** Tells another listener from now on. */
    public void addEvents(RaftEvents listener) {
        events.add(listener);
    }

    void applied(UUID lineage, View view) {
        tell(e -> e.applied(lineage, view.term(), view.index(), view.state()));
    }

    void leaderChanged(UUID lineage, Optional<String> node) {
        tell(e -> e.leaderChanged(lineage, node, term(lineage)));
    }

    void leaderReady(UUID lineage) {
        tell(e -> e.leaderReady(lineage, term(lineage)));
    }

    void notLeader(UUID lineage) {
        tell(e -> e.notLeader(lineage));
    }

    void noLeader(UUID lineage) {
        tell(e -> e.noLeader(lineage));
    }

    void membersChanged(UUID lineage) {
        forgetClient(lineage);
        tell(e -> e.membersChanged(lineage));
    }

    private void tell(Consumer<RaftEvents> what) {
        for (RaftEvents listener : events) {
            try {
                what.accept(listener);
            } catch (RuntimeException e) {
                LOG.error("{}: a listener of Raft events failed", self, e);
            }
        }
    }

    void divisionClosed(UUID lineage) {
        if (!closed.get() && !closing.contains(lineage)) {
            fatal(
                    "Raft closed lineage " + lineage + " by itself (a long pause, or a failure).",
                    null);
        }
    }

    void fatal(String what, @Nullable Throwable cause) {
        if (closed.get() || !dead.compareAndSet(false, true)) {
            return;
        }
        LOG.error("{}: cannot go on: {}", self, what, cause);
        fatal.accept(what);
    }

    long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    // ------------------------------------------------------------------ Ratis

    private RaftServer running() {
        RaftServer started = server;
        if (started == null) {
            throw new IllegalStateException("the Raft server of " + self + " is not started");
        }
        return started;
    }

    /** What Ratis has of a lineage; a test puts things into its log that no one may propose. */
    Optional<RaftServer.Division> division(UUID lineage) {
        RaftServer started = server;
        if (started == null) {
            return Optional.empty();
        }
        for (RaftGroupId id : started.getGroupIds()) {
            if (id.getUuid().equals(lineage)) {
                try {
                    return Optional.of(started.getDivision(id));
                } catch (IOException e) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    private RaftClient client(UUID lineage) throws SubmitException.Unavailable {
        RaftClient known = clients.get(lineage);
        if (known != null) {
            return known;
        }
        RaftServer.Division division = division(lineage).orElseThrow(() -> notOpen(lineage));
        List<RaftPeer> voters = new ArrayList<>(division.getRaftConf().getCurrentPeers());
        if (voters.isEmpty()) {
            throw new SubmitException.Unavailable(
                    "Node " + nodeId + " knows no voter of lineage " + lineage + " yet.", null);
        }
        RaftPeerId leader = division.getInfo().getLeaderId();
        RaftClient made =
                RaftClient.newBuilder()
                        .setProperties(properties)
                        .setParameters(parameters)
                        .setRaftGroup(RaftGroup.valueOf(RaftGroupId.valueOf(lineage), voters))
                        .setLeaderId(leader)
                        .setRetryPolicy(
                                RetryPolicies.retryUpToMaximumCountWithFixedSleep(
                                        (int)
                                                Math.max(
                                                        1,
                                                        settings.submitTimeout().toMillis() / 200),
                                        millis(Duration.ofMillis(200))))
                        .build();
        RaftClient raced = clients.putIfAbsent(lineage, made);
        if (raced != null) {
            closeQuietly(made);
            return raced;
        }
        return made;
    }

    private void forgetClient(UUID lineage) {
        RaftClient client = clients.remove(lineage);
        if (client != null) {
            callers.execute(() -> closeQuietly(client));
        }
    }

    private static void closeQuietly(RaftClient client) {
        try {
            client.close();
        } catch (IOException e) {
            LOG.debug("closing a Raft client failed", e);
        }
    }

    private static RaftClientReply requireSuccess(RaftClientReply reply) throws IOException {
        if (reply.isSuccess()) {
            return reply;
        }
        throw reply.getException();
    }

    private static RaftPeer peer(Member member) {
        return RaftPeer.newBuilder()
                .setId(member.memberId())
                .setAddress(member.raft().toString())
                .setPriority(member.priority())
                .setStartupRole(
                        member.voter()
                                ? RaftProtos.RaftPeerRole.FOLLOWER
                                : RaftProtos.RaftPeerRole.LISTENER)
                .build();
    }

    private static Member member(RaftPeer peer, boolean voter) {
        String id = peer.getId().toString();
        int hash = id.indexOf('#');
        int colon = peer.getAddress().lastIndexOf(':');
        String host = peer.getAddress().substring(0, colon);
        if (host.startsWith("[")) {
            host = host.substring(1, host.length() - 1);
        }
        return new Member(
                id.substring(0, hash),
                UUID.fromString(id.substring(hash + 1)),
                Endpoint.of(host, Integer.parseInt(peer.getAddress().substring(colon + 1))),
                voter,
                peer.getPriority());
    }

    static String nodeOf(RaftPeerId id) {
        String text = id.toString();
        int hash = text.indexOf('#');
        return hash < 0 ? text : text.substring(0, hash);
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private static <T> T unchecked(Call<T> call) {
        try {
            return call.run();
        } catch (IOException e) {
            throw new java.util.concurrent.CompletionException(e);
        }
    }

    /** Stops the server. Harmless when repeated. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        clients.keySet().forEach(this::forgetClient);
        RaftServer started = server;
        if (started != null) {
            try {
                if (started.getLifeCycleState() != LifeCycle.State.CLOSED) {
                    started.close();
                }
            } catch (IOException e) {
                LOG.warn("{}: closing the Raft server failed", self, e);
            }
        }
        callers.shutdown();
    }
}
