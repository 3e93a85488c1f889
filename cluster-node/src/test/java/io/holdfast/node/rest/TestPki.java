package io.holdfast.node.rest;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.pki.Credentials;
import io.holdfast.agent.tls.TlsMaterial;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;

/** A cluster's certificates for tests. */
public final class TestPki {
    private static final Duration YEAR = Duration.ofDays(365);

    private final CertificateAuthority issuing;

    public TestPki(UUID cluster) {
        issuing =
                CertificateAuthority.createRoot(
                                cluster, YEAR, InstantSource.system(), new SecureRandom())
                        .createIssuing("local", YEAR);
    }

    public CertificateAuthority issuing() {
        return issuing;
    }

    public TlsMaterial of(String role, String id) {
        return material(issuing.enrol(role, id, YEAR, List.of()));
    }

    /** Of somebody whose certificate ended a day ago. */
    public TlsMaterial expired(String role, String id) {
        var pair = CertificateAuthority.generateKeyPair(new SecureRandom());
        var now = InstantSource.system().instant();
        return material(
                new Credentials(
                        issuing.root(),
                        issuing.issue(
                                role,
                                id,
                                pair.getPublic(),
                                now.minus(Duration.ofDays(2)),
                                now.minus(Duration.ofDays(1)),
                                List.of()),
                        pair.getPrivate()));
    }

    private static TlsMaterial material(Credentials credentials) {
        try {
            return TlsMaterial.of(credentials, InstantSource.system());
        } catch (CertificateException e) {
            throw new IllegalStateException(e);
        }
    }
}
