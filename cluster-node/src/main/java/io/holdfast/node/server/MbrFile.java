package io.holdfast.node.server;

import io.holdfast.agent.pki.Pem;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.MbrFormat;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's copy of the MBR: read and verified at the start, rewritten (temporary file, fsync, rename,
 * fsync of the folder) after each change that was applied. Thread-safe.
 */
final class MbrFile {
    private static final Logger LOG = LoggerFactory.getLogger(MbrFile.class);

    private final Path file;
    private final PrivateKey key;
    private volatile Mbr current;

    private MbrFile(Path file, PrivateKey key, Mbr current) {
        this.file = file;
        this.key = key;
        this.current = current;
    }

    /**
     * Reads a copy.
     *
     * @param identity folder with the cluster's key pair, {@code cluster-key.pem} and {@code
     *     cluster-pub.pem}
     * @throws IOException when it is missing, damaged, or not signed by this cluster
     */
    static MbrFile open(Path file, Path identity) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(
                    "There is no MBR at "
                            + file
                            + ". Copy it from another node, or name the right file with --mbr");
        }
        try {
            Mbr mbr =
                    MbrFormat.parse(
                            Files.readString(file), publicKey(identity.resolve("cluster-pub.pem")));
            return new MbrFile(file, Pem.readKey(identity.resolve("cluster-key.pem")), mbr);
        } catch (FormatException | CharacterCodingException e) {
            throw new IOException(
                    "The MBR "
                            + file
                            + " is not usable: "
                            + e.getMessage()
                            + ". Copy it from another node of the same cluster",
                    e);
        }
    }

    /** A public key in PEM: Ed25519 or EC. */
    private static PublicKey publicKey(Path file) throws IOException {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        String body = text.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        for (String algorithm : List.of("Ed25519", "EC")) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(body)));
            } catch (GeneralSecurityException | IllegalArgumentException e) {
                LOG.trace("{} holds no {} key", file, algorithm, e);
            }
        }
        throw new IOException(
                "The cluster's public key " + file + " is damaged; copy it from another node");
    }

    Mbr current() {
        return current;
    }

    /** Takes a changed record over, durably. A failure is logged: Raft has the record. */
    synchronized void update(Mbr next) {
        if (next.equals(current)) {
            return;
        }
        try {
            DurableFile.write(file, MbrFormat.print(next, key).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            LOG.error("The MBR file {} was not rewritten", file, e);
        }
        current = next;
    }
}
