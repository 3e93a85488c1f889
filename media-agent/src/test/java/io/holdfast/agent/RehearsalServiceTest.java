package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Channel;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.DescribeRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.HelloRequest;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.RehearsalGrpc;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.SampleOrder;
import io.holdfast.agent.proto.v1.SampleReply;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.storage.StorageService;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ReadOnlyView;
import io.holdfast.chunk.memory.MemoryChunkStore;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rehearsal at an agent and a storage that serve production at the same time. */
class RehearsalServiceTest {
    private static final Epoch DRILL = new Epoch(99, Site.DR);

    @TempDir Path dir;
    private AgentFixture fixture;
    private ReadOnlyView view;
    private StorageService sandbox;
    private GrpcServerHost sandboxHost;
    private GrpcServerHost agentHost;
    private ChannelCache fromAgent;
    private ChannelCache fromSandbox;
    private ChannelCache fromNode;
    private AgentFixture.Run backup;
    private JobOrder backupOrder;

    @BeforeEach
    void start() throws Exception {
        fixture = new AgentFixture(dir.resolve("cluster"), new MemoryChunkStore(UUID.randomUUID()));
        Path source = dir.resolve("source");
        TestTree.nasty(source);
        backupOrder = fixture.backupOrder(source, "full").build();
        backup = fixture.run(backupOrder);
        fixture.acknowledge(backupOrder.getJob());

        view = new ReadOnlyView(fixture.store);
        sandbox =
                StorageService.forRehearsal(
                        view,
                        EpochGuard.create(dir.resolve("sandbox-epoch"), DRILL),
                        fixture.pki.cluster,
                        () -> Set.of("127.0.0.1"));
        sandboxHost =
                GrpcServerHost.builder(fixture.pki.member("rehearsal", "d1"))
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(sandbox, StorageService.ROLES)
                        .start();
        fromAgent = new ChannelCache(fixture.agentTls);
        agentHost =
                GrpcServerHost.builder(fixture.agentTls)
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(fixture.service)
                        .service(
                                new RehearsalService(
                                        new RehearsalService.Options(
                                                fixture.agentTls.identity(),
                                                fixture.agentKey,
                                                at -> fromAgent.channel(at, RehearsalService.ROLES),
                                                dir.resolve("cluster/agent/rehearsal"),
                                                2)),
                                RehearsalService.ROLES)
                        .start();
        fromSandbox = new ChannelCache(fixture.pki.member("rehearsal", "d1"));
        fromNode = new ChannelCache(fixture.pki.member("node", "l1"));
    }

    @AfterEach
    void stop() throws Exception {
        fromNode.close();
        fromSandbox.close();
        agentHost.close();
        fromAgent.close();
        sandboxHost.close();
        sandbox.close();
        view.close();
        fixture.close();
    }

    private Channel agent(ChannelCache as) {
        return as.channel(Endpoint.of("127.0.0.1", agentHost.port()), Set.of("agent"));
    }

    private RequestContext drill() {
        return Wire.rehearsal(fixture.pki.cluster, DRILL);
    }

    private SampleOrder.Builder order() {
        return SampleOrder.newBuilder()
                .setContext(drill())
                .setSample(Wire.bytes(UUID.randomUUID()))
                .setInput("127.0.0.1:" + sandboxHost.port() + "?READ:IP:127.0.0.1,dedupe?/x")
                .setKey(fixture.slot())
                .setPiece(backupOrder.getBackup().getPiece())
                .setPieceHeader(backup.outcome.getPieceHeader())
                .setBytes(backup.outcome.getSourceBytes());
    }

    private SampleReply sample(SampleOrder order) {
        return RehearsalGrpc.newBlockingStub(agent(fromSandbox)).sample(order);
    }

    private static ErrorDetail.Code refusal(Throwable thrown) {
        RemoteException told = Errors.of(thrown);
        assertThat(told).isInstanceOf(RemoteException.Refused.class);
        return ((RemoteException.Refused) told).code();
    }

    /** Every file below a folder, and its bytes. */
    private static Map<String, Integer> state(Path folder) throws IOException {
        Map<String, Integer> files = new TreeMap<>();
        try (var all = Files.walk(folder)) {
            for (Path path : all.toList()) {
                files.put(
                        path.toString(),
                        Files.isRegularFile(path) ? Arrays.hashCode(Files.readAllBytes(path)) : 0);
            }
        }
        return files;
    }

    @Test
    void aSampleIsRestoredHashedAndThrownAway() throws Exception {
        Map<String, Integer> before = state(dir.resolve("cluster"));
        SampleReply reply = sample(order().build());
        assertThat(reply.getProblemsList()).isEmpty();
        assertThat(reply.getFiles()).isEqualTo(backup.outcome.getFilesTotal());
        assertThat(reply.getChunks()).isGreaterThan(300);
        assertThat(state(dir.resolve("cluster"))).isEqualTo(before);
        assertThat(
                        RehearsalGrpc.newBlockingStub(agent(fromSandbox))
                                .hello(HelloRequest.newBuilder().setContext(drill()).build())
                                .getId())
                .isEqualTo(fixture.client.toString());
    }

    @Test
    void aSampleThatFailsLeavesNothing() throws Exception {
        Map<String, Integer> before = state(dir.resolve("cluster"));
        assertThat(
                        refusal(
                                catchThrowable(() ->
                                        sample(
                                                order().setPieceHeader(
                                                                Wire.bytes(
                                                                        io.holdfast.chunk.ChunkId
                                                                                .of(new byte[32])))
                                                        .build()))))
                .isEqualTo(ErrorDetail.Code.NOT_FOUND);
        assertThat(refusal(catchThrowable(() -> sample(order().setBytes(Long.MAX_VALUE).build()))))
                .isEqualTo(ErrorDetail.Code.FULL);
        assertThat(state(dir.resolve("cluster"))).isEqualTo(before);
        assertThat(sample(order().build()).getProblemsList()).isEmpty();
    }

    @Test
    void productionRefusesARehearsalsTokensByType() throws Exception {
        Map<String, Integer> before = state(dir.resolve("cluster"));
        DescribeRequest describe = DescribeRequest.newBuilder().setContext(drill()).build();
        JobOrder run =
                fixture.backupOrder(dir.resolve("source"), "full").setContext(drill()).build();
        // By certificate, whatever the context says; and by context, whatever the certificate says.
        for (ChannelCache as : new ChannelCache[] {fromSandbox, fromNode}) {
            var stub = MediaAgentGrpc.newBlockingStub(agent(as));
            assertThat(refusal(catchThrowable(() -> stub.describe(describe))))
                    .isEqualTo(ErrorDetail.Code.REHEARSAL);
            assertThat(refusal(catchThrowable(() -> stub.run(run).hasNext())))
                    .isEqualTo(ErrorDetail.Code.REHEARSAL);
            StorageClient storage =
                    new StorageClient(
                            as.channel(
                                    Endpoint.of("127.0.0.1", fixture.storageHost.port()),
                                    Set.of("node")),
                            this::drill,
                            StorageClient.Options.DEFAULT);
            assertThat(refusal(catchThrowable(storage::status)))
                    .isEqualTo(ErrorDetail.Code.REHEARSAL);
            assertThat(
                            refusal(
                                    catchThrowable(() ->
                                            storage.openSession(
                                                    UUID.randomUUID(), "", Purpose.REPLICATE))))
                    .isEqualTo(ErrorDetail.Code.REHEARSAL);
        }
        assertThat(fixture.agentGuard.max()).isEqualTo(fixture.epoch);
        assertThat(state(dir.resolve("cluster"))).isEqualTo(before);
        assertThat(fixture.backup(dir.resolve("source"), "full").outcome.getMessage()).isEmpty();
    }

    @Test
    void aSandboxRefusesProduction() {
        assertThat(
                        refusal(
                                catchThrowable(() ->
                                        RehearsalGrpc.newBlockingStub(agent(fromNode))
                                                .sample(order().build()))))
                .isEqualTo(ErrorDetail.Code.UNAUTHORIZED);
        assertThat(
                        refusal(
                                catchThrowable(() ->
                                        sample(order().setContext(fixture.context()).build()))))
                .isEqualTo(ErrorDetail.Code.REHEARSAL);
        StorageClient storage =
                new StorageClient(
                        fromNode.channel(
                                Endpoint.of("127.0.0.1", sandboxHost.port()),
                                RehearsalService.ROLES),
                        fixture::context,
                        StorageClient.Options.DEFAULT);
        assertThat(refusal(catchThrowable(storage::status))).isEqualTo(ErrorDetail.Code.REHEARSAL);
    }

    @Test
    void leftOversOfADeadAgentAreRemoved() throws Exception {
        Path left = Files.createDirectories(dir.resolve("left/behind"));
        Files.writeString(left.resolve("secret"), "x");
        Files.setPosixFilePermissions(left, Set.of());
        var _ =
                new RehearsalService(
                        new RehearsalService.Options(
                                fixture.agentTls.identity(),
                                fixture.agentKey,
                                _ -> {
                                    throw new AssertionError();
                                },
                                dir.resolve("left"),
                                1));
        assertThat(dir.resolve("left")).doesNotExist();
    }
}
