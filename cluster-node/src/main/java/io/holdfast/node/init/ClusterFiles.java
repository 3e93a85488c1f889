package io.holdfast.node.init;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.stream.Stream;

/** Where the files of a cluster's folder lie, and how they are written. */
public final class ClusterFiles {
    private static final String BEGIN = "-----BEGIN PUBLIC KEY-----";
    private static final String END = "-----END PUBLIC KEY-----";

    private ClusterFiles() {}

    /** The root authority, to be taken offline. */
    public static Path rootAuthority(Path cluster) {
        return cluster.resolve("ca/root");
    }

    /** The issuing authority of a site, {@code local} or {@code dr}. */
    public static Path issuingAuthority(Path cluster, String site) {
        return cluster.resolve("ca/" + site);
    }

    /** The folder of an agent, for example {@code crit-local}. */
    public static Path agent(Path cluster, String name) {
        return cluster.resolve("agents/" + name);
    }

    /** The operator's context. */
    public static Path context(Path cluster) {
        return cluster.resolve("operator/context.json");
    }

    /** Makes a folder that only its owner may enter. */
    static void folder(Path folder) throws IOException {
        Files.createDirectories(
                folder,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /** Writes a new file durably. Fails when there is one already. */
    static void write(Path file, String text) throws IOException {
        folder(file.toAbsolutePath().resolveSibling("").normalize());
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
    }

    /** Whether something lies in a folder. */
    static boolean isOccupied(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return false;
        }
        if (!Files.isDirectory(folder)) {
            return true;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isPresent();
        }
    }

    /** Deletes a folder that this run has made. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    static String publicKeyPem(PublicKey key) {
        return BEGIN
                + "\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
                + "\n"
                + END
                + "\n";
    }

    /**
     * Reads the cluster's public key ({@code cluster-pub.pem} in a node's identity folder), which
     * verifies the MBR's signature.
     */
    public static PublicKey readPublicKey(Path file) throws IOException {
        String text = Files.readString(file).strip();
        try {
            if (!text.startsWith(BEGIN) || !text.endsWith(END)) {
                throw new IllegalArgumentException("expected " + BEGIN);
            }
            byte[] der =
                    Base64.getMimeDecoder()
                            .decode(text.substring(BEGIN.length(), text.length() - END.length()));
            return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(file + " is not an EC public key in PEM: " + e.getMessage(), e);
        }
    }
}
