package io.holdfast.agent.tls;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.OpenSsl;
import io.grpc.netty.shaded.io.netty.handler.ssl.OpenSslCertificateException;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.holdfast.agent.wire.CallTracking;
import io.holdfast.agent.wire.Wire;
import io.holdfast.standard.Endpoint;
import java.net.InetSocketAddress;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * gRPC over mutual TLS 1.3 (BoringSSL where it is available, else the JDK). Messages are at most 8
 * MiB; a silent peer is noticed within 15 s.
 */
public final class GrpcTls {
    /** Window of a stream before gRPC's estimator grows it, in bytes. */
    private static final int WINDOW_BYTES = 4 << 20;

    private static final long KEEPALIVE_SECONDS = 10;
    private static final long KEEPALIVE_TIMEOUT_SECONDS = 5;
    private static final long IDLE_SECONDS = 60;
    private static final int MAX_CALLS_PER_CONNECTION = 1024;
    private static final long RECONNECT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, which becomes the alert unknown_ca. */
    private static final int ISSUER_UNKNOWN = 20;

    /** Whom a service takes when nothing else is said: everybody but the rehearsal sandbox. */
    static final Set<String> ANY_ROLE =
            Set.of(
                    PeerIdentity.NODE,
                    PeerIdentity.STORAGE,
                    PeerIdentity.AGENT,
                    PeerIdentity.OPERATOR,
                    PeerIdentity.PORTAL);

    private GrpcTls() {}

    /**
     * A server, not started, for peers of the same cluster in any role but {@code rehearsal}. Handlers
     * run on virtual threads and may block. See {@link GrpcServerHost} for roles by service.
     */
    public static Server server(
            InetSocketAddress address, TlsMaterial tls, List<BindableService> services) {
        Map<BindableService, Set<String>> roles = new HashMap<>();
        services.forEach(service -> roles.put(service, ANY_ROLE));
        return server(List.of(address), tls, roles);
    }

    static Server server(
            List<InetSocketAddress> addresses,
            TlsMaterial tls,
            Map<BindableService, Set<String>> services) {
        SslContextBuilder ssl =
                SslContextBuilder.forServer(tls.key(), tls.chain().toArray(X509Certificate[]::new))
                        .trustManager(tls.clusterTrustManager(GrpcTls::unknownAuthority))
                        .clientAuth(ClientAuth.REQUIRE);
        NettyServerBuilder builder =
                NettyServerBuilder.forAddress(addresses.get(0))
                        .sslContext(build(ssl))
                        .executor(
                                Executors.newThreadPerTaskExecutor(
                                        Thread.ofVirtual().name("grpc-", 0).factory()))
                        .maxInboundMessageSize(Wire.MAX_MESSAGE_BYTES)
                        .initialFlowControlWindow(WINDOW_BYTES)
                        .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
                        .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                        .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .permitKeepAliveTime(KEEPALIVE_SECONDS / 2, TimeUnit.SECONDS)
                        .permitKeepAliveWithoutCalls(true)
                        .addTransportFilter(PeerInterceptor.judging(tls.verifier(), tls.clock()));
        for (InetSocketAddress address : addresses.subList(1, addresses.size())) {
            builder.addListenAddress(address);
        }
        Map<String, Set<String>> roles = new HashMap<>();
        Map<ServerServiceDefinition, Set<String>> definitions = new HashMap<>();
        services.forEach((service, expected) -> definitions.put(service.bindService(), expected));
        definitions.forEach((definition, expected) ->
                roles.put(definition.getServiceDescriptor().getName(), expected));
        PeerInterceptor interceptor = new PeerInterceptor(tls.clock(), roles);
        definitions
                .keySet()
                .forEach(definition ->
                        builder.addService(ServerInterceptors.intercept(definition, interceptor)));
        return builder.build();
    }

    /**
     * A channel to an endpoint whose peer must be of the same cluster and in one of {@code
     * expectedRoles}. It connects at the first call; calls made while there is no connection fail at
     * once as Unavailable and make it try again, at most four times a second. Where nothing was called for
     * {@value #IDLE_SECONDS} s it lets go of the peer, and does not try to reach a lost one. Shut it down
     * after use.
     */
    public static ManagedChannel channel(
            Endpoint endpoint, TlsMaterial tls, Set<String> expectedRoles) {
        SslContextBuilder ssl =
                SslContextBuilder.forClient()
                        .keyManager(tls.key(), tls.chain().toArray(X509Certificate[]::new))
                        .trustManager(tls.trustManager(expectedRoles));
        Reconnecting reconnecting = new Reconnecting();
        ManagedChannel channel =
                NettyChannelBuilder.forAddress(endpoint.host(), endpoint.requirePort())
                        .sslContext(build(ssl))
                        .maxInboundMessageSize(Wire.MAX_MESSAGE_BYTES)
                        .initialFlowControlWindow(WINDOW_BYTES)
                        .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                        .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .keepAliveWithoutCalls(true)
                        .idleTimeout(IDLE_SECONDS, TimeUnit.SECONDS)
                        .disableRetry() // a retry is the caller's, with the same operation id
                        .intercept(new CallTracking(), reconnecting)
                        .build();
        reconnecting.channel.set(channel);
        return channel;
    }

    /** With BoringSSL, only this type decides which alert the peer gets to see. */
    private static CertificateException unknownAuthority(CertificateException refusal) {
        if (!OpenSsl.isAvailable()) {
            return refusal;
        }
        OpenSslCertificateException unknown =
                new OpenSslCertificateException(refusal.getMessage(), ISSUER_UNKNOWN);
        unknown.initCause(refusal);
        return unknown;
    }

    private static SslContext build(SslContextBuilder builder) {
        try {
            return GrpcSslContexts.configure(
                            builder, OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("TLS cannot be set up", e);
        }
    }

    /**
     * Cuts gRPC's growing pause between attempts short (it grows to two minutes): after a disaster the
     * peer is back long before that.
     */
    private static final class Reconnecting implements ClientInterceptor {
        private final AtomicReference<@Nullable ManagedChannel> channel = new AtomicReference<>();
        private final AtomicLong last = new AtomicLong(System.nanoTime() - RECONNECT_NANOS);

        @Override
        public <A, B> ClientCall<A, B> interceptCall(
                MethodDescriptor<A, B> method, CallOptions options, Channel next) {
            ManagedChannel managed = channel.get();
            if (managed != null && managed.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
                long before = last.get();
                long now = System.nanoTime();
                if (now - before >= RECONNECT_NANOS && last.compareAndSet(before, now)) {
                    managed.resetConnectBackoff();
                }
            }
            return next.newCall(method, options);
        }
    }
}
