package io.holdfast.node.rest;

import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Caller;
import io.holdfast.node.api.ErrorView;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.RequestFilter;
import io.micronaut.http.annotation.ServerFilter;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Lets operators and nodes in, by the identity in their certificate; remembers who asks. */
@ServerFilter(ServerFilter.MATCH_ALL_PATTERN)
final class PeerFilter {
    /** Names the operator on whose behalf a node asks: {@code operator/NAME}. Only nodes may. */
    static final String ON_BEHALF_OF = "Holdfast-On-Behalf-Of";

    private static final String CALLER = "holdfast.caller";

    /** The caller of a request that passed. */
    static Caller caller(HttpRequest<?> request) {
        return request.getAttribute(CALLER, Caller.class)
                .orElseThrow(() -> new IllegalStateException("request passed without an identity"));
    }

    @RequestFilter
    @Nullable HttpResponse<ErrorView> check(HttpRequest<?> request) {
        PeerIdentity peer;
        try {
            X509Certificate certificate =
                    request.getCertificate()
                            .filter(X509Certificate.class::isInstance)
                            .map(X509Certificate.class::cast)
                            .orElseThrow(
                                    () -> new CertificateException("no client certificate came"));
            peer = PeerIdentity.from(certificate);
        } catch (CertificateException e) {
            return refuse(String.valueOf(e.getMessage()));
        }
        return switch (peer.role()) {
            case PeerIdentity.OPERATOR -> {
                request.setAttribute(CALLER, new Caller("operator", peer.id(), null));
                yield null;
            }
            case PeerIdentity.NODE -> {
                request.setAttribute(CALLER, onBehalf(request, peer.id()));
                yield null;
            }
            default ->
                    refuse(
                            "the REST API is for operators and nodes, and this certificate is of "
                                    + peer.role().toLowerCase(Locale.ROOT)
                                    + " "
                                    + peer.id());
        };
    }

    private static Caller onBehalf(HttpRequest<?> request, String node) {
        String value = request.getHeaders().get(ON_BEHALF_OF);
        int slash = value == null ? -1 : value.indexOf('/');
        return value == null || slash < 1
                ? new Caller("node", node, node)
                : new Caller(value.substring(0, slash), value.substring(slash + 1), node);
    }

    private static HttpResponse<ErrorView> refuse(String why) {
        return HttpResponse.<ErrorView>status(HttpStatus.FORBIDDEN)
                .body(
                        new ErrorView(
                                "forbidden",
                                ApiException.Kind.FAILED,
                                "Refused: " + why,
                                "Use the operator context that init wrote (--context).",
                                null,
                                null));
    }
}
