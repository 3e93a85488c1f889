package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.holdfast.chunk.ChunkId;
import io.holdfast.replication.state.Applied;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Divergence;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.replication.state.JobTotals;
import io.holdfast.replication.state.Reply;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.ClientResource;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.GroupResource;
import io.holdfast.standard.Job;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The cluster of the worked example, as a state that is built by its own commands. Each entry is one
 * second after the one before.
 */
final class TestCluster {
    static final UUID CLUSTER = new UUID(0xc1, 1);
    static final UUID LOCAL_LINEAGE = new UUID(0x11, 1);
    static final UUID CRIT = new UUID(0xc11, 1);
    static final UUID NONCRIT = new UUID(0xc11, 2);
    static final UUID GROUP = new UUID(0x64, 1);
    static final UUID KEY = new UUID(0x6b, 1);
    static final UUID DOMAIN = new UUID(0x6b, 2);
    static final Epoch FIRST = new Epoch(1, Site.LOCAL);
    static final long START = 1_700_000_000_000_000L;
    static final long SECOND = 1_000_000L;
    static final String STORAGE = "127.10.11.44:6543";
    static final String LOCATION = "/mtree/backup";

    private ClusterState state;
    private long now = START;
    private long index;
    private final List<Tail.LogEntry> entries = new ArrayList<>();

    private TestCluster(ClusterState state) {
        this.state = state;
    }

    /** A cluster in epoch 1.local, with two clients of which only the critical one has a DR address. */
    static TestCluster create() {
        TestCluster cluster = new TestCluster(ClusterState.empty());
        cluster.apply(FIRST, Command.EpochChange.first(FIRST, LOCAL_LINEAGE, "init"));
        cluster.apply(new Command.PutMbr(mbr()));
        resources().forEach(cluster::put);
        return cluster;
    }

    static Mbr mbr() {
        return new Mbr(
                CLUSTER,
                "acme",
                "p2-small",
                Map.of(
                        Site.LOCAL,
                        List.of(node("l1", "127.10.11.44")),
                        Site.DR,
                        List.of(node("d1", "127.50.4.4"))),
                "raft",
                "main",
                "none",
                FIRST,
                LOCAL_LINEAGE,
                Chunking.DEFAULT);
    }

    private static NodeAddress node(String id, String host) {
        return new NodeAddress(
                id, host, 8443, 9871, 9872, Set.of("backup-server", "catalog-server", "storage"));
    }

    private static List<Resource> resources() {
        return List.of(
                client("crit", "127.10.11.22:3456", "127.50.4.22:3456").toResource(CRIT),
                client("noncrit", "127.10.11.23:3456", "").toResource(NONCRIT),
                new GroupResource("daily", "nightly", "month", "disk").toResource(GROUP),
                new PolicyResource(
                                "month",
                                Retention.of(Duration.ofDays(30)),
                                PolicyResource.GreenAt.LOCAL)
                        .toResource(new UUID(0x70, 1)),
                new DeviceResource("disk", "127.10.11.45", Endpoint.parse(STORAGE), LOCATION)
                        .toResource(new UUID(0x64, 2)),
                new CatalogResource("main", Endpoint.parse("127.10.11.44:9873"), false)
                        .toResource(new UUID(0xca, 1)),
                new CatalogResource("all", Endpoint.parse("127.50.4.4:9874"), true)
                        .toResource(new UUID(0xca, 2)),
                row(STORAGE, "127.50.4.4:3456", 1),
                row("127.10.11.45", "127.50.4.4", 2),
                row("127.10.11.44:9873", "127.50.4.4:9873", 3),
                key(
                                "agent:" + CRIT + ":local",
                                "agent:" + CRIT + ":dr",
                                "agent:" + NONCRIT + ":local")
                        .toResource(KEY));
    }

    /** A client of group daily; {@code dr} is empty when it has no DR address. */
    static ClientResource client(String name, String address, String dr) {
        return new ClientResource(
                name,
                Endpoint.parse(address),
                dr.isEmpty() ? Optional.empty() : Optional.of(Endpoint.parse(dr)),
                "/data",
                !dr.isEmpty(),
                "ada",
                "main",
                "daily",
                Optional.empty());
    }

    private static Resource row(String local, String remote, int number) {
        return new ReplicationResource(Endpoint.parse(local), Endpoint.parse(remote))
                .toResource(new UUID(0x4e, number));
    }

    /** The domain key with these slots; what a slot holds is its own name. */
    static DomainKeyResource key(String... slots) {
        Map<String, byte[]> map = new java.util.TreeMap<>();
        for (String slot : slots) {
            map.put(slot, ByteString.copyFromUtf8(slot).toByteArray());
        }
        return DomainKeyResource.of("main", DOMAIN, 3, map);
    }

    ClusterState state() {
        return state;
    }

    Lookup lookup() {
        return Lookup.in(state);
    }

    /** Time of the newest entry. */
    long now() {
        return now;
    }

    TestCluster put(Resource resource) {
        return apply(new Command.PutResource(resource, Command.ANY_VERSION));
    }

    TestCluster delete(UUID resource) {
        return apply(new Command.DeleteResource(resource, Command.ANY_VERSION));
    }

    TestCluster apply(Command command) {
        return apply(state.epoch(), command);
    }

    private TestCluster apply(Epoch epoch, Command command) {
        now += SECOND;
        Entry entry = new Entry(new UUID(0x09, now), epoch, now, command);
        Applied applied = state.apply(entry, ++index);
        entries.add(new Tail.LogEntry(1, index, entry.toBytes()));
        assertThat(applied.reply()).as("%s", command).isInstanceOf(Reply.Done.class);
        state = applied.state();
        return this;
    }

    /** What a new leader has: the same state, read back from its bytes. */
    Lookup reread() {
        return Lookup.in(ClusterState.parse(state.toBytes()));
    }

    /** The other site goes on from this state by force; this cluster stays as it is. */
    TestCluster failover(Epoch epoch) {
        return failover(epoch, 0);
    }

    /** The same; the coordinator had heard of the other site at this time. */
    TestCluster failover(Epoch epoch, long lastContactMicros) {
        ByteString bytes = state.toBytes();
        UUID seed = new UUID(0x5e, epoch.encoded());
        TestCluster other = new TestCluster(ClusterState.empty());
        other.now = now;
        other.apply(epoch, new Command.SeedBegin(seed, bytes.size(), sha256(bytes)));
        other.apply(epoch, new Command.SeedChunk(seed, 0, bytes));
        other.apply(
                epoch,
                new Command.SeedEnd(
                        seed,
                        new Command.EpochChange(
                                epoch,
                                new UUID(0x11, epoch.encoded()),
                                Optional.of(state.epochs().getLast().change().lineage()),
                                1,
                                index,
                                state.hash(),
                                "failover: fire",
                                "ada",
                                lastContactMicros)));
        return other;
    }

    /** A member of a lost site that is back hands over what it had of its own. */
    TestCluster handOver(String member, TestCluster lost) {
        UUID lineage = lost.state.epochs().getLast().change().lineage();
        ReturnReport report =
                Divergence.report(
                        member,
                        lineage,
                        Divergence.forkOf(lineage, lost.state, state).orElseThrow(),
                        lost.state,
                        lost.entries,
                        1,
                        lost.index,
                        state);
        ByteString bytes = report.toBytes();
        UUID upload = new UUID(0x4e9, now);
        apply(new Command.ReportBegin(member, upload, bytes.size(), sha256(bytes)));
        apply(new Command.ReportChunk(upload, 0, bytes));
        return apply(new Command.ReportEnd(upload));
    }

    /** The other site goes on from this state as planned: it has everything. */
    TestCluster switchover(Epoch epoch) {
        state.unprotectedPieces().forEach(j -> apply(new Command.ProtectedMark(j.id())));
        apply(new Command.SwitchPrepare(epoch.site(), "home", "ada"));
        return apply(
                epoch,
                new Command.EpochChange(
                        epoch,
                        new UUID(0x11, epoch.encoded()),
                        Optional.of(state.epochs().getLast().change().lineage()),
                        1,
                        index,
                        state.hash(),
                        "switchover: home",
                        "ada"));
    }

    /** Opens a backup. */
    JobRecord backup(UUID client, int number) {
        Lookup lookup = lookup();
        return open(
                JobPlanner.backup(
                        lookup,
                        lookup.client(client).orElseThrow(),
                        "/data",
                        jobId(number),
                        pieceId(number)),
                "backup",
                client,
                "full");
    }

    JobRecord open(Job job, String kind, UUID client, String level) {
        apply(new Command.JobOpened(job, kind, client, level));
        return job(job.id());
    }

    JobRecord job(UUID id) {
        return state.job(id).orElseThrow();
    }

    /** Ends a backup with a piece of 1000 source bytes. */
    JobRecord complete(JobRecord job) {
        CatalogRecord row = JobPlanner.row(lookup(), job, 1000, Map.of());
        apply(
                new Command.JobEnded(
                        job.id(),
                        JobState.COMPLETE,
                        Optional.of(row),
                        Optional.of(chunkId(job.id().getLeastSignificantBits())),
                        new JobTotals(7, 3, 1000, 500, 400, 250, 0),
                        "",
                        Optional.empty()));
        return job(job.id());
    }

    JobRecord end(JobRecord job, JobState end, String message) {
        apply(
                new Command.JobEnded(
                        job.id(),
                        end,
                        Optional.empty(),
                        Optional.empty(),
                        JobTotals.NONE,
                        message,
                        Optional.empty()));
        return job(job.id());
    }

    JobRecord markProtected(JobRecord job) {
        apply(new Command.ProtectedMark(job.id()));
        return job(job.id());
    }

    /** The piece of a protected job expires at one site. */
    TestCluster expireAt(Site site, JobRecord job) {
        return expire(Optional.of(site), job);
    }

    /** It expires at both. */
    TestCluster expire(JobRecord job) {
        return expire(Optional.empty(), job);
    }

    private TestCluster expire(Optional<Site> onlyAt, JobRecord job) {
        return apply(
                new Command.Expire(
                        List.of(
                                new Command.Expiring(
                                        job.row().orElseThrow().piece(),
                                        job.pieceHeader().orElseThrow(),
                                        job.client(),
                                        Optional.of(job.id()),
                                        "no clause of 'P30D' keeps it")),
                        "retention",
                        onlyAt));
    }

    static UUID jobId(int number) {
        return new UUID(0x10b, number);
    }

    static UUID pieceId(int number) {
        return new UUID(0x91ece, number);
    }

    static ChunkId chunkId(long number) {
        byte[] bytes = new byte[ChunkId.BYTES];
        Arrays.fill(bytes, (byte) number);
        return ChunkId.of(bytes);
    }

    private static ByteString sha256(ByteString bytes) {
        try {
            return ByteString.copyFrom(
                    MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
