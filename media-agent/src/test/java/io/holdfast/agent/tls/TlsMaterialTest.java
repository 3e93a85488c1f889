package io.holdfast.agent.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.pki.Credentials;
import io.holdfast.agent.pki.Pem;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsMaterialTest {
    @TempDir Path folder;
    private final TestPki pki = new TestPki();

    @Test
    void whatIsSavedIsLoadedAndTheKeyIsTheOwnersAlone() throws Exception {
        Credentials credentials =
                pki.local.enrol("node", "l1", Duration.ofDays(60), List.of("127.10.11.44", "l1.x"));
        credentials.save(folder.resolve("tls"));
        TlsMaterial tls = TlsMaterial.load(folder.resolve("tls"));
        assertThat(tls.identity()).isEqualTo(new PeerIdentity(pki.cluster, "node", "l1"));
        assertThat(tls.chain()).hasSize(2);
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(folder.resolve("tls/key.pem"))))
                .isEqualTo("rw-------");
        assertThat(tls.toString()).doesNotContain("PRIVATE");
        assertThat(tls.chain().get(0).getSubjectAlternativeNames().toString())
                .contains("127.10.11.44", "l1.x");
    }

    @Test
    void authoritiesAreSavedAndGoOnIssuing() throws Exception {
        pki.root.save(folder.resolve("root"));
        pki.local.save(folder.resolve("local"));
        CertificateAuthority root =
                CertificateAuthority.load(
                        folder.resolve("root"), InstantSource.system(), new SecureRandom());
        CertificateAuthority local =
                CertificateAuthority.load(
                        folder.resolve("local"), InstantSource.system(), new SecureRandom());
        assertThat(root.cluster()).isEqualTo(pki.cluster);
        assertThat(local.root()).isEqualTo(pki.root.root());
        CertificateAuthority dr = root.createIssuing("dr", Duration.ofDays(1));
        for (CertificateAuthority authority : List.of(local, dr)) {
            Credentials issued = authority.enrol("agent", "a", Duration.ofDays(60), List.of());
            assertThat(
                            new PeerVerifier(pki.root.root(), pki.cluster)
                                    .verify(issued.chain(), java.time.Instant.now())
                                    .identity()
                                    .role())
                    .isEqualTo("agent");
        }
        assertThatThrownBy(() -> local.createIssuing("x", Duration.ofDays(1)))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> local.enrol("root", "x", Duration.ofDays(1), List.of()))
                .hasMessageContaining("role");
        assertThatThrownBy(() -> local.enrol("node", "a/b", Duration.ofDays(1), List.of()))
                .hasMessageContaining("peer id");
    }

    @Test
    void keyThatDoesNotFitIsRefused() throws Exception {
        pki.local.enrol("node", "l1", Duration.ofDays(1), List.of()).save(folder);
        Pem.writeKey(
                folder.resolve("key.pem"),
                CertificateAuthority.generateKeyPair(new SecureRandom()).getPrivate());
        assertThatThrownBy(() -> TlsMaterial.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("key.pem is not the key");
        Files.delete(folder.resolve("key.pem"));
        assertThatThrownBy(() -> TlsMaterial.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("key.pem is missing");
        Files.writeString(folder.resolve("cert.pem"), "nonsense");
        assertThatThrownBy(() -> TlsMaterial.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cert.pem");
    }

    @Test
    void readsX25519Keys() throws Exception {
        var pair = KeyPairGenerator.getInstance("X25519").generateKeyPair();
        Pem.writeKey(folder.resolve("agent-key.pem"), pair.getPrivate());
        assertThat(Pem.readKey(folder.resolve("agent-key.pem"))).isEqualTo(pair.getPrivate());
    }

    @Test
    void identityIsReadAndWritten() {
        PeerIdentity identity = new PeerIdentity(UUID.randomUUID(), "operator", "ann@desk-1");
        assertThat(PeerIdentity.parse(identity.uri())).isEqualTo(identity);
        assertThatThrownBy(() -> PeerIdentity.parse("holdfast://x/node/l1"))
                .hasMessageContaining("holdfast://CLUSTER-UUID/ROLE/ID");
    }

    @Test
    void jdkUsersCheckIdentitiesInsteadOfHostNames() throws Exception {
        assertThat(shake(pki.member("node", "l1"), pki.member("operator", "ann"))).isEmpty();
        TestPki other = new TestPki(pki.cluster);
        assertThat(shake(pki.member("node", "l1"), other.intruder(pki, "operator", "eve")))
                .contains("not issued by cluster");
        assertThat(shake(pki.member("node", "l1"), pki.member("rehearsal", "r")))
                .contains("its role is rehearsal");
    }

    /** A JDK handshake with host name checks on; what the server objected to. */
    private static String shake(TlsMaterial server, TlsMaterial client) throws Exception {
        try (SSLServerSocket listening =
                (SSLServerSocket)
                        server.sslContext()
                                .getServerSocketFactory()
                                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            listening.setNeedClientAuth(true);
            CompletableFuture<String> objection =
                    CompletableFuture.supplyAsync(() -> {
                        try (SSLSocket socket = (SSLSocket) listening.accept()) {
                            socket.startHandshake();
                            socket.getOutputStream().write(1);
                            return "";
                        } catch (IOException e) {
                            return e.getMessage();
                        }
                    });
            try (SSLSocket socket =
                    (SSLSocket)
                            client.sslContext()
                                    .getSocketFactory()
                                    .createSocket(
                                            InetAddress.getLoopbackAddress(),
                                            listening.getLocalPort())) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                int unused = socket.getInputStream().read();
            } catch (IOException e) {
                // The server's objection says more.
            }
            return objection.get();
        }
    }
}
