package io.holdfast.node.rest;

import io.holdfast.node.api.EntryView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Requests;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The catalog: data pieces and what is in them. */
@Controller("/api/v1/pieces")
@ExecuteOn(TaskExecutors.BLOCKING)
class PiecesController {
    private final NodeApi api;

    PiecesController(NodeApi api) {
        this.api = api;
    }

    /** Data pieces, newest first. */
    @Get
    List<PieceView> list(
            HttpRequest<?> request,
            @QueryValue @Nullable String client,
            @QueryValue(defaultValue = "100") int limit) {
        return Calls.as(request, () -> api.pieces(new Requests.PieceFilter(client, limit)));
    }

    /** One data piece. */
    @Get("/{id}")
    PieceView one(HttpRequest<?> request, String id) {
        UUID piece = Calls.uuid("data piece", id);
        return Calls.as(request, () -> api.piece(piece));
    }

    /** Entries of its tree, opened by an agent: servers have no keys. */
    @Get("/{id}/entries")
    List<EntryView> entries(
            HttpRequest<?> request,
            String id,
            @QueryValue(defaultValue = "") String path,
            @QueryValue(defaultValue = "false") boolean recursive,
            @QueryValue @Nullable String via) {
        UUID piece = Calls.uuid("data piece", id);
        return Calls.as(request, () -> api.ls(new Requests.Listing(piece, path, recursive, via)));
    }
}
