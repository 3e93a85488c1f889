package io.holdfast.node.rest;

import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.micronaut.context.annotation.Replaces;
import io.micronaut.http.server.netty.ssl.CertificateProvidedSslBuilder;
import io.micronaut.http.server.netty.ssl.ServerSslBuilder;
import io.micronaut.http.ssl.ServerSslConfiguration;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLException;

/**
 * The TLS of the server: the node's own key from memory, and clients of the same cluster whose
 * certificate is valid now. Every role but {@code rehearsal} may shake hands, so that {@link
 * PeerFilter} can refuse the wrong ones in words.
 */
@Singleton
@Replaces(CertificateProvidedSslBuilder.class)
final class MutualTls implements ServerSslBuilder {
    private final ServerSslConfiguration configuration;
    private final TlsMaterial tls;

    MutualTls(ServerSslConfiguration configuration, TlsMaterial tls) {
        this.configuration = configuration;
        this.tls = tls;
    }

    @Override
    public ServerSslConfiguration getSslConfiguration() {
        return configuration;
    }

    @Override
    public Optional<SslContext> build() {
        try {
            return Optional.of(
                    SslContextBuilder.forServer(tls.keyManager())
                            .trustManager(
                                    tls.trustManager(
                                            Set.of(
                                                    PeerIdentity.NODE,
                                                    PeerIdentity.STORAGE,
                                                    PeerIdentity.AGENT,
                                                    PeerIdentity.OPERATOR,
                                                    PeerIdentity.PORTAL)))
                            .clientAuth(ClientAuth.REQUIRE)
                            .protocols("TLSv1.3")
                            .build());
        } catch (SSLException e) {
            throw new IllegalStateException("Cannot use the key of " + tls.identity(), e);
        }
    }
}
