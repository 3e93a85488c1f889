package io.holdfast.node.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Caller;
import io.holdfast.node.api.EntryView;
import io.holdfast.node.api.ErrorView;
import io.holdfast.node.api.ExpiryView;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import io.holdfast.node.api.HealthView;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.MetricsView;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StorageView;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.standard.Endpoint;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.UUID;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * {@link NodeApi} of one node, asked over REST. A node that was not reached is {@code UNAVAILABLE}:
 * the request is certainly not done. A write whose answer did not come is {@code UNKNOWN}. Thread-safe.
 */
public final class RestClient implements NodeApi {
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final Duration QUICK = Duration.ofSeconds(3);
    private static final Duration USUAL = Duration.ofSeconds(30);
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration MOVE = Duration.ofMinutes(30);

    private final HttpClient http;
    private final Endpoint node;
    private final boolean asNode;

    private RestClient(HttpClient http, Endpoint node, boolean asNode) {
        this.http = http;
        this.node = node;
        this.asNode = asNode;
    }

    /** A pool of connections with this identity, to be shared by the clients of many nodes. */
    public static HttpClient pool(TlsMaterial tls) {
        return HttpClient.newBuilder()
                .sslContext(tls.sslContext(Set.of(PeerIdentity.NODE)))
                .connectTimeout(CONNECT)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /**
     * A client of the node at {@code node}. With an identity of role {@code node} it names the current
     * {@link Caller} as the one on whose behalf it asks.
     *
     * @param pool of {@link #pool} with {@code tls}
     */
    public static RestClient of(HttpClient pool, TlsMaterial tls, Endpoint node) {
        return new RestClient(pool, node, tls.identity().role().equals(PeerIdentity.NODE));
    }

    /** The node that is asked. */
    public Endpoint node() {
        return node;
    }

    @Override
    public StatusView status() {
        return read("/status", USUAL, new TypeReference<>() {});
    }

    @Override
    public HealthView health() {
        // A node that is DOWN answers 503 with the same body.
        HttpResponse<String> answer = send(request("/health", QUICK).GET().build(), false);
        if (answer.statusCode() != 200 && answer.statusCode() != 503) {
            throw error(answer, false);
        }
        return parse(answer, false, new TypeReference<>() {});
    }

    @Override
    public List<ResourceView> resources(@Nullable String type) {
        return read("/resources" + query("type", type), USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<ResourceView> putResource(ResourceView resource) {
        return write(
                "PUT", "/resources/" + resource.id(), resource, USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<UUID> deleteResource(UUID id) {
        return write("DELETE", "/resources/" + id, null, USUAL, new TypeReference<>() {});
    }

    @Override
    public JobView startBackup(Requests.Backup request) {
        return write("POST", "/backups", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public JobView startRestore(Requests.Restore request) {
        return write("POST", "/restores", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public List<JobView> jobs(Requests.JobFilter filter) {
        return read(
                "/jobs"
                        + query(
                                "client",
                                filter.client(),
                                "state",
                                filter.state() == null ? null : filter.state().name(),
                                "limit",
                                Integer.toString(filter.limit())),
                USUAL,
                new TypeReference<>() {});
    }

    @Override
    public JobView job(UUID id) {
        return read("/jobs/" + id, USUAL, new TypeReference<>() {});
    }

    @Override
    public JobView cancelJob(UUID id) {
        return write("POST", "/jobs/" + id + "/cancel", null, USUAL, new TypeReference<>() {});
    }

    @Override
    public List<PieceView> pieces(Requests.PieceFilter filter) {
        return read(
                "/pieces"
                        + query(
                                "client",
                                filter.client(),
                                "limit",
                                Integer.toString(filter.limit())),
                USUAL,
                new TypeReference<>() {});
    }

    @Override
    public PieceView piece(UUID id) {
        return read("/pieces/" + id, USUAL, new TypeReference<>() {});
    }

    @Override
    public List<EntryView> ls(Requests.Listing request) {
        return read(
                "/pieces/"
                        + request.piece()
                        + "/entries"
                        + query(
                                "path",
                                request.path(),
                                "recursive",
                                Boolean.toString(request.recursive()),
                                "via",
                                request.via()),
                LONG,
                new TypeReference<>() {});
    }

    @Override
    public PreflightView failoverPreflight() {
        return read("/failover/preflight", USUAL, new TypeReference<>() {});
    }

    @Override
    public FailoverView failover(Requests.Failover request) {
        return write("POST", "/failover", request, LONG, new TypeReference<>() {});
    }

    @Override
    public LossLedgerView lossLedger() {
        return read("/failover/loss-ledger", USUAL, new TypeReference<>() {});
    }

    @Override
    public SwitchoverView switchover(Requests.Switchover request) {
        return write("POST", "/switchover", request, MOVE, new TypeReference<>() {});
    }

    @Override
    public MoveView move(UUID operation) {
        return read("/moves/" + operation, QUICK, new TypeReference<>() {});
    }

    @Override
    public Saved<StatusView> autoFailover(Requests.AutoFailover request) {
        return write("POST", "/failover/automatic", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<StatusView> ackPolicy(Requests.ChooseAckPolicy request) {
        return write("POST", "/ack-policy", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public MetricsView metrics() {
        return read("/metrics", USUAL, new TypeReference<>() {});
    }

    @Override
    public ReconcileView reconcileReport() {
        return read("/reconcile", USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<ReconcileView.Setting> reconcileApply(Requests.Reapply request) {
        return write("POST", "/reconcile/apply", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<ReconcileView> reconcileSign(Requests.Sign request) {
        return write("POST", "/reconcile/sign", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public List<StorageView> storages() {
        return read("/storages", LONG, new TypeReference<>() {});
    }

    @Override
    public Saved<StorageView> storageFailover(Requests.StorageMove request) {
        return write("POST", "/storages/failover", request, LONG, new TypeReference<>() {});
    }

    @Override
    public Saved<StorageView> storageFailback(Requests.StorageMove request) {
        return write("POST", "/storages/failback", request, LONG, new TypeReference<>() {});
    }

    @Override
    public IdentifierView resolve(String identifier) {
        return read("/resolve" + query("identifier", identifier), USUAL, new TypeReference<>() {});
    }

    @Override
    public RehearsalView rehearse(Requests.Rehearsal request) {
        return write("POST", "/rehearsals", request, MOVE, new TypeReference<>() {});
    }

    @Override
    public RetentionView retention() {
        return read("/retention", LONG, new TypeReference<>() {});
    }

    @Override
    public Saved<List<ExpiryView>> expire(Requests.Expire request) {
        return write("POST", "/expiries", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public List<HoldView> holds() {
        return read("/holds", USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<HoldView> hold(Requests.Hold request) {
        return write("POST", "/holds", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public Saved<HoldView> release(Requests.Release request) {
        return write("POST", "/holds/release", request, USUAL, new TypeReference<>() {});
    }

    @Override
    public GcView gc() {
        return read("/gc", USUAL, new TypeReference<>() {});
    }

    @Override
    public GcView collect() {
        return write("POST", "/gc", null, MOVE, new TypeReference<>() {});
    }

    @Override
    public GcPlanView gcPlan() {
        return read("/gc/plan", MOVE, new TypeReference<>() {});
    }

    @Override
    public Saved<GcView> abandonSite(Requests.Abandon request) {
        return write("POST", "/sites/abandon", request, USUAL, new TypeReference<>() {});
    }

    private <T> T read(String path, Duration timeout, TypeReference<T> type) {
        HttpResponse<String> answer = send(request(path, timeout).GET().build(), false);
        if (answer.statusCode() / 100 != 2) {
            throw error(answer, false);
        }
        return parse(answer, false, type);
    }

    private <T> T write(
            String method,
            String path,
            @Nullable Object body,
            Duration timeout,
            TypeReference<T> type) {
        HttpRequest.BodyPublisher content =
                body == null
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(ApiJson.print(body));
        HttpResponse<String> answer =
                send(
                        request(path, timeout)
                                .header("Content-Type", "application/json")
                                .method(method, content)
                                .build(),
                        true);
        if (answer.statusCode() / 100 != 2) {
            throw error(answer, true);
        }
        return parse(answer, true, type);
    }

    private HttpRequest.Builder request(String path, Duration timeout) {
        HttpRequest.Builder builder =
                HttpRequest.newBuilder(URI.create("https://" + node + "/api/v1" + path))
                        .timeout(timeout)
                        .header("Accept", "application/json");
        if (asNode) {
            Caller.current()
                    .ifPresent(
                            c -> builder.header(PeerFilter.ON_BEHALF_OF, c.role() + "/" + c.id()));
        }
        return builder;
    }

    private static String query(@Nullable String... namesAndValues) {
        StringJoiner query = new StringJoiner("&", "?", "").setEmptyValue("");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            String value = namesAndValues[i + 1];
            if (value != null) {
                query.add(
                        namesAndValues[i] + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8));
            }
        }
        return query.toString();
    }

    private HttpResponse<String> send(HttpRequest request, boolean write) {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException | HttpConnectTimeoutException e) {
            String why = e.getMessage() == null ? "connection refused" : e.getMessage();
            throw problem(
                    ApiException.Kind.UNAVAILABLE,
                    "Node " + node + " was not reached (" + why + "); nothing was done.",
                    "Check that it runs: holdfast status.",
                    e);
        } catch (SSLException e) {
            throw problem(
                    ApiException.Kind.UNAVAILABLE,
                    "Node "
                            + node
                            + " and this command do not trust each other ("
                            + e.getMessage()
                            + "); nothing was done.",
                    "Check that the context belongs to this cluster and its certificate has not"
                            + " expired.",
                    e);
        } catch (HttpTimeoutException e) {
            throw lost(request, write, "no answer within " + seconds(request), e);
        } catch (IOException e) {
            throw lost(request, write, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw lost(request, write, "interrupted", e);
        }
    }

    private static String seconds(HttpRequest request) {
        return request.timeout().map(t -> t.toSeconds() + " s").orElse("the time limit");
    }

    private ApiException lost(HttpRequest request, boolean write, String why, Exception cause) {
        String what = request.method() + " " + request.uri().getPath() + " at node " + node;
        return write
                ? problem(
                        ApiException.Kind.UNKNOWN,
                        what + " may or may not have been done: " + why + ".",
                        "Look at holdfast status and holdfast jobs before you repeat it.",
                        cause)
                : problem(
                        ApiException.Kind.UNAVAILABLE,
                        what + " was not answered: " + why + ".",
                        "Try again, or ask another node.",
                        cause);
    }

    private static ApiException problem(
            ApiException.Kind kind, String message, String next, Throwable cause) {
        return new ApiException(kind, message, next, null, null, cause);
    }

    private <T> T parse(HttpResponse<String> answer, boolean write, TypeReference<T> type) {
        try {
            return ApiJson.read(answer.body(), type);
        } catch (JsonProcessingException e) {
            throw problem(
                    write ? ApiException.Kind.UNKNOWN : ApiException.Kind.FAILED,
                    "Node "
                            + node
                            + " answered something that is not understood here: "
                            + e.getOriginalMessage(),
                    "Compare the versions of node and command.",
                    e);
        }
    }

    private ApiException error(HttpResponse<String> answer, boolean write) {
        try {
            ErrorView view = ApiJson.read(answer.body(), new TypeReference<ErrorView>() {});
            return new ApiException(
                    view.kind(), view.message(), view.next(), view.epoch(), view.mode(), null);
        } catch (JsonProcessingException | RuntimeException e) {
            boolean certain = !write || answer.statusCode() < 500;
            return problem(
                    certain ? ApiException.Kind.FAILED : ApiException.Kind.UNKNOWN,
                    "Node " + node + " answered HTTP " + answer.statusCode() + " without a reason.",
                    "See that node's log.",
                    e);
        }
    }
}
