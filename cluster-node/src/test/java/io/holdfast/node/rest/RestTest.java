package io.holdfast.node.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Caller;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StepView;
import io.holdfast.standard.Endpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The REST server and its client over real mutual TLS on loopback. */
class RestTest {
    private static final TestPki PKI = new TestPki(FakeNodeApi.CLUSTER);
    private static final FakeNodeApi NODE = new FakeNodeApi("l1", "ACTIVE", true);
    private static RestServer server;
    private static RestClient operator;

    @BeforeAll
    static void start() throws IOException {
        server = RestServer.start("127.0.0.1", 0, PKI.of("node", "l1"), NODE);
        operator = client(PKI.of("operator", "ada"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void clear() {
        NODE.asked.clear();
        NODE.resources.clear();
        NODE.problem = null;
        NODE.meanwhile = () -> {};
        NODE.steps = List::of;
    }

    private static RestClient client(TlsMaterial tls) {
        return RestClient.of(RestClient.pool(tls), tls, Endpoint.of("127.0.0.1", server.port()));
    }

    private static HttpResponse<String> raw(String method, String path, String body)
            throws Exception {
        try (HttpClient http = RestClient.pool(PKI.of("operator", "ada"))) {
            return http.send(
                    HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + path))
                            .header("Content-Type", "application/json")
                            .method(method, HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void everyCallArrivesAndComesBackWhole() {
        assertThat(operator.health()).isEqualTo(NODE.health());
        assertThat(operator.status()).isEqualTo(NODE.status());
        assertThat(operator.jobs(new Requests.JobFilter("crit", JobView.State.COMPLETE, 7)))
                .isEqualTo(List.of(NODE.jobIn(JobView.State.COMPLETE)));
        assertThat(operator.job(FakeNodeApi.JOB)).isEqualTo(NODE.jobIn(JobView.State.COMPLETE));
        assertThat(operator.cancelJob(FakeNodeApi.JOB).state()).isEqualTo(JobView.State.CANCELLED);
        assertThat(operator.pieces(new Requests.PieceFilter(null, 100)))
                .isEqualTo(NODE.pieces(new Requests.PieceFilter(null, 100)));
        assertThat(operator.piece(FakeNodeApi.PIECE)).isEqualTo(NODE.piece(FakeNodeApi.PIECE));
        Requests.Listing listing = new Requests.Listing(FakeNodeApi.PIECE, "docs/ä b&", true, "x");
        assertThat(operator.ls(listing)).isEqualTo(NODE.ls(listing));
        assertThat(operator.failoverPreflight()).isEqualTo(NODE.failoverPreflight());
        assertThat(operator.lossLedger()).isEqualTo(NODE.lossLedger());
        assertThat(operator.reconcileReport()).isEqualTo(ReconcileView.NONE);
        assertThat(operator.resolve("h:1?READ?/a b").logical()).isEqualTo("h:1?READ?/a b");
        assertThat(operator.startBackup(new Requests.Backup("crit", null, "full", FakeNodeApi.JOB)))
                .isEqualTo(NODE.jobIn(JobView.State.OPEN));
        assertThat(
                        operator.startRestore(
                                        new Requests.Restore(
                                                FakeNodeApi.PIECE,
                                                "crit",
                                                "/t",
                                                List.of("a"),
                                                true,
                                                null))
                                .id())
                .isEqualTo(FakeNodeApi.JOB);
        assertThat(NODE.asked)
                .contains(
                        "jobs JobFilter[client=crit, state=COMPLETE, limit=7] as operator ada",
                        "ls Listing[piece="
                                + FakeNodeApi.PIECE
                                + ", path=docs/ä b&, recursive=true, via=x] as operator ada",
                        "backup crit full null op as operator ada",
                        "restore " + FakeNodeApi.PIECE + " to crit /t [a] true as operator ada");
    }

    @Test
    void theOperatorOfAFailoverComesFromTheCertificate() {
        assertThat(operator.failover(new Requests.Failover(true, "somebody", "fire", null)).epoch())
                .isEqualTo("2.dr");
        operator.switchover(new Requests.Switchover("local", "somebody", "", null, null, null));
        operator.switchover(new Requests.Switchover("dr", "somebody", "", null, 0, 600));
        operator.autoFailover(new Requests.AutoFailover(false, "metadata", "somebody", ""));
        assertThat(NODE.asked)
                .contains("auto-failover false metadata ada as operator ada")
                .startsWith(
                        "failover true ada fire as operator ada",
                        "switchover local ada null null as operator ada",
                        "switchover dr ada 0 600 as operator ada");
    }

    @Test
    void aMoveIsToldOfWhileItsRequestIsOutstanding() throws Exception {
        UUID operation = new UUID(5, 5);
        List<StepView> steps = List.of(new StepView("promise", 12, "d1"));
        NODE.steps = () -> steps;
        AtomicReference<MoveView> seen = new AtomicReference<>();
        AtomicReference<ApiException> agent = new AtomicReference<>();
        NODE.meanwhile =
                () -> {
                    seen.set(operator.move(operation));
                    agent.set(
                            catchThrowableOfType(
                                    ApiException.class,
                                    () -> client(PKI.of("agent", "x")).move(operation)));
                };
        operator.failover(new Requests.Failover(false, "", "", operation));
        assertThat(seen.get()).isEqualTo(new MoveView(operation, steps, "reads the logs", 1400));
        assertThat(agent.get()).hasMessageContaining("for operators and nodes");
        assertThat(NODE.looked).containsExactly("operator ada");
        assertThat(NODE.asked).containsExactly("failover false ada  as operator ada");
        assertThat(raw("GET", "/api/v1/moves/" + new UUID(5, 6), "").statusCode()).isEqualTo(404);
        assertThat(raw("GET", "/api/v1/moves/17", "").statusCode()).isEqualTo(400);
    }

    @Test
    void resourcesAreWrittenListedAndDeleted() {
        UUID id = new UUID(7, 7);
        ResourceView row =
                new ResourceView(
                        id,
                        -1,
                        "",
                        "",
                        "127.0.0.1",
                        "replication",
                        Map.of("a", "b"),
                        null,
                        Map.of());
        assertThat(operator.putResource(row).result().version()).isEqualTo(5);
        assertThat(operator.resources("replication")).hasSize(1);
        assertThat(operator.resources(null)).hasSize(1);
        assertThat(operator.resources("client")).isEmpty();
        assertThat(operator.deleteResource(id).result()).isEqualTo(id);
        assertThat(NODE.resources).isEmpty();
    }

    @Test
    void aWriteSaysHowSafeItIs() throws Exception {
        Requests.Hold hold = new Requests.Hold(null, "crit", "somebody", "case", null);
        assertThat(operator.hold(hold).level()).isEqualTo(Level.PROTECTED);
        NODE.level = Level.UNPROTECTED;
        try {
            Saved<HoldView> saved = operator.hold(hold);
            assertThat(saved.level()).isEqualTo(Level.UNPROTECTED);
            assertThat(saved.rpoAtRisk()).isEqualTo(FakeNodeApi.RISK);
            assertThat(saved.index()).isEqualTo(412);
            assertThat(saved.result().reason()).isEqualTo("case 4711");
            HttpResponse<String> answer =
                    raw(
                            "POST",
                            "/api/v1/ack-policy",
                            "{\"policy\":\"protection\",\"operator\":\"eve\"}");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            JsonNode json = new ObjectMapper().readTree(answer.body());
            assertThat(json.get("level").asText()).isEqualTo("UNPROTECTED");
            assertThat(json.get("rpoAtRisk").get("changes").asLong()).isEqualTo(12);
            assertThat(json.get("rpoAtRisk").get("bytes").asLong()).isEqualTo(3_400_000);
            assertThat(json.get("result").get("ackPolicy").asText()).isEqualTo("availability");
            assertThat(NODE.asked).contains("ack-policy protection ada  as operator ada");
        } finally {
            NODE.level = Level.PROTECTED;
        }
        assertThat(raw("POST", "/api/v1/ack-policy", "{}").statusCode()).isEqualTo(400);
    }

    @Test
    void metricsAreServedAsPrometheusReadsThem() throws Exception {
        HttpResponse<String> answer = raw("GET", "/metrics", "");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type").orElse(""))
                .startsWith("text/plain")
                .contains("version=0.0.4");
        assertThat(answer.body())
                .isEqualTo(
                        """
                        # HELP holdfast_site 1; its labels say what this node is.
                        # TYPE holdfast_site gauge
                        holdfast_site{node="a\\"b\\n",role="ACTIVE"} 1.0
                        # HELP holdfast_writes_total Writes by level.
                        # TYPE holdfast_writes_total counter
                        holdfast_writes_total{level="protected"} 7.0
                        holdfast_writes_total{level="unprotected"} 0.0
                        """);
        assertThat(operator.metrics()).isEqualTo(NODE.metrics());
    }

    @Test
    void metricsAreForOperatorsAndNodesOnly() {
        ApiException agent =
                catchThrowableOfType(ApiException.class, client(PKI.of("agent", "x"))::metrics);
        assertThat(agent).hasMessageContaining("for operators and nodes");
        assertThat(NODE.asked).isEmpty();
    }

    @Test
    void aNodeAsksOnBehalfOfAnOperator() {
        RestClient node = client(PKI.of("node", "l2"));
        ScopedValue.where(Caller.CURRENT, new Caller("operator", "ada", null)).run(node::status);
        node.status();
        assertThat(NODE.asked)
                .containsExactly(
                        "status as operator ada by way of node l2",
                        "status as node l2 by way of node l2");
    }

    @Test
    void kindsBecomeStatusesAndKindsAgain() throws Exception {
        for (ApiException.Kind kind : ApiException.Kind.values()) {
            NODE.problem = new ApiException(kind, "m " + kind, "n", "3.dr", "FENCED", null);
            assertThat(raw("GET", "/api/v1/status", "").statusCode()).isEqualTo(kind.httpStatus());
            ApiException e = catchThrowableOfType(ApiException.class, operator::status);
            assertThat(e.view()).isEqualTo(NODE.problem.view());
        }
    }

    @Test
    void whatIsMalformedIsRefusedInOurForm() throws Exception {
        HttpResponse<String> answer = raw("POST", "/api/v1/backups", "{\"client\":");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("\"kind\":\"USAGE\"");
        answer = raw("POST", "/api/v1/backups", "{\"level\":\"full\"}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("The field 'client' is missing");
        answer =
                raw(
                        "POST",
                        "/api/v1/restores",
                        "{\"piece\":\""
                                + FakeNodeApi.PIECE
                                + "\",\"targetClient\":\"c\",\"targetPath\":\"/t\"}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        assertThat(raw("GET", "/api/v1/jobs/17", "").statusCode()).isEqualTo(400);
        assertThat(raw("GET", "/api/v1/jobs?state=NEVER", "").statusCode()).isEqualTo(400);
        assertThat(raw("GET", "/api/v1/jobs/" + new UUID(0, 0), "").statusCode()).isEqualTo(404);
        answer = raw("GET", "/api/v1/nothing", "");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).contains("\"kind\":\"NOT_FOUND\"").contains("/api/v1/nothing");
        answer = raw("GET", "/api/v1/resolve?identifier=%3Fx", "");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("at position 0");
    }

    @Test
    void healthAndTheDescriptionOfTheApiAreServed() throws Exception {
        assertThat(raw("GET", "/health", "").statusCode()).isEqualTo(200);
        HttpResponse<String> document = raw("GET", "/api/v1/openapi.yml", "");
        assertThat(document.statusCode()).isEqualTo(200);
        assertThat(document.body())
                .contains(
                        "openapi: 3",
                        "/api/v1/failover/preflight",
                        "/api/v1/moves/{operation}",
                        "LossLedgerView",
                        "/metrics",
                        "/api/v1/ack-policy",
                        "rpoAtRisk");
    }

    @Test
    void onlyOperatorsAndNodesOfThisClusterAreLetIn() {
        ApiException agent =
                catchThrowableOfType(ApiException.class, client(PKI.of("agent", "x"))::status);
        assertThat(agent)
                .hasMessageContaining("for operators and nodes")
                .hasMessageContaining("agent x");
        assertThat(agent.next()).contains("--context");
        for (TlsMaterial stranger :
                List.of(
                        new TestPki(new UUID(8, 8)).of("operator", "eve"),
                        new TestPki(FakeNodeApi.CLUSTER).of("operator", "eve"),
                        PKI.expired("operator", "ada"))) {
            ApiException e = catchThrowableOfType(ApiException.class, client(stranger)::status);
            assertThat(e.kind()).as(e.getMessage()).isEqualTo(ApiException.Kind.UNAVAILABLE);
        }
        assertThat(NODE.asked).isEmpty();
    }

    @Test
    void aRefusedConnectionIsCertainlyNotDone() throws Exception {
        TlsMaterial tls = PKI.of("operator", "ada");
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        RestClient nobody =
                RestClient.of(RestClient.pool(tls), tls, Endpoint.of("127.0.0.1", free));
        Requests.Backup backup = new Requests.Backup("c", null, "full", null);
        assertThat(
                        catchThrowableOfType(ApiException.class, () -> nobody.startBackup(backup))
                                .kind())
                .isEqualTo(ApiException.Kind.UNAVAILABLE);
    }

    /** A server that shakes hands, reads a little and hangs up: the request may have been done. */
    @Test
    void aLostAnswerIsUnknownForAWriteAndUnavailableForARead() throws Exception {
        TlsMaterial tls = PKI.of("operator", "ada");
        SSLContext context = PKI.of("node", "l1").sslContext();
        try (ServerSocket socket =
                context.getServerSocketFactory()
                        .createServerSocket(0, 10, InetAddress.getByName("127.0.0.1"))) {
            Thread.ofVirtual()
                    .start(() -> {
                        while (!socket.isClosed()) {
                            try (Socket peer = socket.accept()) {
                                peer.getInputStream().read(new byte[10]);
                            } catch (IOException e) {
                                // The test has ended, or the peer hung up first.
                            }
                        }
                    });
            RestClient lost =
                    RestClient.of(
                            RestClient.pool(tls),
                            tls,
                            Endpoint.of("127.0.0.1", socket.getLocalPort()));
            Requests.Backup backup = new Requests.Backup("c", null, "full", null);
            assertThat(
                            catchThrowableOfType(ApiException.class, () -> lost.startBackup(backup))
                                    .kind())
                    .isEqualTo(ApiException.Kind.UNKNOWN);
            assertThat(catchThrowableOfType(ApiException.class, lost::status).kind())
                    .isEqualTo(ApiException.Kind.UNAVAILABLE);
        }
    }

    @Test
    void aTakenPortIsNamed() {
        assertThatThrownBy(() ->
                        RestServer.start("127.0.0.1", server.port(), PKI.of("node", "l1"), NODE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:" + server.port())
                .hasMessageContaining("listen.rest");
    }
}
