package io.holdfast.node.rest;

import io.holdfast.node.api.ExpiryView;
import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.Saved;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How long data stays, and how its bytes go. The operator is taken from the certificate. */
@Controller("/api/v1")
@ExecuteOn(TaskExecutors.BLOCKING)
class LifetimeController {
    private final NodeApi api;

    LifetimeController(NodeApi api) {
        this.api = api;
    }

    /** The policies, and of every data piece whether it stays and why. */
    @Get("/retention")
    RetentionView retention(HttpRequest<?> request) {
        return Calls.as(request, api::retention);
    }

    /** Data pieces expire now, by name. */
    @Post("/expiries")
    Saved<List<ExpiryView>> expire(HttpRequest<?> request, @Body Requests.Expire body) {
        Requests.Expire complete =
                new Requests.Expire(
                        Calls.required("pieces", body.pieces()),
                        PeerFilter.caller(request).id(),
                        text(body.reason()));
        return Calls.as(request, () -> api.expire(complete));
    }

    /** The legal holds. */
    @Get("/holds")
    List<HoldView> holds(HttpRequest<?> request) {
        return Calls.as(request, api::holds);
    }

    /** A legal hold begins. */
    @Post("/holds")
    Saved<HoldView> hold(HttpRequest<?> request, @Body Requests.Hold body) {
        Requests.Hold complete =
                new Requests.Hold(
                        body.piece(),
                        body.client(),
                        PeerFilter.caller(request).id(),
                        text(body.reason()),
                        body.operation());
        return Calls.as(request, () -> api.hold(complete));
    }

    /** A legal hold ends. */
    @Post("/holds/release")
    Saved<HoldView> release(HttpRequest<?> request, @Body Requests.Release body) {
        Requests.Release complete =
                new Requests.Release(
                        Calls.required("hold", body.hold()),
                        PeerFilter.caller(request).id(),
                        text(body.reason()));
        return Calls.as(request, () -> api.release(complete));
    }

    /** How the collection of garbage stands. */
    @Get("/gc")
    GcView gc(HttpRequest<?> request) {
        return Calls.as(request, api::gc);
    }

    /** Expires what is due, marks and sweeps every store now. */
    @Post("/gc")
    GcView collect(HttpRequest<?> request) {
        return Calls.as(request, api::collect);
    }

    /** Why every byte of every store stays or goes. Changes nothing. */
    @Get("/gc/plan")
    GcPlanView plan(HttpRequest<?> request) {
        return Calls.as(request, api::gcPlan);
    }

    /** Declares the other site lost. */
    @Post("/sites/abandon")
    Saved<GcView> abandon(HttpRequest<?> request, @Body Requests.Abandon body) {
        Requests.Abandon complete =
                new Requests.Abandon(
                        Calls.required("site", body.site()),
                        PeerFilter.caller(request).id(),
                        text(body.reason()));
        return Calls.as(request, () -> api.abandonSite(complete));
    }

    private static String text(@Nullable String reason) {
        return Optional.ofNullable(reason).orElse("");
    }
}
