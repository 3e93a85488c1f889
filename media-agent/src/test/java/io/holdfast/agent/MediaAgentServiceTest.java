package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.holdfast.agent.AgentFixture.Run;
import io.holdfast.agent.proto.v1.CancelRequest;
import io.holdfast.agent.proto.v1.DescribeReply;
import io.holdfast.agent.proto.v1.DescribeRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.Method;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.PushRequest;
import io.holdfast.agent.proto.v1.QueryRequest;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.memory.MemoryChunkStore;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may order what, and what becomes of jobs when streams, agents and chunks are lost. */
class MediaAgentServiceTest {
    @TempDir Path dir;
    MemoryChunkStore store;
    AgentFixture fixture;
    Path source;

    @BeforeEach
    void start() throws Exception {
        store = new MemoryChunkStore(UUID.randomUUID());
        fixture = new AgentFixture(dir.resolve("cluster"), store);
        source = Files.createDirectories(dir.resolve("source"));
        Files.writeString(source.resolve("a"), "a");
        Files.write(source.resolve("b"), TestTree.random(1, 2 << 20));
    }

    @AfterEach
    void stop() throws Exception {
        fixture.close();
    }

    private static RemoteException.Refused refusal(Throwable thrown) {
        RemoteException told = Errors.of(thrown);
        assertThat(told).isInstanceOf(RemoteException.Refused.class);
        return (RemoteException.Refused) told;
    }

    private RemoteException.Refused refused(JobOrder order) {
        return refusal(catchThrowable(() -> fixture.run(order)));
    }

    @Test
    void itSaysWhoItIsAndWhatItCan() {
        DescribeReply reply =
                fixture.agent()
                        .describe(
                                DescribeRequest.newBuilder().setContext(fixture.context()).build());
        assertThat(reply.getRole()).isEqualTo("agent");
        assertThat(reply.getId()).isEqualTo(fixture.client.toString());
        assertThat(reply.getPublicKey().toByteArray()).isEqualTo(fixture.agentKey.publicRaw());
        assertThat(reply.getMethodsList().stream().map(Method::getName))
                .containsExactly("READ", "WRITE", "LIST");
        assertThat(query("READ")).isTrue();
        assertThat(query("READ:snap")).isFalse();
        assertThat(
                        refusal(
                                        catchThrowable(() ->
                                                fixture.agent()
                                                        .push(
                                                                PushRequest.newBuilder()
                                                                        .setContext(
                                                                                fixture.context())
                                                                        .setMethod(
                                                                                Method.newBuilder()
                                                                                        .setName(
                                                                                                "ORACLE"))
                                                                        .build())))
                                .getMessage())
                .contains("ORACLE");
    }

    private boolean query(String method) {
        return fixture.agent()
                .query(
                        QueryRequest.newBuilder()
                                .setContext(fixture.context())
                                .setMethod(method)
                                .build())
                .getPresent();
    }

    @Test
    void onlyNodesOrderJobs() {
        for (String role : List.of("agent", "operator", "portal")) {
            ManagedChannel channel = fixture.as(role);
            try {
                Throwable thrown =
                        catchThrowable(() ->
                                AgentFixture.collect(
                                        MediaAgentGrpc.newBlockingStub(channel)
                                                .run(fixture.backupOrder(source, "full").build())));
                assertThat(refusal(thrown).code()).isEqualTo(ErrorDetail.Code.UNAUTHORIZED);
            } finally {
                channel.shutdownNow();
            }
        }
    }

    @Test
    void aStaleEpochIsRefusedForGood() throws Exception {
        Epoch higher = new Epoch(2, Site.DR);
        fixture.agent()
                .describe(
                        DescribeRequest.newBuilder()
                                .setContext(Wire.context(fixture.pki.cluster, higher))
                                .build());
        RemoteException.Refused refused = refused(fixture.backupOrder(source, "full").build());
        assertThat(refused.code()).isEqualTo(ErrorDetail.Code.STALE_EPOCH);
        assertThat(refused.maxEpoch()).contains(higher);
        assertThat(store.usage().frames()).isZero();
    }

    @Test
    void aStorageThatKnowsAHigherEpochRefusesTheJob() throws Exception {
        fixture.close();
        fixture = new AgentFixture(dir.resolve("second"), new MemoryChunkStore(UUID.randomUUID()));
        io.holdfast.agent.storage.StorageClient node =
                new io.holdfast.agent.storage.StorageClient(
                        io.holdfast.agent.tls.GrpcTls.channel(
                                io.holdfast.standard.Endpoint.of(
                                        "127.0.0.1", fixture.storageHost.port()),
                                fixture.pki.member("node", "d1"),
                                java.util.Set.of("node")),
                        Wire.contexts(fixture.pki.cluster, () -> new Epoch(2, Site.DR)),
                        io.holdfast.agent.storage.StorageClient.Options.DEFAULT);
        node.status();
        Run run = fixture.backup(source, "full");
        assertThat(run.outcome.getState()).isEqualTo(Outcome.State.REFUSED);
        assertThat(run.outcome.getMessage()).contains("2.dr");
    }

    @Test
    void ordersThatMakeNoSenseAreRefusedByName() {
        JobOrder order = fixture.backupOrder(source, "full").build();
        assertThat(refused(order.toBuilder().setInput("nonsense").build()).getMessage())
                .contains("nonsense");
        assertThat(
                        refused(order.toBuilder().setInput("127.9.9.9:1?READ?" + source).build())
                                .getMessage())
                .contains("127.9.9.9:1", "this one listens at");
        assertThat(
                        refused(
                                        order.toBuilder()
                                                .setInput(
                                                        fixture.agentId(
                                                                "READ:snap", source.toString()))
                                                .build())
                                .getMessage())
                .contains("snap");
        assertThat(
                        refused(
                                        order.toBuilder()
                                                .setInput(fixture.agentId("SQL", source.toString()))
                                                .build())
                                .getMessage())
                .contains("SQL");
        assertThat(refused(order.toBuilder().clearBackup().build()).getMessage())
                .contains("neither backup nor restore");
        JobOrder.Builder level = order.toBuilder();
        level.getBackupBuilder().setLevel("differential");
        assertThat(refused(level.build()).getMessage()).contains("differential");
        JobOrder.Builder glob = order.toBuilder();
        glob.getBackupBuilder().addExclude("[a");
        assertThat(refused(glob.build()).getMessage()).contains("[a");
        JobOrder.Builder slot = order.toBuilder();
        byte[] bytes = slot.getKey().getSlot().toByteArray();
        bytes[bytes.length - 1] ^= 1;
        slot.getKeyBuilder().setSlot(ByteString.copyFrom(bytes));
        assertThat(refused(slot.build()).getMessage()).contains("key slot");
        JobOrder.Builder domain = order.toBuilder();
        domain.getKeyBuilder().setDomain(Wire.bytes(UUID.randomUUID()));
        assertThat(refused(domain.build()).getMessage()).contains("key slot");
    }

    @Test
    void aMissingSourceAndAForeignDeviceFailInWords() {
        Run missing = fixture.backup(dir.resolve("nowhere"), "full");
        assertThat(missing.outcome.getState()).isEqualTo(Outcome.State.FAILED);
        assertThat(missing.outcome.getMessage()).contains("nowhere", "does not exist");
        JobOrder.Builder foreign = fixture.backupOrder(source, "full");
        foreign.setOutput(foreign.getOutput().replace("IP:127.0.0.1", "IP:127.3.3.3"));
        Run refused = fixture.run(foreign.build());
        assertThat(refused.outcome.getState()).isIn(Outcome.State.REFUSED, Outcome.State.FAILED);
        assertThat(refused.outcome.getMessage()).contains("127.3.3.3");
    }

    @Test
    void aStorageThatIsAwayFailsTheJob() throws Exception {
        JobOrder.Builder order = fixture.backupOrder(source, "full");
        int closed;
        try (java.net.ServerSocket socket =
                new java.net.ServerSocket(0, 1, java.net.InetAddress.getByName("127.0.0.1"))) {
            closed = socket.getLocalPort();
        }
        order.setOutput("127.0.0.1:" + closed + "?WRITE:IP:127.0.0.1,dedupe?/x");
        Run run = fixture.run(order.build());
        assertThat(run.outcome.getState()).isEqualTo(Outcome.State.FAILED);
        assertThat(run.outcome.getMessage())
                .startsWith("Storage 127.0.0.1:" + closed + " does not answer.")
                .contains("run the job again")
                .doesNotContain("UNAVAILABLE");
    }

    @Test
    void anOutcomeIsAnsweredUntilItIsAcknowledgedAlsoAfterARestart() throws Exception {
        JobOrder order = fixture.backupOrder(source, "full").build();
        Run first = fixture.run(order);
        Run again = fixture.run(order);
        assertThat(again.outcome).isEqualTo(first.outcome);

        fixture.service.close();
        fixture.agentHost.close();
        JobOrder sameJob = order;
        fixture.startAgent();
        assertThat(fixture.run(sameJob).outcome).isEqualTo(first.outcome);
        fixture.acknowledge(order.getJob());
        fixture.acknowledge(order.getJob());
        assertThat(dir.resolve("cluster/agent/jobs")).isEmptyDirectory();
    }

    @Test
    void aJobOutlivesItsStreamAndCanBeCancelled() throws Exception {
        for (int i = 0; i < 40; i++) {
            Files.write(source.resolve("f" + i), TestTree.random(i, 1 << 20));
        }
        JobOrder order = fixture.backupOrder(source, "full").build();
        Context.CancellableContext context = Context.current().withCancellation();
        context.run(() -> {
            Iterator<JobEvent> events = fixture.agent().run(order);
            assertThat(events).isNotNull();
        });
        // The order must have arrived before its stream is cut.
        while (!Files.exists(running(order)) && !Files.exists(outcome(order))) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        context.cancel(null);
        Run attached = fixture.run(order);
        assertThat(attached.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
    }

    private Path running(JobOrder order) {
        return dir.resolve("cluster/agent/jobs/" + Wire.uuid(order.getJob(), "job") + ".running");
    }

    private Path outcome(JobOrder order) {
        return dir.resolve("cluster/agent/jobs/" + Wire.uuid(order.getJob(), "job") + ".outcome");
    }

    @Test
    void aStorageThatDiesUnderAJobIsNamed() throws Exception {
        StuckStore stuck = new StuckStore();
        try (AgentFixture slow =
                new AgentFixture(
                        dir.resolve("slow"), stuck.over(new MemoryChunkStore(UUID.randomUUID())))) {
            Iterator<JobEvent> events = slow.agent().run(slow.backupOrder(source, "full").build());
            stuck.asked.await();
            int port = slow.storageHost.port();
            slow.storageHost.abort();
            Outcome outcome = AgentFixture.collect(events).outcome;
            stuck.released.countDown();
            assertThat(outcome.getState()).isEqualTo(Outcome.State.FAILED);
            assertThat(outcome.getMessage())
                    .startsWith("Storage 127.0.0.1:" + port + " does not answer.")
                    .contains("run the job again")
                    .doesNotContain("UNAVAILABLE");
        }
    }

    @Test
    void cancelStopsAJobAndAnAgentThatStopsSaysSo() throws Exception {
        StuckStore stuck = new StuckStore();
        try (AgentFixture slow =
                new AgentFixture(
                        dir.resolve("slow"), stuck.over(new MemoryChunkStore(UUID.randomUUID())))) {
            JobOrder first = slow.backupOrder(source, "full").build();
            Iterator<JobEvent> events = slow.agent().run(first);
            stuck.asked.await();
            assertThat(cancel(slow, first)).isTrue();
            stuck.released.countDown();
            assertThat(AgentFixture.collect(events).outcome.getState())
                    .isEqualTo(Outcome.State.CANCELLED);
            assertThat(cancel(slow, first)).isFalse();
        }
    }

    @Test
    void aCheckpointStopsAJobAndAnotherGoesOnWithWhatIsStored() throws Exception {
        StuckStore stuck = new StuckStore();
        try (AgentFixture slow =
                new AgentFixture(
                        dir.resolve("slow"), stuck.over(new MemoryChunkStore(UUID.randomUUID())))) {
            JobOrder first = slow.backupOrder(source, "full").build();
            Iterator<JobEvent> events = slow.agent().run(first);
            stuck.asked.await();
            assertThat(checkpoint(slow, first)).isTrue();
            assertThat(checkpoint(slow, first)).as("asked again").isTrue();
            stuck.released.countDown();
            Outcome outcome = AgentFixture.collect(events).outcome;
            assertThat(outcome.getState()).isEqualTo(Outcome.State.CHECKPOINTED);
            assertThat(outcome.getPieceHeader().isEmpty()).isTrue();
            assertThat(checkpoint(slow, first)).isFalse();
            Run next = slow.run(slow.backupOrder(source, "full").build());
            assertThat(next.outcome.getState()).isEqualTo(Outcome.State.COMPLETED);
        }
    }

    /** An operator who cancels it, whenever, does not want another one to go on with it. */
    @Test
    void aCancelledJobIsNotCheckpointed() throws Exception {
        for (boolean first : new boolean[] {true, false}) {
            StuckStore stuck = new StuckStore();
            try (AgentFixture slow =
                    new AgentFixture(
                            dir.resolve("slow-" + first),
                            stuck.over(new MemoryChunkStore(UUID.randomUUID())))) {
                JobOrder order = slow.backupOrder(source, "full").build();
                Iterator<JobEvent> events = slow.agent().run(order);
                stuck.asked.await();
                assertThat(first ? cancel(slow, order) : checkpoint(slow, order)).isTrue();
                assertThat(first ? checkpoint(slow, order) : cancel(slow, order)).isTrue();
                stuck.released.countDown();
                assertThat(AgentFixture.collect(events).outcome.getState())
                        .isEqualTo(Outcome.State.CANCELLED);
            }
        }
    }

    /** The order of a job that waits at the server, or is on its way, comes after the checkpoint. */
    @Test
    void aJobThatIsCheckpointedBeforeItIsOrderedNeverBegins() throws Exception {
        JobOrder order = fixture.backupOrder(source, "full").build();
        assertThat(checkpoint(fixture, order)).isFalse();
        assertThat(checkpoint(fixture, order)).isFalse();
        assertThat(fixture.run(order).outcome.getState()).isEqualTo(Outcome.State.CHECKPOINTED);
        assertThat(store.inventory()).isEmpty();
    }

    private static boolean checkpoint(AgentFixture at, JobOrder order) {
        return cancel(at, order, CancelRequest.Reason.CHECKPOINT);
    }

    private static boolean cancel(AgentFixture at, JobOrder order) {
        return cancel(at, order, CancelRequest.Reason.ON_REQUEST);
    }

    private static boolean cancel(AgentFixture at, JobOrder order, CancelRequest.Reason reason) {
        return at.agent()
                .cancel(
                        CancelRequest.newBuilder()
                                .setContext(at.context())
                                .setJob(order.getJob())
                                .setReason(reason)
                                .build())
                .getWasRunning();
    }

    @Test
    void aFlippedBitInTheStoreNamesItsFile() throws Exception {
        JobOrder order = fixture.backupOrder(source, "full").build();
        Run backup = fixture.run(order);
        List<io.holdfast.chunk.ChunkStore.Tailed> frames = store.inventory();
        ChunkId largest =
                frames.stream()
                        .max(java.util.Comparator.comparingInt(f -> f.frameBytes()))
                        .orElseThrow()
                        .id();
        store.damage(largest, 70_000);
        Run restore =
                fixture.run(
                        fixture.restoreOrder(order, backup.outcome, dir.resolve("target")).build());
        assertThat(restore.outcome.getState()).isEqualTo(Outcome.State.FAILED);
        assertThat(restore.outcome.getMessage()).startsWith("1 path was not restored");
        assertThat(restore.logOf(LogLine.Level.ERROR))
                .singleElement()
                .asString()
                .startsWith("b: damaged");
        assertThat(dir.resolve("target/a")).hasContent("a");
        assertThat(dir.resolve("target/b")).doesNotExist();
    }
}
