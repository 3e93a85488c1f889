package io.holdfast.node.rest;

import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StorageView;
import io.holdfast.node.api.SwitchoverView;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

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

    /** Switches automatic failover. The operator is taken from the certificate. */
    @Post("/failover/automatic")
    Saved<StatusView> autoFailover(HttpRequest<?> request, @Body Requests.AutoFailover body) {
        Requests.AutoFailover complete =
                new Requests.AutoFailover(
                        body.on(),
                        body.requires(),
                        PeerFilter.caller(request).id(),
                        Optional.ofNullable(body.reason()).orElse(""));
        return Calls.as(request, () -> api.autoFailover(complete));
    }

    /** Chooses what becomes of writes that cannot be PROTECTED; the operator is the certificate's. */
    @Post("/ack-policy")
    Saved<StatusView> ackPolicy(HttpRequest<?> request, @Body Requests.ChooseAckPolicy body) {
        Requests.ChooseAckPolicy complete =
                new Requests.ChooseAckPolicy(
                        Calls.required("policy", body.policy()),
                        PeerFilter.caller(request).id(),
                        Optional.ofNullable(body.reason()).orElse(""));
        return Calls.as(request, () -> api.ackPolicy(complete));
    }

    /** Hands the cluster over to the other site. The operator is taken from the certificate. */
    @Post("/switchover")
    SwitchoverView switchover(HttpRequest<?> request, @Body Requests.Switchover body) {
        Requests.Switchover complete =
                new Requests.Switchover(
                        Calls.required("to", body.to()),
                        PeerFilter.caller(request).id(),
                        Optional.ofNullable(body.reason()).orElse(""),
                        body.operation(),
                        body.drainSeconds(),
                        body.barrierSeconds());
        return Calls.as(request, () -> api.switchover(complete));
    }

    /** How far a failover or switchover is whose request this node has not answered yet. */
    @Get("/moves/{operation}")
    MoveView move(HttpRequest<?> request, String operation) {
        UUID id = Calls.uuid("failover or switchover", operation);
        return Calls.as(request, () -> api.move(id));
    }

    /** What became of a site that returned. */
    @Get("/reconcile")
    ReconcileView reconcile(HttpRequest<?> request) {
        return Calls.as(request, api::reconcileReport);
    }

    /** Makes one change of the returned site here too. The operator is taken from the certificate. */
    @Post("/reconcile/apply")
    Saved<ReconcileView.Setting> reapply(HttpRequest<?> request, @Body Requests.Reapply body) {
        Requests.Reapply complete =
                new Requests.Reapply(
                        Calls.required("item", body.item()),
                        body.oursVersion(),
                        PeerFilter.caller(request).id());
        return Calls.as(request, () -> api.reconcileApply(complete));
    }

    /** Signs every report of a return. The operator is taken from the certificate. */
    @Post("/reconcile/sign")
    Saved<ReconcileView> sign(HttpRequest<?> request, @Body Requests.Sign body) {
        Requests.Sign complete =
                new Requests.Sign(
                        PeerFilter.caller(request).id(),
                        Optional.ofNullable(body.reason()).orElse(""));
        return Calls.as(request, () -> api.reconcileSign(complete));
    }

    /** The storages, and which site's stores their jobs use. */
    @Get("/storages")
    List<StorageView> storages(HttpRequest<?> request) {
        return Calls.as(request, api::storages);
    }

    /** The other site's store is used in place of a lost one. */
    @Post("/storages/failover")
    Saved<StorageView> storageFailover(HttpRequest<?> request, @Body Requests.StorageMove body) {
        Requests.StorageMove complete = complete(request, body);
        return Calls.as(request, () -> api.storageFailover(complete));
    }

    /** A healed storage takes over again. */
    @Post("/storages/failback")
    Saved<StorageView> storageFailback(HttpRequest<?> request, @Body Requests.StorageMove body) {
        Requests.StorageMove complete = complete(request, body);
        return Calls.as(request, () -> api.storageFailback(complete));
    }

    private static Requests.StorageMove complete(
            HttpRequest<?> request, Requests.StorageMove body) {
        return new Requests.StorageMove(
                Calls.required("device", body.device()),
                body.force(),
                PeerFilter.caller(request).id(),
                Optional.ofNullable(body.reason()).orElse(""));
    }
}
