package io.holdfast.agent.tls;

import io.grpc.BindableService;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One gRPC server on one or more addresses, whose services (MediaAgent, Storage, ...) each say which
 * roles may call them. Handlers run on virtual threads.
 */
public final class GrpcServerHost implements AutoCloseable {
    private static final long GRACE_MILLIS = 2_000;

    private final Server server;

    private GrpcServerHost(Server server) {
        this.server = server;
    }

    /** A host with this identity. */
    public static Builder builder(TlsMaterial tls) {
        return new Builder(tls);
    }

    /** Collects addresses and services. */
    public static final class Builder {
        private final TlsMaterial tls;
        private final List<InetSocketAddress> addresses = new ArrayList<>();
        private final Map<BindableService, Set<String>> services = new LinkedHashMap<>();

        private Builder(TlsMaterial tls) {
            this.tls = tls;
        }

        /** Listens here; port 0 takes a free one. */
        public Builder listen(InetSocketAddress address) {
            addresses.add(address);
            return this;
        }

        /** Serves this to peers of any role but {@code rehearsal}. */
        public Builder service(BindableService service) {
            return service(service, GrpcTls.ANY_ROLE);
        }

        /** Serves this to peers of these roles. */
        public Builder service(BindableService service, Set<String> roles) {
            services.put(service, Set.copyOf(roles));
            return this;
        }

        /** Listens. @throws IOException with the addresses, when one of them is taken or not here */
        public GrpcServerHost start() throws IOException {
            if (addresses.isEmpty()) {
                throw new IllegalStateException("A server needs an address to listen at");
            }
            Server server = GrpcTls.server(addresses, tls, services);
            try {
                server.start();
            } catch (IOException e) {
                server.shutdownNow();
                Throwable cause = e.getCause() == null ? e : e.getCause();
                throw new IOException(
                        "Cannot listen at "
                                + addresses
                                + ": "
                                + cause.getMessage()
                                + ". Free the port, or configure another address",
                        e);
            }
            return new GrpcServerHost(server);
        }
    }

    /** The port of the first address, as bound. */
    public int port() {
        return server.getPort();
    }

    /** Stops accepting, waits up to two seconds for running calls, then cuts them. */
    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
                abort();
            }
        } catch (InterruptedException e) {
            abort();
            Thread.currentThread().interrupt();
        }
    }

    /** Cuts everything at once. */
    public void abort() {
        server.shutdownNow();
    }
}
