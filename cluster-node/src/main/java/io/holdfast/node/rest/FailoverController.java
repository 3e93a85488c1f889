package io.holdfast.node.rest;

import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.SwitchoverView;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.Optional;

/** The disaster and the way home. A failover is asked of a node of the site that shall take over. */
@Controller("/api/v1")
@ExecuteOn(TaskExecutors.BLOCKING)
class FailoverController {
    private final NodeApi api;

    FailoverController(NodeApi api) {
        this.api = api;
    }

    /** What a failover at this node would do. Changes nothing. */
    @Get("/failover/preflight")
    PreflightView preflight(HttpRequest<?> request) {
        return Calls.as(request, api::failoverPreflight);
    }

    /** Makes this node's site the active one. The operator is taken from the certificate. */
    @Post("/failover")
    FailoverView failover(HttpRequest<?> request, @Body Requests.Failover body) {
        Requests.Failover complete =
                new Requests.Failover(
                        body.force(),
                        PeerFilter.caller(request).id(),
                        Optional.ofNullable(body.reason()).orElse(""),
                        body.operation());
        return Calls.as(request, () -> api.failover(complete));
    }

    /** What was acknowledged at the lost site and is not known to be here. */
    @Get("/failover/loss-ledger")
    LossLedgerView lossLedger(HttpRequest<?> request) {
        return Calls.as(request, api::lossLedger);
    }

    /** Hands the cluster over to the other site. The operator is taken from the certificate. */
    @Post("/switchover")
    SwitchoverView switchover(HttpRequest<?> request, @Body Requests.Switchover body) {
        Requests.Switchover complete =
                new Requests.Switchover(
                        Calls.required("to", body.to()),
                        PeerFilter.caller(request).id(),
                        Optional.ofNullable(body.reason()).orElse(""),
                        body.operation());
        return Calls.as(request, () -> api.switchover(complete));
    }

    /** What became of a site that returned. */
    @Get("/reconcile")
    ReconcileView reconcile(HttpRequest<?> request) {
        return Calls.as(request, api::reconcileReport);
    }
}
