package io.holdfast.agent.pki;

import java.io.IOException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * What one member of a cluster needs to speak: its key, its certificate and whom it trusts.
 *
 * @param root the cluster's root certificate
 * @param chain the member's certificate, then the issuing authority's; without the root
 * @param key the private key of {@code chain.get(0)}
 */
public record Credentials(X509Certificate root, List<X509Certificate> chain, PrivateKey key) {
    /** Copies the chain. */
    public Credentials {
        chain = List.copyOf(chain);
    }

    /**
     * Writes {@code ca.pem}, {@code cert.pem} and {@code key.pem} (mode 0600) into a folder, which is
     * created; each file is durable when this returns.
     */
    public void save(Path folder) throws IOException {
        Pem.writeCertificates(folder.resolve("ca.pem"), List.of(root));
        Pem.writeCertificates(folder.resolve("cert.pem"), chain);
        Pem.writeKey(folder.resolve("key.pem"), key);
    }

    /** Names the certificate only. */
    @Override
    public String toString() {
        return "Credentials[" + chain.get(0).getSubjectX500Principal() + "]";
    }
}
