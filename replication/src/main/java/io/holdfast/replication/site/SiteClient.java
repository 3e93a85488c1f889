package io.holdfast.replication.site;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.modeswitch.SiteAck;
import io.holdfast.replication.proto.site.v1.AckReply;
import io.holdfast.replication.proto.site.v1.CloseLineageRequest;
import io.holdfast.replication.proto.site.v1.DescribeRequest;
import io.holdfast.replication.proto.site.v1.HandOverRequest;
import io.holdfast.replication.proto.site.v1.OpenLineageRequest;
import io.holdfast.replication.proto.site.v1.PromiseRequest;
import io.holdfast.replication.proto.site.v1.ReadTailRequest;
import io.holdfast.replication.proto.site.v1.RecoverReply;
import io.holdfast.replication.proto.site.v1.RecoverRequest;
import io.holdfast.replication.proto.site.v1.SiteGrpc;
import io.holdfast.replication.proto.site.v1.WitnessRequest;
import io.holdfast.replication.raft.LineageMessages;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Epoch;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Asks one other node. Each call blocks for at most the timeout and fails with a {@link
 * RemoteException}: Refused (STALE_EPOCH among them), Unavailable, or Unknown. Thread-safe; the
 * channel belongs to the caller.
 */
public final class SiteClient {
    private final Channel channel;
    private final Duration timeout;

    /**
     * A client over a channel that expects the role {@code node}.
     *
     * @param timeout for each call; reading a tail may take ten times as long
     */
    public SiteClient(Channel channel, Duration timeout) {
        this.channel = channel;
        this.timeout = timeout;
    }

    private SiteGrpc.SiteBlockingStub stub(int times) {
        return SiteGrpc.newBlockingStub(channel)
                .withDeadlineAfter(timeout.toMillis() * times, TimeUnit.MILLISECONDS);
    }

    private static <T> T call(Supplier<T> call) throws RemoteException {
        try {
            return call.get();
        } catch (RuntimeException e) {
            throw Errors.of(e);
        }
    }

    /** Who is there. */
    public SiteDescription describe(Optional<Epoch> ownEpoch) throws RemoteException {
        return call(() ->
                SiteMessages.of(
                        stub(1).describe(
                                        DescribeRequest.newBuilder()
                                                .setEpoch(SiteMessages.epoch(ownEpoch))
                                                .build())));
    }

    /**
     * What a promise brought.
     *
     * @param promise the member's promise now
     * @param incarnation of its Raft storage
     */
    public record Promised(Epoch promise, UUID incarnation) {}

    /** Raises the other's promise, durably. Harmless when repeated. */
    public Promised promise(Epoch epoch, String reason) throws RemoteException {
        return call(() -> {
            var reply =
                    stub(1).promise(
                                    PromiseRequest.newBuilder()
                                            .setEpoch(epoch.encoded())
                                            .setReason(reason)
                                            .build());
            return new Promised(
                    Epoch.decode(reply.getPromise()),
                    Wire.uuid(reply.getIncarnation(), "incarnation"));
        });
    }

    /** All the other holds of a lineage; {@code epoch} is what it has promised. */
    public Tail readTail(UUID lineage, Epoch epoch) throws RemoteException {
        return tail(ReadTailRequest.newBuilder().setLineage(Wire.bytes(lineage)), epoch);
    }

    /** All the other holds of the newest lineage that it has whole. */
    public Tail readNewestTail(Epoch epoch) throws RemoteException {
        return tail(ReadTailRequest.newBuilder(), epoch);
    }

    private Tail tail(ReadTailRequest.Builder request, Epoch epoch) throws RemoteException {
        return call(() ->
                SiteMessages.receive(stub(10).readTail(request.setEpoch(epoch.encoded()).build())));
    }

    /** Lets the other open a lineage, see {@link SiteHandler#openLineage}. */
    public long openLineage(LineageSpec spec, Epoch epoch, boolean join) throws RemoteException {
        return call(() ->
                stub(1).openLineage(
                                OpenLineageRequest.newBuilder()
                                        .setSpec(LineageMessages.toProto(spec))
                                        .setEpoch(epoch.encoded())
                                        .setJoin(join)
                                        .build())
                        .getAppliedIndex());
    }

    /** Lets the other close and archive a lineage. @return where it lies there; may be empty */
    public String closeLineage(UUID lineage, Epoch epoch, String reason) throws RemoteException {
        return call(() ->
                stub(1).closeLineage(
                                CloseLineageRequest.newBuilder()
                                        .setLineage(Wire.bytes(lineage))
                                        .setEpoch(epoch.encoded())
                                        .setReason(reason)
                                        .build())
                        .getArchive());
    }

    /** Offers completed jobs of a lineage that was left behind. Harmless when repeated. */
    public Recovered recover(Epoch epoch, UUID fromLineage, List<JobRecord> jobs)
            throws RemoteException {
        return call(() -> {
            RecoverReply reply =
                    stub(10).recover(
                                    RecoverRequest.newBuilder()
                                            .setEpoch(epoch.encoded())
                                            .setLineage(Wire.bytes(fromLineage))
                                            .addAllJobs(
                                                    jobs.stream().map(JobRecord::toProto).toList())
                                            .build());
            return new Recovered(
                    reply.getMergedList().stream().map(b -> Wire.uuid(b, "job")).toList(),
                    reply.getKnownList().stream().map(b -> Wire.uuid(b, "job")).toList());
        });
    }

    /**
     * Hands over a report of a lineage that was left behind, in parts. Harmless when repeated.
     *
     * @param member the node that hands it over
     */
    public void handOver(Epoch epoch, String member, ReturnReport report) throws RemoteException {
        ByteString bytes = report.toBytes();
        UUID id = UUID.randomUUID();
        handOver(epoch, new Command.ReportBegin(member, id, bytes.size(), sha256(bytes)));
        int sequence = 0;
        for (int at = 0; at < bytes.size(); at += Command.MAX_SEED_CHUNK) {
            int end = Math.min(bytes.size(), at + Command.MAX_SEED_CHUNK);
            handOver(epoch, new Command.ReportChunk(id, sequence++, bytes.substring(at, end)));
        }
        handOver(epoch, new Command.ReportEnd(id));
    }

    private void handOver(Epoch epoch, Command part) throws RemoteException {
        Entry entry = new Entry(UUID.randomUUID(), epoch, 0, part);
        var _ =
                call(() ->
                        stub(2).handOver(
                                        HandOverRequest.newBuilder()
                                                .setEpoch(epoch.encoded())
                                                .setEntry(entry.toBytes())
                                                .build()));
    }

    /** Asks the witness, see {@link SiteHandler#askWitness}. */
    public boolean askWitness(String candidate, Set<String> lost, long term, long question)
            throws RemoteException {
        return call(() ->
                stub(1).askWitness(
                                WitnessRequest.newBuilder()
                                        .setCandidate(candidate)
                                        .addAllLost(lost)
                                        .setTerm(term)
                                        .setQuestion(question)
                                        .build())
                        .getLost());
    }

    private static ByteString sha256(ByteString bytes) {
        try {
            return ByteString.copyFrom(
                    MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** An open stream of acknowledgements. Not thread-safe. */
    public interface AckStream extends AutoCloseable {
        /** Sends one. */
        void send(SiteAck ack);

        @Override
        void close();
    }

    /**
     * Opens a stream of acknowledgements.
     *
     * @param answers told what the leader answers
     * @param ended told once, when the stream is broken or ended by the leader
     */
    public AckStream acks(Consumer<SiteHandler.AckAnswer> answers, Consumer<Throwable> ended) {
        StreamObserver<io.holdfast.replication.proto.site.v1.SiteAck> out =
                SiteGrpc.newStub(channel)
                        .ack(
                                new StreamObserver<AckReply>() {
                                    @Override
                                    public void onNext(AckReply reply) {
                                        answers.accept(
                                                new SiteHandler.AckAnswer(
                                                        reply.getProtectedIndex(),
                                                        reply.getAdmitted()));
                                    }

                                    @Override
                                    public void onError(Throwable t) {
                                        ended.accept(t);
                                    }

                                    @Override
                                    public void onCompleted() {
                                        ended.accept(
                                                new java.io.IOException("ended by the leader"));
                                    }
                                });
        return new AckStream() {
            @Override
            public void send(SiteAck ack) {
                out.onNext(SiteMessages.toProto(ack));
            }

            @Override
            public void close() {
                out.onCompleted();
            }
        };
    }
}
