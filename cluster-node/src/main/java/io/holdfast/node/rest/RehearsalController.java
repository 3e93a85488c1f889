package io.holdfast.node.rest;

import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.Requests;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Post;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;

/** Rehearsals of a failover. Their reports are resources of type {@code rehearsal}. */
@Controller("/api/v1/rehearsals")
@ExecuteOn(TaskExecutors.BLOCKING)
class RehearsalController {
    private final NodeApi api;

    RehearsalController(NodeApi api) {
        this.api = api;
    }

    /** Plays a failover through in a sandbox; answers when it is gone. */
    @Post
    RehearsalView rehearse(HttpRequest<?> request, @Body Requests.Rehearsal body) {
        return Calls.as(request, () -> api.rehearse(body));
    }
}
