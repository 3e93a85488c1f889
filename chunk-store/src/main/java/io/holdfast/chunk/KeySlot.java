package io.holdfast.chunk;

import io.holdfast.standard.FormatException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.KeyAgreement;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A {@link DomainKey} sealed for one holder, as it is kept in the resource DB (DECISIONS 15): for an
 * agent's X25519 key, or for whoever knows a passphrase. Opening one needs no server and no other
 * slot. Stateless; safe from any thread.
 *
 * <p>Layout, version 1; numbers are big-endian:
 *
 * <pre>
 * offset  bytes  what
 * 0       4      magic "HFKS"
 * 4       1      version, 1
 * 5       1      holder: 1 agent, 2 passphrase
 * 6       2      reserved, 0
 * 8       16     dedup domain, UUID
 * 24      4      key epoch
 *                agent:
 * 28      32     ephemeral X25519 public key
 * 60      32     the agent's X25519 public key
 *                passphrase:
 * 28      16     salt
 * 44      4      Argon2id memory, KiB
 * 48      4      Argon2id iterations
 * 52      4      Argon2id lanes
 *                both, at the end:
 * -92     12     nonce
 * -80     64+16  AES-256-GCM of the 64 secret bytes; all that stands before is associated data
 * </pre>
 *
 * <p>The sealing key of an agent slot is {@code HKDF-SHA256(salt "holdfast key slot 1", X25519 shared
 * secret, info = ephemeral key || agent's key, 32)}; of a passphrase slot {@code Argon2id v19} of the
 * passphrase in UTF-8, not normalised. Argon2id's costs are bounded when read, so that a planted slot
 * cannot exhaust an agent.
 */
public final class KeySlot {
    private static final int MAGIC = 0x48464b53;
    private static final byte VERSION = 1;
    private static final byte AGENT = 1;
    private static final byte PASSPHRASE = 2;
    private static final int HEAD_BYTES = 28;
    private static final int RAW_KEY_BYTES = 32;
    private static final int SALT_BYTES = 16;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final int SEALED_BYTES = DomainKey.BYTES + TAG_BITS / 8;
    private static final int AGENT_BYTES =
            HEAD_BYTES + 2 * RAW_KEY_BYTES + NONCE_BYTES + SEALED_BYTES;
    private static final int PASSPHRASE_BYTES =
            HEAD_BYTES + SALT_BYTES + 12 + NONCE_BYTES + SEALED_BYTES;
    private static final byte[] HKDF_SALT =
            "holdfast key slot 1".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    /** SubjectPublicKeyInfo of an X25519 key, up to the raw key (RFC 8410). */
    private static final byte[] X25519_PREFIX = HexFormat.of().parseHex("302a300506032b656e032100");

    private KeySlot() {}

    /**
     * Seals for the agent with this X25519 public key.
     *
     * @param x25519PublicRaw 32 raw bytes (RFC 7748), see {@link #rawPublicKey}
     * @throws FormatException when that is no usable public key
     */
    public static byte[] sealForAgent(DomainKey key, byte[] x25519PublicRaw, SecureRandom random) {
        if (x25519PublicRaw.length != RAW_KEY_BYTES) {
            throw new FormatException(
                    "X25519 public key", x25519PublicRaw.length + " bytes", 0, "32 bytes");
        }
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("X25519");
            generator.initialize(NamedParameterSpec.X25519, random);
            KeyPair ephemeral = generator.generateKeyPair();
            byte[] ephemeralRaw = rawPublicKey(ephemeral.getPublic());
            byte[] slot = new byte[AGENT_BYTES];
            head(slot, AGENT, key).put(ephemeralRaw).put(x25519PublicRaw);
            SecretKey sealing = agentKey(ephemeral.getPrivate(), x25519PublicRaw, slot);
            return seal(slot, key, sealing, random);
        } catch (java.security.InvalidKeyException e) {
            throw new FormatException(
                    "X25519 public key",
                    HexFormat.of().formatHex(x25519PublicRaw),
                    0,
                    "a point of large order");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK lacks X25519, HKDF or AES-GCM", e);
        }
    }

    /**
     * Opens with an agent's X25519 private key.
     *
     * @throws WrongAgentKey when the slot is for another key, or was changed
     * @throws FormatException when it is no slot of this kind and version
     */
    public static DomainKey openAsAgent(byte[] slot, PrivateKey x25519) throws WrongAgentKey {
        checkHead(slot, AGENT_BYTES, AGENT, "agent");
        byte[] ephemeral = Arrays.copyOfRange(slot, HEAD_BYTES, HEAD_BYTES + RAW_KEY_BYTES);
        try {
            return open(slot, agentKey(x25519, ephemeral, slot));
        } catch (AEADBadTagException | java.security.InvalidKeyException e) {
            throw new WrongAgentKey(
                    "Key slot of "
                            + name(slot)
                            + " is not for this agent's key, or was changed; it was made for "
                            + HexFormat.of()
                                    .formatHex(
                                            slot,
                                            HEAD_BYTES + RAW_KEY_BYTES,
                                            HEAD_BYTES + 2 * RAW_KEY_BYTES));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK lacks X25519, HKDF or AES-GCM", e);
        }
    }

    /**
     * Seals for whoever knows {@code passphrase}, with Argon2id of 64 MiB, 3 iterations and 4 lanes
     * (RFC 9106, second recommendation). Needs Bouncy Castle on the class path. The caller wipes the
     * passphrase.
     */
    public static byte[] sealWithPassphrase(DomainKey key, char[] passphrase, SecureRandom random) {
        byte[] salt = new byte[SALT_BYTES];
        random.nextBytes(salt);
        Argon2id.Cost cost = Argon2id.Cost.DEFAULT;
        byte[] slot = new byte[PASSPHRASE_BYTES];
        head(slot, PASSPHRASE, key)
                .put(salt)
                .putInt(cost.memoryKib())
                .putInt(cost.iterations())
                .putInt(cost.lanes());
        try {
            return seal(slot, key, passphraseKey(passphrase, salt, cost), random);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK lacks AES-GCM", e);
        }
    }

    /**
     * Opens with a passphrase. Needs Bouncy Castle on the class path. The caller wipes the passphrase.
     *
     * @throws WrongPassphrase when it does not open, or the slot was changed
     * @throws FormatException when it is no slot of this kind and version, or its costs are absurd
     */
    public static DomainKey openWithPassphrase(byte[] slot, char[] passphrase)
            throws WrongPassphrase {
        ByteBuffer in = checkHead(slot, PASSPHRASE_BYTES, PASSPHRASE, "passphrase");
        byte[] salt = new byte[SALT_BYTES];
        in.get(salt);
        Argon2id.Cost cost = new Argon2id.Cost(in.getInt(), in.getInt(), in.getInt());
        try {
            return open(slot, passphraseKey(passphrase, salt, cost));
        } catch (AEADBadTagException e) {
            throw new WrongPassphrase(
                    "Wrong passphrase for " + name(slot) + ", or its key slot was changed");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK lacks AES-GCM", e);
        }
    }

    /** The 32 raw bytes of an X25519 public key. @throws FormatException for another kind of key */
    public static byte[] rawPublicKey(PublicKey x25519) {
        byte[] encoded = x25519.getEncoded();
        int prefix = X25519_PREFIX.length;
        if (encoded == null
                || encoded.length != prefix + RAW_KEY_BYTES
                || !Arrays.equals(encoded, 0, prefix, X25519_PREFIX, 0, prefix)) {
            throw new FormatException("public key", x25519.getAlgorithm(), 0, "X25519");
        }
        return Arrays.copyOfRange(encoded, prefix, encoded.length);
    }

    private static SecretKey agentKey(PrivateKey own, byte[] otherRaw, byte[] slot)
            throws GeneralSecurityException {
        byte[] encoded = Arrays.copyOf(X25519_PREFIX, X25519_PREFIX.length + RAW_KEY_BYTES);
        System.arraycopy(otherRaw, 0, encoded, X25519_PREFIX.length, RAW_KEY_BYTES);
        PublicKey other;
        try {
            other =
                    KeyFactory.getInstance("X25519")
                            .generatePublic(new X509EncodedKeySpec(encoded));
        } catch (java.security.spec.InvalidKeySpecException e) {
            throw new java.security.InvalidKeyException(e);
        }
        KeyAgreement agreement = KeyAgreement.getInstance("X25519");
        agreement.init(own);
        agreement.doPhase(other, true);
        byte[] shared = agreement.generateSecret();
        try {
            byte[] info = Arrays.copyOfRange(slot, HEAD_BYTES, HEAD_BYTES + 2 * RAW_KEY_BYTES);
            return KDF.getInstance("HKDF-SHA256")
                    .deriveKey(
                            "AES",
                            HKDFParameterSpec.ofExtract()
                                    .addSalt(HKDF_SALT)
                                    .addIKM(shared)
                                    .thenExpand(info, 32));
        } finally {
            Arrays.fill(shared, (byte) 0);
        }
    }

    private static SecretKey passphraseKey(char[] passphrase, byte[] salt, Argon2id.Cost cost) {
        byte[] derived = Argon2id.derive(passphrase, salt, cost, 32);
        try {
            return new SecretKeySpec(derived, "AES");
        } finally {
            Arrays.fill(derived, (byte) 0);
        }
    }

    private static ByteBuffer head(byte[] slot, byte holder, DomainKey key) {
        UUID domain = key.domain();
        return ByteBuffer.wrap(slot)
                .putInt(MAGIC)
                .put(VERSION)
                .put(holder)
                .putShort((short) 0)
                .putLong(domain.getMostSignificantBits())
                .putLong(domain.getLeastSignificantBits())
                .putInt(key.keyEpoch());
    }

    private static ByteBuffer checkHead(byte[] slot, int bytes, byte holder, String holderWord) {
        ByteBuffer in = ByteBuffer.wrap(slot);
        if (slot.length < HEAD_BYTES || in.getInt() != MAGIC) {
            throw new FormatException("key slot", slot.length + " bytes", 0, "magic HFKS");
        }
        byte version = in.get();
        if (version != VERSION) {
            throw new FormatException("key slot", "version " + version, 4, "version 1");
        }
        byte kind = in.get();
        if (kind != holder || in.getShort() != 0) {
            throw new FormatException(
                    "key slot", "holder " + kind, 5, "the slot of an " + holderWord);
        }
        if (slot.length != bytes || in.getInt(24) < 0) {
            throw new FormatException("key slot", slot.length + " bytes", 6, bytes + " bytes");
        }
        return in.position(HEAD_BYTES);
    }

    private static byte[] seal(byte[] slot, DomainKey key, SecretKey sealing, SecureRandom random)
            throws GeneralSecurityException {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        int sealedAt = slot.length - SEALED_BYTES;
        System.arraycopy(nonce, 0, slot, sealedAt - NONCE_BYTES, NONCE_BYTES);
        byte[] secret = key.encoded();
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, sealing, new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(slot, 0, sealedAt);
            cipher.doFinal(secret, 0, secret.length, slot, sealedAt);
            return slot;
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }

    private static DomainKey open(byte[] slot, SecretKey sealing) throws GeneralSecurityException {
        int sealedAt = slot.length - SEALED_BYTES;
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(
                Cipher.DECRYPT_MODE,
                sealing,
                new GCMParameterSpec(TAG_BITS, slot, sealedAt - NONCE_BYTES, NONCE_BYTES));
        cipher.updateAAD(slot, 0, sealedAt);
        byte[] secret = cipher.doFinal(slot, sealedAt, SEALED_BYTES);
        try {
            return DomainKey.of(domain(slot), ByteBuffer.wrap(slot).getInt(24), secret);
        } finally {
            Arrays.fill(secret, (byte) 0);
        }
    }

    private static UUID domain(byte[] slot) {
        ByteBuffer in = ByteBuffer.wrap(slot, 8, 16);
        return new UUID(in.getLong(), in.getLong());
    }

    private static String name(byte[] slot) {
        return "domain " + domain(slot) + " epoch " + ByteBuffer.wrap(slot).getInt(24);
    }
}
