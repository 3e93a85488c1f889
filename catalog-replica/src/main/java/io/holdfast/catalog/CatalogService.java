package io.holdfast.catalog;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.proto.v1.Applied;
import io.holdfast.catalog.proto.v1.ApplyReply;
import io.holdfast.catalog.proto.v1.ApplyRequest;
import io.holdfast.catalog.proto.v1.CatalogGrpc;
import io.holdfast.catalog.proto.v1.ForgetReply;
import io.holdfast.catalog.proto.v1.ForgetRequest;
import io.holdfast.catalog.proto.v1.GetReply;
import io.holdfast.catalog.proto.v1.GetRequest;
import io.holdfast.catalog.proto.v1.ListReply;
import io.holdfast.catalog.proto.v1.ListRequest;
import io.holdfast.catalog.proto.v1.ReadOutboxReply;
import io.holdfast.catalog.proto.v1.ReadOutboxRequest;
import io.holdfast.catalog.proto.v1.RebuildReply;
import io.holdfast.catalog.proto.v1.RebuildRequest;
import io.holdfast.catalog.proto.v1.RecordReply;
import io.holdfast.catalog.proto.v1.RecordRequest;
import io.holdfast.catalog.proto.v1.StatusReply;
import io.holdfast.catalog.proto.v1.StatusRequest;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one {@link CatalogDatabase} as catalog.proto says. Handlers block on the database; give the
 * server an executor that may block. The database stays the caller's to close.
 *
 * <p>The epoch is checked twice: against the process's {@link EpochGuard}, and in the database in the
 * transaction of each write, so that a database that was moved or restored fences by itself.
 */
public final class CatalogService extends CatalogGrpc.CatalogImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogService.class);
    private static final Set<String> NODE = Set.of(PeerIdentity.NODE);
    private static final Set<String> READER = Set.of(PeerIdentity.NODE, PeerIdentity.OPERATOR);
    private static final int DEFAULT_LIMIT = 100;
    private static final int REPLY_BYTES = 4 << 20;

    private final CatalogDatabase database;
    private final ContextCheck check;
    private final PieceGate gate;

    /**
     * A service for one cluster.
     *
     * @param gate whether a piece's frame is durable at this site
     */
    public CatalogService(
            CatalogDatabase database, UUID cluster, EpochGuard guard, PieceGate gate) {
        this.database = database;
        this.check = new ContextCheck(cluster, guard);
        this.gate = gate;
    }

    @Override
    public void record(RecordRequest request, StreamObserver<RecordReply> reply) {
        answer(
                reply,
                () -> {
                    Epoch epoch = admit(NODE, "Catalog.Record", request.getContext());
                    CatalogRow row = CatalogCodec.row(request.getRow());
                    return RecordReply.newBuilder().setSeq(database.record(epoch, row)).build();
                });
    }

    @Override
    public void get(GetRequest request, StreamObserver<GetReply> reply) {
        answer(
                reply,
                () -> {
                    admit(READER, "Catalog.Get", request.getContext());
                    UUID id = Wire.uuid(request.getPiece(), "piece id");
                    CatalogPiece piece =
                            database.get(id)
                                    .orElseThrow(() ->
                                            new CatalogException.NotFound(
                                                    database.incarnation(), id));
                    GetReply.Builder message =
                            GetReply.newBuilder().setRow(CatalogCodec.row(piece.row()));
                    piece.forgotten()
                            .ifPresent(t -> message.setForgotten(CatalogCodec.tombstone(t)));
                    return message.build();
                });
    }

    @Override
    public void list(ListRequest request, StreamObserver<ListReply> reply) {
        answer(
                reply,
                () -> {
                    admit(READER, "Catalog.List", request.getContext());
                    CatalogPage page =
                            database.list(
                                    filter(request),
                                    request.getPageToken().isEmpty()
                                            ? Optional.empty()
                                            : Optional.of(
                                                    PageToken.decode(
                                                            request.getPageToken().toByteArray())),
                                    limit(request.getLimit()));
                    return page(page);
                });
    }

    @Override
    public void forget(ForgetRequest request, StreamObserver<ForgetReply> reply) {
        answer(
                reply,
                () -> {
                    Epoch epoch = admit(NODE, "Catalog.Forget", request.getContext());
                    UUID piece = Wire.uuid(request.getPiece(), "piece id");
                    return ForgetReply.newBuilder()
                            .setSeq(database.forget(epoch, piece, request.getReason()))
                            .build();
                });
    }

    @Override
    public void readOutbox(ReadOutboxRequest request, StreamObserver<ReadOutboxReply> reply) {
        answer(
                reply,
                () -> {
                    admit(NODE, "Catalog.ReadOutbox", request.getContext());
                    ReadOutboxReply.Builder message =
                            ReadOutboxReply.newBuilder()
                                    .setDatabase(Wire.bytes(database.incarnation()))
                                    .setLastSeq(database.lastSeq());
                    int bytes = 0;
                    for (OutboxEntry entry :
                            database.readOutbox(request.getAfterSeq(), limit(request.getLimit()))) {
                        var encoded = CatalogCodec.entry(entry);
                        bytes += encoded.getSerializedSize();
                        if (bytes > REPLY_BYTES && message.getEntriesCount() > 0) {
                            break;
                        }
                        message.addEntries(encoded);
                    }
                    return message.build();
                });
    }

    @Override
    public void apply(ApplyRequest request, StreamObserver<ApplyReply> reply) {
        answer(
                reply,
                () -> {
                    Epoch epoch = admit(NODE, "Catalog.Apply", request.getContext());
                    UUID origin = Wire.uuid(request.getOrigin(), "origin database id");
                    if (request.getEntriesCount() > CatalogDatabase.MAX_BATCH) {
                        throw new CatalogException.Refused(
                                "A batch of " + request.getEntriesCount() + " entries",
                                "Send at most " + CatalogDatabase.MAX_BATCH);
                    }
                    List<OutboxEntry> batch = new ArrayList<>(request.getEntriesCount());
                    request.getEntriesList()
                            .forEach(message -> batch.add(CatalogCodec.entry(message)));
                    return ApplyReply.newBuilder()
                            .setAppliedSeq(database.apply(epoch, origin, batch, gate))
                            .build();
                });
    }

    @Override
    public void rebuild(RebuildRequest request, StreamObserver<RebuildReply> reply) {
        answer(
                reply,
                () -> {
                    Epoch epoch = admit(NODE, "Catalog.Rebuild", request.getContext());
                    List<CatalogRow> rows = new ArrayList<>(request.getRowsCount());
                    request.getRowsList().forEach(message -> rows.add(CatalogCodec.row(message)));
                    return RebuildReply.newBuilder()
                            .setAdded(database.rebuildFrom(epoch, rows.stream()))
                            .build();
                });
    }

    @Override
    public void status(StatusRequest request, StreamObserver<StatusReply> reply) {
        answer(
                reply,
                () -> {
                    admit(READER, "Catalog.Status", request.getContext());
                    CatalogStatus status = database.status();
                    StatusReply.Builder message =
                            StatusReply.newBuilder()
                                    .setDatabase(Wire.bytes(status.database()))
                                    .setLastSeq(status.lastSeq())
                                    .setPieces(status.pieces())
                                    .setProduct(status.product());
                    status.maxEpoch().ifPresent(epoch -> message.setMaxEpoch(epoch.encoded()));
                    status.applied()
                            .forEach((origin, cursor) ->
                                    message.addApplied(
                                            Applied.newBuilder()
                                                    .setOrigin(Wire.bytes(origin))
                                                    .setSeq(cursor.seq())
                                                    .setEpoch(cursor.epoch().encoded())));
                    return message.build();
                });
    }

    private static CatalogFilter filter(ListRequest request) {
        return new CatalogFilter(
                request.hasClient()
                        ? Optional.of(Wire.uuid(request.getClient(), "client id"))
                        : Optional.empty(),
                request.hasDataPiece() ? Optional.of(request.getDataPiece()) : Optional.empty(),
                request.hasFromMicros()
                        ? OptionalLong.of(request.getFromMicros())
                        : OptionalLong.empty(),
                request.hasToMicros()
                        ? OptionalLong.of(request.getToMicros())
                        : OptionalLong.empty(),
                request.hasOriginCatalog()
                        ? Optional.of(request.getOriginCatalog())
                        : Optional.empty(),
                request.getIncludeForgotten());
    }

    /** A page that fits into a message: a long one ends early, its token says where. */
    private static ListReply page(CatalogPage page) {
        ListReply.Builder message = ListReply.newBuilder();
        int bytes = 0;
        for (CatalogPiece piece : page.pieces()) {
            var row = CatalogCodec.row(piece.row());
            bytes += row.getSerializedSize();
            if (bytes > REPLY_BYTES && message.getRowsCount() > 0) {
                CatalogPiece last = page.pieces().get(message.getRowsCount() - 1);
                PageToken token =
                        new PageToken(last.row().record().backupTimeMicros(), last.row().piece());
                return message.setNextPageToken(
                                com.google.protobuf.ByteString.copyFrom(token.encoded()))
                        .build();
            }
            message.addRows(row);
            piece.forgotten().ifPresent(t -> message.addForgotten(CatalogCodec.tombstone(t)));
        }
        page.next()
                .ifPresent(token ->
                        message.setNextPageToken(
                                com.google.protobuf.ByteString.copyFrom(token.encoded())));
        return message.build();
    }

    private static int limit(int asked) {
        return asked == 0 ? DEFAULT_LIMIT : asked;
    }

    /** Role, cluster, protocol, epoch. */
    private Epoch admit(Set<String> roles, String call, RequestContext context) {
        PeerIdentity.currentIn(roles, call);
        return check.accept(context).epoch();
    }

    private interface Handler<T> {
        T run() throws CatalogException;
    }

    private <T> void answer(StreamObserver<T> reply, Handler<T> handler) {
        T message;
        try {
            message = handler.run();
        } catch (CatalogException e) {
            reply.onError(status(e));
            return;
        } catch (FormatException e) {
            reply.onError(Errors.refused(String.valueOf(e.getMessage()), "Correct the request"));
            return;
        } catch (RuntimeException e) {
            if (!(e instanceof StatusRuntimeException)) {
                LOG.warn("Catalog database {} failed", database.incarnation(), e);
            }
            reply.onError(Errors.fromHandler(e));
            return;
        }
        reply.onNext(message);
        reply.onCompleted();
    }

    private static StatusRuntimeException status(CatalogException thrown) {
        String message = String.valueOf(thrown.getMessage());
        String next = thrown.next();
        return switch (thrown) {
            case CatalogException.StaleEpoch e ->
                    Errors.status(ErrorDetail.Code.STALE_EPOCH, message, next, e.maxEpoch());
            case CatalogException.Refused e -> Errors.refused(message, next);
            case CatalogException.NotFound e ->
                    Errors.status(ErrorDetail.Code.NOT_FOUND, message, next, null);
            case CatalogException.Corrupt e ->
                    Errors.status(ErrorDetail.Code.CORRUPT, message, next, null);
            case CatalogException.Parked e ->
                    Errors.status(ErrorDetail.Code.UNAVAILABLE, message, next, null);
            case CatalogException.Unavailable e -> {
                LOG.warn("{}", message, e);
                yield Errors.status(ErrorDetail.Code.UNAVAILABLE, message, next, null);
            }
            case CatalogException.Unknown e -> {
                LOG.warn("{}", message, e);
                yield io.grpc.Status.UNKNOWN.withDescription(message).asRuntimeException();
            }
        };
    }
}
