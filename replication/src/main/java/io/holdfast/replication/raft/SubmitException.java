package io.holdfast.replication.raft;

import java.io.IOException;

/** A command, or a read, got no answer of the state machine. */
public abstract sealed class SubmitException extends IOException {
    private SubmitException(String message, @org.jspecify.annotations.Nullable Throwable cause) {
        super(message, cause);
    }

    /** Certainly not done: the lineage is not open here, or nobody leads it. Try again later. */
    public static final class Unavailable extends SubmitException {
        /** Tells why. */
        public Unavailable(String message, @org.jspecify.annotations.Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * May have been done, or may still be done. Ask again with the same operation id, or read; never
     * undo.
     */
    public static final class OutcomeUnknown extends SubmitException {
        /** Tells what is known. */
        public OutcomeUnknown(String message, @org.jspecify.annotations.Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
