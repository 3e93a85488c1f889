package io.holdfast.agent.tls;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerTransportFilter;
import io.grpc.StatusRuntimeException;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.wire.Errors;
import java.net.SocketAddress;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the caller's {@link PeerIdentity} into {@link PeerIdentity#CURRENT}, and refuses callers that
 * have none, whose certificate is not valid at the time of the call, or whose role does not fit the
 * service. Chains are verified once for each connection.
 */
final class PeerInterceptor implements ServerInterceptor {
    private static final Logger log = LoggerFactory.getLogger(PeerInterceptor.class);
    private static final Attributes.Key<Judged> JUDGED =
            Attributes.Key.create("holdfast-judged-peer");

    private final InstantSource clock;
    private final Map<String, Set<String>> rolesOfService;

    PeerInterceptor(InstantSource clock, Map<String, Set<String>> rolesOfService) {
        this.clock = clock;
        this.rolesOfService = Map.copyOf(rolesOfService);
    }

    /** What a connection's certificates say: a peer, or why not. */
    private record Judged(PeerVerifier.@Nullable Verified peer, String refusal) {}

    /** Judges the certificates of each new connection. */
    static ServerTransportFilter judging(PeerVerifier verifier, InstantSource clock) {
        return new ServerTransportFilter() {
            @Override
            public Attributes transportReady(Attributes transport) {
                Judged judged =
                        judge(verifier, clock, transport.get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
                SocketAddress from = transport.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
                if (judged.peer() == null) {
                    log.warn("Connection from {}: {}", from, judged.refusal());
                } else {
                    log.debug("Connection from {}: {}", from, judged.peer().identity());
                }
                return transport.toBuilder().set(JUDGED, judged).build();
            }
        };
    }

    private static Judged judge(
            PeerVerifier verifier, InstantSource clock, @Nullable SSLSession session) {
        if (session == null) {
            return new Judged(null, "Refused a connection without TLS");
        }
        try {
            List<X509Certificate> chain = new ArrayList<>();
            for (Certificate certificate : session.getPeerCertificates()) {
                chain.add((X509Certificate) certificate);
            }
            return new Judged(verifier.verify(chain, clock.instant()), "");
        } catch (SSLPeerUnverifiedException e) {
            return new Judged(null, "Refused a peer without certificate");
        } catch (CertificateException e) {
            return new Judged(null, String.valueOf(e.getMessage()));
        }
    }

    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(
            ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
        PeerIdentity peer;
        try {
            peer = admit(call);
        } catch (StatusRuntimeException e) {
            log.warn(
                    "{} from {}: {}",
                    call.getMethodDescriptor().getFullMethodName(),
                    call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR),
                    e.getStatus().getDescription());
            call.close(e.getStatus(), e.getTrailers() == null ? new Metadata() : e.getTrailers());
            return new ServerCall.Listener<>() {};
        }
        return Contexts.interceptCall(
                Context.current().withValue(PeerIdentity.CURRENT, peer), call, headers, next);
    }

    private PeerIdentity admit(ServerCall<?, ?> call) {
        Judged judged = call.getAttributes().get(JUDGED);
        if (judged == null || judged.peer() == null) {
            throw unauthorized(judged == null ? "Refused an unjudged peer" : judged.refusal());
        }
        PeerVerifier.Verified verified = judged.peer();
        try {
            verified.requireValidAt(clock.instant());
        } catch (CertificateException e) {
            throw unauthorized(String.valueOf(e.getMessage()));
        }
        PeerIdentity peer = verified.identity();
        String service = String.valueOf(call.getMethodDescriptor().getServiceName());
        Set<String> roles = rolesOfService.getOrDefault(service, Set.of());
        if (!roles.contains(peer.role()) && peer.role().equals(PeerIdentity.REHEARSAL)) {
            throw Errors.status(
                    ErrorDetail.Code.REHEARSAL,
                    "Refused " + peer + ": service " + service + " is production's, for " + roles,
                    "A rehearsal talks to its own sandbox alone",
                    null);
        }
        if (!roles.contains(peer.role())) {
            throw unauthorized(
                    "Refused " + peer + ": service " + service + " is for roles " + roles);
        }
        return peer;
    }

    private static StatusRuntimeException unauthorized(String message) {
        return Errors.status(
                ErrorDetail.Code.UNAUTHORIZED,
                message,
                "Use a valid certificate of this cluster in a fitting role",
                null);
    }
}
