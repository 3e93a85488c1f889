package io.holdfast.chunk;

import io.holdfast.standard.FormatException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secret of a dedup domain: 32 bytes that name chunks and 32 bytes that seal them. Clients that
 * share it share chunks, and can read and poison each other's; nobody else can. Servers never hold
 * one: they keep it in {@link KeySlot}s.
 *
 * <p>A key epoch counts the domain's rotations. Chunks of two key epochs have different ids and do
 * not deduplicate against each other. Immutable until {@link #close}; safe to share between threads.
 */
public final class DomainKey implements AutoCloseable {
    /** Bytes of {@link #encoded()}: id key, then seal key. */
    public static final int BYTES = 64;

    private static final int HALF = BYTES / 2;

    private final UUID domain;
    private final int keyEpoch;
    private final byte[] secret;

    private DomainKey(UUID domain, int keyEpoch, byte[] secret) {
        if (keyEpoch < 0) {
            throw new FormatException("key epoch", Integer.toString(keyEpoch), 0, "0 or more");
        }
        this.domain = domain;
        this.keyEpoch = keyEpoch;
        this.secret = secret;
    }

    /** A new key for {@code domain} from {@code random}. */
    public static DomainKey generate(UUID domain, int keyEpoch, SecureRandom random) {
        byte[] secret = new byte[BYTES];
        random.nextBytes(secret);
        return new DomainKey(domain, keyEpoch, secret);
    }

    /**
     * A key from its {@link #encoded()} form, which is copied.
     *
     * @throws FormatException for another length or a negative key epoch
     */
    public static DomainKey of(UUID domain, int keyEpoch, byte[] encoded) {
        if (encoded.length != BYTES) {
            // The bytes themselves never go into a message.
            throw new FormatException("domain key", encoded.length + " bytes", 0, BYTES + " bytes");
        }
        return new DomainKey(domain, keyEpoch, encoded.clone());
    }

    /** The dedup domain. */
    public UUID domain() {
        return domain;
    }

    /** Which of the domain's keys this is. */
    public int keyEpoch() {
        return keyEpoch;
    }

    /** A copy of the 64 secret bytes: id key, then seal key. The caller wipes it. */
    public byte[] encoded() {
        return secret.clone();
    }

    SecretKeySpec idKey() {
        return new SecretKeySpec(secret, 0, HALF, "HmacSHA256");
    }

    SecretKeySpec sealKey() {
        return new SecretKeySpec(secret, HALF, HALF, "AES");
    }

    /** Wipes the secret; the key must not be used afterwards. {@link Sealer}s made before go on. */
    @Override
    public void close() {
        Arrays.fill(secret, (byte) 0);
    }

    /** Domain and key epoch, never the secret. */
    @Override
    public String toString() {
        return "DomainKey[" + domain + " epoch " + keyEpoch + "]";
    }
}
