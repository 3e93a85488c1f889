package io.holdfast.node.rest;

import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.config.NodeConfig;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.exceptions.BeanInstantiationException;
import io.micronaut.http.server.exceptions.ServerStartupException;
import io.micronaut.runtime.server.EmbeddedServer;
import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.info.Info;
import java.io.IOException;
import java.util.Map;

/**
 * The HTTPS server of a node's REST API. Requests run on virtual threads and may block. Its Micronaut
 * context is its own: nothing else of the process is wired by it.
 */
@OpenAPIDefinition(
        info =
                @Info(
                        title = "holdfast",
                        version = "v1",
                        description =
                                "A disaster-recovery-first backup cluster. Mutual TLS: the client's"
                                        + " certificate carries the role operator or node. What is"
                                        + " changed is answered with its level, PROTECTED or"
                                        + " UNPROTECTED with rpoAtRisk. Errors"
                                        + " are ErrorView; 409 refused by mode or epoch, 504 outcome"
                                        + " unknown, 503 certainly not done, try later."))
public final class RestServer implements AutoCloseable {
    /** Property that the beans of this package require. */
    static final String ENABLED = "holdfast.rest";

    private static final int MAX_REQUEST_BYTES = 1 << 20;

    private final ApplicationContext context;
    private final EmbeddedServer server;

    private RestServer(ApplicationContext context, EmbeddedServer server) {
        this.context = context;
        this.server = server;
    }

    /**
     * Starts the server at the configured host and port.
     *
     * @param tls of role {@code node}
     * @throws IOException when the port is taken or the host is not an address of this machine
     */
    public static RestServer start(NodeConfig config, TlsMaterial tls, NodeApi api)
            throws IOException {
        return start(config.listen().host(), config.listen().rest(), tls, api);
    }

    /** Starts the server at a host and a port, 0 for any free one. */
    public static RestServer start(String host, int port, TlsMaterial tls, NodeApi api)
            throws IOException {
        ApplicationContext context =
                ApplicationContext.builder()
                        .deduceEnvironment(false)
                        .banner(false)
                        .singletons(api, tls)
                        .properties(
                                Map.ofEntries(
                                        Map.entry(ENABLED, true),
                                        Map.entry("micronaut.server.host", host),
                                        Map.entry("micronaut.server.ssl.enabled", true),
                                        Map.entry(
                                                "micronaut.server.ssl.port", port == 0 ? -1 : port),
                                        Map.entry(
                                                "micronaut.server.max-request-size",
                                                MAX_REQUEST_BYTES),
                                        Map.entry("micronaut.server.idle-timeout", "30m"),
                                        Map.entry("micronaut.server.read-idle-timeout", "30m"),
                                        Map.entry("micronaut.server.write-idle-timeout", "30m"),
                                        Map.entry("micronaut.server.server-header", "holdfast"),
                                        Map.entry("jackson.serialization-inclusion", "NON_NULL"),
                                        Map.entry("endpoints.all.enabled", false)))
                        .build();
        try {
            context.start();
            EmbeddedServer server = context.getBean(EmbeddedServer.class);
            server.start();
            return new RestServer(context, server);
        } catch (ServerStartupException | BeanInstantiationException e) {
            context.close();
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new IOException(
                    "The REST API cannot listen at "
                            + host
                            + ":"
                            + port
                            + ": "
                            + cause.getMessage()
                            + ". Stop what holds the port, or change listen.rest in node.yml",
                    e);
        }
    }

    /** The port that it listens at. */
    public int port() {
        return server.getPort();
    }

    /** Answers what it has, then stops. */
    @Override
    public void close() {
        server.stop();
        context.close();
    }
}
