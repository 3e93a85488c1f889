package io.holdfast.node.rest;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Delete;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Put;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The resource DB: clients, groups, schedules, policies, devices, catalogs, Replication rows. */
@Controller("/api/v1/resources")
@ExecuteOn(TaskExecutors.BLOCKING)
class ResourcesController {
    private final NodeApi api;

    ResourcesController(NodeApi api) {
        this.api = api;
    }

    /** Resources by type and name. */
    @Get
    List<ResourceView> list(HttpRequest<?> request, @QueryValue @Nullable String type) {
        return Calls.as(request, () -> api.resources(type));
    }

    /** Writes a resource. Its version is the one it replaces, or -1 for whichever. */
    @Put("/{id}")
    Saved<ResourceView> put(HttpRequest<?> request, String id, @Body ResourceView resource) {
        UUID named = Calls.uuid("resource", id);
        if (!named.equals(Calls.required("id", resource.id()))) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    "The path names resource " + named + " and the body " + resource.id() + ".",
                    "Use one id in both.");
        }
        Calls.required("name", resource.name());
        Calls.required("type", resource.type());
        Calls.required("domain", resource.domain());
        Calls.required("category", resource.category());
        return Calls.as(request, () -> api.putResource(resource));
    }

    /** Deletes a resource. Refused while others name it. The result is its id. */
    @Delete("/{id}")
    Saved<UUID> delete(HttpRequest<?> request, String id) {
        UUID named = Calls.uuid("resource", id);
        return Calls.as(request, () -> api.deleteResource(named));
    }
}
