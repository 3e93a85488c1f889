package io.holdfast.agent.pki;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * PEM files of certificates (X.509) and private keys (PKCS#8, not encrypted). Writing is atomic and
 * durable: temporary file, fsync, rename, fsync of the folder. Key files have mode 0600 from their
 * first byte on.
 */
public final class Pem {
    private static final List<String> KEY_ALGORITHMS = List.of("EC", "XDH", "Ed25519", "RSA");
    private static final int MAX_BYTES = 1 << 20;

    private Pem() {}

    /** Text of certificates, in order. */
    public static String text(List<X509Certificate> certificates) {
        StringBuilder text = new StringBuilder();
        for (X509Certificate certificate : certificates) {
            try {
                text.append(block("CERTIFICATE", certificate.getEncoded()));
            } catch (CertificateException e) {
                throw new IllegalArgumentException("Certificate without encoded form", e);
            }
        }
        return text.toString();
    }

    /** Text of a private key in PKCS#8. */
    public static String text(PrivateKey key) {
        byte[] encoded = key.getEncoded();
        if (encoded == null) {
            throw new IllegalArgumentException("Private key without encoded form");
        }
        return block("PRIVATE KEY", encoded);
    }

    /** Writes certificates, in order; readable by everybody. */
    public static void writeCertificates(Path file, List<X509Certificate> certificates)
            throws IOException {
        write(file, text(certificates), PosixFilePermissions.fromString("rw-r--r--"));
    }

    /** Writes a private key; readable by the owner alone. */
    public static void writeKey(Path file, PrivateKey key) throws IOException {
        write(
                file,
                text(key),
                EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
    }

    /**
     * Reads certificates, in order, at least one.
     *
     * @throws IOException with a message that names the file and the expected form
     */
    public static List<X509Certificate> readCertificates(Path file) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(new ByteArrayInputStream(bytesOf(file)))) {
                if (certificate instanceof X509Certificate x509) {
                    certificates.add(x509);
                }
            }
        } catch (CertificateException e) {
            throw new IOException(
                    "Certificate file " + file + " is not PEM of X.509 certificates: " + e, e);
        }
        if (certificates.isEmpty()) {
            throw new IOException(
                    "Certificate file " + file + " holds no -----BEGIN CERTIFICATE----- block");
        }
        return List.copyOf(certificates);
    }

    /**
     * Reads a private key (EC, X25519, Ed25519 or RSA).
     *
     * @throws IOException with a message that names the file and the expected form; never its content
     */
    public static PrivateKey readKey(Path file) throws IOException {
        String text = new String(bytesOf(file), StandardCharsets.ISO_8859_1);
        String begin = "-----BEGIN PRIVATE KEY-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END PRIVATE KEY-----");
        if (from < 0 || to < from) {
            throw new IOException(
                    "Key file " + file + " holds no PKCS#8 block -----BEGIN PRIVATE KEY-----");
        }
        PKCS8EncodedKeySpec spec;
        try {
            spec =
                    new PKCS8EncodedKeySpec(
                            Base64.getMimeDecoder()
                                    .decode(text.substring(from + begin.length(), to)));
        } catch (IllegalArgumentException e) {
            throw new IOException("Key file " + file + " is not base64 between its PEM lines");
        }
        for (String algorithm : KEY_ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (GeneralSecurityException e) {
                // Not this algorithm: the next one may fit.
            }
        }
        throw new IOException("Key file " + file + " holds no key of type " + KEY_ALGORITHMS);
    }

    private static String block(String label, byte[] der) {
        return "-----BEGIN "
                + label
                + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END "
                + label
                + "-----\n";
    }

    private static byte[] bytesOf(Path file) throws IOException {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("PEM file " + file + " is longer than 1 MiB");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new IOException("PEM file " + file + " is missing", e);
        }
    }

    private static void write(Path file, String text, Set<PosixFilePermission> mode)
            throws IOException {
        Path absolute = file.toAbsolutePath();
        Path folder = absolute.getParent();
        if (folder == null) {
            throw new IOException("PEM file " + file + " has no folder");
        }
        Files.createDirectories(folder);
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".tmp");
        Files.deleteIfExists(temporary);
        try (FileChannel channel =
                FileChannel.open(
                        temporary,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(mode))) {
            ByteBuffer buffer = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
        Files.setPosixFilePermissions(temporary, mode); // whatever the umask took away
        Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
