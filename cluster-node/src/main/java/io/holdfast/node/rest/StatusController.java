package io.holdfast.node.rest;

import io.holdfast.node.api.HealthView;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.MetricsView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.StatusView;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Produces;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The cluster, this node, an identifier, and the description of the API. */
@Controller
@ExecuteOn(TaskExecutors.BLOCKING)
class StatusController {
    private static final String OPENAPI = "META-INF/swagger/holdfast-v1.yml";

    private final NodeApi api;

    StatusController(NodeApi api) {
        this.api = api;
    }

    /** The cluster as this node sees it. */
    @Get("/api/v1/status")
    StatusView status(HttpRequest<?> request) {
        return Calls.as(request, api::status);
    }

    /** Whether this node is well: 200 when it is UP, 503 when it is DOWN. */
    @Get(uris = {"/health", "/api/v1/health"})
    HttpResponse<HealthView> health(HttpRequest<?> request) {
        HealthView health = Calls.as(request, api::health);
        return HttpResponse.<HealthView>status(
                        health.status().equals("UP")
                                ? HttpStatus.OK
                                : HttpStatus.SERVICE_UNAVAILABLE)
                .body(health);
    }

    /** This node in numbers, as a monitoring system reads them: the text format of Prometheus. */
    @Get("/metrics")
    @Produces(MetricsText.TYPE)
    String metrics(HttpRequest<?> request) {
        return MetricsText.of(Calls.as(request, api::metrics));
    }

    /** This node in numbers. */
    @Get("/api/v1/metrics")
    MetricsView metricsView(HttpRequest<?> request) {
        return Calls.as(request, api::metrics);
    }

    /** How an identifier would be dialled now. */
    @Get("/api/v1/resolve")
    IdentifierView resolve(HttpRequest<?> request, @QueryValue String identifier) {
        return Calls.as(request, () -> api.resolve(identifier));
    }

    /** This document. */
    @Get("/api/v1/openapi.yml")
    @Produces(MediaType.APPLICATION_YAML)
    @Hidden
    String openapi() throws IOException {
        try (InputStream in = getClass().getClassLoader().getResourceAsStream(OPENAPI)) {
            if (in == null) {
                throw new IOException("this build has no " + OPENAPI);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
