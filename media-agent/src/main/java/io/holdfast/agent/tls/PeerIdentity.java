package io.holdfast.agent.tls;

import io.grpc.Context;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.wire.Errors;
import io.holdfast.standard.FormatException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who a peer is: the URI {@code holdfast://<cluster>/<role>/<id>} of its certificate.
 *
 * @param cluster the cluster that certified it
 * @param role one of {@link #ROLES}
 * @param id node name, client UUID or operator name; letters, digits and {@code ._@-}
 */
public record PeerIdentity(UUID cluster, String role, String id) {
    /** A server node. */
    public static final String NODE = "node";

    /** A storage that is not part of a node. */
    public static final String STORAGE = "storage";

    /** A media agent of a client. */
    public static final String AGENT = "agent";

    /** A person's or program's command line. */
    public static final String OPERATOR = "operator";

    /** The data owners' portal. */
    public static final String PORTAL = "portal";

    /** The sandbox beside production: no production service takes it. */
    public static final String REHEARSAL = "rehearsal";

    /** All roles. */
    public static final Set<String> ROLES =
            Set.of(NODE, STORAGE, AGENT, OPERATOR, PORTAL, REHEARSAL);

    /** In a gRPC handler of {@link GrpcServerHost}: who calls. */
    public static final Context.Key<PeerIdentity> CURRENT = Context.key("holdfast-peer");

    private static final Pattern URI =
            Pattern.compile("holdfast://([0-9a-f-]{36})/([a-z]{1,16})/([A-Za-z0-9._@-]{1,100})");
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._@-]{1,100}");
    private static final int URI_NAME = 6;

    /** Checks role and id. */
    public PeerIdentity {
        if (!ROLES.contains(role)) {
            throw new FormatException("role", role, 0, "one of " + ROLES);
        }
        if (!ID.matcher(id).matches()) {
            throw new FormatException("peer id", id, 0, "1 to 100 letters, digits or ._@-");
        }
    }

    /** Reads {@link #uri()}. */
    public static PeerIdentity parse(String uri) {
        Matcher matcher = URI.matcher(uri);
        if (!matcher.matches()) {
            throw new FormatException("peer URI", uri, 0, "holdfast://CLUSTER-UUID/ROLE/ID");
        }
        return new PeerIdentity(
                UUID.fromString(matcher.group(1)), matcher.group(2), matcher.group(3));
    }

    /**
     * Reads the one holdfast URI among a certificate's alternative names.
     *
     * @throws CertificateException when there is none, more than one, or one of unknown form
     */
    public static PeerIdentity from(X509Certificate certificate) throws CertificateException {
        Collection<List<?>> names;
        try {
            names = certificate.getSubjectAlternativeNames();
        } catch (CertificateParsingException e) {
            throw new CertificateException(
                    "Refused certificate "
                            + certificate.getSubjectX500Principal()
                            + ": its alternative names are unreadable",
                    e);
        }
        List<String> uris =
                names == null
                        ? List.of()
                        : names.stream()
                                .filter(name -> Integer.valueOf(URI_NAME).equals(name.get(0)))
                                .map(name -> String.valueOf(name.get(1)))
                                .filter(uri -> uri.startsWith("holdfast:"))
                                .toList();
        if (uris.size() != 1) {
            throw new CertificateException(
                    "Refused certificate "
                            + certificate.getSubjectX500Principal()
                            + ": it carries "
                            + uris.size()
                            + " URIs holdfast://CLUSTER/ROLE/ID, expected one");
        }
        try {
            return parse(uris.get(0));
        } catch (IllegalArgumentException e) {
            throw new CertificateException(
                    "Refused certificate "
                            + certificate.getSubjectX500Principal()
                            + ": "
                            + e.getMessage(),
                    e);
        }
    }

    /**
     * Who calls, in a gRPC handler.
     *
     * @throws io.grpc.StatusRuntimeException UNAUTHORIZED when nobody has been identified
     */
    public static PeerIdentity current() {
        PeerIdentity peer = CURRENT.get();
        if (peer == null) {
            throw Errors.status(
                    ErrorDetail.Code.UNAUTHORIZED,
                    "Refused a caller without certificate",
                    "Use mutual TLS with a certificate of this cluster",
                    null);
        }
        return peer;
    }

    /**
     * Who calls, when its role is among {@code roles}.
     *
     * @param what is being called, for the message
     * @throws io.grpc.StatusRuntimeException UNAUTHORIZED otherwise
     */
    public static PeerIdentity currentIn(Set<String> roles, String what) {
        PeerIdentity peer = current();
        if (!roles.contains(peer.role())) {
            throw Errors.status(
                    ErrorDetail.Code.UNAUTHORIZED,
                    "Refused " + peer.role() + " " + peer.id() + ": " + what + " is for " + roles,
                    "Use a certificate of a fitting role",
                    null);
        }
        return peer;
    }

    /** The form in certificates. */
    public String uri() {
        return "holdfast://" + cluster + "/" + role + "/" + id;
    }

    /** The URI. */
    @Override
    public String toString() {
        return uri();
    }
}
