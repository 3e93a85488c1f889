package io.holdfast.replication.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.replication.site.ProtectionWatch;
import io.holdfast.replication.site.Recovered;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Divergence;
import io.holdfast.replication.state.DivergentJob;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobState;
import io.holdfast.replication.state.LossEntry;
import io.holdfast.replication.state.Reply;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.Samples;
import io.holdfast.replication.state.Seed;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.proto.RaftProtos;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.util.LifeCycle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real Ratis over mutual TLS on loopback, all nodes in this JVM. */
@Timeout(120)
class RaftHostTest {
    private static final Epoch E1 = new Epoch(1, Site.LOCAL);
    private static final Epoch E2 = new Epoch(2, Site.DR);
    private static final Epoch E3 = new Epoch(3, Site.LOCAL);
    private static final UUID LINEAGE1 = LineageSpec.idOf(TestNode.CLUSTER, E1);
    private static final UUID LINEAGE2 = LineageSpec.idOf(TestNode.CLUSTER, E2);
    private static final UUID LINEAGE3 = LineageSpec.idOf(TestNode.CLUSTER, E3);
    private static final RaftSettings SMALL_LOG = RaftSettings.LOOPBACK.withSnapshots(20, 5);

    /** Only whole files of a log are removed: small ones show it. */
    private static final RaftSettings SMALL_FILES =
            new RaftSettings(
                    SMALL_LOG.electionMin(),
                    SMALL_LOG.electionMax(),
                    SMALL_LOG.submitTimeout(),
                    SMALL_LOG.snapshotEntries(),
                    SMALL_LOG.preservedEntries(),
                    8 << 10,
                    SMALL_LOG.freeSpaceMinBytes());

    @TempDir Path base;
    private final Map<String, TestNode> nodes = TestNode.cluster();

    @AfterEach
    void stop() {
        nodes.values().forEach(TestNode::close);
    }

    private TestNode node(String id, Site site, String address, RaftSettings settings)
            throws Exception {
        return new TestNode(id, site, base, address, settings, nodes).start(E1);
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void eventually(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private static Written write(TestNode node, UUID lineage, Epoch epoch, Command command)
            throws IOException {
        return RaftHost.await(node.host.submit(lineage, epoch, command, UUID.randomUUID()));
    }

    private static void caughtUp(TestNode node, TestNode leader, UUID lineage) throws Exception {
        long target = leader.host.appliedIndex(lineage);
        eventually(
                node.id + " has applied " + target,
                () -> node.host.appliedIndex(lineage) >= target);
    }

    /** The p2-small layout: l1 votes, d1 listens; both know the first state. */
    private void openSmall(TestNode l1, TestNode d1) throws Exception {
        LineageSpec spec =
                new LineageSpec(LINEAGE1, List.of(l1.member(true, 1), d1.member(false, 0)));
        l1.host.createLineage(spec);
        d1.host.createLineage(spec);
        l1.host.seed(
                LINEAGE1,
                Seed.of(ClusterState.empty(), Command.EpochChange.first(E1, LINEAGE1, "x")));
        write(l1, LINEAGE1, E1, new Command.PutMbr(Samples.mbr()));
    }

    @Test
    void writesFromAnyMemberAreAppliedAndAcknowledgedByTheOtherSite() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", RaftSettings.LOOPBACK);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", RaftSettings.LOOPBACK);
        openSmall(l1, d1);
        ProtectionWatch watch = l1.watch(LINEAGE1, E1, 1, List.of(d1));

        UUID operation = UUID.randomUUID();
        Command put = new Command.PutResource(Samples.client(10, "crit"), Command.NEW);
        Written here = RaftHost.await(l1.host.submit(LINEAGE1, E1, put, operation));
        assertThat(here.requireDone()).isEqualTo(1);
        watch.whenProtected(here.index()).get(20, TimeUnit.SECONDS);

        eventually("d1 knows the leader", () -> d1.host.leader(LINEAGE1).equals(Optional.of("l1")));
        Written again = RaftHost.await(d1.host.submit(LINEAGE1, E1, put, operation));
        assertThat(again.index()).as("asked again through the listener").isEqualTo(here.index());
        assertThat(again.requireDone()).isEqualTo(1);
        Written there =
                write(d1, LINEAGE1, E1, new Command.PutResource(Samples.client(10, "renamed"), 1));
        assertThat(there.requireDone()).isEqualTo(2);
        ClusterState read = RaftHost.await(d1.host.readLinearizable(LINEAGE1));
        assertThat(read.resource(Resource.Type.CLIENT, "renamed")).isPresent();
        assertThat(RaftHost.await(l1.host.readLinearizable(LINEAGE1)).resources()).hasSize(1);

        Written refused = write(l1, LINEAGE1, E2, new Command.AuditNote("a", "b", ""));
        assertThat(((Reply.Refused) refused.reply()).code()).isEqualTo(Reply.Code.FUTURE_EPOCH);
        assertThatThrownBy(refused::requireDone).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> write(l1, LINEAGE2, E1, put))
                .isInstanceOf(SubmitException.Unavailable.class);
        byte[] big = new byte[ClusterStateMachine.MAX_ENTRY_BYTES + 1];
        assertThatThrownBy(() ->
                        write(
                                l1,
                                LINEAGE1,
                                E1,
                                new Command.SeedChunk(
                                        UUID.randomUUID(), 0, ByteString.copyFrom(big))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most");
        assertThat(l1.state(LINEAGE1).epochs().getFirst().timeMicros())
                .as("the leader's time")
                .isPositive();
        assertThat(l1.host.members(LINEAGE1))
                .containsExactly(d1.member(false, 0), l1.member(true, 1));

        // members that are no nodes are not served
        assertThatThrownBy(() ->
                        new io.holdfast.replication.site.SiteClient(
                                        io.holdfast.agent.tls.GrpcTls.channel(
                                                l1.siteAddress,
                                                TestNode.tls("agent", "a1"),
                                                java.util.Set.of("node")),
                                        Duration.ofSeconds(10))
                                .describe(Optional.empty()))
                .isInstanceOf(RemoteException.Refused.class);
        assertThat(l1.fatal).isEmpty();
        assertThat(d1.fatal).isEmpty();
    }

    @Test
    void drSiteGoesOnAloneAndLocalComesHome() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", RaftSettings.LOOPBACK);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", RaftSettings.LOOPBACK);
        openSmall(l1, d1);
        ProtectionWatch watch = l1.watch(LINEAGE1, E1, 1, List.of(d1));
        write(l1, LINEAGE1, E1, Samples.opened(20));
        write(l1, LINEAGE1, E1, Samples.completed(20));
        write(l1, LINEAGE1, E1, new Command.ProtectedMark(Samples.id(20)));
        Written open = write(l1, LINEAGE1, E1, Samples.opened(21));
        watch.whenProtected(open.index()).get(20, TimeUnit.SECONDS);
        ClusterState protectedState = l1.state(LINEAGE1);

        // DR freezes; local completes two jobs that DR never hears of
        d1.kill();
        write(l1, LINEAGE1, E1, Samples.completed(21));
        write(l1, LINEAGE1, E1, Samples.opened(22));
        write(l1, LINEAGE1, E1, Samples.completed(22));
        write(l1, LINEAGE1, E1, new Command.PutResource(Samples.client(40, "late"), Command.NEW));
        Written last = write(l1, LINEAGE1, E1, Samples.opened(23));
        assertThat(watch.whenProtected(last.index())).isNotDone();
        l1.kill();
        d1.start(E1);

        // failover: promise, read, close, create, seed
        TestNode dr = d1;
        assertThat(dr.ask(dr).promise(E2, "failover").promise()).isEqualTo(E2);
        assertThatThrownBy(() -> dr.ask(dr).promise(E1, "late"))
                .isInstanceOfSatisfying(
                        RemoteException.Refused.class,
                        e -> {
                            assertThat(e.stale()).isTrue();
                            assertThat(e.maxEpoch()).contains(E2);
                        });
        Tail tail = dr.ask(dr).readTail(LINEAGE1, E2);
        assertThat(tail.lastIndex()).isGreaterThanOrEqualTo(open.index());
        ClusterState seed = tail.materialize();
        assertThat(seed.jobs()).isEqualTo(protectedState.jobs());
        String archive = dr.ask(dr).closeLineage(LINEAGE1, E2, "failover");
        assertThat(Path.of(archive).resolve("current")).isDirectory();
        dr.ask(dr).openLineage(new LineageSpec(LINEAGE2, List.of(d1.member(true, 1))), E2, false);
        d1.host.seed(
                LINEAGE2, Seed.of(seed, tail.fork(E2, LINEAGE2, "failover: site lost", "alice")));
        assertThat(d1.state(LINEAGE2).epoch()).isEqualTo(E2);
        assertThat(d1.state(LINEAGE2).job(Samples.id(20)).orElseThrow().isProtected()).isTrue();
        assertThat(d1.state(LINEAGE2).lossLedger())
                .containsExactly(new LossEntry(Samples.id(21), JobState.OPEN));
        write(d1, LINEAGE2, E2, Samples.opened(30));
        write(d1, LINEAGE2, E2, Samples.completed(30));
        // again, because its outcome might have been unknown: refused, nothing changes
        assertThatThrownBy(() ->
                        d1.host.seed(
                                LINEAGE2, Seed.of(seed, tail.fork(E2, LINEAGE2, "again", "alice"))))
                .isInstanceOf(RefusedException.class);

        // local returns: Raft lets it write into its own past, epochs do not
        l1.start(E1);
        eventually("l1 leads its past", () -> l1.host.isLeader(LINEAGE1));
        Written zombie = write(l1, LINEAGE1, E2, new Command.AuditNote("z", "z", ""));
        assertThat(zombie.reply()).isInstanceOf(Reply.Refused.class);
        d1.works.set(Optional.of(LINEAGE2));
        SiteDescription described = l1.ask(d1).describe(Optional.of(E1));
        assertThat(described.promise()).contains(E2);
        assertThat(described.epoch()).contains(E2);
        assertThat(described.leader()).isTrue();
        assertThat(described.lineage()).contains(LINEAGE2);
        l1.handler.promise(E2, "fenced by d1");

        // what only local knew is merged, its past is archived, it joins as a listener
        Tail pastTail = l1.host.readTail(LINEAGE1);
        ClusterState past = pastTail.materialize();
        ClusterState ours = l1.ask(d1).readTail(LINEAGE2, E2).materialize();
        List<Tail.LogEntry> pastLog = l1.host.readLog(LINEAGE1, pastTail.lastIndex());
        assertThat(pastLog.getLast().index()).isEqualTo(pastTail.lastIndex());
        ReturnReport report =
                Divergence.report(
                        "l1",
                        LINEAGE1,
                        Divergence.forkOf(LINEAGE1, past, ours).orElseThrow(),
                        past,
                        pastLog,
                        pastTail.lastTerm(),
                        pastTail.lastIndex(),
                        ours);
        l1.ask(d1).handOver(E2, "l1", report);
        ReturnReport kept = d1.state(LINEAGE2).reports().getFirst();
        assertThat(kept.members()).containsExactly("l1");
        assertThat(kept.resources())
                .singleElement()
                .satisfies(r -> {
                    assertThat(r.theirs()).contains(Samples.client(40, "late"));
                    assertThat(r.changes()).hasSize(1);
                });
        assertThat(kept.jobs())
                .extracting(DivergentJob::fate)
                .containsExactly(
                        DivergentJob.Fate.RECOVERED,
                        DivergentJob.Fate.RECOVERED,
                        DivergentJob.Fate.ABORTED);
        Entry note = new Entry(UUID.randomUUID(), E2, 0, new Command.AuditNote("l1", "sneaks", ""));
        assertThatThrownBy(() -> d1.handler.handOver(E2, note))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("AuditNote");
        Recovered recovered = l1.ask(d1).recover(E2, LINEAGE1, past.unprotectedPieces());
        assertThat(recovered.merged()).containsExactlyInAnyOrder(Samples.id(21), Samples.id(22));
        assertThat(d1.state(LINEAGE2).job(Samples.id(22)).orElseThrow().recovered()).isTrue();
        Path old = l1.host.closeLineage(LINEAGE1).orElseThrow();
        assertThat(old.resolve("current/raft-meta")).exists();
        l1.ask(l1)
                .openLineage(
                        new LineageSpec(LINEAGE2, List.of(d1.member(true, 1), l1.member(false, 0))),
                        E2,
                        true);
        ProtectionWatch drWatch = d1.watch(LINEAGE2, E2, 1, List.of(l1));
        d1.host.addMember(LINEAGE2, l1.member(false, 0));
        caughtUp(l1, d1, LINEAGE2);
        for (int recoveredJob : List.of(21, 22, 30)) {
            write(d1, LINEAGE2, E2, new Command.ProtectedMark(Samples.id(recoveredJob)));
        }
        Command.SwitchPrepare goHome = new Command.SwitchPrepare(Site.LOCAL, "home", "a");
        assertThat(write(d1, LINEAGE2, E2, goHome).reply()).isInstanceOf(Reply.Refused.class);
        write(d1, LINEAGE2, E2, new Command.ReportSigned(LINEAGE1, "alice", "seen"));
        Written home = write(d1, LINEAGE2, E2, goHome);
        drWatch.whenProtected(home.index()).get(20, TimeUnit.SECONDS);

        // planned way home: the drained lineage ends in the new epoch, local seeds from it
        Written change =
                write(
                        d1,
                        LINEAGE2,
                        E2,
                        new Command.EpochChange(
                                E3,
                                LINEAGE3,
                                Optional.of(LINEAGE2),
                                0,
                                0,
                                ByteString.EMPTY,
                                "switchover",
                                "alice"));
        drWatch.whenProtected(change.index()).get(20, TimeUnit.SECONDS);
        l1.handler.promise(E3, "switchover");
        d1.handler.promise(E3, "switchover");
        Tail drained = l1.host.readTail(LINEAGE2);
        ClusterState homeState = drained.materialize();
        l1.host.closeLineage(LINEAGE2);
        LineageSpec third =
                new LineageSpec(LINEAGE3, List.of(l1.member(true, 1), d1.member(false, 0)));
        l1.handler.openLineage(third, E3, false);
        l1.host.seed(
                LINEAGE3, Seed.of(homeState, drained.fork(E3, LINEAGE3, "switchover", "alice")));
        l1.ask(d1).closeLineage(LINEAGE2, E3, "switchover");
        l1.ask(d1).openLineage(third, E3, true);
        caughtUp(d1, l1, LINEAGE3);
        assertThat(d1.state(LINEAGE3)).isEqualTo(l1.state(LINEAGE3));
        assertThat(d1.state(LINEAGE3).epochs()).hasSize(3);
        assertThat(d1.state(LINEAGE3).job(Samples.id(30)).orElseThrow().state())
                .isEqualTo(JobState.COMPLETE_WITH_WARNINGS);
        ProtectionWatch third1 = l1.watch(LINEAGE3, E3, 1, List.of(d1));
        Written at = write(l1, LINEAGE3, E3, new Command.AuditNote("a", "home", ""));
        third1.whenProtected(at.index()).get(20, TimeUnit.SECONDS);
        assertThat(l1.fatal).isEmpty();
        assertThat(d1.fatal).isEmpty();
    }

    @Test
    void promiseClosesTheGateForTheOldLeader() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", RaftSettings.LOOPBACK);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", RaftSettings.LOOPBACK);
        openSmall(l1, d1);
        ProtectionWatch watch = l1.watch(LINEAGE1, E1, 1, List.of(d1));
        Written first = write(l1, LINEAGE1, E1, new Command.AuditNote("a", "1", ""));
        watch.whenProtected(first.index()).get(20, TimeUnit.SECONDS);
        d1.handler.promise(E2, "failover while local is alive");
        Tail tail = d1.host.readTail(LINEAGE1);
        Written second = write(l1, LINEAGE1, E1, new Command.AuditNote("a", "2", ""));
        caughtUp(d1, l1, LINEAGE1);
        assertThat(d1.host.appliedIndex(LINEAGE1)).isGreaterThanOrEqualTo(second.index());
        Thread.sleep(300);
        assertThat(watch.protectedIndex())
                .as("applied at d1, but after its promise")
                .isLessThanOrEqualTo(tail.lastIndex())
                .isLessThan(second.index());
    }

    @Test
    void stateComesBackFromSnapshotAndLogAndALaggingListenerGetsASnapshot() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", SMALL_LOG);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", SMALL_LOG);
        openSmall(l1, d1);
        caughtUp(d1, l1, LINEAGE1);
        d1.kill();
        for (int i = 0; i < 100; i++) {
            write(
                    l1,
                    LINEAGE1,
                    E1,
                    new Command.PutResource(Samples.client(10, "crit" + i), Command.ANY_VERSION));
        }
        Path machine = l1.folder.resolve("raft/lineages/" + LINEAGE1 + "/sm");
        eventually("l1 has taken snapshots", () -> snapshots(machine) > 0);
        Path log = l1.folder.resolve("raft/lineages/" + LINEAGE1 + "/current");
        l1.host.takeSnapshot(LINEAGE1);
        write(l1, LINEAGE1, E1, new Command.AuditNote("a", "after the snapshot", ""));
        ClusterState before = l1.state(LINEAGE1);
        assertThat(log).isDirectory();
        l1.kill();

        l1.start(E1);
        eventually("l1 leads again", () -> l1.host.isLeader(LINEAGE1));
        assertThat(RaftHost.await(l1.host.readLinearizable(LINEAGE1))).isEqualTo(before);

        d1.start(E1);
        caughtUp(d1, l1, LINEAGE1);
        assertThat(d1.state(LINEAGE1)).isEqualTo(l1.state(LINEAGE1));
        write(l1, LINEAGE1, E1, new Command.AuditNote("a", "goes on", ""));
        caughtUp(d1, l1, LINEAGE1);

        // a new listener has nothing: everything before the log's start comes as a snapshot
        TestNode d2 = node("d2", Site.DR, "127.50.4.5", SMALL_LOG);
        List<Member> members = new ArrayList<>(l1.host.members(LINEAGE1));
        members.add(d2.member(false, 0));
        d2.host.joinLineage(new LineageSpec(LINEAGE1, members));
        l1.host.addMember(LINEAGE1, d2.member(false, 0));
        caughtUp(d2, l1, LINEAGE1);
        assertThat(d2.state(LINEAGE1)).isEqualTo(l1.state(LINEAGE1));
        d2.kill();
        d2.start(E1);
        caughtUp(d2, l1, LINEAGE1);
        assertThat(d2.state(LINEAGE1)).isEqualTo(l1.state(LINEAGE1));
        assertThat(l1.fatal).isEmpty();
        assertThat(d1.fatal).isEmpty();
        assertThat(d2.fatal).isEmpty();
    }

    /**
     * A voter leaves for a fork and comes back. What it had acknowledged counts on it: with an empty log
     * it would elect a member that has never seen a committed entry.
     */
    @Test
    void aVoterThatComesBackGoesOnWithTheLogThatItClosed() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", SMALL_LOG);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", SMALL_LOG);
        TestNode w1 = node("w1", Site.WITNESS, "127.60.4.4", SMALL_LOG);
        LineageSpec spec =
                new LineageSpec(
                        LINEAGE1,
                        List.of(l1.member(true, 2), d1.member(true, 1), w1.member(true, 0)));
        for (TestNode node : List.of(l1, d1, w1)) {
            node.host.createLineage(spec);
        }
        eventually("l1 leads", () -> l1.host.isLeader(LINEAGE1));
        l1.host.seed(
                LINEAGE1,
                Seed.of(ClusterState.empty(), Command.EpochChange.first(E1, LINEAGE1, "x")));
        write(l1, LINEAGE1, E1, new Command.PutMbr(Samples.mbr()));
        caughtUp(d1, l1, LINEAGE1);
        d1.kill();
        for (int i = 0; i < 30; i++) {
            write(l1, LINEAGE1, E1, new Command.AuditNote("a", "note " + i, ""));
        }
        write(l1, LINEAGE1, E1, new Command.PutResource(Samples.client(40, "late"), Command.NEW));
        w1.kill();

        Path closed = l1.host.closeLineage(LINEAGE1).orElseThrow();
        assertThat(l1.host.isOpen(LINEAGE1)).isFalse();
        l1.host.joinLineage(spec);
        assertThat(closed).doesNotExist();
        d1.start(E1);
        eventually(
                "one of two leads", () -> l1.host.isLeader(LINEAGE1) || d1.host.isLeader(LINEAGE1));
        assertThat(
                        RaftHost.await(d1.host.readLinearizable(LINEAGE1))
                                .resource(Resource.Type.CLIENT, "late"))
                .as("committed by l1 and w1")
                .isPresent();
        write(d1, LINEAGE1, E1, new Command.AuditNote("a", "goes on", ""));

        l1.kill();
        w1.start(E1);
        l1.start(E1);
        caughtUp(w1, d1, LINEAGE1);
        caughtUp(l1, d1, LINEAGE1);
        assertThat(l1.state(LINEAGE1)).isEqualTo(d1.state(LINEAGE1));
        assertThat(l1.fatal).isEmpty();
    }

    /** As the layout of P2 grows: a listener may vote later, a lost storage is replaced in one step. */
    @Test
    void aListenerBecomesAVoterAndALostStorageIsReplacedInOneStep() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", RaftSettings.LOOPBACK);
        TestNode l2 = node("l2", Site.LOCAL, "127.10.11.45", RaftSettings.LOOPBACK);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", RaftSettings.LOOPBACK);
        LineageSpec spec =
                new LineageSpec(
                        LINEAGE1,
                        List.of(l1.member(true, 2), l2.member(true, 1), d1.member(false, 0)));
        for (TestNode node : List.of(l1, l2, d1)) {
            node.host.createLineage(spec);
        }
        eventually("l1 leads", () -> l1.host.isLeader(LINEAGE1));
        l1.host.seed(
                LINEAGE1,
                Seed.of(ClusterState.empty(), Command.EpochChange.first(E1, LINEAGE1, "x")));
        l1.host.addMember(LINEAGE1, d1.member(true, 0));
        assertThat(l1.host.members(LINEAGE1)).allMatch(Member::voter).hasSize(3);
        write(l1, LINEAGE1, E1, new Command.PutMbr(Samples.mbr()));
        caughtUp(d1, l1, LINEAGE1);

        l2.kill();
        Files.move(l2.folder, base.resolve("lost"));
        l2.start(E1);
        List<Member> members = new ArrayList<>(l1.host.members(LINEAGE1));
        members.removeIf(m -> m.nodeId().equals("l2"));
        members.add(l2.member(true, 1));
        l2.host.joinLineage(new LineageSpec(LINEAGE1, members));
        l1.host.addMember(LINEAGE1, l2.member(true, 1));
        caughtUp(l2, l1, LINEAGE1);
        assertThat(l1.host.members(LINEAGE1))
                .contains(l2.member(true, 1))
                .allMatch(Member::voter)
                .hasSize(3);
        d1.kill();
        write(l1, LINEAGE1, E1, new Command.AuditNote("a", "l1 and l2 commit", ""));
        caughtUp(l2, l1, LINEAGE1);
    }

    /**
     * After a loss of power at both sites DR starts, and nobody leads: what it shows, and asks its
     * operator by, must be what it knew.
     */
    @Test
    void aMemberShowsWhatItHadAppliedThoughNobodyLeads() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", RaftSettings.LOOPBACK);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", RaftSettings.LOOPBACK);
        openSmall(l1, d1);
        for (int i = 10; i < 20; i++) {
            write(
                    l1,
                    LINEAGE1,
                    E1,
                    new Command.PutResource(Samples.client(i, "crit-" + i), Command.NEW));
        }
        caughtUp(d1, l1, LINEAGE1);
        ClusterState known = d1.state(LINEAGE1);
        long index = d1.host.appliedIndex(LINEAGE1);
        d1.kill();
        write(l1, LINEAGE1, E1, new Command.AuditNote("ada", "more", ""));
        l1.kill();

        d1.start(E1);
        assertThat(d1.state(LINEAGE1)).isEqualTo(known);
        assertThat(d1.host.appliedIndex(LINEAGE1)).isEqualTo(index);
        assertThat(d1.host.readTail(LINEAGE1).key()).isPresent();
        d1.kill();
        // A hint only: damaged, or of another log, it is passed over, and the leader tells.
        Path mark = d1.folder.resolve("raft/lineages/" + LINEAGE1 + "/applied");
        byte[] right = Files.readAllBytes(mark);
        byte[] flipped = right.clone();
        flipped[3] ^= 1;
        for (byte[] wrong : List.of(new byte[0], flipped, new byte[right.length])) {
            Files.write(mark, wrong);
            d1.start(E1);
            assertThat(d1.host.appliedIndex(LINEAGE1)).isLessThan(index);
            d1.kill();
        }
        Files.write(mark, right);
        d1.start(E1);
        l1.start(E1);
        caughtUp(d1, l1, LINEAGE1);
        assertThat(d1.host.appliedIndex(LINEAGE1)).isGreaterThan(index);
        assertThat(d1.state(LINEAGE1)).isEqualTo(l1.state(LINEAGE1));
        assertThat(d1.fatal).isEmpty();
    }

    /** The way of {@link RaftHost#submit} refuses such an entry; a newer program, or damage, does not. */
    private static RaftProtos.LogEntryProto logged(long term, long index, byte[] data) {
        return RaftProtos.LogEntryProto.newBuilder()
                .setTerm(term)
                .setIndex(index)
                .setStateMachineLogEntry(
                        RaftProtos.StateMachineLogEntryProto.newBuilder()
                                .setLogData(
                                        org.apache.ratis.thirdparty.com.google.protobuf.ByteString
                                                .copyFrom(data))
                                .setClientId(ClientId.randomId().toByteString())
                                .setCallId(index))
                .build();
    }

    private TestNode alone(RaftSettings settings) throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", settings);
        l1.host.createLineage(new LineageSpec(LINEAGE1, List.of(l1.member(true, 1))));
        l1.host.seed(
                LINEAGE1,
                Seed.of(ClusterState.empty(), Command.EpochChange.first(E1, LINEAGE1, "x")));
        write(l1, LINEAGE1, E1, new Command.PutMbr(Samples.mbr()));
        return l1;
    }

    private static Command client(int number) {
        return new Command.PutResource(Samples.client(number, "crit-" + number), Command.NEW);
    }

    /** An entry left out would make this member's state another one than the others'. */
    @Test
    void anEntryThatCannotBeAppliedIsFatalAndNothingAfterItIsApplied() throws Exception {
        TestNode l1 = alone(RaftSettings.LOOPBACK);
        long last = write(l1, LINEAGE1, E1, client(10)).index();
        ClusterState before = l1.state(LINEAGE1);
        RaftServer.Division division = l1.host.division(LINEAGE1).orElseThrow();
        long term = division.getInfo().getCurrentTerm();
        Entry sound = new Entry(UUID.randomUUID(), E1, 1, client(11));
        division.getRaftLog()
                .append(
                        List.of(
                                logged(term, last + 1, new byte[] {-1, -1, -1}),
                                logged(term, last + 2, sound.toBytes().toByteArray())));
        String said = "Entry " + term + ":" + (last + 1) + " of lineage " + LINEAGE1;
        eventually("l1 gives up", () -> !l1.fatal.isEmpty());
        assertThat(l1.fatal).singleElement().asString().startsWith(said).contains("be applied");
        assertThatThrownBy(() -> write(l1, LINEAGE1, E1, client(12)))
                .isInstanceOf(SubmitException.class);
        eventually(
                "Ratis has closed the lineage",
                () -> division.getInfo().getLifeCycleState() == LifeCycle.State.CLOSED);
        assertThat(l1.host.appliedIndex(LINEAGE1)).isEqualTo(last);
        assertThat(l1.state(LINEAGE1)).isEqualTo(before);
        l1.kill();

        // the supervisor starts it again: it must not pass the entry over either
        l1.fatal.clear();
        l1.start(E1);
        eventually("l1 gives up again", () -> !l1.fatal.isEmpty());
        assertThat(l1.fatal).singleElement().asString().startsWith(said);
        assertThat(l1.state(LINEAGE1)).isEqualTo(before);
    }

    private interface InTheWay {
        void put(Path at) throws IOException;
    }

    /** A name that leads nowhere: the next file of the log cannot be made, as on a full disk. */
    @Test
    void aLogThatCannotBeWrittenIsFatalAndNothingInItIsAcknowledged() throws Exception {
        failingLog(
                path -> Files.createSymbolicLink(path, base.resolve("gone/file")),
                "The Raft log of lineage " + LINEAGE1 + " failed: ",
                "Free space, or replace the disk, then start this node again.");
    }

    /** What Ratis did not expect ends its group without a word about the log. */
    @Test
    void aGroupThatClosesItselfIsFatal() throws Exception {
        failingLog(
                Files::createDirectory,
                "Raft closed lineage " + LINEAGE1 + " by itself",
                "a failure");
    }

    private void failingLog(InTheWay inTheWay, String said, String next) throws Exception {
        TestNode l1 = alone(SMALL_FILES.withSubmitTimeout(Duration.ofSeconds(2)));
        List<Path> put = new ArrayList<>();
        for (long i = l1.host.lastIndex(LINEAGE1) + 1; i < 200; i++) {
            Path path = logOf(l1).resolve("log_inprogress_" + i);
            inTheWay.put(path);
            put.add(path);
        }
        List<Integer> acknowledged = new ArrayList<>();
        assertThatThrownBy(
                        () -> {
                            for (int i = 10; i < 200; i++) {
                                write(l1, LINEAGE1, E1, client(i));
                                acknowledged.add(i);
                            }
                        })
                .isInstanceOf(SubmitException.class);
        assertThat(acknowledged).as("the first file took some").isNotEmpty();
        eventually("l1 gives up", () -> !l1.fatal.isEmpty());
        assertThat(l1.fatal).singleElement().asString().startsWith(said).contains(next);
        assertThat(l1.state(LINEAGE1).resources()).hasSize(acknowledged.size());
        l1.kill();

        for (Path path : put) {
            Files.delete(path);
        }
        l1.fatal.clear();
        l1.start(E1);
        eventually("l1 leads again", () -> l1.host.isLeader(LINEAGE1));
        ClusterState read = RaftHost.await(l1.host.readLinearizable(LINEAGE1));
        for (int i : acknowledged) {
            assertThat(read.resource(Resource.Type.CLIENT, "crit-" + i)).isPresent();
        }
        write(l1, LINEAGE1, E1, new Command.AuditNote("a", "goes on", ""));
        assertThat(l1.fatal).isEmpty();
    }

    private static Path logOf(TestNode node) {
        return node.folder.resolve("raft/lineages/" + LINEAGE1 + "/current");
    }

    private static List<Path> logFiles(TestNode node) throws IOException {
        try (var files = Files.list(logOf(node))) {
            return files.filter(f -> f.getFileName().toString().startsWith("log_")).toList();
        }
    }

    private static long logBytes(TestNode node) throws IOException {
        long bytes = 0;
        for (Path file : logFiles(node)) {
            bytes += Files.size(file);
        }
        return bytes;
    }

    /** Of the entries on the disk: {@code log_FIRST-LAST}, {@code log_inprogress_FIRST}. */
    private static long firstIndex(TestNode node) throws IOException {
        return logFiles(node).stream()
                .map(f -> f.getFileName().toString())
                .map(n -> n.replace("log_inprogress_", "").replace("log_", ""))
                .mapToLong(n -> Long.parseLong(n.split("-", -1)[0]))
                .min()
                .orElseThrow();
    }

    /** DR may be away for weeks: the disk of the active site must not fill up meanwhile. */
    @Test
    void theLogStaysSmallWhileDrIsAwayAndASnapshotBringsItBack() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", SMALL_FILES);
        TestNode d1 = node("d1", Site.DR, "127.50.4.4", SMALL_FILES);
        openSmall(l1, d1);
        caughtUp(d1, l1, LINEAGE1);
        long left = d1.host.lastIndex(LINEAGE1);
        d1.kill();
        long written = 0;
        for (int i = 0; i < 300; i++) {
            Command.PutResource put =
                    new Command.PutResource(Samples.client(10, "crit" + i), Command.ANY_VERSION);
            written += new Entry(UUID.randomUUID(), E1, 1, put).toBytes().size();
            write(l1, LINEAGE1, E1, put);
        }
        long last = l1.host.lastIndex(LINEAGE1);
        // A snapshot every 20 entries, 5 are kept before it, and a purge is due after 20 more; a
        // file goes when its last entry may. The smallest entries fill a file with 40 of them.
        eventually("l1's log begins late", () -> firstIndex(l1) > last - 100);
        assertThat(firstIndex(l1)).as("what d1 lacks is no longer there").isGreaterThan(left + 1);
        assertThat(logBytes(l1))
                .as("of %d bytes that were written", written)
                .isLessThan(4L * SMALL_FILES.segmentBytes())
                .isLessThan(written / 4);

        d1.start(E1);
        caughtUp(d1, l1, LINEAGE1);
        assertThat(d1.state(LINEAGE1)).isEqualTo(l1.state(LINEAGE1));
        assertThat(firstIndex(d1)).as("d1 went on behind a snapshot").isGreaterThan(left + 1);
        write(l1, LINEAGE1, E1, new Command.AuditNote("a", "goes on", ""));
        caughtUp(d1, l1, LINEAGE1);
        assertThat(l1.fatal).isEmpty();
        assertThat(d1.fatal).isEmpty();
    }

    private static long snapshots(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("snapshot")).count();
        }
    }

    @Test
    void damagedFolderDoesNotStart() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", SMALL_LOG);
        LineageSpec spec = new LineageSpec(LINEAGE1, List.of(l1.member(true, 1)));
        l1.host.createLineage(spec);
        l1.host.seed(
                LINEAGE1,
                Seed.of(ClusterState.empty(), Command.EpochChange.first(E1, LINEAGE1, "x")));
        l1.kill();
        Path meta = l1.folder.resolve("raft/lineages/" + LINEAGE1 + "/current/raft-meta");
        byte[] kept = Files.readAllBytes(meta);
        Files.delete(meta);
        assertThatThrownBy(() -> l1.start(E1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("raft-meta");
        Files.write(meta, kept);
        Path incarnation = l1.folder.resolve("raft/incarnation");
        byte[] id = Files.readAllBytes(incarnation);
        Files.delete(incarnation);
        assertThatThrownBy(() -> l1.start(E1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("incarnation");
        Files.write(incarnation, id);
        l1.start(E1);
        eventually("l1 leads again", () -> l1.host.isLeader(LINEAGE1));
        l1.kill();
        // a lineage that was being created when the power failed is set aside, and created again
        Path hollow = l1.folder.resolve("raft/lineages/" + LINEAGE2 + "/current");
        Files.createDirectories(hollow);
        l1.start(E1);
        assertThat(l1.folder.resolve("raft/archive/" + LINEAGE2)).isDirectory();
        l1.host.createLineage(new LineageSpec(LINEAGE2, List.of(l1.member(true, 1))));
        l1.kill();
        l1.start(E1);
        eventually("the unused lineage elects", () -> l1.host.isLeader(LINEAGE2));
        assertThat(l1.host.lineages()).contains(LINEAGE1, LINEAGE2);
        l1.kill();
        // a lineage's folder that somebody removed is not made anew, empty
        Files.move(l1.folder.resolve("raft/lineages/" + LINEAGE1), base.resolve("elsewhere"));
        assertThatThrownBy(() -> l1.start(E1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("disappeared");
    }

    @Test
    void takenPortIsNamed() throws Exception {
        TestNode l1 = node("l1", Site.LOCAL, "127.10.11.44", SMALL_LOG);
        assertThatThrownBy(() ->
                        RaftHost.start(
                                "x",
                                UUID.randomUUID(),
                                base.resolve("x"),
                                l1.raft,
                                TestNode.tls("node", "x"),
                                SMALL_LOG,
                                java.time.InstantSource.system(),
                                s -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(l1.raft.toString());
    }
}
