package io.holdfast.replication.site;

import com.google.protobuf.ByteString;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.replication.proto.site.v1.AckReply;
import io.holdfast.replication.proto.site.v1.CloseLineageReply;
import io.holdfast.replication.proto.site.v1.CloseLineageRequest;
import io.holdfast.replication.proto.site.v1.DescribeReply;
import io.holdfast.replication.proto.site.v1.DescribeRequest;
import io.holdfast.replication.proto.site.v1.HandOverReply;
import io.holdfast.replication.proto.site.v1.HandOverRequest;
import io.holdfast.replication.proto.site.v1.OpenLineageReply;
import io.holdfast.replication.proto.site.v1.OpenLineageRequest;
import io.holdfast.replication.proto.site.v1.PromiseReply;
import io.holdfast.replication.proto.site.v1.PromiseRequest;
import io.holdfast.replication.proto.site.v1.ReadTailRequest;
import io.holdfast.replication.proto.site.v1.RecoverReply;
import io.holdfast.replication.proto.site.v1.RecoverRequest;
import io.holdfast.replication.proto.site.v1.SiteGrpc;
import io.holdfast.replication.proto.site.v1.TailPart;
import io.holdfast.replication.proto.site.v1.WitnessReply;
import io.holdfast.replication.proto.site.v1.WitnessRequest;
import io.holdfast.replication.raft.LineageMessages;
import io.holdfast.replication.raft.SubmitException;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.Epoch;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code holdfast.site.v1.Site} over a {@link SiteHandler}. Serve it to the role {@code node} only:
 * {@code GrpcServerHost.builder(tls).service(service, Set.of(PeerIdentity.NODE))}.
 */
public final class SiteService extends SiteGrpc.SiteImplBase {
    private static final long SEND_PAUSE_NANOS = 1_000_000;

    private final SiteHandler handler;
    private final UUID incarnation;

    /** Serves a handler of the node whose Raft storage has this incarnation. */
    public SiteService(SiteHandler handler, UUID incarnation) {
        this.handler = handler;
        this.incarnation = incarnation;
    }

    private interface Answer<T> {
        T get() throws Exception;
    }

    private static <T> void answer(StreamObserver<T> to, Answer<T> answer) {
        T value;
        try {
            value = answer.get();
        } catch (Exception e) {
            to.onError(status(e));
            return;
        }
        to.onNext(value);
        to.onCompleted();
    }

    private static io.grpc.StatusRuntimeException status(Exception e) {
        return switch (e) {
            case SubmitException.Unavailable unavailable ->
                    Errors.status(
                            ErrorDetail.Code.UNAVAILABLE,
                            String.valueOf(unavailable.getMessage()),
                            "Try again later",
                            null);
            case io.holdfast.standard.FormatException format -> Errors.fromHandler(format);
            case IllegalArgumentException refused ->
                    Errors.refused(String.valueOf(refused.getMessage()), "Correct the request");
            default -> Errors.fromHandler(e);
        };
    }

    @Override
    public StreamObserver<io.holdfast.replication.proto.site.v1.SiteAck> ack(
            StreamObserver<AckReply> to) {
        return new StreamObserver<>() {
            private boolean failed;

            @Override
            public void onNext(io.holdfast.replication.proto.site.v1.SiteAck ack) {
                if (failed) {
                    return;
                }
                try {
                    SiteHandler.AckAnswer answer = handler.ack(SiteMessages.of(ack));
                    to.onNext(
                            AckReply.newBuilder()
                                    .setProtectedIndex(answer.protectedIndex())
                                    .setAdmitted(answer.admitted())
                                    .build());
                } catch (RuntimeException e) {
                    failed = true;
                    to.onError(status(e));
                }
            }

            @Override
            public void onError(Throwable t) {
                failed = true;
            }

            @Override
            public void onCompleted() {
                if (!failed) {
                    to.onCompleted();
                }
            }
        };
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeReply> to) {
        answer(
                to,
                () ->
                        SiteMessages.toProto(
                                handler.describe(SiteMessages.epoch(request.getEpoch()))));
    }

    @Override
    public void promise(PromiseRequest request, StreamObserver<PromiseReply> to) {
        answer(
                to,
                () -> {
                    Epoch promise =
                            handler.promise(
                                    SiteMessages.requireEpoch(request.getEpoch(), "promise"),
                                    request.getReason());
                    return PromiseReply.newBuilder()
                            .setPromise(promise.encoded())
                            .setIncarnation(Wire.bytes(incarnation))
                            .build();
                });
    }

    @Override
    public void readTail(ReadTailRequest request, StreamObserver<TailPart> to) {
        ServerCallStreamObserver<TailPart> call = (ServerCallStreamObserver<TailPart>) to;
        try {
            Epoch promise = SiteMessages.requireEpoch(request.getEpoch(), "promise");
            SiteMessages.send(
                    request.getLineage().isEmpty()
                            ? handler.readNewestTail(promise)
                            : handler.readTail(Wire.uuid(request.getLineage(), "lineage"), promise),
                    part -> {
                        // On a virtual thread: the receiver sets the pace.
                        while (!call.isReady() && !call.isCancelled()) {
                            LockSupport.parkNanos(SEND_PAUSE_NANOS);
                        }
                        call.onNext(part);
                    });
        } catch (Exception e) {
            to.onError(status(e));
            return;
        }
        to.onCompleted();
    }

    @Override
    public void openLineage(OpenLineageRequest request, StreamObserver<OpenLineageReply> to) {
        answer(
                to,
                () ->
                        OpenLineageReply.newBuilder()
                                .setAppliedIndex(
                                        handler.openLineage(
                                                LineageMessages.of(request.getSpec()),
                                                SiteMessages.requireEpoch(
                                                        request.getEpoch(), "epoch"),
                                                request.getJoin()))
                                .build());
    }

    @Override
    public void closeLineage(CloseLineageRequest request, StreamObserver<CloseLineageReply> to) {
        answer(
                to,
                () ->
                        CloseLineageReply.newBuilder()
                                .setArchive(
                                        handler.closeLineage(
                                                        Wire.uuid(request.getLineage(), "lineage"),
                                                        SiteMessages.requireEpoch(
                                                                request.getEpoch(), "epoch"),
                                                        request.getReason())
                                                .map(Object::toString)
                                                .orElse(""))
                                .build());
    }

    @Override
    public void recover(RecoverRequest request, StreamObserver<RecoverReply> to) {
        answer(
                to,
                () -> {
                    Recovered recovered =
                            handler.recover(
                                    SiteMessages.requireEpoch(request.getEpoch(), "epoch"),
                                    Wire.uuid(request.getLineage(), "lineage"),
                                    request.getJobsList().stream().map(JobRecord::of).toList());
                    return RecoverReply.newBuilder()
                            .addAllMerged(bytes(recovered.merged()))
                            .addAllKnown(bytes(recovered.known()))
                            .build();
                });
    }

    @Override
    public void handOver(HandOverRequest request, StreamObserver<HandOverReply> to) {
        answer(
                to,
                () -> {
                    handler.handOver(
                            SiteMessages.requireEpoch(request.getEpoch(), "epoch"),
                            Entry.parse(request.getEntry()));
                    return HandOverReply.getDefaultInstance();
                });
    }

    @Override
    public void askWitness(WitnessRequest request, StreamObserver<WitnessReply> to) {
        answer(
                to,
                () ->
                        WitnessReply.newBuilder()
                                .setLost(
                                        handler.askWitness(
                                                request.getCandidate(),
                                                Set.copyOf(request.getLostList()),
                                                request.getTerm(),
                                                request.getQuestion()))
                                .build());
    }

    private static java.util.List<ByteString> bytes(java.util.List<UUID> ids) {
        return ids.stream().map(Wire::bytes).toList();
    }
}
