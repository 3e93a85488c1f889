package io.holdfast.catalog;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.proto.v1.ApplyRequest;
import io.holdfast.catalog.proto.v1.CatalogGrpc;
import io.holdfast.catalog.proto.v1.ForgetRequest;
import io.holdfast.catalog.proto.v1.GetReply;
import io.holdfast.catalog.proto.v1.GetRequest;
import io.holdfast.catalog.proto.v1.ListReply;
import io.holdfast.catalog.proto.v1.ListRequest;
import io.holdfast.catalog.proto.v1.PieceRow;
import io.holdfast.catalog.proto.v1.ReadOutboxReply;
import io.holdfast.catalog.proto.v1.ReadOutboxRequest;
import io.holdfast.catalog.proto.v1.RebuildRequest;
import io.holdfast.catalog.proto.v1.RecordRequest;
import io.holdfast.catalog.proto.v1.StatusReply;
import io.holdfast.catalog.proto.v1.StatusRequest;
import io.holdfast.standard.Epoch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The other end of {@link CatalogService}. Blocking; thread-safe. Every request may be repeated after
 * {@link RemoteException.Unknown}. The channel stays the caller's to shut down.
 */
public final class CatalogClient {
    private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(30);

    private final CatalogGrpc.CatalogBlockingStub stub;
    private final Supplier<RequestContext> contexts;
    private final Duration deadline;

    /**
     * A client with a deadline of 30 s for each call.
     *
     * @param contexts the context of each call: see {@link Wire#contexts}
     */
    public CatalogClient(Channel channel, Supplier<RequestContext> contexts) {
        this(channel, contexts, DEFAULT_DEADLINE);
    }

    /** A client with a deadline for each call; after it, the outcome is unknown. */
    public CatalogClient(Channel channel, Supplier<RequestContext> contexts, Duration deadline) {
        this.stub = CatalogGrpc.newBlockingStub(channel);
        this.contexts = contexts;
        this.deadline = deadline;
    }

    /**
     * Durable entries of a catalog's outbox.
     *
     * @param database the origin to name when applying them
     * @param entries in order, without gaps; empty when there is nothing newer
     * @param lastSeq the newest durable entry there is
     */
    public record OutboxPage(UUID database, List<OutboxEntry> entries, long lastSeq) {
        /** Copies the list. */
        public OutboxPage {
            entries = List.copyOf(entries);
        }
    }

    /** {@link CatalogDatabase#record}. */
    public long record(CatalogRow row) throws RemoteException {
        RecordRequest request =
                RecordRequest.newBuilder()
                        .setContext(contexts.get())
                        .setRow(CatalogCodec.row(row))
                        .build();
        return call(() -> stub().record(request)).getSeq();
    }

    /** {@link CatalogDatabase#get}. */
    public Optional<CatalogPiece> get(UUID piece) throws RemoteException {
        GetRequest request =
                GetRequest.newBuilder()
                        .setContext(contexts.get())
                        .setPiece(Wire.bytes(piece))
                        .build();
        GetReply reply;
        try {
            reply = call(() -> stub().get(request));
        } catch (RemoteException.Refused e) {
            if (e.code() == io.holdfast.agent.proto.v1.ErrorDetail.Code.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
        return read(() ->
                Optional.of(
                        new CatalogPiece(
                                CatalogCodec.row(reply.getRow()),
                                reply.hasForgotten()
                                        ? Optional.of(CatalogCodec.tombstone(reply.getForgotten()))
                                        : Optional.empty())));
    }

    /** {@link CatalogDatabase#list}. */
    public CatalogPage list(CatalogFilter filter, Optional<PageToken> after, int limit)
            throws RemoteException {
        ListRequest.Builder request =
                ListRequest.newBuilder()
                        .setContext(contexts.get())
                        .setLimit(limit)
                        .setIncludeForgotten(filter.includeForgotten());
        filter.client().ifPresent(id -> request.setClient(Wire.bytes(id)));
        filter.dataPiece().ifPresent(request::setDataPiece);
        filter.fromMicros().ifPresent(request::setFromMicros);
        filter.toMicros().ifPresent(request::setToMicros);
        filter.originCatalog().ifPresent(request::setOriginCatalog);
        after.ifPresent(token -> request.setPageToken(ByteString.copyFrom(token.encoded())));
        ListReply reply = call(() -> stub().list(request.build()));
        return read(() -> page(reply));
    }

    /** Every piece that passes the filter, page by page. */
    public List<CatalogPiece> listAll(CatalogFilter filter) throws RemoteException {
        List<CatalogPiece> all = new ArrayList<>();
        Optional<PageToken> next = Optional.empty();
        do {
            CatalogPage page = list(filter, next, CatalogDatabase.MAX_BATCH);
            all.addAll(page.pieces());
            next = page.next();
        } while (next.isPresent());
        return all;
    }

    /** {@link CatalogDatabase#forget}. */
    public long forget(UUID piece, String reason) throws RemoteException {
        ForgetRequest request =
                ForgetRequest.newBuilder()
                        .setContext(contexts.get())
                        .setPiece(Wire.bytes(piece))
                        .setReason(reason)
                        .build();
        return call(() -> stub().forget(request)).getSeq();
    }

    /** {@link CatalogDatabase#readOutbox}; fewer entries than {@code limit} above 4 MiB. */
    public OutboxPage readOutbox(long after, int limit) throws RemoteException {
        ReadOutboxRequest request =
                ReadOutboxRequest.newBuilder()
                        .setContext(contexts.get())
                        .setAfterSeq(after)
                        .setLimit(limit)
                        .build();
        ReadOutboxReply reply = call(() -> stub().readOutbox(request));
        return read(() ->
                new OutboxPage(
                        CatalogCodec.uuid(reply.getDatabase(), "database id"),
                        reply.getEntriesList().stream().map(CatalogCodec::entry).toList(),
                        reply.getLastSeq()));
    }

    /**
     * {@link CatalogDatabase#apply}.
     *
     * @throws RemoteException.Unavailable also while a piece is not durable there: what precedes it is
     *     applied; send the same batch again
     */
    public long apply(UUID origin, List<OutboxEntry> batch) throws RemoteException {
        ApplyRequest.Builder request =
                ApplyRequest.newBuilder().setContext(contexts.get()).setOrigin(Wire.bytes(origin));
        batch.forEach(entry -> request.addEntries(CatalogCodec.entry(entry)));
        return call(() -> stub().apply(request.build())).getAppliedSeq();
    }

    /** {@link CatalogDatabase#rebuildFrom}, at most {@link CatalogDatabase#MAX_BATCH} rows. */
    public long rebuild(List<CatalogRow> rows) throws RemoteException {
        RebuildRequest.Builder request = RebuildRequest.newBuilder().setContext(contexts.get());
        rows.forEach(row -> request.addRows(CatalogCodec.row(row)));
        return call(() -> stub().rebuild(request.build())).getAdded();
    }

    /** {@link CatalogDatabase#status}. */
    public CatalogStatus status() throws RemoteException {
        StatusRequest request = StatusRequest.newBuilder().setContext(contexts.get()).build();
        StatusReply reply = call(() -> stub().status(request));
        return read(() -> status(reply));
    }

    private static CatalogPage page(ListReply reply) {
        Map<UUID, Tombstone> forgotten = new HashMap<>();
        reply.getForgottenList()
                .forEach(message -> {
                    Tombstone tombstone = CatalogCodec.tombstone(message);
                    forgotten.put(tombstone.piece(), tombstone);
                });
        List<CatalogPiece> pieces = new ArrayList<>(reply.getRowsCount());
        for (PieceRow message : reply.getRowsList()) {
            CatalogRow row = CatalogCodec.row(message);
            pieces.add(new CatalogPiece(row, Optional.ofNullable(forgotten.get(row.piece()))));
        }
        return new CatalogPage(
                pieces,
                reply.getNextPageToken().isEmpty()
                        ? Optional.empty()
                        : Optional.of(PageToken.decode(reply.getNextPageToken().toByteArray())));
    }

    private static CatalogStatus status(StatusReply reply) {
        Map<UUID, CatalogStatus.Applied> applied = new HashMap<>();
        reply.getAppliedList()
                .forEach(cursor ->
                        applied.put(
                                CatalogCodec.uuid(cursor.getOrigin(), "origin database id"),
                                new CatalogStatus.Applied(
                                        cursor.getSeq(), Epoch.decode(cursor.getEpoch()))));
        return new CatalogStatus(
                CatalogCodec.uuid(reply.getDatabase(), "database id"),
                reply.getLastSeq(),
                reply.getMaxEpoch() == 0
                        ? Optional.empty()
                        : Optional.of(Epoch.decode(reply.getMaxEpoch())),
                reply.getPieces(),
                applied,
                reply.getProduct());
    }

    private CatalogGrpc.CatalogBlockingStub stub() {
        return stub.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static <T> T call(Supplier<T> call) throws RemoteException {
        try {
            return call.get();
        } catch (RuntimeException e) {
            throw Errors.of(e);
        }
    }

    /** An answer of impossible form: what was asked may have been done. */
    private static <T> T read(Supplier<T> reading) throws RemoteException {
        try {
            return reading.get();
        } catch (IllegalArgumentException e) {
            throw new RemoteException.Unknown(
                    "The catalog answered in a form that is not understood: " + e.getMessage(), e);
        }
    }
}
