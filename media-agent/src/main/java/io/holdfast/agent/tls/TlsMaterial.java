package io.holdfast.agent.tls;

import io.holdfast.agent.pki.Credentials;
import io.holdfast.agent.pki.Pem;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys and trust of one process: {@code ca.pem} (the cluster's root), {@code cert.pem} (own
 * certificate, then the issuing authority's) and {@code key.pem} (PKCS#8) of a folder. Immutable and
 * thread-safe.
 */
public final class TlsMaterial {
    private static final Logger log = LoggerFactory.getLogger(TlsMaterial.class);

    private final X509Certificate root;
    private final List<X509Certificate> chain;
    private final PrivateKey key;
    private final PeerIdentity identity;
    private final InstantSource clock;
    private final PeerVerifier verifier;

    private TlsMaterial(Credentials credentials, InstantSource clock) throws CertificateException {
        this.root = credentials.root();
        this.chain = credentials.chain();
        this.key = credentials.key();
        this.clock = clock;
        this.identity = PeerIdentity.from(chain.get(0));
        this.verifier = new PeerVerifier(root, identity.cluster());
    }

    /**
     * Loads a folder, with the system's clock.
     *
     * @throws IOException when a file is missing or unreadable, when key and certificate do not fit,
     *     or when the certificate names no identity; expiry is judged by the peers, not here
     */
    public static TlsMaterial load(Path folder) throws IOException {
        return load(folder, InstantSource.system());
    }

    /** Loads a folder; {@code clock} decides what has expired. */
    public static TlsMaterial load(Path folder, InstantSource clock) throws IOException {
        Credentials credentials =
                new Credentials(
                        Pem.readCertificates(folder.resolve("ca.pem")).get(0),
                        Pem.readCertificates(folder.resolve("cert.pem")),
                        Pem.readKey(folder.resolve("key.pem")));
        try {
            requirePair(credentials.chain().get(0).getPublicKey(), credentials.key());
            return of(credentials, clock);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("TLS folder " + folder + " is not usable: " + e.getMessage(), e);
        }
    }

    /** Material from memory. @throws CertificateException when the certificate has no identity */
    public static TlsMaterial of(Credentials credentials, InstantSource clock)
            throws CertificateException {
        return new TlsMaterial(credentials, clock);
    }

    /** Who this process is. */
    public PeerIdentity identity() {
        return identity;
    }

    /** The cluster's root certificate. */
    public X509Certificate root() {
        return root;
    }

    /** Own certificate, then the issuing authority's. */
    public List<X509Certificate> chain() {
        return chain;
    }

    /** Own private key. */
    public PrivateKey key() {
        return key;
    }

    /** What decides about expiry. */
    InstantSource clock() {
        return clock;
    }

    PeerVerifier verifier() {
        return verifier;
    }

    /**
     * For users of the JDK's TLS: own key, and peers of the same cluster in any role but {@code
     * rehearsal}. Host names are not compared; identities are.
     */
    public SSLContext sslContext() {
        return sslContext(
                Set.of(
                        PeerIdentity.NODE,
                        PeerIdentity.STORAGE,
                        PeerIdentity.AGENT,
                        PeerIdentity.OPERATOR,
                        PeerIdentity.PORTAL));
    }

    /** The same, for peers of these roles only. */
    public SSLContext sslContext(Set<String> roles) {
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(
                    new KeyManager[] {keyManager()},
                    new TrustManager[] {trustManager(roles)},
                    new SecureRandom());
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK cannot speak TLS 1.3", e);
        }
    }

    /** Presents the own certificate. */
    public KeyManager keyManager() {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("own", key, new char[0], chain.toArray(X509Certificate[]::new));
            KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
            factory.init(store, new char[0]);
            return factory.getKeyManagers()[0];
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("The key of " + identity + " cannot be used", e);
        }
    }

    /**
     * Trusts peers of the same cluster whose certificates are valid now and whose role is among
     * {@code roles}; on both ends, whatever their host names.
     */
    public X509ExtendedTrustManager trustManager(Set<String> roles) {
        Set<String> expected = Set.copyOf(roles);
        return new IdentityTrustManager(peers -> {
            PeerVerifier.Verified peer = verifier.verify(peers, clock.instant());
            peer.requireValidAt(clock.instant());
            if (!expected.contains(peer.identity().role())) {
                throw new CertificateException(
                        "Refused peer "
                                + peer.identity()
                                + ": its role is "
                                + peer.identity().role()
                                + ", expected one of "
                                + expected);
            }
        });
    }

    /**
     * For gRPC servers: refuses foreign certificates in the handshake, but leaves dates and roles to
     * {@link PeerInterceptor}, whose refusal reaches the caller in words.
     *
     * @param refusal makes what is thrown of the reason, so that the alert can name the certificate
     */
    X509ExtendedTrustManager clusterTrustManager(
            Function<CertificateException, CertificateException> refusal) {
        return new IdentityTrustManager(peers -> {
            try {
                var _ = verifier.verify(peers, clock.instant());
            } catch (CertificateException e) {
                log.warn("Handshake refused: {}", e.getMessage());
                throw refusal.apply(e);
            }
        });
    }

    private static void requirePair(PublicKey publicKey, PrivateKey privateKey)
            throws GeneralSecurityException {
        String algorithm =
                switch (publicKey.getAlgorithm()) {
                    case "EC" -> "SHA256withECDSA";
                    case "RSA" -> "SHA256withRSA";
                    default -> publicKey.getAlgorithm();
                };
        byte[] probe = {1, 2, 3};
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(privateKey);
        signature.update(probe);
        byte[] signed = signature.sign();
        signature.initVerify(publicKey);
        signature.update(probe);
        if (!signature.verify(signed)) {
            throw new CertificateException("key.pem is not the key of the certificate in cert.pem");
        }
    }

    /** Names the identity only. */
    @Override
    public String toString() {
        return "TlsMaterial[" + identity + "]";
    }

    private interface Judge {
        void judge(List<X509Certificate> peers) throws CertificateException;
    }

    /** Being an extended trust manager, it takes the place of the check of host names. */
    private static final class IdentityTrustManager extends X509ExtendedTrustManager {
        private final Judge judge;

        IdentityTrustManager(Judge judge) {
            this.judge = judge;
        }

        private void check(X509Certificate[] peers) throws CertificateException {
            judge.judge(List.of(peers));
        }

        @Override
        public void checkClientTrusted(X509Certificate[] peers, String type, Socket socket)
                throws CertificateException {
            check(peers);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] peers, String type, Socket socket)
                throws CertificateException {
            check(peers);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] peers, String type, SSLEngine engine)
                throws CertificateException {
            check(peers);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] peers, String type, SSLEngine engine)
                throws CertificateException {
            check(peers);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] peers, String type)
                throws CertificateException {
            check(peers);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] peers, String type)
                throws CertificateException {
            check(peers);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
