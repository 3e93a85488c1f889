package io.holdfast.node.server;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.config.RoleFile;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Reply;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A node's {@link SiteController} and {@link SiteOperations} with everything around them in memory. What
 * was asked of it stands in {@link #did}, in order.
 */
final class FakeSite
        implements SitePorts.Log,
                SitePorts.Sightings,
                SitePorts.Steps,
                SitePorts.Services,
                AutoCloseable {
    final List<String> did = new CopyOnWriteArrayList<>();
    final List<Command> submitted = new CopyOnWriteArrayList<>();

    /** How often the lead cannot be given away, for nobody there answers. */
    final AtomicInteger silent = new AtomicInteger();

    /** How often a command is not taken, for nobody leads. */
    final Map<Class<? extends Command>, Integer> unavailable = new ConcurrentHashMap<>();

    final SiteController controller;
    final SiteOperations operations;
    final EpochGuard guard;
    final Path roleFile;
    private final SiteConfig config;
    private final SiteAckSender sender;
    private final Map<String, PeerWatch.Seen> seen = new ConcurrentHashMap<>();
    volatile Mbr mbr;
    volatile ClusterState state = TestCluster.create().state();
    volatile UUID lineage = TestCluster.LOCAL_LINEAGE;
    volatile boolean leads = true;
    volatile boolean protectsAtOnce = true;
    volatile boolean inTime;
    volatile BooleanSupplier level = () -> true;
    volatile Consumer<JobRecord> checkpoint = _ -> {};
    volatile boolean witnessLost;
    volatile Optional<IOException> noLineage = Optional.empty();

    FakeSite(Path folder, SiteConfig config, Epoch promise) throws IOException {
        this(folder, config, promise, TestCluster.mbr());
    }

    FakeSite(Path folder, SiteConfig config, Epoch promise, Mbr mbr) throws IOException {
        this.config = config;
        this.mbr = mbr;
        guard = EpochGuard.create(folder.resolve("promise"), promise);
        roleFile = folder.resolve("role.json");
        sender =
                new SiteAckSender(
                        config.self(), UUID.randomUUID(), promise, _ -> Optional.empty(), _ -> {});
        operations =
                new SiteOperations(
                        config.self(),
                        mbr.node(config.self()).orElseThrow().host(),
                        config.site(),
                        this,
                        this,
                        this,
                        this,
                        () -> this.mbr);
        controller =
                new SiteController(
                        config,
                        mbr.cluster(),
                        roleFile,
                        guard,
                        sender,
                        this,
                        this,
                        this,
                        this,
                        operations);
    }

    /** A site of one member in the two-node cluster of the worked example, with short times. */
    static SiteConfig small(Site site) {
        boolean local = site == Site.LOCAL;
        return new SiteConfig(
                site,
                local ? "l1" : "d1",
                Set.of(local ? "l1" : "d1"),
                Set.of(local ? "d1" : "l1"),
                SiteConfig.DEGRADE_MILLIS,
                1,
                SiteConfig.ATTEMPT_MILLIS);
    }

    FakeSite start(SiteRole durable, Epoch epoch) {
        controller.start(new RoleFile(durable.name(), epoch, lineage));
        return this;
    }

    // ---------------------------------------------------------------- the world

    /** A node answers from now on, as this. */
    void answers(String node, SiteRole role, Epoch epoch, Epoch promise, boolean leader) {
        NodeAddress address = mbr.node(node).orElseThrow();
        SiteDescription description =
                new SiteDescription(
                        node,
                        UUID.randomUUID(),
                        mbr.siteOf(node).orElseThrow(),
                        role.name(),
                        Optional.of(epoch),
                        Optional.of(promise),
                        true,
                        Optional.of(LineageSpec.idOf(mbr.cluster(), epoch)),
                        1,
                        1,
                        1,
                        0,
                        leader,
                        "SYNC",
                        0,
                        "test",
                        ShipReport.NONE);
        seen.put(node, new PeerWatch.Seen(address, Optional.of(description), 1, true, ""));
    }

    void isSilent(String node) {
        seen.remove(node);
    }

    static void eventually(String what, BooleanSupplier done) throws InterruptedException {
        for (int i = 0; i < 6_000; i++) {
            if (done.getAsBoolean()) {
                return;
            }
            Thread.sleep(5);
        }
        throw new AssertionError("not within 30 s: " + what);
    }

    void awaitRole(SiteRole role) throws InterruptedException {
        eventually(
                role + ", not " + controller.state().describe(),
                () -> controller.state().role() == role);
    }

    void awaitDid(String what) throws InterruptedException {
        eventually(what + " among " + did, () -> did.contains(what));
    }

    // ---------------------------------------------------------------- ports

    @Override
    public UUID lineage() {
        return lineage;
    }

    @Override
    public void use(UUID newLineage) {
        lineage = newLineage;
    }

    @Override
    public ClusterState state() {
        return state;
    }

    @Override
    public boolean leads() {
        return leads;
    }

    @Override
    public long appliedIndex() {
        return submitted.size();
    }

    @Override
    public Written submit(Command command) {
        return submit(command, UUID.randomUUID());
    }

    @Override
    public Written submit(Command command, UUID operation) {
        int left = unavailable.merge(command.getClass(), -1, Integer::sum);
        if (left >= 0) {
            throw new ApiException(ApiException.Kind.UNAVAILABLE, "nobody leads", "wait");
        }
        submitted.add(command);
        if (command instanceof Command.SwitchPrepare || command instanceof Command.SwitchAbort) {
            state =
                    state.apply(
                                    new Entry(operation, state.epoch(), TestCluster.START, command),
                                    submitted.size())
                            .state();
        }
        did.add("submit " + command.getClass().getSimpleName());
        return new Written(lineage, submitted.size(), 1, new Reply.Done(submitted.size()));
    }

    @Override
    public void submitOnceLed(Command command, UUID operation) {
        submit(command, operation);
    }

    @Override
    public void changeEpoch(Command.EpochChange change, Epoch parent, UUID operation) {
        submitted.add(change);
        did.add("change " + parent + " to " + change.epoch() + ": " + change.reason());
    }

    @Override
    public boolean awaitProtected(long index, Duration timeout) throws InterruptedException {
        if (!protectsAtOnce) {
            Thread.sleep(5);
        }
        return protectsAtOnce;
    }

    @Override
    public List<PeerWatch.Seen> round() {
        return all();
    }

    @Override
    public List<PeerWatch.Seen> all() {
        List<PeerWatch.Seen> all = new ArrayList<>();
        for (NodeAddress node : NodeService.others(mbr, config.self())) {
            all.add(
                    seen.getOrDefault(
                            node.id(),
                            new PeerWatch.Seen(node, Optional.empty(), 0, false, "silent")));
        }
        return all;
    }

    @Override
    public List<PeerWatch.Seen> of(Site which) {
        return all().stream()
                .filter(s -> mbr.siteOf(s.node().id()).equals(Optional.of(which)))
                .toList();
    }

    @Override
    public Optional<Long> lastContactMicros() {
        return Optional.empty();
    }

    @Override
    public String promisedTo() {
        return "";
    }

    @Override
    public void persistPromise(Epoch epoch, String candidate)
            throws IOException, StaleEpochException {
        guard.promise(epoch);
        did.add("promise " + epoch);
    }

    @Override
    public void askPromise(String member, String candidate, Epoch epoch) throws RemoteException {
        did.add("ask " + member + " for " + epoch);
    }

    @Override
    public boolean askWitness(String witness, Set<String> lost, long term, long question)
            throws RemoteException {
        did.add("ask " + witness + " about " + lost);
        return witnessLost;
    }

    @Override
    public void prefer(UUID of, Site preferred) throws IOException {
        did.add("prefer " + preferred.word());
        if (silent.getAndDecrement() > 0) {
            throw new IOException("nobody of " + preferred.word() + " has answered");
        }
    }

    @Override
    public Logs readTails(Epoch epoch, Set<String> members) {
        did.add("tails " + members);
        return new Logs(members, state.epoch(), "");
    }

    @Override
    public void closeLineages(UUID but) {
        did.add("close lineages");
    }

    @Override
    public void openLineage(UUID opened, Epoch epoch, int quorum) throws IOException {
        did.add("open " + epoch);
        if (noLineage.isPresent()) {
            throw noLineage.get();
        }
    }

    @Override
    public ClusterState seed(
            UUID opened, Epoch epoch, String reason, String operator, long lastContactMicros) {
        did.add("seed " + epoch + " " + reason);
        return state;
    }

    @Override
    public void reconcile(Epoch epoch, List<PeerWatch.Seen> peers) {
        did.add("reconcile " + epoch);
    }

    @Override
    public void allow(Epoch epoch) {
        did.add("allow " + epoch);
    }

    @Override
    public void forbid() {
        did.add("forbid");
    }

    @Override
    public boolean isReady() {
        return true;
    }

    @Override
    public void watchReplication(SiteController to) {
        if (inTime) {
            to.post(new SiteEvent.PeerInTime());
        }
    }

    @Override
    public void commitReplication(ReplicationState replication) {
        did.add("replication " + replication);
    }

    @Override
    public boolean awaitCaughtUp() {
        return true;
    }

    @Override
    public boolean isLevel() {
        return level.getAsBoolean();
    }

    @Override
    public String agentOf(JobRecord job) {
        return "agent";
    }

    @Override
    public void checkpoint(JobRecord job) {
        did.add("checkpoint " + job.id());
        checkpoint.accept(job);
    }

    @Override
    public boolean lagBounded() {
        return true;
    }

    @Override
    public void close() {
        controller.close();
        sender.close();
    }
}
