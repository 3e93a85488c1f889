package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.ReconcileView.Setting;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ReturnsTest {
    private static final Epoch DR = new Epoch(2, Site.DR);
    private static final UUID NEW = new UUID(0xc11, 7);
    private static final UUID ROW = new UUID(0x4e, 9);

    private static Resource client(UUID id, String name, String address) {
        return TestCluster.client(name, address, "").toResource(id);
    }

    private static Resource row(String remote) {
        return new ReplicationResource(Endpoint.parse("127.10.11.99"), Endpoint.parse(remote))
                .toResource(ROW);
    }

    private static ReconcileView view(TestCluster active) {
        ClusterState state = active.state();
        return Returns.view(
                state,
                Returns.forced(state).orElseThrow(),
                "CATCHUP",
                _ -> false,
                new ShipStatus.CatchUp(false, 2, 200, 1, 100));
    }

    private static Setting setting(TestCluster active, UUID item) {
        return view(active).settings().stream()
                .filter(s -> s.item().equals(item))
                .findFirst()
                .orElseThrow();
    }

    /** The lost site and the one that goes on. */
    private record Split(TestCluster lost, TestCluster active) {
        static Split after(TestCluster cluster) {
            return new Split(cluster, cluster.failover(DR));
        }

        TestCluster returned() {
            return active.handOver("l1", lost);
        }
    }

    @Test
    void nothingOfItsOwnNeedsNoSignature() {
        TestCluster active = Split.after(TestCluster.create()).returned();
        ReconcileView view = view(active);
        assertThat(view.settings()).isEmpty();
        assertThat(view.handedOver()).containsExactly("l1");
        assertThat(view.needsSignature()).isFalse();
        assertThat(view.site()).isEqualTo("local");
        assertThat(view.forkLineage()).isEqualTo(TestCluster.LOCAL_LINEAGE);
        assertThat(view.bytesMissing()).isEqualTo(200);
        assertThat(view.bytesMoved()).isEqualTo(100);
        Returns.requireSigned(active.state(), "ACTIVE");
    }

    @Test
    void eachDivergentResourceIsShownWithBaseTheirsAndOurs() {
        TestCluster cluster = TestCluster.create().put(row("127.50.4.9"));
        Split split = Split.after(cluster);
        split.lost.put(client(NEW, "new", "127.10.11.24:3456"));
        split.lost.put(client(TestCluster.NONCRIT, "renamed", "127.10.11.23:3456"));
        split.lost.put(row("127.50.4.10"));
        split.active.put(row("127.50.4.11"));
        split.lost.put(client(TestCluster.CRIT, "crit2", "127.10.11.22:3456"));
        split.active.delete(TestCluster.CRIT);
        TestCluster active = split.returned();
        assertThat(view(active).settings())
                .extracting(Setting::resource, Setting::classification, Setting::detail)
                .containsExactlyInAnyOrder(
                        tuple("new", "ADDITIVE", "added there; its name is free here"),
                        tuple("renamed", "CONFLICT", "changed there; not changed here"),
                        tuple("127.10.11.99", "CONFLICT", "changed there; changed here too"),
                        tuple("crit2", "OBSOLETE", "changed there; deleted here since the fork"));
        Setting conflict = setting(active, ROW);
        assertThat(conflict.base().info()).containsValue("127.50.4.9");
        assertThat(conflict.theirs().info()).containsValue("127.50.4.10");
        assertThat(conflict.ours().info()).containsValue("127.50.4.11");
        assertThat(setting(active, NEW).base()).isNull();
        assertThat(setting(active, NEW).ours()).isNull();
    }

    @Test
    void applyingIsAnOrdinaryWriteThatChecksWhatWasSeen() {
        TestCluster cluster = TestCluster.create().put(row("127.50.4.9"));
        Split split = Split.after(cluster);
        split.lost.put(row("127.50.4.10"));
        split.lost.put(client(NEW, "new", "127.10.11.24:3456"));
        split.lost.delete(TestCluster.NONCRIT);
        TestCluster active = split.returned();
        long seen = setting(active, ROW).ours().version();
        Command write =
                Returns.write(active.state(), Returns.item(active.state(), ROW), seen).get();
        assertThat(write).isEqualTo(new Command.PutResource(row("127.50.4.10"), seen));
        active.apply(write);
        assertThat(setting(active, ROW).classification()).isEqualTo("IDENTICAL");
        assertThat(Returns.write(active.state(), Returns.item(active.state(), ROW), seen))
                .isEmpty();
        assertThat(Returns.write(active.state(), Returns.item(active.state(), NEW), 0))
                .contains(
                        new Command.PutResource(
                                client(NEW, "new", "127.10.11.24:3456"), Command.NEW));
        assertThat(
                        Returns.write(
                                active.state(),
                                Returns.item(active.state(), TestCluster.NONCRIT),
                                1))
                .contains(new Command.DeleteResource(TestCluster.NONCRIT, 1));
        assertThatThrownBy(() -> Returns.item(active.state(), TestCluster.CRIT))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining(TestCluster.CRIT.toString());
    }

    @Test
    void theWayHomeIsClosedUntilTheReportIsSigned() {
        Split split = Split.after(TestCluster.create());
        split.lost.put(client(NEW, "new", "127.10.11.24:3456"));
        TestCluster active = split.returned();
        assertThat(view(active).needsSignature()).isTrue();
        assertThatThrownBy(() -> Returns.requireSigned(active.state(), "ACTIVE"))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> {
                            assertThat(e.kind()).isEqualTo(ApiException.Kind.REFUSED);
                            assertThat(e.next()).contains("holdfast reconcile sign");
                        });
        active.apply(new Command.ReportSigned(TestCluster.LOCAL_LINEAGE, "ada", "not wanted here"));
        Returns.requireSigned(active.state(), "ACTIVE");
        ReconcileView view = view(active);
        assertThat(view.needsSignature()).isFalse();
        assertThat(view.signature().who()).isEqualTo("ada");
        assertThat(view.signature().reason()).isEqualTo("not wanted here");
        // It stays readable, and what is wanted later can still be applied.
        assertThat(setting(active, NEW).classification()).isEqualTo("ADDITIVE");
    }

    @Test
    void twoOfThreeMembersMakeItComplete() {
        TestCluster cluster = TestCluster.create();
        Mbr one = TestCluster.mbr();
        NodeAddress first = one.nodes(Site.LOCAL).getFirst();
        cluster.apply(
                new Command.PutMbr(
                        new Mbr(
                                one.cluster(),
                                one.name(),
                                "p2",
                                Map.of(
                                        Site.LOCAL,
                                        List.of(first, node("l2"), node("l3")),
                                        Site.DR,
                                        one.nodes(Site.DR)),
                                one.resourceDb(),
                                one.defaultCatalog(),
                                one.methodRepository(),
                                one.epoch(),
                                one.lineage(),
                                one.chunking())));
        Split split = Split.after(cluster);
        Command.EpochChange forced = Returns.forced(split.active.state()).orElseThrow();
        assertThat(Returns.isComplete(split.active.state(), forced)).isFalse();
        split.active.handOver("l1", split.lost);
        assertThat(Returns.isComplete(split.active.state(), forced)).isFalse();
        split.active.handOver("l3", split.lost);
        assertThat(Returns.isComplete(split.active.state(), forced)).isTrue();
        assertThat(view(split.active).handedOver()).containsExactly("l1", "l3");
    }

    private static NodeAddress node(String id) {
        return new NodeAddress(id, "127.10.11.46", 8443, 9871, 9872, Set.of("backup-server"));
    }
}
