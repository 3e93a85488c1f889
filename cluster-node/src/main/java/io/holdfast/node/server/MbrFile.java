package io.holdfast.node.server;

import io.holdfast.agent.DurableFile;
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
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's copy of the MBR: read and verified at the start, rewritten (temporary file, fsync, rename,
 * fsync of the folder) after each change that was applied. A write that failed is tried again until it
 * succeeds. Thread-safe.
 */
final class MbrFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MbrFile.class);
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final Path file;
    private final PrivateKey key;
    private final Duration retry;
    private volatile Mbr current;
    private Mbr written;
    private @Nullable Thread retrying;
    private boolean closed;

    private MbrFile(Path file, PrivateKey key, Duration retry, Mbr current) {
        this.file = file;
        this.key = key;
        this.retry = retry;
        this.current = current;
        this.written = current;
    }

    /**
     * Reads a copy.
     *
     * @param identity folder with the cluster's key pair, {@code cluster-key.pem} and {@code
     *     cluster-pub.pem}
     * @param cluster whom this node's certificate belongs to
     * @throws IOException when it is missing, damaged, or not signed by this cluster
     */
    static MbrFile open(Path file, Path identity, UUID cluster) throws IOException {
        return open(file, identity, cluster, RETRY);
    }

    /** As above, with the pause between attempts to write. */
    static MbrFile open(Path file, Path identity, UUID cluster, Duration retry) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(
                    "There is no MBR at "
                            + file
                            + ". Copy it from another node, or name the right file with --mbr");
        }
        try {
            String text = Files.readString(file);
            Mbr claimed = MbrFormat.parseUnverified(text);
            if (!claimed.cluster().equals(cluster)) {
                throw new IOException(
                        "The MBR "
                                + file
                                + " is of cluster "
                                + claimed.name()
                                + " ("
                                + claimed.cluster()
                                + "), this node's certificate of cluster "
                                + cluster
                                + ". Copy the file from another node of the same cluster");
            }
            Mbr mbr = MbrFormat.parse(text, publicKey(identity.resolve("cluster-pub.pem")));
            return new MbrFile(file, Pem.readKey(identity.resolve("cluster-key.pem")), retry, mbr);
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

    /** Takes a changed record over; its file follows, now or when it can be written again. */
    synchronized void update(Mbr next) {
        current = next;
        if (!write() && retrying == null) {
            retrying = Thread.ofVirtual().name("mbr-retry").start(this::retry);
        }
    }

    /** Whether the file holds the newest record. */
    synchronized boolean isWritten() {
        return Objects.equals(written, current); // mostly the very same
    }

    private synchronized boolean write() {
        if (isWritten()) {
            return true;
        }
        try {
            DurableFile.write(file, MbrFormat.print(current, key).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            LOG.error(
                    "The MBR file {} was not rewritten and is older than the cluster's record; it is"
                            + " tried again every {} s: {}",
                    file,
                    retry.toSeconds(),
                    e.toString());
            return false;
        }
        written = current;
        return true;
    }

    private void retry() {
        try {
            while (true) {
                Thread.sleep(retry);
                synchronized (this) {
                    if (closed) {
                        return;
                    }
                    if (write()) {
                        LOG.info("The MBR file {} is up to date again", file);
                        retrying = null;
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("no further attempt to write {}", file);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (retrying != null) {
            retrying.interrupt();
        }
    }
}
