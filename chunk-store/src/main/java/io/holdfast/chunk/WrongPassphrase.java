package io.holdfast.chunk;

import java.security.GeneralSecurityException;

/** A key slot does not open with this passphrase (or was tampered with: the two look the same). */
public final class WrongPassphrase extends GeneralSecurityException {
    /** With a message that names the domain and the key epoch, never the passphrase. */
    public WrongPassphrase(String message) {
        super(message);
    }
}
