package io.holdfast.chunk;

import java.security.GeneralSecurityException;

/** A key slot is not for this agent's key (or was tampered with: the two look the same). */
public final class WrongAgentKey extends GeneralSecurityException {
    /** With a message that names the domain and the key epoch. */
    public WrongAgentKey(String message) {
        super(message);
    }
}
