package io.holdfast.agent.tls;

import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Judges a peer's certificates: issued under the cluster's root, and naming an identity of the same
 * cluster. Dates are judged apart, so that an expired member of the cluster can be told so.
 */
final class PeerVerifier {
    private final X509Certificate root;
    private final UUID cluster;

    PeerVerifier(X509Certificate root, UUID cluster) {
        this.root = root;
        this.cluster = cluster;
    }

    /** A peer of this cluster, and the time in which its whole chain is valid. */
    record Verified(PeerIdentity identity, Instant notBefore, Instant notAfter) {
        /** @throws CertificateException when {@code now} is outside; says who and when */
        void requireValidAt(Instant now) throws CertificateException {
            if (now.isAfter(notAfter)) {
                throw new CertificateExpiredException(
                        "Refused "
                                + identity
                                + ": its certificate expired at "
                                + notAfter
                                + ", it is now "
                                + now
                                + ". Renew the certificate of "
                                + identity.role()
                                + " "
                                + identity.id());
            }
            if (now.isBefore(notBefore)) {
                throw new CertificateNotYetValidException(
                        "Refused "
                                + identity
                                + ": its certificate is valid from "
                                + notBefore
                                + " on, it is now "
                                + now
                                + ". Check the clocks");
            }
        }
    }

    Verified verify(List<X509Certificate> presented, Instant now) throws CertificateException {
        List<X509Certificate> path = presented.stream().filter(c -> !c.equals(root)).toList();
        if (path.isEmpty()) {
            throw new CertificateException(
                    "Refused a peer that presented no certificate of its own");
        }
        X509Certificate leaf = path.get(0);
        Instant notBefore = Instant.MIN;
        Instant notAfter = Instant.MAX;
        for (X509Certificate certificate : path) {
            notBefore = later(notBefore, certificate.getNotBefore().toInstant());
            notAfter = earlier(notAfter, certificate.getNotAfter().toInstant());
        }
        Instant at = earlier(later(now, notBefore), notAfter);
        try {
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(at));
            CertPathValidator.getInstance("PKIX")
                    .validate(
                            CertificateFactory.getInstance("X.509").generateCertPath(path),
                            parameters);
        } catch (GeneralSecurityException e) {
            throw new CertificateException(
                    "Refused certificate '"
                            + leaf.getSubjectX500Principal()
                            + "': it was not issued by cluster "
                            + cluster
                            + ", or its issuer was not valid with it ("
                            + e.getMessage()
                            + "; valid from "
                            + notBefore
                            + " until "
                            + notAfter
                            + ")",
                    e);
        }
        PeerIdentity identity = PeerIdentity.from(leaf);
        if (!identity.cluster().equals(cluster)) {
            throw new CertificateException("Refused " + identity + ": this is cluster " + cluster);
        }
        if (leaf.getBasicConstraints() >= 0) {
            throw new CertificateException("Refused " + identity + ": an authority is no peer");
        }
        return new Verified(identity, notBefore, notAfter);
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
