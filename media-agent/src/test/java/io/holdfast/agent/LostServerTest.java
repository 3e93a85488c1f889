package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.ByteString;
import io.holdfast.agent.AgentFixture.Run;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.DescribeRequest;
import io.holdfast.agent.proto.v1.DomainKeySlot;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.storage.StorageLimits;
import io.holdfast.agent.storage.StorageService;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.KeySlot;
import io.holdfast.chunk.memory.MemoryChunkStore;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An agent, as the program starts it, whose server dies under its job: it only listens, and never
 * chooses another server by itself. Whoever comes with a higher epoch is obeyed from then on.
 *
 * <p>What it does not promise: gRPC itself goes on trying to connect to a storage that a job could not
 * reach, without any request; an agent that was started anew does not even that.
 */
class LostServerTest {
    private static final Epoch E1 = new Epoch(1, Site.LOCAL);
    private static final Epoch E2 = new Epoch(2, Site.DR);

    /** Longer than gRPC pauses before its second attempt to connect (1 s, at random 20 % more). */
    private static final long SILENT_MILLIS = 3_000;

    @TempDir Path dir;
    private final StuckStore stuck = new StuckStore();
    private AgentFixture local;
    private ChunkStore drStore;
    private StorageService drStorage;
    private GrpcServerHost drHost;
    private ChannelCache l1;
    private ChannelCache d1;
    private AgentMain.Agent agent;
    private Path source;
    private int lost;
    private JobOrder template;

    @BeforeEach
    void start() throws Exception {
        local =
                new AgentFixture(
                        dir.resolve("local"), stuck.over(new MemoryChunkStore(UUID.randomUUID())));
        drStore = new MemoryChunkStore(UUID.randomUUID());
        drStorage =
                new StorageService(
                        drStore,
                        EpochGuard.create(dir.resolve("dr-epoch"), E2),
                        local.pki.cluster,
                        () -> Set.of("127.0.0.1"),
                        StorageLimits.DEFAULT);
        drHost =
                GrpcServerHost.builder(local.pki.member("node", "d1"))
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(drStorage, StorageService.ROLES)
                        .start();
        l1 = new ChannelCache(local.pki.member("node", "l1"));
        d1 = new ChannelCache(local.pki.member("node", "d1"));
        local.pki
                .local
                .enrol("agent", local.client.toString(), Duration.ofDays(60), List.of())
                .save(dir.resolve("identity"));
        startAgent();
        source = Files.createDirectories(dir.resolve("source"));
        Files.write(source.resolve("a"), TestTree.random(1, 1 << 20));
        lost = local.storageHost.port();
        template = local.backupOrder(source, "full").build();
    }

    private void startAgent() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = socket.getLocalPort();
        }
        Path config =
                Files.writeString(
                        dir.resolve("agent.json"),
                        "{\"listen\":\"127.0.0.1:"
                                + port
                                + "\",\"dataDir\":\"data\",\"identityDir\":\"identity\"}");
        agent = AgentMain.start(AgentConfig.load(config));
    }

    @AfterEach
    void stop() throws Exception {
        stuck.released.countDown();
        agent.close();
        l1.close();
        d1.close();
        drHost.close();
        drStorage.close();
        drStore.close();
        local.close();
    }

    private MediaAgentGrpc.MediaAgentBlockingStub of(ChannelCache node) {
        return MediaAgentGrpc.newBlockingStub(node.channel(agent.endpoint(), Set.of("agent")));
    }

    private JobOrder order(Epoch epoch, int storagePort) throws Exception {
        byte[] slot =
                KeySlot.sealForAgent(
                        local.key,
                        AgentKey.loadOrGenerate(dir.resolve("identity")).publicRaw(),
                        new SecureRandom());
        JobOrder.Builder order = template.toBuilder();
        order.getBackupBuilder().setPiece(Wire.bytes(UUID.randomUUID()));
        return order.setJob(Wire.bytes(UUID.randomUUID()))
                .setContext(Wire.context(local.pki.cluster, epoch))
                .setInput(agent.endpoint() + "?READ?" + source)
                .setOutput(order.getOutput().replace(":" + lost + "?", ":" + storagePort + "?"))
                .setKey(
                        DomainKeySlot.newBuilder()
                                .setDomain(Wire.bytes(local.key.domain()))
                                .setKeyEpoch(local.key.keyEpoch())
                                .setSlot(ByteString.copyFrom(slot)))
                .build();
    }

    private List<String> jobFiles() throws IOException {
        try (var files = Files.list(dir.resolve("data/jobs"))) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }

    /** How often somebody comes to this port within the time. */
    private static int visits(int port) throws IOException {
        int visits = 0;
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SILENT_MILLIS);
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress("127.0.0.1", port));
            while (true) {
                long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
                if (left <= 0) {
                    return visits;
                }
                socket.setSoTimeout((int) left);
                socket.accept().close();
                visits++;
            }
        } catch (SocketTimeoutException e) {
            return visits;
        }
    }

    private void staleFromL1() {
        Throwable thrown = catchThrowable(() -> AgentFixture.collect(of(l1).run(order(E1, lost))));
        RemoteException told = Errors.of(thrown);
        assertThat(told).isInstanceOf(RemoteException.Refused.class);
        assertThat(((RemoteException.Refused) told).code()).isEqualTo(ErrorDetail.Code.STALE_EPOCH);
        assertThat(((RemoteException.Refused) told).maxEpoch()).contains(E2);
    }

    @Test
    void itOnlyListensUntilAServerOfAHigherEpochComes() throws Exception {
        JobOrder first = order(E1, lost);
        Iterator<JobEvent> events = of(l1).run(first);
        assertThat(stuck.asked.await(30, TimeUnit.SECONDS)).as("the job has begun").isTrue();
        assertThat(jobFiles()).singleElement().asString().endsWith(".running");
        // The site is gone: the storage, and the node that ordered and listened.
        local.storageHost.abort();
        l1.forget(agent.endpoint());
        assertThat(catchThrowable(() -> AgentFixture.collect(events))).isNotNull();
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!jobFiles().stream().allMatch(f -> f.endsWith(".outcome"))) {
            assertThat(System.nanoTime()).as("the job ends by itself").isLessThan(until);
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(jobFiles()).hasSize(1);
        TimeUnit.MILLISECONDS.sleep(SILENT_MILLIS);
        assertThat(drStore.usage().frames()).as("sent by itself to the other site").isZero();
        assertThat(jobFiles()).as("no job begins by itself").hasSize(1);

        assertThat(
                        of(d1).describe(
                                        DescribeRequest.newBuilder()
                                                .setContext(Wire.context(local.pki.cluster, E2))
                                                .build())
                                .getMaxEpoch())
                .isEqualTo(E2.encoded());
        staleFromL1();
        Run taken = AgentFixture.collect(of(d1).run(order(E2, drHost.port())));
        assertThat(taken.outcome.getMessage()).isEmpty();
        assertThat(taken.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        assertThat(drStore.usage().frames()).isPositive();

        agent.close();
        startAgent();
        staleFromL1();
        assertThat(visits(lost)).as("of an agent that was started anew").isZero();
    }
}
