package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.proto.v1.CollectorStatusReply;
import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.node.server.GcPacing.Step;
import io.holdfast.node.server.StoreCollectors.Seen;
import io.holdfast.node.server.StoreCollectors.Store;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Expiry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a store lets go because the other site keeps it, and on what proof. */
class GarbageOrdersTest {
    private static final Endpoint LOCAL_STORE = Endpoint.parse(TestCluster.STORAGE);
    private static final Endpoint DR_STORE = Endpoint.parse("127.50.4.4:3456");
    private static final Endpoint SECOND = Endpoint.parse("127.10.11.47:6543");

    private final TestCluster cluster = TestCluster.create();
    private final JobRecord job =
            cluster.markProtected(cluster.complete(cluster.backup(TestCluster.CRIT, 1)));
    private final ChunkId piece = job.pieceHeader().orElseThrow();

    /** The stores that hold the piece, those that answer but know of damage, and those that are silent. */
    private final Set<Endpoint> holding = new HashSet<>(Set.of(LOCAL_STORE, DR_STORE));

    private final Set<Endpoint> damaged = new HashSet<>();
    private final Set<Endpoint> silent = new HashSet<>();

    private Store at(Endpoint endpoint) {
        return StoreCollectors.stores(cluster.lookup()).stream()
                .filter(s -> s.endpoint().equals(endpoint))
                .findFirst()
                .orElseThrow();
    }

    private Holdings holdings() {
        Lookup lookup = cluster.lookup();
        List<Expiry> asked = Holdings.kept(lookup.state());
        return new Holdings(
                lookup,
                StoreCollectors.stores(lookup).stream().map(s -> seen(s, asked.size())).toList(),
                asked);
    }

    private Seen seen(Store store, int asked) {
        BitSet bits = new BitSet();
        bits.set(0, asked, holding.contains(store.endpoint()));
        return new Seen(
                store,
                silent.contains(store.endpoint())
                        ? Optional.empty()
                        : Optional.of(
                                CollectorStatusReply.newBuilder()
                                        .setHeld(Wire.bytes(bits, asked))
                                        .setSound(!damaged.contains(store.endpoint()))
                                        .build()),
                0,
                "");
    }

    private List<ChunkId> letGo(Endpoint store) {
        return holdings().letGo(at(store), _ -> false).stream().map(Expiry::header).toList();
    }

    // ---------------------------------------------------------------- the proof

    @Test
    void aStoreLetsGoWhatItsCounterpartWasSeenToHold() {
        assertThat(letGo(LOCAL_STORE)).isEmpty();
        assertThat(Holdings.concern(cluster.state(), Site.LOCAL)).isFalse();
        cluster.expireAt(Site.LOCAL, job);
        assertThat(Holdings.concern(cluster.state(), Site.LOCAL)).isTrue();
        assertThat(Holdings.concern(cluster.state(), Site.DR)).isFalse();
        assertThat(letGo(LOCAL_STORE)).containsExactly(piece);
        assertThat(letGo(DR_STORE)).isEmpty();
        assertThat(holdings().nowhere()).isZero();
    }

    @Test
    void nothingElseProvesIt() {
        cluster.expireAt(Site.LOCAL, job);
        silent.add(DR_STORE);
        assertThat(letGo(LOCAL_STORE)).as("silent").isEmpty();
        silent.clear();
        damaged.add(DR_STORE);
        assertThat(letGo(LOCAL_STORE)).as("damaged").isEmpty();
        damaged.clear();
        holding.remove(DR_STORE);
        assertThat(letGo(LOCAL_STORE)).as("its own copy alone").isEmpty();
        holding.add(DR_STORE);
        cluster.apply(
                new Command.HoldAdd(
                        new UUID(8, 8), job.row().map(r -> r.piece()), Optional.empty(), "a", "r"));
        assertThat(letGo(LOCAL_STORE)).as("on hold").isEmpty();
    }

    @Test
    void aSiteThatWasDeclaredLostProvesNothing() {
        cluster.expireAt(Site.LOCAL, job);
        abandonDr();
        assertThat(letGo(LOCAL_STORE)).isEmpty();
        silent.add(DR_STORE);
        assertThat(holdings().nowhere()).isZero();
        holding.clear();
        assertThat(holdings().nowhere()).isEqualTo(1);
    }

    private void abandonDr() {
        cluster.apply(new Command.ReplStateChange(new ReplState(ReplState.Mode.ASYNC, 1, 1)));
        cluster.apply(new Command.AbandonSite(Site.DR, "ada", "fire"));
    }

    @Test
    void whatNoStoreHoldsIsCountedOnceAllHaveAnswered() {
        cluster.expireAt(Site.LOCAL, job);
        holding.clear();
        assertThat(holdings().nowhere()).isEqualTo(1);
        silent.add(DR_STORE);
        assertThat(holdings().nowhere()).isZero();
    }

    @Test
    void everyStoreThatSharesACounterpartIsAsked() {
        cluster.put(
                        new DeviceResource("disk2", "127.10.11.46", SECOND, TestCluster.LOCATION)
                                .toResource(new UUID(0x64, 3)))
                .put(new ReplicationResource(SECOND, DR_STORE).toResource(new UUID(0x4e, 9)));
        cluster.expireAt(Site.DR, job);
        holding.remove(LOCAL_STORE);
        assertThat(letGo(DR_STORE)).isEmpty();
        holding.add(SECOND);
        assertThat(letGo(DR_STORE)).containsExactly(piece);
    }

    // ---------------------------------------------------------------- orders

    /** The local store, to which two marks have happened already: the piece is a fossil, and confirmed. */
    private final class Local implements StoreOrders.Orders {
        private final Set<ChunkId> fossils = new HashSet<>(Set.of(piece));
        private final List<String> did = new ArrayList<>();
        private boolean marks = true;
        private Runnable duringTheMark = () -> {};

        @Override
        public Optional<StoreOrders.Known> ask() {
            return Optional.of(
                    holdings()
                            .known(
                                    at(LOCAL_STORE),
                                    _ -> false,
                                    0,
                                    GcStanding.getDefaultInstance()));
        }

        @Override
        public boolean mark(StoreOrders.Known known) {
            did.add("mark");
            duringTheMark.run();
            if (marks) {
                fossils.retainAll(known.expired());
            }
            return marks;
        }

        @Override
        public void sweep(StoreOrders.Known known) {
            did.add("sweep");
            if (!fossils.isEmpty()) {
                holding.remove(LOCAL_STORE);
            }
        }

        /** The round after the second mark. */
        Local round() throws InterruptedException {
            Step step =
                    GcPacing.next(
                            10,
                            false,
                            false,
                            List.of(new GcPacing.Fossils(0, 0, true)),
                            Duration.ZERO,
                            Duration.ofHours(1),
                            Optional.of(9L),
                            Optional.empty());
            assertThat(step).isEqualTo(Step.SWEEP);
            StoreOrders.give(step, false, this);
            return this;
        }
    }

    @Test
    void aSweepComesAfterAMarkOnNewProof() throws Exception {
        cluster.expireAt(Site.LOCAL, job);
        assertThat(new Local().round().did).containsExactly("mark", "sweep");
        assertThat(holding).containsExactly(DR_STORE);
    }

    @Test
    void theLastCopyStaysWhenItsKeeperLostItAfterTheSecondMark() throws Exception {
        cluster.expireAt(Site.LOCAL, job);
        holding.remove(DR_STORE);
        assertThat(new Local().round().did).containsExactly("mark", "sweep");
        assertThat(holding).containsExactly(LOCAL_STORE);
    }

    @Test
    void itStaysWhenItsKeeperIsDeclaredLost() throws Exception {
        cluster.expireAt(Site.LOCAL, job);
        abandonDr();
        var _ = new Local().round();
        assertThat(holding).contains(LOCAL_STORE);
    }

    @Test
    void itStaysWhenItsKeeperLosesItDuringTheMark() throws Exception {
        cluster.expireAt(Site.LOCAL, job);
        Local local = new Local();
        local.duringTheMark = () -> holding.remove(DR_STORE);
        assertThat(local.round().did).containsExactly("mark");
        assertThat(holding).containsExactly(LOCAL_STORE);
        assertThat(local.round().did).containsExactly("mark", "mark", "sweep");
        assertThat(holding).containsExactly(LOCAL_STORE);
    }

    @Test
    void nothingIsSweptWhenTheMarkWasNotDone() throws Exception {
        cluster.expireAt(Site.LOCAL, job);
        Local local = new Local();
        local.marks = false;
        assertThat(local.round().did).containsExactly("mark");
        assertThat(holding).contains(LOCAL_STORE);
    }

    @Test
    void whereNoSiteKeepsAnythingAloneTheSweepComesByItself() throws Exception {
        Local local = new Local();
        assertThat(local.round().did).containsExactly("sweep");
        local.did.clear();
        StoreOrders.give(Step.MARK, false, local);
        assertThat(local.did).containsExactly("mark");
        local.did.clear();
        StoreOrders.give(Step.MARK, true, local);
        assertThat(local.did).containsExactly("mark", "sweep");
        local.did.clear();
        StoreOrders.give(Step.NOTHING, true, local);
        assertThat(local.did).isEmpty();
    }
}
