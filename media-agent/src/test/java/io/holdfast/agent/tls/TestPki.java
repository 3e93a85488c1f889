package io.holdfast.agent.tls;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.pki.Credentials;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;

/** A cluster's certificates, for tests. */
public final class TestPki {
    public final UUID cluster;
    public final CertificateAuthority root;
    public final CertificateAuthority local;
    private final SecureRandom random = new SecureRandom();

    public TestPki() {
        this(UUID.randomUUID());
    }

    public TestPki(UUID cluster) {
        this.cluster = cluster;
        Instant then = Instant.now().minus(Duration.ofDays(30));
        this.root =
                CertificateAuthority.createRoot(cluster, Duration.ofDays(3650), () -> then, random);
        this.local = root.createIssuing("local", Duration.ofDays(1825));
    }

    public TlsMaterial member(String role, String id) {
        return material(local.enrol(role, id, Duration.ofDays(60), List.of()));
    }

    public TlsMaterial valid(String role, String id, Instant from, Instant until) {
        KeyPair pair = CertificateAuthority.generateKeyPair(random);
        return material(
                new Credentials(
                        root.root(),
                        local.issue(role, id, pair.getPublic(), from, until, List.of()),
                        pair.getPrivate()));
    }

    /** Trusts {@code other} while presenting a certificate of this cluster. */
    public TlsMaterial intruder(TestPki other, String role, String id) {
        Credentials own = local.enrol(role, id, Duration.ofDays(60), List.of());
        return material(new Credentials(other.root.root(), own.chain(), own.key()));
    }

    private static TlsMaterial material(Credentials credentials) {
        try {
            return TlsMaterial.of(credentials, InstantSource.system());
        } catch (CertificateException e) {
            throw new AssertionError(e);
        }
    }
}
