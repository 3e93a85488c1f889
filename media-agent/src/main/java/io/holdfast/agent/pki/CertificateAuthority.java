package io.holdfast.agent.pki;

import io.holdfast.agent.tls.PeerIdentity;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * An authority of a cluster: the root, which is kept offline, or the issuing authority of one site
 * under it, so that the DR site can enrol on its own (DECISIONS 16). Keys are EC P-256, signatures
 * ECDSA with SHA-256. Certificates begin five minutes early, for clocks that disagree. Thread-safe.
 *
 * <p>Needs Bouncy Castle (bcpkix) at run time.
 */
public final class CertificateAuthority {
    private static final Duration EARLY = Duration.ofMinutes(5);
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    private final UUID cluster;
    private final X509Certificate root;
    private final List<X509Certificate> chain;
    private final PrivateKey key;
    private final InstantSource clock;
    private final SecureRandom random;

    private CertificateAuthority(
            UUID cluster,
            X509Certificate root,
            List<X509Certificate> chain,
            PrivateKey key,
            InstantSource clock,
            SecureRandom random) {
        this.cluster = cluster;
        this.root = root;
        this.chain = List.copyOf(chain);
        this.key = key;
        this.clock = clock;
        this.random = random;
    }

    /** A new root of a cluster. It issues only issuing authorities; keep its key offline. */
    public static CertificateAuthority createRoot(
            UUID cluster, Duration validity, InstantSource clock, SecureRandom random) {
        KeyPair pair = generateKeyPair(random);
        X500Principal name = new X500Principal("CN=root, O=holdfast " + cluster);
        Instant now = clock.instant();
        X509Certificate certificate =
                sign(
                        authority(name, name, pair.getPublic(), now, validity, random, 1),
                        pair.getPublic(),
                        pair.getPublic(),
                        pair.getPrivate());
        return new CertificateAuthority(
                cluster, certificate, List.of(), pair.getPrivate(), clock, random);
    }

    /**
     * A new issuing authority under this root.
     *
     * @param site whose it is: {@code local}, {@code dr}, {@code witness}
     * @throws IllegalStateException when this is not a root
     */
    public CertificateAuthority createIssuing(String site, Duration validity) {
        if (!chain.isEmpty()) {
            throw new IllegalStateException(
                    "Only a root makes issuing authorities; this is " + name());
        }
        KeyPair pair = generateKeyPair(random);
        X500Principal name =
                new X500Principal("CN=issuing " + plain(site) + ", O=holdfast " + cluster);
        X509Certificate certificate =
                sign(
                        authority(
                                root.getSubjectX500Principal(),
                                name,
                                pair.getPublic(),
                                clock.instant(),
                                validity,
                                random,
                                0),
                        pair.getPublic(),
                        root.getPublicKey(),
                        key);
        return new CertificateAuthority(
                cluster, root, List.of(certificate), pair.getPrivate(), clock, random);
    }

    /** Reads what {@link #save} wrote. @throws IOException when the files do not fit together */
    public static CertificateAuthority load(Path folder, InstantSource clock, SecureRandom random)
            throws IOException {
        X509Certificate root = Pem.readCertificates(folder.resolve("ca.pem")).get(0);
        List<X509Certificate> own = Pem.readCertificates(folder.resolve("cert.pem"));
        String organization = root.getSubjectX500Principal().getName();
        int at = organization.indexOf("O=holdfast ");
        UUID cluster;
        try {
            cluster = UUID.fromString(organization.substring(at + 11, at + 47));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException(
                    "Certificate "
                            + folder.resolve("ca.pem")
                            + " is no root of a Holdfast cluster: "
                            + organization,
                    e);
        }
        boolean isRoot = own.get(0).equals(root);
        return new CertificateAuthority(
                cluster,
                root,
                isRoot ? List.of() : own,
                Pem.readKey(folder.resolve("key.pem")),
                clock,
                random);
    }

    /** Writes {@code ca.pem}, {@code cert.pem} and {@code key.pem} (mode 0600), durably. */
    public void save(Path folder) throws IOException {
        new Credentials(root, chain.isEmpty() ? List.of(root) : chain, key).save(folder);
    }

    /** The cluster whose authority this is. */
    public UUID cluster() {
        return cluster;
    }

    /** The cluster's root certificate: what members trust. */
    public X509Certificate root() {
        return root;
    }

    /**
     * Certifies a key for a role and an id, from now on.
     *
     * @param role one of {@link PeerIdentity#ROLES}
     * @param id the node's name, or the client resource's UUID, or the operator's name
     * @param hosts addresses and host names for those who do check them (browsers); may be empty
     * @return leaf, then this issuing authority; without the root
     */
    public List<X509Certificate> issue(
            String role, String id, PublicKey publicKey, Duration validity, List<String> hosts) {
        Instant now = clock.instant();
        return issue(role, id, publicKey, now.minus(EARLY), now.plus(validity), hosts);
    }

    /** The same, for an explicit time. */
    public List<X509Certificate> issue(
            String role,
            String id,
            PublicKey publicKey,
            Instant notBefore,
            Instant notAfter,
            List<String> hosts) {
        PeerIdentity identity = new PeerIdentity(cluster, role, id);
        JcaX509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(
                        issuer().getSubjectX500Principal(),
                        serial(random),
                        Date.from(notBefore),
                        Date.from(notAfter),
                        new X500Principal(
                                "CN=" + plain(role) + " " + plain(id) + ", O=holdfast " + cluster),
                        publicKey);
        List<GeneralName> names = new ArrayList<>();
        names.add(new GeneralName(GeneralName.uniformResourceIdentifier, identity.uri()));
        for (String host : hosts) {
            boolean address = host.indexOf(':') >= 0 || IPV4.matcher(host).matches();
            names.add(new GeneralName(address ? GeneralName.iPAddress : GeneralName.dNSName, host));
        }
        try {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.extendedKeyUsage,
                    false,
                    new ExtendedKeyUsage(
                            new KeyPurposeId[] {
                                KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth
                            }));
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(names.toArray(GeneralName[]::new)));
        } catch (CertIOException e) {
            throw new IllegalArgumentException(
                    "Cannot certify " + identity + " with hosts " + hosts, e);
        }
        List<X509Certificate> issued = new ArrayList<>();
        issued.add(sign(builder, publicKey, issuer().getPublicKey(), key));
        issued.addAll(chain);
        return List.copyOf(issued);
    }

    /** A new key pair and its certificate. */
    public Credentials enrol(String role, String id, Duration validity, List<String> hosts) {
        KeyPair pair = generateKeyPair(random);
        return new Credentials(
                root, issue(role, id, pair.getPublic(), validity, hosts), pair.getPrivate());
    }

    /** A new EC P-256 key pair. */
    public static KeyPair generateKeyPair(SecureRandom random) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK has no EC P-256", e);
        }
    }

    private X509Certificate issuer() {
        return chain.isEmpty() ? root : chain.get(0);
    }

    private String name() {
        return issuer().getSubjectX500Principal().getName();
    }

    private static JcaX509v3CertificateBuilder authority(
            X500Principal issuer,
            X500Principal name,
            PublicKey publicKey,
            Instant now,
            Duration validity,
            SecureRandom random,
            int authoritiesBelow) {
        JcaX509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(
                        issuer,
                        serial(random),
                        Date.from(now.minus(EARLY)),
                        Date.from(now.plus(validity)),
                        name,
                        publicKey);
        try {
            builder.addExtension(
                    Extension.basicConstraints, true, new BasicConstraints(authoritiesBelow));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        } catch (CertIOException e) {
            throw new IllegalStateException("Cannot encode the extensions of " + name, e);
        }
        return builder;
    }

    private static X509Certificate sign(
            JcaX509v3CertificateBuilder builder,
            PublicKey subject,
            PublicKey issuer,
            PrivateKey issuerKey) {
        try {
            JcaX509ExtensionUtils ids = new JcaX509ExtensionUtils();
            builder.addExtension(
                    Extension.subjectKeyIdentifier, false, ids.createSubjectKeyIdentifier(subject));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    ids.createAuthorityKeyIdentifier(issuer));
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(
                                    new JcaContentSignerBuilder("SHA256withECDSA")
                                            .build(issuerKey)));
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("Cannot sign a certificate", e);
        }
    }

    private static BigInteger serial(SecureRandom random) {
        return new BigInteger(127, random).setBit(126);
    }

    /** Names are built as text: what could end a part of it is left out. */
    private static String plain(String value) {
        return value.replaceAll("[^A-Za-z0-9._@-]", "_");
    }
}
