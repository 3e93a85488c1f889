package io.holdfast.replication.state;

import static io.holdfast.replication.state.Samples.FIRST;
import static io.holdfast.replication.state.Samples.LINEAGE;
import static io.holdfast.replication.state.Samples.SECOND;
import static io.holdfast.replication.state.Samples.client;
import static io.holdfast.replication.state.Samples.completed;
import static io.holdfast.replication.state.Samples.id;
import static io.holdfast.replication.state.Samples.mbr;
import static io.holdfast.replication.state.Samples.opened;
import static io.holdfast.replication.state.Samples.recovered;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.Profile;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterStateTest {
    private ClusterState state = ClusterState.empty();
    private long index;
    private Epoch epoch = FIRST;

    @BeforeEach
    void begin() {
        done(Command.EpochChange.first(FIRST, LINEAGE, "init"));
        done(new Command.PutMbr(mbr()));
    }

    private Reply apply(Command command) {
        return apply(UUID.randomUUID(), epoch, command).reply();
    }

    private Applied apply(UUID operation, Epoch proposer, Command command) {
        index++;
        Applied applied =
                state.apply(new Entry(operation, proposer, 1_000 * index, command), index);
        state = applied.state();
        return applied;
    }

    private long done(Command command) {
        Reply reply = apply(command);
        assertThat(reply).isInstanceOf(Reply.Done.class);
        return ((Reply.Done) reply).version();
    }

    private void refused(Command command, Reply.Code code) {
        ClusterState before = state;
        Reply reply = apply(command);
        assertThat(reply).isInstanceOf(Reply.Refused.class);
        Reply.Refused refused = (Reply.Refused) reply;
        assertThat(refused.code()).as(refused.message()).isEqualTo(code);
        assertThat(refused.message()).isNotBlank();
        assertThat(refused.next()).isNotBlank();
        assertThat(state.resources()).isEqualTo(before.resources());
        assertThat(state.jobs()).isEqualTo(before.jobs());
    }

    @Test
    void mbrTakesTheStatesEpochAndLineage() {
        assertThat(state.mbr()).contains(mbr());
        done(new Command.PutMbr(mbr().with(new Epoch(9, Site.DR), id(77))));
        assertThat(state.mbr().orElseThrow().epoch()).isEqualTo(FIRST);
        assertThat(state.mbr().orElseThrow().lineage()).isEqualTo(LINEAGE);
    }

    @Test
    void resourcesOfATypeAreThatTypesByName() {
        for (int i : new int[] {3, 1, 2}) {
            done(new Command.PutResource(client(10 + i, "crit-" + i), Command.NEW));
        }
        assertThat(state.resources(Resource.Type.CLIENT))
                .extracting(r -> r.resource().name())
                .containsExactly("crit-1", "crit-2", "crit-3");
        done(new Command.PutResource(client(11, "zero"), Command.ANY_VERSION));
        done(new Command.DeleteResource(id(12), Command.ANY_VERSION));
        for (ClusterState same : new ClusterState[] {state, ClusterState.parse(state.toBytes())}) {
            assertThat(same.resources(Resource.Type.CLIENT))
                    .extracting(r -> r.resource().name())
                    .containsExactly("crit-3", "zero");
            assertThat(same.resources(Resource.Type.GROUP)).isEmpty();
        }
    }

    /** The resolver's table must never be older than the addresses, nor be made for every write. */
    @Test
    void theAddressesAreThoseOfTheState() {
        done(new Command.PutResource(row(10), Command.NEW));
        var one = state.addresses();
        assertThat(one.rows()).hasSize(1);
        done(new Command.AuditNote("ada", "looked", ""));
        assertThat(state.addresses()).isSameAs(one);
        ClusterState before = state;
        done(new Command.PutResource(row(11), Command.NEW));
        assertThat(state.addresses().rows()).hasSize(2);
        assertThat(before.addresses()).isSameAs(one);
        done(new Command.DeleteResource(id(10), Command.ANY_VERSION));
        assertThat(state.addresses().rows())
                .extracting(r -> r.local().toString())
                .containsExactly("10.10.11.11:7000");
        assertThat(ClusterState.parse(state.toBytes()).addresses().rows()).hasSize(1);
    }

    private static Resource row(int i) {
        return new ReplicationResource(
                        Endpoint.of("10.10.11." + i, 7000), Endpoint.of("10.50.4." + i, 7000))
                .toResource(id(i));
    }

    @Test
    void resourceIsWrittenWithItsVersion() {
        assertThat(done(new Command.PutResource(client(10, "crit"), Command.NEW))).isEqualTo(1);
        refused(
                new Command.PutResource(client(10, "crit"), Command.NEW),
                Reply.Code.VERSION_MISMATCH);
        refused(new Command.PutResource(client(10, "crit"), 7), Reply.Code.VERSION_MISMATCH);
        assertThat(done(new Command.PutResource(client(10, "renamed"), 1))).isEqualTo(2);
        assertThat(done(new Command.PutResource(client(10, "again"), Command.ANY_VERSION)))
                .isEqualTo(3);
        assertThat(state.resource(Resource.Type.CLIENT, "renamed")).isEmpty();
        assertThat(state.resource(Resource.Type.CLIENT, "again").orElseThrow().version())
                .isEqualTo(3);
    }

    @Test
    void nameIsUniqueWithinItsType() {
        done(new Command.PutResource(client(10, "crit"), Command.NEW));
        refused(new Command.PutResource(client(11, "crit"), Command.NEW), Reply.Code.NAME_TAKEN);
        Resource group =
                new Resource(
                        id(12),
                        "",
                        "",
                        "crit",
                        Resource.Type.GROUP,
                        Map.of(),
                        Optional.empty(),
                        Map.of());
        done(new Command.PutResource(group, Command.NEW));
        refused(
                new Command.PutResource(
                        new Resource(
                                id(12),
                                "",
                                "",
                                "g",
                                Resource.Type.DEVICE,
                                Map.of(),
                                Optional.empty(),
                                Map.of()),
                        Command.ANY_VERSION),
                Reply.Code.CONFLICT);
        refused(new Command.DeleteResource(id(10), 9), Reply.Code.VERSION_MISMATCH);
        done(new Command.DeleteResource(id(10), 1));
        refused(new Command.DeleteResource(id(10), 1), Reply.Code.NOT_FOUND);
        done(new Command.PutResource(client(11, "crit"), Command.NEW));
    }

    @Test
    void repeatedOperationGetsItsFirstReply() {
        UUID operation = id(500);
        Command put = new Command.PutResource(client(10, "crit"), Command.NEW);
        Applied first = apply(operation, epoch, put);
        done(new Command.PutResource(client(10, "crit"), 1));
        Applied second = apply(operation, epoch, put);
        assertThat(second.reply()).isEqualTo(first.reply());
        assertThat(second.firstIndex()).isEqualTo(first.firstIndex()).isLessThan(index);
        assertThat(state.resource(id(10)).orElseThrow().version()).isEqualTo(2);
        Applied stale =
                apply(id(501), new Epoch(1, Site.LOCAL), new Command.DeleteResource(id(404), -1));
        assertThat(apply(id(501), epoch, put).reply()).isEqualTo(stale.reply());
    }

    @Test
    void operationIsForgottenAfterADistance() {
        apply(id(500), epoch, new Command.PutResource(client(10, "crit"), Command.NEW));
        index += ClusterState.REMEMBERED_DISTANCE;
        done(new Command.AuditNote("a", "b", ""));
        assertThat(state.operations().get(id(500))).isEmpty();
        assertThat(state.operations().size()).isEqualTo(state.operationOrder().size()).isEqualTo(1);
    }

    @Test
    void proposerOfAnotherEpochIsRefused() {
        epoch = SECOND;
        refused(new Command.AuditNote("a", "b", ""), Reply.Code.FUTURE_EPOCH);
        epoch = FIRST;
        done(new Command.SwitchPrepare(Site.DR, "r", "o"));
        done(switchover(SECOND, id(3)));
        refused(new Command.AuditNote("a", "b", ""), Reply.Code.STALE_EPOCH);
        refused(
                Command.EpochChange.first(new Epoch(5, Site.DR), id(9), "x"),
                Reply.Code.STALE_EPOCH);
        epoch = SECOND;
        refused(Command.EpochChange.first(SECOND, id(9), "x"), Reply.Code.STALE_EPOCH);
        done(new Command.AuditNote("a", "b", ""));
        assertThat(state.mbr().orElseThrow().epoch()).isEqualTo(SECOND);
        assertThat(state.mbr().orElseThrow().lineage()).isEqualTo(id(3));
        assertThat(state.epochs()).hasSize(2);
    }

    @Test
    void jobGoesFromOpenToProtected() {
        refused(new Command.ProtectedMark(id(20)), Reply.Code.NOT_FOUND);
        done(opened(20));
        refused(opened(20), Reply.Code.CONFLICT);
        assertThat(state.openJobs()).hasSize(1);
        refused(new Command.ProtectedMark(id(20)), Reply.Code.CONFLICT);
        done(completed(20));
        done(completed(20));
        assertThat(state.unprotectedPieces()).hasSize(1);
        refused(
                new Command.JobEnded(
                        id(20),
                        JobState.FAILED,
                        Optional.empty(),
                        Optional.empty(),
                        JobTotals.NONE,
                        "x",
                        Optional.empty()),
                Reply.Code.CONFLICT);
        done(new Command.ProtectedMark(id(20)));
        done(new Command.ProtectedMark(id(20)));
        JobRecord job = state.job(id(20)).orElseThrow();
        assertThat(job.isProtected()).isTrue();
        assertThat(job.epoch()).isEqualTo(FIRST);
        assertThat(job.endedMicros()).isLessThan(job.protectedMicros());
        assertThat(state.atRisk()).isEmpty();
    }

    @Test
    void drainingOpensNoJob() {
        done(opened(20));
        refused(new Command.SwitchPrepare(Site.LOCAL, "x", "alice"), Reply.Code.CONFLICT);
        done(new Command.SwitchPrepare(Site.DR, "maintenance", "alice"));
        refused(opened(21), Reply.Code.DRAINING);
        done(completed(20));
        done(new Command.SwitchAbort("timeout"));
        assertThat(state.draining()).isEmpty();
        done(opened(21));
        assertThat(state.audit())
                .extracting(AuditRecord::what)
                .anyMatch(w -> w.contains("aborted"));
    }

    @Test
    void aCheckpointedBackupIsGoneOnWithOnce() {
        done(opened(20));
        refused(Samples.continuing(30, 20), Reply.Code.CONFLICT);
        done(new Command.SwitchPrepare(Site.DR, "maintenance", "alice", 1_000));
        assertThat(state.draining().orElseThrow().limitMillis()).isEqualTo(1_000);
        done(Samples.checkpointed(20));
        assertThat(state.openJobs()).isEmpty();
        assertThat(state.atRisk()).as("it made nothing that could be lost").isEmpty();
        refused(Samples.continuing(30, 20), Reply.Code.DRAINING);
        done(new Command.SwitchAbort("timeout"));
        assertThat(state.job(id(20)).orElseThrow().awaitsSuccessor()).isTrue();
        refused(Samples.continuing(30, 19), Reply.Code.NOT_FOUND);
        done(Samples.continuing(30, 20));
        refused(Samples.continuing(31, 20), Reply.Code.CONFLICT);
        assertThat(state.job(id(31))).isEmpty();
        JobRecord before = state.job(id(20)).orElseThrow();
        assertThat(before.awaitsSuccessor()).isFalse();
        assertThat(before.continuedBy()).contains(id(30));
        assertThat(state.job(id(30)).orElseThrow().continues()).contains(id(20));
        done(completed(30));
        assertThat(state.job(id(30)).orElseThrow().continues()).contains(id(20));
        assertThat(ClusterState.parse(state.toBytes())).isEqualTo(state);
    }

    /** What became of it must be known until somebody goes on with it. */
    @Test
    void aPlannedMoveTakesCheckpointsAlong() {
        done(opened(20));
        done(new Command.SwitchPrepare(Site.DR, "maintenance", "alice"));
        done(Samples.checkpointed(20));
        done(switchover(SECOND, id(3)));
        plant(state, SECOND, id(3));
        epoch = SECOND;
        done(Samples.continuing(30, 20));
        assertThat(state.job(id(30)).orElseThrow().epoch()).isEqualTo(SECOND);
        assertThat(state.lossLedger()).isEmpty();
    }

    @Test
    void forcedForkFillsTheLossLedgerAndCancelsOpenJobs() {
        done(opened(20));
        done(completed(20));
        done(new Command.ProtectedMark(id(20)));
        done(opened(21));
        done(completed(21));
        done(opened(22));
        ClusterState old = state;
        plant(old, new Epoch(2, Site.DR), id(3));

        assertThat(state.epoch()).isEqualTo(SECOND);
        assertThat(state.lossLedger())
                .containsExactly(
                        new LossEntry(id(21), JobState.COMPLETE_WITH_WARNINGS),
                        new LossEntry(id(22), JobState.OPEN));
        assertThat(state.job(id(22)).orElseThrow().state()).isEqualTo(JobState.CANCELLED);
        assertThat(state.repl().mode()).isEqualTo(ReplState.Mode.ASYNC);
        assertThat(state.mbr().orElseThrow().activeSite()).isEqualTo(Site.DR);

        // the lost site returns: 22 was completed there, 23 was never heard of
        epoch = SECOND;
        assertThat(done(new Command.PieceRecovered(recovered(22), LINEAGE))).isEqualTo(1);
        assertThat(done(new Command.PieceRecovered(recovered(23), LINEAGE))).isEqualTo(1);
        assertThat(done(new Command.PieceRecovered(recovered(23), LINEAGE))).isZero();
        assertThat(state.job(id(22)).orElseThrow().recovered()).isTrue();
        assertThat(state.job(id(22)).orElseThrow().isUnprotectedPiece()).isTrue();
        JobRecord other = recovered(21);
        refused(
                new Command.PieceRecovered(
                        new JobRecord(
                                other.job(),
                                other.kind(),
                                other.client(),
                                other.level(),
                                other.epoch(),
                                1,
                                other.state(),
                                2,
                                other.row(),
                                Optional.of(Samples.chunk(99)),
                                other.totals(),
                                "",
                                other.stored(),
                                0,
                                false,
                                0,
                                Optional.empty(),
                                Optional.empty()),
                        LINEAGE),
                Reply.Code.CONFLICT);
    }

    /** Seeds a new lineage with a state, in pieces, as RaftHost does. */
    private void plant(ClusterState old, Epoch newEpoch, UUID lineage) {
        state = ClusterState.empty();
        epoch = newEpoch;
        index = 0;
        ByteString bytes = old.toBytes();
        refused(new Command.AuditNote("a", "b", ""), Reply.Code.NOT_SEEDED);
        done(new Command.SeedBegin(id(5), bytes.size(), old.hash()));
        int cut = bytes.size() / 2;
        refused(new Command.SeedChunk(id(6), 0, bytes), Reply.Code.CONFLICT);
        refused(new Command.SeedChunk(id(5), 1, bytes), Reply.Code.CORRUPT);
        done(new Command.SeedChunk(id(5), 0, bytes.substring(0, cut)));
        done(new Command.SeedChunk(id(5), 0, bytes.substring(0, cut)));
        state = ClusterState.parse(state.toBytes());
        assertThat(state.isSeeded()).isFalse();
        done(new Command.SeedChunk(id(5), 1, bytes.substring(cut)));
        Entry end =
                new Entry(
                        id(99),
                        newEpoch,
                        1_000 * index,
                        new Command.SeedEnd(
                                id(5),
                                new Command.EpochChange(
                                        newEpoch,
                                        lineage,
                                        Optional.of(LINEAGE),
                                        3,
                                        99,
                                        old.hash(),
                                        "failover",
                                        "alice")));
        ClusterState received = state;
        Applied applied = received.apply(end, ++index);
        assertThat(applied.reply()).isInstanceOf(Reply.Done.class);
        state = applied.state();
        assertThat(received.apply(end, index, Optional.of(old)).state())
                .as("who knows the state need not read it")
                .isEqualTo(state);
        assertThat(received.apply(end, index, Optional.of(received)).state())
                .as("what has another hash is not taken")
                .isEqualTo(state);
    }

    @Test
    void damagedSeedIsRefusedAndMayBeginAgain() {
        ClusterState old = state;
        ByteString bytes = old.toBytes();
        state = ClusterState.empty();
        epoch = SECOND;
        done(new Command.SeedBegin(id(5), bytes.size(), old.hash()));
        byte[] flipped = bytes.toByteArray();
        flipped[flipped.length / 2] ^= 1;
        done(new Command.SeedChunk(id(5), 0, ByteString.copyFrom(flipped)));
        Command end = new Command.SeedEnd(id(5), Command.EpochChange.first(SECOND, id(3), "alice"));
        refused(end, Reply.Code.CORRUPT);
        refused(end, Reply.Code.CONFLICT);
        done(new Command.SeedBegin(id(6), bytes.size(), old.hash()));
        done(new Command.SeedChunk(id(6), 0, bytes));
        done(new Command.SeedEnd(id(6), Command.EpochChange.first(SECOND, id(3), "alice")));
        refused(new Command.SeedBegin(id(7), 1, old.hash()), Reply.Code.CONFLICT);
        assertThat(state.mbr()).isPresent();
    }

    @Test
    void seedOfALowerEpochIsRefused() {
        ClusterState old = state;
        state = ClusterState.empty();
        epoch = FIRST;
        done(new Command.SeedBegin(id(5), old.toBytes().size(), old.hash()));
        done(new Command.SeedChunk(id(5), 0, old.toBytes()));
        refused(
                new Command.SeedEnd(id(5), Command.EpochChange.first(FIRST, id(3), "alice")),
                Reply.Code.STALE_EPOCH);
        assertThat(state.isSeeded()).isFalse();
    }

    @Test
    void plannedMoveCompletesTheEpochThatTheDrainedLineageBegan() {
        done(opened(20));
        done(completed(20));
        done(new Command.ProtectedMark(id(20)));
        done(new Command.SwitchPrepare(Site.DR, "maintenance", "alice"));
        done(switchover(SECOND, id(3)));
        assertThat(state.draining()).isEmpty();
        plant(state, SECOND, id(3));
        assertThat(state.epochs()).hasSize(2);
        assertThat(state.epochs().getLast().change().forkIndex()).isEqualTo(99);
        assertThat(state.lossLedger()).isEmpty();
    }

    /** Who drained has lost the lead for a while; the one between gave that up, and took backups. */
    @Test
    void aPlannedMoveIsRefusedWhenItsDrainDoesNotStandAnyMore() {
        refused(switchover(SECOND, id(3)), Reply.Code.CONFLICT);
        done(new Command.SwitchPrepare(Site.DR, "r", "o"));
        done(new Command.SwitchAbort("its leader is gone"));
        refused(switchover(SECOND, id(3)), Reply.Code.CONFLICT);
        done(opened(20));
        done(new Command.SwitchPrepare(Site.DR, "once more", "o"));
        refused(switchover(SECOND, id(3)), Reply.Code.CONFLICT);
        done(completed(20));
        refused(switchover(SECOND, id(3)), Reply.Code.CONFLICT);
        assertThat(state.epoch()).isEqualTo(FIRST);
        done(new Command.ProtectedMark(id(20)));
        done(switchover(SECOND, id(3)));
        assertThat(state.epoch()).isEqualTo(SECOND);
    }

    /** It would be a piece that the other site lacks; whoever has it offers it again. */
    @Test
    void drainingRecoversNoPiece() {
        done(new Command.SwitchPrepare(Site.DR, "r", "o"));
        refused(new Command.PieceRecovered(recovered(23), LINEAGE), Reply.Code.DRAINING);
        done(new Command.SwitchAbort("r"));
        done(new Command.PieceRecovered(recovered(23), LINEAGE));
    }

    private static Command.EpochChange switchover(Epoch to, UUID lineage) {
        return new Command.EpochChange(
                to, lineage, Optional.of(LINEAGE), 0, 0, ByteString.EMPTY, "switchover", "alice");
    }

    @Test
    void whatAnAutomaticFailoverRequiresStandsUntilItIsSaidAnew() {
        assertThat(state.autoFailoverRequires()).isEqualTo(Profile.Requires.METADATA);
        Optional<Profile.Requires> backups = Optional.of(Profile.Requires.PROTECTED_BACKUPS);
        Command.SetAutoFailover strict = new Command.SetAutoFailover(true, backups, "a", "audit");
        assertThat(Entry.parse(new Entry(id(9), FIRST, 0, strict).toBytes()).command())
                .isEqualTo(strict);
        done(strict);
        done(new Command.SetAutoFailover(false, Optional.empty(), "a", "maintenance"));
        state = ClusterState.parse(state.toBytes());
        assertThat(state.autoFailover()).isFalse();
        assertThat(state.autoFailoverRequires()).isEqualTo(Profile.Requires.PROTECTED_BACKUPS);
        assertThat(state.audit())
                .extracting(AuditRecord::what)
                .contains("automatic failover on, requires protected-backups: audit");
        done(
                new Command.SetAutoFailover(
                        true, Optional.of(Profile.Requires.METADATA), "a", "over"));
        assertThat(state.autoFailoverRequires()).isEqualTo(Profile.Requires.METADATA);
    }

    @Test
    void auditIsBounded() {
        for (int i = 0; i < ClusterState.MAX_AUDIT + 10; i++) {
            done(new Command.AuditNote("a", "n" + i, ""));
        }
        assertThat(state.audit()).hasSize(ClusterState.MAX_AUDIT);
        assertThat(state.audit().getLast().what()).isEqualTo("n" + (ClusterState.MAX_AUDIT + 9));
        ClusterState again = ClusterState.parse(state.toBytes());
        assertThat(again).isEqualTo(state);
        state = again;
        done(new Command.AuditNote("a", "more", ""));
        assertThat(state.audit()).hasSize(ClusterState.MAX_AUDIT);
        assertThat(state.auditDropped()).isEqualTo(12);
    }

    // ---------------------------------------------------------------- the return of a site

    @Test
    void eachForkKnowsTheResourcesBeforeIt() {
        done(new Command.PutResource(client(10, "first"), Command.NEW));
        done(new Command.PutResource(client(11, "stays"), Command.NEW));
        plant(state, SECOND, id(3));
        assertThat(state.resourcesBefore(SECOND).keySet()).containsExactly(id(10), id(11));
        done(new Command.PutResource(client(10, "second"), Command.ANY_VERSION));
        done(new Command.PutResource(client(12, "new"), Command.NEW));
        done(new Command.DeleteResource(id(12), Command.ANY_VERSION));
        Epoch third = new Epoch(3, Site.LOCAL);
        plant(state, third, id(4));
        done(new Command.DeleteResource(id(10), Command.ANY_VERSION));
        done(new Command.PutResource(client(12, "again"), Command.NEW));
        state = ClusterState.parse(state.toBytes());
        assertThat(state.resourcesBefore(SECOND))
                .isEqualTo(Map.of(id(10), client(10, "first"), id(11), client(11, "stays")));
        assertThat(state.resourcesBefore(third))
                .isEqualTo(Map.of(id(10), client(10, "second"), id(11), client(11, "stays")));
        assertThat(state.isFork(FIRST)).isFalse();
    }

    private static ReturnReport report(String member, long lastIndex, int resources) {
        return new ReturnReport(
                LINEAGE,
                FIRST,
                7,
                new java.util.TreeSet<>(java.util.Set.of(member)),
                1,
                lastIndex,
                Samples.report().resources().subList(0, resources),
                java.util.List.of(),
                java.util.List.of(),
                0,
                Optional.empty());
    }

    private void handOver(UUID upload, String member, ReturnReport report) {
        ByteString bytes = report.toBytes();
        int cut = bytes.size() / 2;
        done(new Command.ReportBegin(member, upload, bytes.size(), ClusterState.sha256(bytes)));
        refused(new Command.ReportChunk(upload, 1, bytes), Reply.Code.CORRUPT);
        done(new Command.ReportChunk(upload, 0, bytes.substring(0, cut)));
        done(new Command.ReportChunk(upload, 0, bytes.substring(0, cut)));
        state = ClusterState.parse(state.toBytes());
        done(new Command.ReportChunk(upload, 1, bytes.substring(cut)));
        done(new Command.ReportEnd(upload));
        refused(new Command.ReportEnd(upload), Reply.Code.CONFLICT);
    }

    @Test
    void ofSeveralMembersTheLongestLogIsBelieved() {
        handOver(id(60), "l2", report("l2", 20, 1));
        handOver(id(61), "l1", report("l1", 10, 0));
        assertThat(state.reports()).hasSize(1);
        assertThat(state.reports().getFirst().members()).containsExactly("l1", "l2");
        assertThat(state.reports().getFirst().resources()).hasSize(1);
        done(new Command.ReportSigned(LINEAGE, "alice", "seen"));
        assertThat(state.reports().getFirst().isOpen()).isFalse();
        handOver(id(62), "l3", report("l3", 20, 1));
        assertThat(state.reports().getFirst().isOpen()).as("nothing new").isFalse();
        handOver(id(63), "l4", report("l4", 30, 2));
        assertThat(state.reports().getFirst().isOpen()).as("it knows more").isTrue();
        assertThat(state.reports().getFirst().resources()).hasSize(2);
        assertThat(state.reports().getFirst().members()).hasSize(4);
    }

    @Test
    void anUnsignedReportKeepsAPlannedMoveAway() {
        handOver(id(60), "l1", report("l1", 20, 0));
        done(new Command.SwitchPrepare(Site.DR, "r", "o"));
        done(new Command.SwitchAbort("r"));
        handOver(id(61), "l1", report("l1", 30, 2));
        refused(new Command.SwitchPrepare(Site.DR, "r", "o"), Reply.Code.CONFLICT);
        refused(new Command.ReportSigned(id(99), "alice", ""), Reply.Code.NOT_FOUND);
        done(new Command.ReportSigned(LINEAGE, "alice", "seen"));
        done(new Command.ReportSigned(LINEAGE, "bob", "too late"));
        assertThat(state.reports().getFirst().signature().orElseThrow().who()).isEqualTo("alice");
        done(new Command.SwitchPrepare(Site.DR, "r", "o"));
    }

    @Test
    void aDamagedReportIsRefusedAndMayBeginAgain() {
        ByteString bytes = report("l1", 20, 2).toBytes();
        done(new Command.ReportBegin("l1", id(60), bytes.size(), ClusterState.sha256(bytes)));
        byte[] flipped = bytes.toByteArray();
        flipped[3] ^= 1;
        done(new Command.ReportChunk(id(60), 0, ByteString.copyFrom(flipped)));
        refused(new Command.ReportEnd(id(60)), Reply.Code.CORRUPT);
        assertThat(state.reports()).isEmpty();
        handOver(id(61), "l1", report("l1", 20, 2));
        assertThat(state.reports()).hasSize(1);
    }

    @Test
    void membersHandOverAtTheSameTime() {
        ByteString one = report("l1", 20, 2).toBytes();
        ByteString two = report("l2", 20, 2).toBytes();
        done(new Command.ReportBegin("l1", id(60), one.size(), ClusterState.sha256(one)));
        done(new Command.ReportBegin("l2", id(61), two.size(), ClusterState.sha256(two)));
        done(new Command.ReportChunk(id(61), 0, two));
        done(new Command.ReportChunk(id(60), 0, one));
        done(new Command.ReportEnd(id(60)));
        done(new Command.ReportEnd(id(61)));
        assertThat(state.reports().getFirst().members()).containsExactly("l1", "l2");
    }

    // ---------------------------------------------------------------- the loss of a storage

    @Test
    void aLostStorageIsServedElsewhereUntilItIsHome() {
        var storage = io.holdfast.standard.Endpoint.of("127.10.11.44", 6543);
        var lost =
                new Command.StorageFailover(storage, Site.DR, java.util.List.of(id(20)), "a", "r");
        for (long job : new long[] {20, 21}) {
            done(opened(job));
            done(completed(job));
        }
        refused(
                new Command.StorageFailback(storage, java.util.List.of(), "a"),
                Reply.Code.NOT_FOUND);
        done(lost);
        done(lost);
        refused(
                new Command.StorageFailover(storage, Site.LOCAL, java.util.List.of(), "a", "r"),
                Reply.Code.CONFLICT);
        state = ClusterState.parse(state.toBytes());
        assertThat(state.storageMoves()).singleElement().matches(StorageMove::isActive);
        // What was lost with it can never be protected, and must not hold anything up.
        assertThat(state.unprotectedPieces()).extracting(JobRecord::id).containsExactly(id(21));
        assertThat(state.lostPieces()).containsExactly(id(20));
        done(new Command.StorageFailback(storage, java.util.List.of(), "a"));
        assertThat(state.storageMoves()).singleElement().matches(m -> !m.isActive());
        assertThat(state.lostPieces()).containsExactly(id(20));
        done(
                new Command.StorageFailover(
                        storage, Site.DR, java.util.List.of(id(21)), "a", "again"));
        assertThat(state.lostPieces()).containsExactlyInAnyOrder(id(20), id(21));
        done(new Command.StorageFailback(storage, java.util.List.of(id(20)), "a"));
        assertThat(state.lostPieces()).containsExactly(id(21));
        assertThat(state.unprotectedPieces()).extracting(JobRecord::id).containsExactly(id(20));
    }

    // ---------------------------------------------------------------- the end of data pieces

    @Test
    void anExpiredPieceIsNeitherUnprotectedNorExpiredTwice() {
        done(opened(20));
        done(completed(20));
        assertThat(done(Samples.expire(20))).isEqualTo(1);
        assertThat(done(Samples.expire(20))).isZero();
        state = ClusterState.parse(state.toBytes());
        assertThat(state.unprotectedPieces()).isEmpty();
        assertThat(state.atRisk()).isEmpty();
        assertThat(state.job(id(20)).orElseThrow().isExpired()).isTrue();
        Expiry expiry = state.expiry(id(1020)).orElseThrow();
        assertThat(expiry.header()).isEqualTo(Samples.chunk(20));
        assertThat(expiry.timeMicros()).isPositive();
        assertThat(state.audit()).anyMatch(a -> a.what().contains("expired 1 data piece"));
        done(new Command.ExpirySettled(java.util.List.of(id(1020))));
        assertThat(state.expiries()).isEmpty();
        assertThat(state.unprotectedPieces()).isEmpty();
    }

    @Test
    void whatIsHeldDoesNotExpireAndNothingBesideIt() {
        done(opened(20));
        done(completed(20));
        done(opened(21));
        done(completed(21));
        done(Samples.hold(70, 1020));
        Command.Expire both =
                new Command.Expire(
                        java.util.List.of(
                                Samples.expire(21).pieces().getFirst(),
                                Samples.expire(20).pieces().getFirst()),
                        "retention");
        refused(both, Reply.Code.CONFLICT);
        assertThat(state.expiries()).isEmpty();
        done(
                new Command.HoldAdd(
                        id(71), Optional.empty(), Optional.of(id(10)), "bob", "all of it"));
        done(new Command.HoldRelease(id(70), "bob", "over"));
        refused(new Command.HoldRelease(id(70), "bob", "over"), Reply.Code.NOT_FOUND);
        refused(both, Reply.Code.CONFLICT);
        state = ClusterState.parse(state.toBytes());
        assertThat(state.holdOn(id(1020), id(10))).isPresent();
        done(new Command.HoldRelease(id(71), "bob", "over"));
        assertThat(done(both)).isEqualTo(2);
        refused(Samples.hold(72, 1020), Reply.Code.CONFLICT);
    }

    @Test
    void whatOneSiteKeepsIsProtectedAndNotGone() {
        done(opened(20));
        done(completed(20));
        refused(Samples.expireAt(20, Site.LOCAL), Reply.Code.CONFLICT);
        assertThat(state.expiries()).isEmpty();
        done(new Command.ProtectedMark(id(20)));
        assertThat(done(Samples.expireAt(20, Site.LOCAL))).isEqualTo(1);
        assertThat(done(Samples.expireAt(20, Site.LOCAL))).isZero();
        state = ClusterState.parse(state.toBytes());
        Expiry expiry = state.expiry(id(1020)).orElseThrow();
        assertThat(expiry.isEverywhere()).isFalse();
        assertThat(expiry.isAt(Site.LOCAL)).isTrue();
        assertThat(expiry.isAt(Site.DR)).isFalse();
        assertThat(state.keeper(id(1020))).contains(Site.DR);
        JobRecord job = state.job(id(20)).orElseThrow();
        assertThat(job.isExpired()).isFalse();
        assertThat(job.isProtected()).isTrue();
        assertThat(state.unprotectedPieces()).isEmpty();
        assertThat(state.atRisk()).isEmpty();
        assertThat(state.audit()).anyMatch(a -> a.what().contains("1 data piece at local"));

        // The other copy can be held, and is the last one then.
        done(Samples.hold(70, 1020));
        refused(Samples.expire(20), Reply.Code.CONFLICT);
        assertThat(done(Samples.expireAt(20, Site.LOCAL))).as("known").isZero();
        done(new Command.HoldRelease(id(70), "bob", "over"));
        assertThat(done(Samples.expireAt(20, Site.DR))).as("without proof").isZero();
        assertThat(state.keeper(id(1020))).as("the last copy").contains(Site.DR);
        assertThat(done(Samples.expire(20))).isEqualTo(1);
        assertThat(state.expiry(id(1020)).orElseThrow().isEverywhere()).isTrue();
        assertThat(state.keeper(id(1020))).isEmpty();
        assertThat(state.job(id(20)).orElseThrow().isExpired()).isTrue();
        refused(Samples.hold(71, 1020), Reply.Code.CONFLICT);
        assertThat(done(Samples.expireAt(20, Site.LOCAL))).isZero();
    }

    @Test
    void byNameAPieceThatOneSiteKeepsExpiresThereToo() {
        done(opened(20));
        done(completed(20));
        done(new Command.ProtectedMark(id(20)));
        done(Samples.expireAt(20, Site.DR));
        assertThat(state.keeper(id(1020))).contains(Site.LOCAL);
        assertThat(done(Samples.expire(20))).isEqualTo(1);
        assertThat(done(Samples.expire(20))).isZero();
        assertThat(state.expiry(id(1020)).orElseThrow().isEverywhere()).isTrue();
    }

    @Test
    void aReturnedSiteDoesNotMakeUnprotectedWhatOneSiteKeeps() {
        // The job was forgotten here; its piece was let go at one site when it was protected.
        done(Samples.expireAt(20, Site.LOCAL));
        done(new Command.PieceRecovered(Samples.recovered(20), LINEAGE));
        assertThat(state.job(id(20)).orElseThrow().isProtected()).isTrue();
        assertThat(state.unprotectedPieces()).isEmpty();
    }

    @Test
    void theWitnessKeepsNothingThatCouldExpire() {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> Samples.expireAt(20, Site.WITNESS))
                .isInstanceOf(io.holdfast.standard.FormatException.class);
    }

    @Test
    void aNewLeaseEndsTheOneBefore() {
        done(Samples.gcBegin(80));
        done(Samples.gcBegin(80));
        assertThat(state.gcRuns()).singleElement().matches(r -> r.endedMicros() == 0);
        done(Samples.gcBegin(81));
        done(new Command.GcEnd(id(80), "DONE", java.util.List.of(), 1, 1));
        assertThat(state.gcRuns().getFirst().outcome()).isEqualTo("UNKNOWN");
        done(new Command.GcEnd(id(81), "DONE", java.util.List.of(), 1, 2));
        assertThat(state.gcRuns().getLast().bytes()).isEqualTo(2);
        for (int run = 0; run < 2 * ClusterState.MAX_GC_RUNS; run++) {
            done(Samples.gcBegin(100 + run));
        }
        assertThat(state.gcRuns()).hasSize(ClusterState.MAX_GC_RUNS);
    }

    @Test
    void aSiteIsAbandonedOnlyWhileItIsNotThere() {
        refused(new Command.AbandonSite(Site.LOCAL, "a", "r"), Reply.Code.CONFLICT);
        refused(new Command.AbandonSite(Site.WITNESS, "a", "r"), Reply.Code.CONFLICT);
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.SYNC, 1, 1)));
        refused(new Command.AbandonSite(Site.DR, "a", "r"), Reply.Code.CONFLICT);
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.ASYNC, 1, 1)));
        done(new Command.AbandonSite(Site.DR, "a", "r"));
        state = ClusterState.parse(state.toBytes());
        assertThat(state.abandoned().orElseThrow().site()).isEqualTo(Site.DR);
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.CATCHUP, 1, 1)));
        assertThat(state.abandoned()).isEmpty();
    }

    @Test
    void aForcedEpochIsForcedUntilTheOtherSiteIsInSync() {
        plant(state, SECOND, id(9));
        assertThat(state.forcedMicros()).isPositive();
        state = ClusterState.parse(state.toBytes());
        assertThat(state.forcedMicros()).isPositive();
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.CATCHUP, 1, 1)));
        assertThat(state.forcedMicros()).isPositive();
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.SYNC, 1, 1)));
        assertThat(state.forcedMicros()).isZero();
    }

    @Test
    void aPlannedMoveIsNotForced() {
        done(new Command.SwitchPrepare(Site.DR, "r", "o"));
        done(switchover(SECOND, id(9)));
        assertThat(state.forcedMicros()).isZero();
    }

    @Test
    void theAckPolicyIsKeptAndDoesNotBindWhereTheOtherSiteIsLostAlready() {
        assertThat(state.ackPolicy()).isEqualTo(AckPolicy.AVAILABILITY);
        done(new Command.SetAckPolicy(AckPolicy.PROTECTION, "alice", "audit season"));
        assertThat(state.bindingPolicy()).isEqualTo(AckPolicy.PROTECTION);
        assertThat(state.audit().getLast().what()).isEqualTo("ack policy protection: audit season");
        assertThat(ClusterState.parse(state.toBytes()).ackPolicy()).isEqualTo(AckPolicy.PROTECTION);

        done(new Command.AbandonSite(Site.DR, "alice", "burnt"));
        assertThat(state.bindingPolicy())
                .as("nobody to protect it")
                .isEqualTo(AckPolicy.AVAILABILITY);
        assertThat(state.ackPolicy()).isEqualTo(AckPolicy.PROTECTION);
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.SYNC, 1, 1)));
        assertThat(state.bindingPolicy()).isEqualTo(AckPolicy.PROTECTION);

        // DR takes over in the same log, as with a witness.
        done(
                new Command.EpochChange(
                        SECOND, LINEAGE, Optional.empty(), 0, 0, ByteString.EMPTY, "auto", "d1"));
        epoch = SECOND;
        assertThat(state.bindingPolicy()).as("local is lost").isEqualTo(AckPolicy.AVAILABILITY);
        done(new Command.ReplStateChange(new ReplState(ReplState.Mode.SYNC, 1, 1)));
        assertThat(state.bindingPolicy()).isEqualTo(AckPolicy.PROTECTION);
    }
}
