package io.holdfast.chunk;

import java.security.PrivateKey;
import java.security.SecureRandom;

/** A {@link DomainKey} sealed for one holder: an agent or whoever knows a passphrase. */
public final class KeySlot {
    private KeySlot() {}

    /** Seals for the agent with this X25519 public key (32 raw bytes, RFC 7748). */
    public static byte[] sealForAgent(DomainKey key, byte[] x25519PublicRaw, SecureRandom random) {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * Opens with an agent's X25519 private key.
     *
     * @throws WrongAgentKey when the slot is for another key, or was changed
     * @throws io.holdfast.standard.FormatException when it is no slot of this kind and version
     */
    public static DomainKey openAsAgent(byte[] slot, PrivateKey x25519) throws WrongAgentKey {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Seals for whoever knows {@code passphrase}. Needs Bouncy Castle on the class path. */
    public static byte[] sealWithPassphrase(DomainKey key, char[] passphrase, SecureRandom random) {
        throw new UnsupportedOperationException("not built yet");
    }

    /**
     * Opens with a passphrase. Needs Bouncy Castle on the class path.
     *
     * @throws WrongPassphrase when it does not open, or the slot was changed
     * @throws io.holdfast.standard.FormatException when it is no slot of this kind and version
     */
    public static DomainKey openWithPassphrase(byte[] slot, char[] passphrase)
            throws WrongPassphrase {
        throw new UnsupportedOperationException("not built yet");
    }
}
