package io.holdfast.node.rest;

import io.holdfast.node.api.JobView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.Requests;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.http.annotation.Status;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Backups, restores and their jobs. */
@Controller("/api/v1")
@ExecuteOn(TaskExecutors.BLOCKING)
class JobsController {
    private final NodeApi api;

    JobsController(NodeApi api) {
        this.api = api;
    }

    /** Starts a backup; 202 with its job. */
    @Post("/backups")
    @Status(HttpStatus.ACCEPTED)
    JobView backup(HttpRequest<?> request, @Body Requests.Backup body) {
        Calls.required("client", body.client());
        Calls.required("level", body.level());
        return Calls.as(request, () -> api.startBackup(body));
    }

    /** Starts a restore; 202 with its job. */
    @Post("/restores")
    @Status(HttpStatus.ACCEPTED)
    JobView restore(HttpRequest<?> request, @Body Requests.Restore body) {
        Calls.required("piece", body.piece());
        Calls.required("targetClient", body.targetClient());
        Calls.required("targetPath", body.targetPath());
        return Calls.as(request, () -> api.startRestore(body));
    }

    /** Jobs, newest first, without their logs. */
    @Get("/jobs")
    List<JobView> list(
            HttpRequest<?> request,
            @QueryValue @Nullable String client,
            @QueryValue JobView.@Nullable State state,
            @QueryValue(defaultValue = "100") int limit) {
        return Calls.as(request, () -> api.jobs(new Requests.JobFilter(client, state, limit)));
    }

    /** One job with its log. */
    @Get("/jobs/{id}")
    JobView one(HttpRequest<?> request, String id) {
        UUID job = Calls.uuid("job", id);
        return Calls.as(request, () -> api.job(job));
    }

    /** Asks a running job to stop. */
    @Post("/jobs/{id}/cancel")
    JobView cancel(HttpRequest<?> request, String id) {
        UUID job = Calls.uuid("job", id);
        return Calls.as(request, () -> api.cancelJob(job));
    }
}
