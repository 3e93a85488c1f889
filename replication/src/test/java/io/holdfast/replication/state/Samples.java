package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Job;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;

/** Values that the tests share; always the same. */
public final class Samples {
    public static final UUID CLUSTER = id(1);
    public static final Epoch FIRST = new Epoch(1, Site.LOCAL);
    public static final Epoch SECOND = new Epoch(2, Site.DR);
    public static final UUID LINEAGE = id(2);

    private Samples() {}

    public static UUID id(long n) {
        return new UUID(0x0190_0000_0000_7000L, 0x8000_0000_0000_0000L | n);
    }

    public static Mbr mbr() {
        return new Mbr(
                CLUSTER,
                "acme",
                "p2-small",
                Map.of(
                        Site.LOCAL,
                        List.of(
                                new NodeAddress(
                                        "l1",
                                        "127.10.11.44",
                                        8443,
                                        9871,
                                        9872,
                                        Set.of("backup-server", "storage", "catalog-server"))),
                        Site.DR,
                        List.of(
                                new NodeAddress(
                                        "d1",
                                        "127.50.4.4",
                                        8443,
                                        9871,
                                        9872,
                                        Set.of("backup-server", "storage")))),
                "raft:" + LINEAGE,
                "main",
                "/methods",
                FIRST,
                LINEAGE,
                Chunking.DEFAULT);
    }

    public static Resource client(long n, String name) {
        return new Resource(
                id(n),
                "North Africa",
                "critical",
                name,
                Resource.Type.CLIENT,
                Map.of("address", "127.10.11.22:3456", "drAddress", "127.50.4.22:3456"),
                Optional.of("main"),
                Map.of("note", "x"));
    }

    public static Job job(long n) {
        Identifier input =
                new Identifier(Endpoint.of("127.10.11.22", 3456), "READ", List.of(), "/path");
        Identifier output =
                new Identifier(
                        new Endpoint("127.10.11.44", OptionalInt.of(6543)),
                        "WRITE",
                        List.of(
                                new Identifier.Param.KeyValue("IP", "127.10.11.45"),
                                new Identifier.Param.Positional("dedupe")),
                        "/mtree/backup/1");
        return new Job(id(n), Optional.empty(), List.of(new Job.Pair(input, output)));
    }

    public static CatalogRecord row(long piece) {
        return new CatalogRecord(
                id(piece),
                id(10),
                "crit",
                "/path",
                "files/full",
                "owner",
                "127.10.11.44:6543?WRITE?/mtree/backup/1",
                1_000_000,
                Long.MAX_VALUE,
                12_345,
                "main",
                Map.of("files", "7"));
    }

    public static ChunkId chunk(int n) {
        byte[] bytes = new byte[32];
        bytes[31] = (byte) n;
        return ChunkId.of(bytes);
    }

    public static Command.JobOpened opened(long job) {
        return new Command.JobOpened(job(job), "backup", id(10), "full");
    }

    /** A backup that a planned move has stopped. */
    public static Command.JobEnded checkpointed(long job) {
        return new Command.JobEnded(
                id(job),
                JobState.CHECKPOINTED,
                Optional.empty(),
                Optional.empty(),
                new JobTotals(3, 0, 0, 9_000, 8_000, 4_000, 0),
                "Checkpointed by the switchover to dr; what it had stored is kept",
                Optional.empty());
    }

    /** The job that goes on with one that is CHECKPOINTED. */
    public static Command.JobOpened continuing(long job, long before) {
        return new Command.JobOpened(job(job), "backup", id(10), "full", Optional.of(id(before)));
    }

    /** What a planned move with checkpoints writes, by name; older programs knew none of it. */
    public static Map<String, Command> checkpoints() {
        Map<String, Command> all = new LinkedHashMap<>();
        all.put("job-opened-to-checkpoint", opened(40));
        all.put(
                "switch-prepare-limited",
                new Command.SwitchPrepare(Site.DR, "maintenance", "alice", 210_000));
        all.put("job-ended-checkpointed", checkpointed(40));
        all.put("switch-abort-checkpointed", new Command.SwitchAbort("timeout"));
        all.put("job-opened-continuing", continuing(41, 40));
        all.put(
                "switch-prepare-again",
                new Command.SwitchPrepare(Site.DR, "again", "alice", 60_000));
        return all;
    }

    public static Command.JobEnded completed(long job) {
        return new Command.JobEnded(
                id(job),
                JobState.COMPLETE_WITH_WARNINGS,
                Optional.of(row(job + 1000)),
                Optional.of(chunk((int) job)),
                new JobTotals(7, 3, 12_345, 9_000, 8_000, 4_000, 1),
                "1 file vanished",
                Optional.of(new StorePosition(id(99), new LogPosition(3, 4711))));
    }

    /** One of each command, by name. */
    public static Map<String, Command> commands() {
        Map<String, Command> all = new LinkedHashMap<>();
        Command.EpochChange change =
                new Command.EpochChange(
                        SECOND,
                        id(3),
                        Optional.of(LINEAGE),
                        5,
                        77,
                        ByteString.copyFromUtf8("0123456789abcdef0123456789abcdef"),
                        "failover: site lost",
                        "alice");
        all.put("put-mbr", new Command.PutMbr(mbr()));
        all.put("put-resource", new Command.PutResource(client(10, "crit"), 4));
        all.put("delete-resource", new Command.DeleteResource(id(10), Command.ANY_VERSION));
        all.put("job-opened", opened(20));
        all.put("job-ended", completed(20));
        all.put("protected-mark", new Command.ProtectedMark(id(20)));
        all.put(
                "repl-state-change",
                new Command.ReplStateChange(new ReplState(ReplState.Mode.ASYNC, 123, 45)));
        all.put("epoch-change", change);
        all.put(
                "epoch-change-contact",
                new Command.EpochChange(
                        SECOND,
                        id(3),
                        Optional.of(LINEAGE),
                        5,
                        77,
                        ByteString.EMPTY,
                        "failover: site lost",
                        "alice",
                        1_764_000_000_000_123L));
        all.put("seed-begin", new Command.SeedBegin(id(5), 3, ClusterState.empty().hash()));
        all.put("seed-chunk", new Command.SeedChunk(id(5), 0, ByteString.copyFromUtf8("abc")));
        all.put("seed-end", new Command.SeedEnd(id(5), change));
        all.put("audit-note", new Command.AuditNote("alice", "looked", "client crit"));
        all.put("piece-recovered", new Command.PieceRecovered(recovered(30), LINEAGE));
        all.put("switch-prepare", new Command.SwitchPrepare(Site.DR, "maintenance", "alice"));
        all.put("switch-abort", new Command.SwitchAbort("timeout"));
        all.put("set-suspended", new Command.SetSuspended(Map.of(id(11), "no DR address")));
        all.put(
                "storage-failover",
                new Command.StorageFailover(
                        Endpoint.of("127.10.11.44", 6543),
                        Site.DR,
                        List.of(id(20), id(21)),
                        "alice",
                        "disk gone"));
        all.put(
                "storage-failback",
                new Command.StorageFailback(
                        Endpoint.of("127.10.11.44", 6543), List.of(id(21)), "alice"));
        all.put("expire", expire(20));
        all.put("expiry-settled", new Command.ExpirySettled(List.of(id(5000))));
        all.put("hold-add", hold(70, 1021));
        all.put(
                "hold-add-client",
                new Command.HoldAdd(id(71), Optional.empty(), Optional.of(id(12)), "a", "suit"));
        all.put("hold-release", new Command.HoldRelease(id(71), "alice", "settled"));
        all.put("gc-begin", gcBegin(80));
        all.put(
                "gc-end",
                new Command.GcEnd(id(80), "WAITS", List.of("fossils of mark 3 wait"), 7, 4711));
        all.put(
                "set-auto-failover",
                new Command.SetAutoFailover(false, Optional.empty(), "alice", "maintenance"));
        all.put(
                "set-ack-policy",
                new Command.SetAckPolicy(AckPolicy.PROTECTION, "alice", "audit season"));
        all.put("abandon-site", new Command.AbandonSite(Site.DR, "alice", "the building is gone"));
        ByteString report = report().toBytes();
        all.put(
                "report-begin",
                new Command.ReportBegin("l1", id(6), report.size(), ClusterState.sha256(report)));
        all.put("report-chunk", new Command.ReportChunk(id(6), 0, report));
        all.put("report-end", new Command.ReportEnd(id(6)));
        all.put("report-signed", new Command.ReportSigned(LINEAGE, "alice", "kept ours"));
        return all;
    }

    /** The piece of {@link #completed} expires. */
    public static Command.Expire expire(long job) {
        return new Command.Expire(
                List.of(
                        new Command.Expiring(
                                id(job + 1000),
                                chunk((int) job),
                                id(10),
                                Optional.of(id(job)),
                                "no clause of 'P30D' keeps it")),
                "retention");
    }

    /** The same piece expires at one site. */
    public static Command.Expire expireAt(long job, Site site) {
        return new Command.Expire(expire(job).pieces(), "retention", Optional.of(site));
    }

    public static Command.HoldAdd hold(long hold, long piece) {
        return new Command.HoldAdd(
                id(hold), Optional.of(id(piece)), Optional.empty(), "alice", "lawsuit");
    }

    public static Command.GcBegin gcBegin(long run) {
        return new Command.GcBegin(
                id(run), Endpoint.of("127.10.11.44", 6543), Site.DR, GcRun.Work.MARK, "l1");
    }

    /** One item of each kind. */
    public static ReturnReport report() {
        return new ReturnReport(
                LINEAGE,
                FIRST,
                77,
                new java.util.TreeSet<>(Set.of("l1", "l2")),
                5,
                90,
                List.of(
                        new DivergentResource(
                                id(10),
                                Optional.of(client(10, "crit")),
                                Optional.of(client(10, "renamed")),
                                List.of(
                                        new DivergentResource.Change(78, 1_000, false),
                                        new DivergentResource.Change(80, 2_000, false))),
                        new DivergentResource(
                                id(11),
                                Optional.of(client(11, "gone")),
                                Optional.empty(),
                                List.of(new DivergentResource.Change(81, 3_000, true)))),
                List.of(
                        new DivergentJob(
                                id(31),
                                "backup",
                                id(10),
                                JobState.COMPLETE,
                                1,
                                2,
                                DivergentJob.Fate.CORRUPTION,
                                Optional.of(chunk(1)),
                                Optional.of(chunk(2)),
                                "m")),
                List.of(new AuditRecord(4_000, FIRST, "bob", "looked", "client crit")),
                0,
                Optional.empty());
    }

    public static JobRecord recovered(long job) {
        Command.JobEnded end = completed(job);
        return new JobRecord(
                job(job),
                "backup",
                id(10),
                "incremental",
                FIRST,
                1_000,
                end.state(),
                2_000,
                end.row(),
                end.pieceHeader(),
                end.totals(),
                end.message(),
                end.stored(),
                0,
                false,
                0,
                Optional.empty(),
                Optional.empty());
    }
}
