package io.holdfast.catalog;

import static io.holdfast.catalog.Rows.FIRST;
import static io.holdfast.catalog.Rows.SECOND;
import static io.holdfast.catalog.Rows.piece;
import static io.holdfast.catalog.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.GrpcTls;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The catalog over real mutual TLS on loopback. */
final class CatalogServiceTest {
    private static final UUID CLUSTER = new UUID(1, 1);
    private static CertificateAuthority authority;

    @TempDir Path folder;
    private CatalogDatabase database;
    private EpochGuard guard;
    private GrpcServerHost host;
    private final Set<UUID> missing = ConcurrentHashMap.newKeySet();
    private final List<ManagedChannel> channels = new ArrayList<>();

    @BeforeAll
    static void certify() {
        authority =
                CertificateAuthority.createRoot(
                                CLUSTER,
                                Duration.ofDays(2),
                                InstantSource.system(),
                                new SecureRandom())
                        .createIssuing("local", Duration.ofDays(1));
    }

    @BeforeEach
    void serve() throws Exception {
        database = CatalogDatabase.open(CatalogDatabaseConfig.embedded(folder));
        guard = EpochGuard.create(folder.resolve("epoch"), FIRST);
        CatalogService service =
                new CatalogService(
                        database,
                        CLUSTER,
                        guard,
                        header -> missing.stream().noneMatch(id -> header.equals(headerOf(id))));
        host =
                GrpcServerHost.builder(material(PeerIdentity.NODE))
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(service)
                        .start();
    }

    private static io.holdfast.chunk.ChunkId headerOf(UUID piece) {
        return Rows.header((int) piece.getLeastSignificantBits());
    }

    @AfterEach
    void stop() {
        channels.forEach(ManagedChannel::shutdownNow);
        host.close();
        database.close();
    }

    private static TlsMaterial material(String role) throws Exception {
        return TlsMaterial.of(
                authority.enrol(role, "l1", Duration.ofHours(1), List.of("127.0.0.1")),
                InstantSource.system());
    }

    private CatalogClient client(String role, UUID cluster, Epoch epoch) throws Exception {
        ManagedChannel channel =
                GrpcTls.channel(
                        Endpoint.of("127.0.0.1", host.port()),
                        material(role),
                        Set.of(PeerIdentity.NODE));
        channels.add(channel);
        return new CatalogClient(channel, Wire.contexts(cluster, () -> epoch));
    }

    private CatalogClient node(Epoch epoch) throws Exception {
        return client(PeerIdentity.NODE, CLUSTER, epoch);
    }

    @Test
    void everyCallArrives() throws Exception {
        CatalogClient node = node(FIRST);
        assertThat(node.record(row(1))).isEqualTo(1);
        assertThat(node.record(row(2))).isEqualTo(2);
        assertThat(node.get(piece(1))).contains(new CatalogPiece(row(1), Optional.empty()));
        assertThat(node.get(piece(9))).isEmpty();
        assertThat(node.forget(piece(1), "expired")).isEqualTo(3);
        Tombstone tombstone = new Tombstone(piece(1), "expired", FIRST);
        assertThat(node.get(piece(1))).contains(new CatalogPiece(row(1), Optional.of(tombstone)));
        assertThat(node.listAll(CatalogFilter.all().ofClient(Rows.CLIENT)))
                .containsExactly(new CatalogPiece(row(2), Optional.empty()));
        assertThat(node.listAll(CatalogFilter.all().withForgotten()))
                .containsExactly(
                        new CatalogPiece(row(2), Optional.empty()),
                        new CatalogPiece(row(1), Optional.of(tombstone)));
        CatalogPage page = node.list(CatalogFilter.all().withForgotten(), Optional.empty(), 1);
        assertThat(
                        Rows.ids(
                                node.list(CatalogFilter.all().withForgotten(), page.next(), 1)
                                        .pieces()))
                .containsExactly(piece(1));

        CatalogClient.OutboxPage outbox = node.readOutbox(0, 2);
        assertThat(outbox.database()).isEqualTo(database.incarnation());
        assertThat(outbox.lastSeq()).isEqualTo(3);
        assertThat(outbox.entries()).isEqualTo(database.readOutbox(0, 2));

        assertThat(node.apply(Rows.ORIGIN, Rows.entries(1, 4))).isEqualTo(4);
        assertThat(node.rebuild(List.of(row(1), row(30)))).isEqualTo(1);
        CatalogStatus status = node.status();
        assertThat(status).isEqualTo(database.status());
        assertThat(status.appliedSeq(Rows.ORIGIN)).isEqualTo(4);
        assertThat(status.product()).startsWith("SQLite");
    }

    @Test
    void parkedPieceIsUnavailableAndNamed() throws Exception {
        missing.add(piece(2));
        CatalogClient node = node(FIRST);
        assertThatThrownBy(() -> node.apply(Rows.ORIGIN, Rows.entries(1, 3)))
                .isInstanceOf(RemoteException.Unavailable.class)
                .hasMessageContaining(piece(2).toString())
                .hasMessageContaining("applied up to 1");
        missing.clear();
        assertThat(node.apply(Rows.ORIGIN, Rows.entries(1, 3))).isEqualTo(3);
    }

    @Test
    void refusalsSayWhy() throws Exception {
        CatalogClient node = node(FIRST);
        node.record(row(1));
        assertRefused(() -> node.record(Rows.withOwner(row(1), "eve")), ErrorDetail.Code.CORRUPT);
        assertRefused(
                () -> node.record(row(2, Rows.CLIENT, "/" + "x".repeat(4096), "main")),
                ErrorDetail.Code.REFUSED);
        assertRefused(() -> node.forget(piece(5), "expired"), ErrorDetail.Code.NOT_FOUND);
        assertRefused(() -> node.apply(Rows.ORIGIN, Rows.entries(2, 3)), ErrorDetail.Code.REFUSED);
        assertRefused(() -> node.readOutbox(0, 5000), ErrorDetail.Code.REFUSED);
        assertRefused(
                () -> client(PeerIdentity.NODE, new UUID(1, 2), FIRST).status(),
                ErrorDetail.Code.UNAUTHORIZED);
    }

    @Test
    void staleEpochIsRefusedByGuardAndByDatabase() throws Exception {
        node(SECOND).record(row(1));
        assertThat(guard.max()).isEqualTo(SECOND);
        assertThatThrownBy(() -> node(FIRST).record(row(2)))
                .isInstanceOfSatisfying(
                        RemoteException.Refused.class,
                        e -> {
                            assertThat(e.stale()).isTrue();
                            assertThat(e.maxEpoch()).contains(SECOND);
                        });
        // The same database behind a process that knows nothing yet.
        database.record(Rows.THIRD, row(3));
        assertThatThrownBy(() -> node(SECOND).record(row(4)))
                .isInstanceOfSatisfying(
                        RemoteException.Refused.class,
                        e -> assertThat(e.maxEpoch()).contains(Rows.THIRD));
        assertThat(database.get(piece(4))).isEmpty();
    }

    @Test
    void operatorReadsAndOnlyNodesWrite() throws Exception {
        node(FIRST).record(row(1));
        CatalogClient operator = client(PeerIdentity.OPERATOR, CLUSTER, FIRST);
        assertThat(operator.get(piece(1))).isPresent();
        assertThat(operator.listAll(CatalogFilter.all())).hasSize(1);
        assertThat(operator.status().pieces()).isEqualTo(1);
        assertRefused(() -> operator.record(row(2)), ErrorDetail.Code.UNAUTHORIZED);
        assertRefused(() -> operator.readOutbox(0, 1), ErrorDetail.Code.UNAUTHORIZED);
        assertRefused(
                () -> client(PeerIdentity.AGENT, CLUSTER, FIRST).status(),
                ErrorDetail.Code.UNAUTHORIZED);
    }

    @Test
    void bigRowsArePagedBelowTheMessageLimit() throws Exception {
        CatalogClient node = node(FIRST);
        Map<String, String> fields = new TreeMap<>();
        for (int i = 0; i < 300; i++) {
            fields.put("field-" + i, "x".repeat(4000));
        }
        for (int n = 1; n <= 5; n++) {
            CatalogRecord r = row(n).record();
            node.record(
                    new CatalogRow(
                            new CatalogRecord(
                                    r.piece(),
                                    r.client(),
                                    r.clientName(),
                                    r.dataPiece(),
                                    r.type(),
                                    r.owner(),
                                    r.location(),
                                    r.backupTimeMicros(),
                                    r.expiryMicros(),
                                    r.sizeBytes(),
                                    r.originCatalog(),
                                    fields),
                            row(n).header()));
        }
        assertThat(node.list(CatalogFilter.all(), Optional.empty(), 100).pieces()).hasSize(3);
        assertThat(node.listAll(CatalogFilter.all())).hasSize(5);
        assertThat(node.readOutbox(0, 100).entries()).hasSize(3);
        assertThat(node.readOutbox(3, 100).entries()).hasSize(2);
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void assertRefused(Call call, ErrorDetail.Code code) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        RemoteException.Refused.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
