package io.holdfast.replication.raft;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.replication.site.ProtectionWatch;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Samples;
import io.holdfast.replication.state.Seed;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The p2 layout: 3 voters, 2 voters of priority 0, 1 listener; and its failover. */
@Timeout(180)
class SixNodesTest {
    private static final Epoch E1 = new Epoch(1, Site.LOCAL);
    private static final Epoch E2 = new Epoch(2, Site.DR);
    private static final UUID LINEAGE1 = LineageSpec.idOf(TestNode.CLUSTER, E1);
    private static final UUID LINEAGE2 = LineageSpec.idOf(TestNode.CLUSTER, E2);
    // Calmer than p2-small: six servers share the machine with other tests.
    private static final RaftSettings SETTINGS =
            new RaftSettings(
                    Duration.ofMillis(600),
                    Duration.ofMillis(1200),
                    Duration.ofSeconds(20),
                    5_000,
                    10_000,
                    1 << 20,
                    0);

    @TempDir Path base;
    private final Map<String, TestNode> nodes = TestNode.cluster();

    @AfterEach
    void stop() {
        nodes.values().forEach(TestNode::close);
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void eventually(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private static Written write(TestNode node, UUID lineage, Epoch epoch, Command command)
            throws IOException {
        return RaftHost.await(node.host.submit(lineage, epoch, command, UUID.randomUUID()));
    }

    @Test
    void votersOfBothSitesThenDrAlone() throws Exception {
        List<TestNode> local = new ArrayList<>();
        List<TestNode> dr = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            local.add(
                    new TestNode(
                                    "l" + i,
                                    Site.LOCAL,
                                    base,
                                    "127.10.11.4" + (3 + i),
                                    SETTINGS,
                                    nodes)
                            .start(E1));
            dr.add(
                    new TestNode("d" + i, Site.DR, base, "127.50.4." + (3 + i), SETTINGS, nodes)
                            .start(E1));
        }
        LineageSpec spec =
                new LineageSpec(
                        LINEAGE1,
                        List.of(
                                local.get(0).member(true, 2),
                                local.get(1).member(true, 1),
                                local.get(2).member(true, 1),
                                dr.get(0).member(true, 0),
                                dr.get(1).member(true, 0),
                                dr.get(2).member(false, 0)));
        for (TestNode node : nodes.values()) {
            node.host.createLineage(spec);
        }
        eventually(
                "somebody leads",
                () -> nodes.values().stream().anyMatch(n -> n.host.isLeader(LINEAGE1)));
        local.get(0)
                .host
                .seed(
                        LINEAGE1,
                        Seed.of(
                                ClusterState.empty(),
                                Command.EpochChange.first(E1, LINEAGE1, "init")));
        // leadership comes home by priority; then acknowledgements of two of three DR members count
        eventually("l1 leads", () -> local.get(0).host.isLeader(LINEAGE1));
        ProtectionWatch watch = local.get(0).watch(LINEAGE1, E1, 2, dr);
        Written written = write(local.get(0), LINEAGE1, E1, new Command.PutMbr(Samples.mbr()));
        watch.whenProtected(written.index()).get(30, TimeUnit.SECONDS);

        // one voter lost: the others elect, and writes go on from anywhere
        local.get(0).kill();
        eventually(
                "another leads",
                () ->
                        nodes.values().stream()
                                .filter(n -> n != local.get(0))
                                .anyMatch(n -> n.host.isLeader(LINEAGE1)));
        eventually(
                "a write from a DR voter is done",
                () -> {
                    try {
                        return write(dr.get(1), LINEAGE1, E1, Samples.opened(20)).index() > 0;
                    } catch (SubmitException e) {
                        return false;
                    }
                });
        long last = dr.get(1).host.lastIndex(LINEAGE1);
        eventually(
                "two DR members have it",
                () -> dr.stream().filter(d -> lastIndex(d) >= last).count() >= 2);

        // the site is lost, and one DR member with it: two of three are read, three go on
        local.get(1).kill();
        local.get(2).kill();
        List<Tail> tails = new ArrayList<>();
        for (TestNode d : dr) {
            if (dr.get(0).ask(d).promise(E2, "failover").promise().equals(E2) && tails.size() < 2) {
                tails.add(dr.get(0).ask(d).readNewestTail(E2));
            }
        }
        Tail tail = Tail.newest(tails).orElseThrow();
        ClusterState seed = tail.materialize();
        assertThat(seed.job(Samples.id(20))).isPresent();
        LineageSpec second =
                new LineageSpec(
                        LINEAGE2,
                        List.of(
                                dr.get(0).member(true, 2),
                                dr.get(1).member(true, 1),
                                dr.get(2).member(true, 1)));
        for (TestNode d : dr) {
            dr.get(0).ask(d).closeLineage(LINEAGE1, E2, "failover");
            dr.get(0).ask(d).openLineage(second, E2, false);
        }
        dr.get(0)
                .host
                .seed(
                        LINEAGE2,
                        Seed.of(seed, tail.fork(E2, LINEAGE2, "failover: site lost", "alice")));
        Written atDr = write(dr.get(2), LINEAGE2, E2, Samples.opened(21));
        assertThat(atDr.requireDone()).isZero();
        for (TestNode d : dr) {
            eventually(
                    d.id + " has applied it", () -> d.host.appliedIndex(LINEAGE2) >= atDr.index());
            assertThat(d.state(LINEAGE2).epoch()).isEqualTo(E2);
            assertThat(d.fatal).isEmpty();
        }

        // local returns in the passive layout: one voter of priority 0 is enough to see it work
        TestNode l1 = local.get(0);
        l1.start(E1);
        l1.handler.promise(E2, "fenced");
        l1.host.closeLineage(LINEAGE1);
        List<Member> members = new ArrayList<>(second.members());
        members.add(l1.member(true, 0));
        l1.host.joinLineage(new LineageSpec(LINEAGE2, members));
        dr.get(1).host.addMember(LINEAGE2, l1.member(true, 0));
        eventually("l1 has joined", () -> l1.host.appliedIndex(LINEAGE2) >= atDr.index());
        assertThat(l1.state(LINEAGE2).epoch()).isEqualTo(E2);

        // the preferred leader is moved
        eventually("d1 leads", () -> dr.get(0).host.isLeader(LINEAGE2));
        dr.get(0).host.transferLeadership(LINEAGE2, "d2", Duration.ofSeconds(20));
        eventually("d2 leads", () -> dr.get(1).host.isLeader(LINEAGE2));
        eventually(
                "d2 is preferred",
                () ->
                        dr.get(1).host.members(LINEAGE2).stream()
                                .filter(m -> m.nodeId().equals("d2"))
                                .allMatch(m -> m.priority() == 2));

        // a voter that is silent is not waited for: until it has the lead nobody could write
        dr.get(2).kill();
        eventually(
                "d3 is given up",
                () -> {
                    try {
                        dr.get(1).host.transferLeadership(LINEAGE2, "d3", Duration.ofMillis(1));
                        return false;
                    } catch (IOException e) {
                        return e.getMessage().contains("d3 has not answered for");
                    }
                });
        assertThat(write(dr.get(0), LINEAGE2, E2, Samples.opened(22)).requireDone()).isZero();
        assertThat(dr.get(1).host.isLeader(LINEAGE2)).isTrue();
    }

    private static long lastIndex(TestNode node) {
        try {
            return node.host.lastIndex(LINEAGE1);
        } catch (SubmitException.Unavailable e) {
            return -1;
        }
    }
}
