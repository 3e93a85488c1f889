package io.holdfast.agent;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.AcknowledgeRequest;
import io.holdfast.agent.proto.v1.BackupOrder;
import io.holdfast.agent.proto.v1.DomainKeySlot;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.PieceFields;
import io.holdfast.agent.proto.v1.Progress;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.RestoreOrder;
import io.holdfast.agent.storage.StorageLimits;
import io.holdfast.agent.storage.StorageService;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.GrpcServerHost;
import io.holdfast.agent.tls.GrpcTls;
import io.holdfast.agent.tls.TestPki;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.KeySlot;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** A storage and an agent on loopback with real TLS, and a node that orders. */
public final class AgentFixture implements AutoCloseable {
    /** Ahead of the files' times, so that a cache trusts them without waiting. */
    public static final InstantSource AHEAD = () -> Instant.now().plusSeconds(3600);

    public final Epoch epoch = new Epoch(1, Site.LOCAL);
    public final Path dir;
    public final TestPki pki = new TestPki();
    public final UUID client = UUID.randomUUID();
    public final DomainKey key;
    public final AgentKey agentKey = AgentKey.generate();
    public final ChunkStore store;
    public final TlsMaterial agentTls;
    public final StorageService storage;
    public final GrpcServerHost storageHost;
    public final EpochGuard agentGuard;
    private final ChannelCache channels;
    private final ChannelCache nodeChannels;
    public MediaAgentService service;
    public GrpcServerHost agentHost;
    private ManagedChannel node;
    private int port;

    public AgentFixture(Path dir, ChunkStore store) throws Exception {
        this.dir = dir;
        this.store = store;
        this.key = DomainKey.generate(UUID.randomUUID(), 1, new SecureRandom());
        Files.createDirectories(dir.resolve("storage"));
        Files.createDirectories(dir.resolve("agent"));
        this.storage =
                new StorageService(
                        store,
                        EpochGuard.create(dir.resolve("storage/epoch"), epoch),
                        pki.cluster,
                        () -> Set.of("127.0.0.1"),
                        StorageLimits.DEFAULT);
        this.storageHost =
                GrpcServerHost.builder(pki.member("node", "l1"))
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(storage, StorageService.ROLES)
                        .start();
        this.agentTls = pki.member("agent", client.toString());
        this.channels = new ChannelCache(agentTls);
        this.nodeChannels = new ChannelCache(pki.member("node", "l1"));
        this.agentGuard = EpochGuard.create(dir.resolve("agent/epoch"), epoch);
        startAgent();
    }

    /** Starts the agent's service on the same data, as after a restart. */
    public void startAgent() throws Exception {
        service =
                new MediaAgentService(
                        new MediaAgentService.Options(
                                agentTls.identity(),
                                () -> Endpoint.of("127.0.0.1", port),
                                agentGuard,
                                agentKey,
                                at -> channels.channel(at, Set.of("node", "storage")),
                                dir.resolve("agent"),
                                2,
                                "test",
                                AHEAD));
        agentHost =
                GrpcServerHost.builder(agentTls)
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(service)
                        .start();
        port = agentHost.port();
        node = nodeChannels.channel(Endpoint.of("127.0.0.1", port), Set.of("agent"));
    }

    public RequestContext context() {
        return Wire.context(pki.cluster, epoch);
    }

    public MediaAgentGrpc.MediaAgentBlockingStub agent() {
        return MediaAgentGrpc.newBlockingStub(node);
    }

    /** A stub of a caller with another role. */
    public ManagedChannel as(String role) {
        return GrpcTls.channel(
                Endpoint.of("127.0.0.1", port), pki.member(role, "x1"), Set.of("agent"));
    }

    public DomainKeySlot slot() {
        return DomainKeySlot.newBuilder()
                .setDomain(Wire.bytes(key.domain()))
                .setKeyEpoch(key.keyEpoch())
                .setSlot(
                        ByteString.copyFrom(
                                KeySlot.sealForAgent(
                                        key, agentKey.publicRaw(), new SecureRandom())))
                .build();
    }

    public String agentId(String method, String location) {
        return "127.0.0.1:" + port + "?" + method + "?" + location;
    }

    public String storageId(String method) {
        return "127.0.0.1:"
                + storageHost.port()
                + "?"
                + method
                + ":IP:127.0.0.1,dedupe?/mtree/backup/"
                + client;
    }

    /** What a job said, from its order to its outcome. */
    public static final class Run {
        public final List<Progress> progress = new ArrayList<>();
        public final List<LogLine> log = new ArrayList<>();
        public Outcome outcome;

        public List<String> logOf(LogLine.Level level) {
            return log.stream()
                    .filter(l -> l.getLevel() == level)
                    .map(l -> l.getPath() + ": " + l.getMessage())
                    .toList();
        }
    }

    public static Run collect(Iterator<JobEvent> events) {
        Run run = new Run();
        while (events.hasNext()) {
            JobEvent event = events.next();
            switch (event.getEventCase()) {
                case PROGRESS -> run.progress.add(event.getProgress());
                case LOG -> run.log.add(event.getLog());
                case OUTCOME -> run.outcome = event.getOutcome();
                default -> throw new AssertionError(event);
            }
        }
        return run;
    }

    public JobOrder.Builder backupOrder(Path source, String level) {
        Chunking c = Chunking.DEFAULT;
        return JobOrder.newBuilder()
                .setContext(context())
                .setJob(Wire.bytes(UUID.randomUUID()))
                .setInput(agentId("READ", source.toString()))
                .setOutput(storageId("WRITE"))
                .setKey(slot())
                .setBackup(
                        BackupOrder.newBuilder()
                                .setPiece(Wire.bytes(UUID.randomUUID()))
                                .setLevel(level)
                                .setCompressionLevel(1)
                                .setChunking(
                                        io.holdfast.agent.proto.v1.Chunking.newBuilder()
                                                .setMin(c.minBytes())
                                                .setAverage(c.averageBytes())
                                                .setMax(c.maxBytes())
                                                .setNormalization(c.normalization()))
                                .setFields(
                                        PieceFields.newBuilder()
                                                .setClient(Wire.bytes(client))
                                                .setClientName("crit")
                                                .setDataPiece(source.toString())
                                                .setType("files/" + level)
                                                .setOwner("owner")
                                                .setLocation(storageId("READ"))
                                                .setBackupTimeMicros(1)
                                                .setExpiryMicros(Long.MAX_VALUE)
                                                .setOriginCatalog("main")));
    }

    public Run run(JobOrder order) {
        return collect(agent().run(order));
    }

    public Run backup(Path source, String level) {
        return run(backupOrder(source, level).build());
    }

    public JobOrder.Builder restoreOrder(JobOrder backup, Outcome outcome, Path target) {
        return JobOrder.newBuilder()
                .setContext(context())
                .setJob(Wire.bytes(UUID.randomUUID()))
                .setInput(storageId("READ"))
                .setOutput(agentId("WRITE", target.toString()))
                .setKey(slot())
                .setRestore(
                        RestoreOrder.newBuilder()
                                .setPiece(backup.getBackup().getPiece())
                                .setPieceHeader(outcome.getPieceHeader())
                                .setTarget(target.toString()));
    }

    public void acknowledge(ByteString job) {
        agent().acknowledge(
                        AcknowledgeRequest.newBuilder().setContext(context()).setJob(job).build());
    }

    @Override
    public void close() throws IOException {
        service.close();
        agentHost.close();
        channels.close();
        nodeChannels.close();
        storageHost.close();
        storage.close();
        store.close();
    }
}
