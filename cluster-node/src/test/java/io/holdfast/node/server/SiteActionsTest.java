package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.node.config.RoleFile;
import io.holdfast.node.rest.TestPki;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RaftSettings;
import io.holdfast.replication.raft.RefusedException;
import io.holdfast.replication.raft.StorageAdmission;
import io.holdfast.replication.raft.StorageIncarnation;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Seed;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which log a member shows to a promotion, with a real Raft server. */
class SiteActionsTest {
    private static final Epoch SECOND = new Epoch(2, Site.DR);
    private static final UUID NEXT = LineageSpec.idOf(TestCluster.CLUSTER, SECOND);

    @TempDir Path temp;
    private RaftHost raft;
    private SiteAckSender sender;
    private ChannelCache channels;
    private PeerWatch watch;
    private EpochGuard guard;
    private StorageAdmission admission;
    private SiteActions actions;

    @BeforeEach
    void start() throws Exception {
        TlsMaterial tls = new TestPki(TestCluster.CLUSTER).of("node", "d1");
        guard = EpochGuard.create(temp.resolve("promise"), TestCluster.FIRST);
        sender =
                new SiteAckSender(
                        "d1", UUID.randomUUID(), guard.max(), _ -> Optional.empty(), _ -> {});
        raft =
                RaftHost.start(
                        "d1",
                        StorageIncarnation.readOrCreate(temp.resolve("raft"), UUID::randomUUID),
                        temp.resolve("raft"),
                        Endpoint.of("127.0.0.1", freePort()),
                        tls,
                        RaftSettings.LOOPBACK,
                        InstantSource.system(),
                        why -> {
                            throw new AssertionError(why);
                        });
        channels = new ChannelCache(tls);
        watch =
                new PeerWatch(
                        "d1",
                        Site.DR,
                        TestCluster::mbr,
                        guard::max,
                        channels,
                        InstantSource.system());
        actions = actions();
        admission.admit();
    }

    private SiteActions actions() throws IOException {
        admission = StorageAdmission.of(temp.resolve("raft"));
        return new SiteActions(
                "d1",
                Site.DR,
                TestCluster::mbr,
                guard,
                raft,
                sender,
                watch,
                admission,
                temp.resolve("role.json"),
                temp.resolve("site"));
    }

    @AfterEach
    void end() {
        raft.close();
        watch.close();
        channels.close();
        sender.close();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress("127.0.0.1", 0));
            return socket.getLocalPort();
        }
    }

    private void seed(UUID lineage, ClusterState state, Command.EpochChange change)
            throws Exception {
        raft.createLineage(new LineageSpec(lineage, List.of(raft.self(true, 1))));
        for (int i = 0; ; i++) {
            try {
                raft.seed(lineage, Seed.of(state, change));
                return;
            } catch (RefusedException planted) {
                return;
            } catch (IOException electing) {
                if (i > 2_000) {
                    throw electing;
                }
                Thread.sleep(10);
            }
        }
    }

    private void seedFirst() throws Exception {
        seed(
                TestCluster.LOCAL_LINEAGE,
                TestCluster.create().state(),
                Command.EpochChange.first(TestCluster.FIRST, TestCluster.LOCAL_LINEAGE, "init"));
    }

    /** The coordinator of the next failover must not find an empty log where a whole one was left. */
    @Test
    void aMemberThatWaitsForItsSeedShowsTheLineageBefore() throws Exception {
        seedFirst();
        actions.closeLineages(NEXT);
        raft.joinLineage(new LineageSpec(NEXT, List.of(raft.self(true, 1))));
        assertThat(actions.readTails(SECOND, Set.of("d1")).members()).containsExactly("d1");
        assertThat(actions.newestTail().lineage()).isEqualTo(TestCluster.LOCAL_LINEAGE);
        assertThat(actions.newestTail().materialize().resources()).isNotEmpty();
    }

    /** What follows the seed may fail and be tried again, when the logs that were read are let go. */
    @Test
    void aLineageThatIsSeededIsNotSeededAgain() throws Exception {
        seedFirst();
        actions.readTails(SECOND, Set.of("d1"));
        actions.closeLineages(NEXT);
        raft.createLineage(new LineageSpec(NEXT, List.of(raft.self(true, 1))));
        ClusterState seeded = actions.seed(NEXT, SECOND, "failover: fire", "ada", 4711);
        assertThat(seeded.epoch()).isEqualTo(SECOND);
        assertThat(seeded.epochs().getLast().change().lastContactMicros()).isEqualTo(4711);
        assertThat(actions.seed(NEXT, SECOND, "failover: fire", "ada", 4711).epoch())
                .isEqualTo(SECOND);
        assertThatThrownBy(() -> actions.seed(NEXT, new Epoch(3, Site.DR), "again", "ada", 0))
                .as("nothing was read for it")
                .isInstanceOf(IllegalStateException.class);
    }

    /** The coordinator may belong to an older lineage than the member that it reads. */
    @Test
    void theNewestWholeLineageIsShown() throws Exception {
        seedFirst();
        actions.closeLineages(NEXT);
        seed(
                NEXT,
                actions.newestTail().materialize(),
                actions.newestTail().fork(SECOND, NEXT, "failover: fire", "ada"));
        assertThat(actions.newestTail().lineage()).isEqualTo(NEXT);
        actions.closeLineages(new UUID(1, 1));
        assertThat(actions.newestTail().lineage()).isEqualTo(NEXT);
        assertThat(actions.readTails(new Epoch(3, Site.DR), Set.of("d1")).members())
                .containsExactly("d1");
    }

    /** P3: it forked, came back to the lineage that had gone on, and is promoted once more. */
    @Test
    void aMemberThatCameBackShowsTheLineageThatItStandsIn() throws Exception {
        seedFirst();
        Tail left = actions.newestTail();
        actions.closeLineages(NEXT);
        seed(NEXT, left.materialize(), left.fork(SECOND, NEXT, "failover: fire", "ada"));
        actions.closeLineages(TestCluster.LOCAL_LINEAGE);
        Epoch third = new Epoch(3, Site.LOCAL);
        new RoleFile("STANDBY", third, TestCluster.LOCAL_LINEAGE).write(temp.resolve("role.json"));
        actions.reopens(TestCluster.LOCAL_LINEAGE);
        raft.joinLineage(new LineageSpec(TestCluster.LOCAL_LINEAGE, List.of(raft.self(true, 1))));
        Tail back = actions.newestTail();
        assertThat(back.lineage()).isEqualTo(TestCluster.LOCAL_LINEAGE);
        assertThat(back.joined()).isEqualTo(third);
        assertThat(back.materialize()).isEqualTo(left.materialize());
        actions.closeLineages(new UUID(1, 1));
        assertThat(temp.resolve("site").resolve("tail-" + TestCluster.LOCAL_LINEAGE)).exists();
    }

    @Test
    void aMemberWithoutARecordIsNotRead() throws Exception {
        SitePorts.Steps.Logs none = actions.readTails(SECOND, Set.of("d1"));
        assertThat(none.members()).isEmpty();
        assertThat(none.text()).contains("d1 not read: ").contains("has no lineage's record whole");
    }

    /** Its lost storage may have acknowledged what the new one has not got yet (DR-PROTOCOL 3.7). */
    @Test
    void aNewStorageIsNotReadUntilALeaderCountsIt() throws Exception {
        seedFirst();
        Files.writeString(temp.resolve("raft/unadmitted"), "after a restart\n");
        SiteActions restarted = actions();
        SitePorts.Steps.Logs none = restarted.readTails(SECOND, Set.of("d1"));
        assertThat(none.members()).isEmpty();
        assertThat(none.text()).contains("Node d1 has lost its log");
        assertThat(restarted.newestTail().key()).as("it has one").isPresent();
        admission.admit();
        assertThat(restarted.readTails(SECOND, Set.of("d1")).members()).containsExactly("d1");
        assertThat(StorageAdmission.of(temp.resolve("raft")).admitted()).isTrue();
    }

    /** One that promised later is read besides; nobody is read twice, and a later promotion reads anew. */
    @Test
    void whatWasReadForAnEpochStays() throws Exception {
        seedFirst();
        SitePorts.Steps.Logs first = actions.readTails(SECOND, Set.of("d1"));
        assertThat(first.newest()).isEqualTo(TestCluster.FIRST);
        actions.closeLineages(NEXT);
        assertThat(actions.readTails(SECOND, Set.of())).isEqualTo(first);
        assertThat(actions.readTails(new Epoch(3, Site.DR), Set.of()).members()).isEmpty();
    }
}
