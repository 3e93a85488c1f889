package io.holdfast.agent;

import io.holdfast.agent.pki.Pem;
import io.holdfast.agent.proto.v1.DomainKeySlot;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.KeySlot;
import io.holdfast.chunk.WrongAgentKey;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPublicKeySpec;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.KeyAgreement;

/**
 * The X25519 key pair of an agent: domain keys are sealed to it (DECISIONS 15). In the identity
 * folder {@code agent-key.pem} holds the private key (PKCS#8, mode 0600) and {@code agent-key.pub}
 * the 32 raw bytes of the public one in base64, for people.
 */
public final class AgentKey {
    private static final String PRIVATE = "agent-key.pem";
    private static final String PUBLIC = "agent-key.pub";
    private static final BigInteger BASE_POINT = BigInteger.valueOf(9);

    private final PrivateKey privateKey;
    private final byte[] publicRaw;

    private AgentKey(PrivateKey privateKey, byte[] publicRaw) {
        this.privateKey = privateKey;
        this.publicRaw = publicRaw;
    }

    /** A new key pair, in memory. */
    public static AgentKey generate() {
        try {
            PrivateKey key = KeyPairGenerator.getInstance("X25519").generateKeyPair().getPrivate();
            return new AgentKey(key, publicOf(key));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK has no X25519", e);
        }
    }

    /** Reads a folder's key pair. @throws IOException when it is missing or no X25519 key */
    public static AgentKey load(Path identityDir) throws IOException {
        Path file = identityDir.resolve(PRIVATE);
        PrivateKey key = Pem.readKey(file);
        try {
            return new AgentKey(key, publicOf(key));
        } catch (GeneralSecurityException e) {
            throw new IOException("Key file " + file + " holds no X25519 key", e);
        }
    }

    /** Reads a folder's key pair; makes and saves one when there is none. */
    public static AgentKey loadOrGenerate(Path identityDir) throws IOException {
        if (Files.exists(identityDir.resolve(PRIVATE))) {
            return load(identityDir);
        }
        AgentKey key = generate();
        key.save(identityDir);
        return key;
    }

    /** Writes both files, durably. */
    public void save(Path identityDir) throws IOException {
        Pem.writeKey(identityDir.resolve(PRIVATE), privateKey);
        Files.writeString(
                identityDir.resolve(PUBLIC),
                Base64.getEncoder().encodeToString(publicRaw) + "\n",
                StandardCharsets.US_ASCII);
    }

    /** Opens what was sealed to {@link #publicRaw()}. */
    public PrivateKey privateKey() {
        return privateKey;
    }

    /** 32 bytes (RFC 7748), copied. */
    public byte[] publicRaw() {
        return publicRaw.clone();
    }

    /**
     * Opens a domain's key that was sealed for this agent.
     *
     * @throws io.grpc.StatusRuntimeException REFUSED when it was sealed for another, or holds another
     *     key than it says
     */
    DomainKey open(DomainKeySlot slot) {
        UUID domain = Wire.uuid(slot.getDomain(), "dedup domain");
        try {
            DomainKey key = KeySlot.openAsAgent(slot.getSlot().toByteArray(), privateKey);
            if (!key.domain().equals(domain) || key.keyEpoch() != slot.getKeyEpoch()) {
                throw Errors.refused(
                        "Refused the key slot: it holds "
                                + key
                                + " and was sent as domain "
                                + domain
                                + " epoch "
                                + slot.getKeyEpoch(),
                        "Send the slot of the piece's key");
            }
            return key;
        } catch (WrongAgentKey e) {
            throw Errors.refused(
                    "Refused the key slot of domain "
                            + domain
                            + ": it does not open with the key of this agent",
                    "Seal the domain's key for this agent's public key");
        }
    }

    /** The public key is the private one times the base point. */
    private static byte[] publicOf(PrivateKey key) throws GeneralSecurityException {
        PublicKey base =
                KeyFactory.getInstance("X25519")
                        .generatePublic(
                                new XECPublicKeySpec(NamedParameterSpec.X25519, BASE_POINT));
        KeyAgreement agreement = KeyAgreement.getInstance("X25519");
        agreement.init(key);
        agreement.doPhase(base, true);
        return agreement.generateSecret();
    }
}
