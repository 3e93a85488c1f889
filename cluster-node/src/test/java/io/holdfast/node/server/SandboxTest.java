package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.catalog.CatalogDatabaseConfig;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.chunk.memory.MemoryChunkStore;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.rest.TestPki;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RaftSettings;
import io.holdfast.replication.raft.RefusedException;
import io.holdfast.replication.raft.StorageIncarnation;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Seed;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sandbox beside a real Raft group, catalog and promise, which must be the same bytes afterwards. */
class SandboxTest {
    private static final SiteConfig CONFIG =
            SiteConfig.of(Site.DR, "d1", Set.of("d1"), Set.of("l1"));

    @TempDir Path temp;
    private Path data;
    private EpochGuard guard;
    private RaftHost raft;
    private CatalogDatabase catalog;
    private MemoryChunkStore store;
    private TlsMaterial rehearsal;

    @BeforeEach
    void production() throws Exception {
        data = Files.createDirectory(temp.resolve("data"));
        TestPki pki = new TestPki(TestCluster.CLUSTER);
        rehearsal = pki.of("rehearsal", "d1");
        guard = EpochGuard.create(data.resolve("promise"), TestCluster.FIRST);
        Path raftFolder = data.resolve("raft");
        raft =
                RaftHost.start(
                        "d1",
                        StorageIncarnation.readOrCreate(raftFolder, UUID::randomUUID),
                        raftFolder,
                        Endpoint.of("127.0.0.1", freePort()),
                        pki.of("node", "d1"),
                        RaftSettings.LOOPBACK,
                        InstantSource.system(),
                        why -> {
                            throw new AssertionError(why);
                        });
        raft.createLineage(new LineageSpec(TestCluster.LOCAL_LINEAGE, List.of(raft.self(true, 1))));
        catalog =
                CatalogDatabase.open(
                        CatalogDatabaseConfig.embedded(
                                Files.createDirectory(data.resolve("catalog"))));
        store = new MemoryChunkStore(UUID.randomUUID());
    }

    @AfterEach
    void end() {
        catalog.close();
        raft.close();
        store.close();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress("127.0.0.1", 0));
            return socket.getLocalPort();
        }
    }

    private void seed(TestCluster cluster) throws Exception {
        Command.EpochChange first =
                Command.EpochChange.first(TestCluster.FIRST, TestCluster.LOCAL_LINEAGE, "init");
        for (int i = 0; ; i++) {
            try {
                raft.seed(TestCluster.LOCAL_LINEAGE, Seed.of(cluster.state(), first));
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

    private Sandbox open() throws IOException {
        return Sandbox.open(
                data.resolve("rehearsal"),
                new Sandbox.Production(
                        "d1",
                        "127.0.0.1",
                        rehearsal,
                        raft,
                        TestCluster.LOCAL_LINEAGE,
                        guard.max(),
                        store,
                        catalog,
                        Set.of("127.50.4.4"),
                        RaftSettings.LOOPBACK,
                        InstantSource.system(),
                        new SecureRandom()));
    }

    /** Every file of production that a rehearsal must leave alone, and its bytes. */
    private Map<String, Integer> bytes() throws IOException {
        Map<String, Integer> files = new TreeMap<>();
        try (var all = Files.walk(data)) {
            for (Path path : all.filter(Files::isRegularFile).toList()) {
                // The catalog's own file is compacted in the background; its rows are compared.
                if (!path.startsWith(data.resolve("catalog"))) {
                    files.put(path.toString(), Arrays.hashCode(Files.readAllBytes(path)));
                }
            }
        }
        return files;
    }

    @Test
    void aSiteIsPromotedInItAndProductionStaysTheSameBytes() throws Exception {
        TestCluster cluster = TestCluster.create();
        seed(cluster);
        Map<String, Integer> before = bytes();
        long applied = raft.appliedIndex(TestCluster.LOCAL_LINEAGE);
        try (Sandbox sandbox = open()) {
            SandboxSite site = new SandboxSite(sandbox, CONFIG, (_, _) -> {});
            ClusterState active = site.promote(TestCluster.FIRST, 1);
            assertThat(active.epoch()).isEqualTo(new Epoch(2, Site.DR));
            assertThat(active.resources()).hasSameSizeAs(cluster.state().resources());
            assertThat(active.suspended()).containsOnlyKeys(TestCluster.NONCRIT);
            assertThat(site.lineage())
                    .isNotEqualTo(LineageSpec.idOf(TestCluster.CLUSTER, active.epoch()));
            assertThat(site.write(new Command.AuditNote("a", "b", "c")).index()).isPositive();
            assertThat(sandbox.guard().max()).isEqualTo(active.epoch());
            assertThat(guard.max()).isEqualTo(TestCluster.FIRST);
        }
        assertThat(data.resolve("rehearsal")).doesNotExist();
        assertThat(bytes()).isEqualTo(before);
        assertThat(raft.lineages()).containsExactly(TestCluster.LOCAL_LINEAGE);
        assertThat(raft.appliedIndex(TestCluster.LOCAL_LINEAGE)).isEqualTo(applied);
        assertThat(raft.state(TestCluster.LOCAL_LINEAGE).epoch()).isEqualTo(TestCluster.FIRST);
    }

    /** The row, then the frames, of a protected piece are missing: a failover would have lost it. */
    @Test
    void whatIsShownAsProtectedAndIsNotThereIsNamed() throws Exception {
        TestCluster cluster = TestCluster.create();
        JobRecord job =
                cluster.markProtected(cluster.complete(cluster.backup(TestCluster.CRIT, 1)));
        seed(cluster);
        RehearsalView view = played();
        assertThat(view.verdict()).isEqualTo(RehearsalView.Verdict.FAILED);
        assertThat(view.problems())
                .singleElement()
                .satisfies(p -> assertThat(p).contains("shown as protected", "catalog"));
        assertThat(view.snapshot().protectedPieces()).isEqualTo(1);

        catalog.record(
                TestCluster.FIRST,
                new CatalogRow(job.row().orElseThrow(), job.pieceHeader().orElseThrow()));
        assertThat(played().problems())
                .singleElement()
                .satisfies(p -> assertThat(p).contains("shown as protected", "storage"));

        // Forgotten since, so nothing is missing.
        catalog.forget(TestCluster.FIRST, job.row().orElseThrow().piece(), "expired");
        assertThat(played().problems()).isEmpty();
    }

    private RehearsalView played() throws Exception {
        RehearsalRun run = new RehearsalRun(new UUID(7, 7), "d1", CONFIG, 3, 1);
        try (Sandbox sandbox = open()) {
            run.play(sandbox, catalog);
        }
        return run.view(guard.max(), true);
    }

    @Test
    void aRunWithoutAnythingProtectedNamesItsGaps() throws Exception {
        seed(TestCluster.create());
        RehearsalView view = played();
        assertThat(view.problems()).isEmpty();
        assertThat(view.verdict()).isEqualTo(RehearsalView.Verdict.GAPS);
        assertThat(view.gaps())
                .anySatisfy(g -> assertThat(g).contains("none is protected yet"))
                .anySatisfy(g -> assertThat(g).contains("agent of client crit"));
        assertThat(view.sandboxEpoch()).isEqualTo("2.dr");
        assertThat(view.rto().writable()).isNotNull();
        assertThat(view.rto().firstByte()).isNull();
        assertThat(view.clients())
                .extracting(RehearsalView.Client::name, RehearsalView.Client::fate)
                .containsExactly(tuple("crit", "GOES_ON"), tuple("noncrit", "SUSPENDED"));
        assertThat(view.clients().getFirst().identifiers())
                .allSatisfy(i -> assertThat(i.physical()).startsWith("127.50.4."));
    }

    /** A Replication row is missing: the refusal names the address, and the client is critical. */
    @Test
    void whatHasNoMappingIsAProblem() throws Exception {
        seed(TestCluster.create().delete(new UUID(0x4e, 1)));
        RehearsalView view = played();
        assertThat(view.verdict()).isEqualTo(RehearsalView.Verdict.FAILED);
        assertThat(view.problems())
                .singleElement()
                .satisfies(p -> assertThat(p).contains("crit", TestCluster.STORAGE));
        assertThat(view.clients().getFirst().fate()).isEqualTo("REFUSED");
    }

    @Test
    void itIsGoneWhenItIsStoppedAndWhenItCannotBeOpened() throws Exception {
        seed(TestCluster.create());
        RehearsalRun run = new RehearsalRun(new UUID(7, 7), "d1", CONFIG, 3, 1);
        try (Sandbox sandbox = open()) {
            sandbox.stop();
            assertThatThrownBy(() -> run.play(sandbox, catalog))
                    .isInstanceOf(InterruptedException.class);
        }
        assertThat(data.resolve("rehearsal")).doesNotExist();
        catalog.close();
        Files.createDirectories(data.resolve("rehearsal/left/over"));
        assertThatThrownBy(this::open).isInstanceOf(IOException.class);
        assertThat(data.resolve("rehearsal")).doesNotExist();
    }
}
