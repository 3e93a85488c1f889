package io.holdfast.chunk;

import java.io.IOException;

/** A chunk store could not do what was asked. Sealed by what the caller can do about it. */
public abstract sealed class StoreException extends IOException {
    private StoreException(String message) {
        super(message);
    }

    private StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Bytes disagree with their identity: repair from another replica. Names chunk, pack, offset. */
    public static final class Corrupt extends StoreException {
        /** With a message that names the chunk, the pack and the offset. */
        public Corrupt(String message) {
            super(message);
        }
    }

    /** A frame that the store does not hold. */
    public static final class Missing extends StoreException {
        /** With a message that names the chunk. */
        public Missing(String message) {
            super(message);
        }
    }

    /** No space left: refused, nothing acknowledged is lost, works again after space is freed. */
    public static final class Full extends StoreException {
        /** With a message that names the folder and what was needed. */
        public Full(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** A view that takes no writes was asked to write: certainly not done. */
    public static final class ReadOnly extends StoreException {
        /** With a message that says whose view it is. */
        public ReadOnly(String message) {
            super(message);
        }
    }

    /** An I/O error after which the store has closed its pack: what was not acknowledged is unknown. */
    public static final class Failed extends StoreException {
        /** With a message that names the file. */
        public Failed(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
