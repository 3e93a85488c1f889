package io.holdfast.agent.wire;

import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A call to another process that did not succeed. Sealed by what the caller can do about it. */
public abstract sealed class RemoteException extends IOException {
    private RemoteException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Certainly not done. Fix the request, the mode or the certificate; see {@link #code()}. */
    public static final class Refused extends RemoteException {
        private final ErrorDetail.Code code;
        private final String next;
        private final @Nullable Epoch maxEpoch;

        /** A refusal as the server worded it. */
        public Refused(
                ErrorDetail.Code code,
                String message,
                String next,
                @Nullable Epoch maxEpoch,
                @Nullable Throwable cause) {
            super(next.isEmpty() ? message : message + ". " + next, cause);
            this.code = code;
            this.next = next;
            this.maxEpoch = maxEpoch;
        }

        /** Why, for a program. */
        public ErrorDetail.Code code() {
            return code;
        }

        /** What to do next, for a person; may be empty. */
        public String next() {
            return next;
        }

        /** With {@code STALE_EPOCH}: the highest epoch that the server has obeyed. */
        public Optional<Epoch> maxEpoch() {
            return Optional.ofNullable(maxEpoch);
        }

        /** True when the server has obeyed a higher epoch. */
        public boolean stale() {
            return code == ErrorDetail.Code.STALE_EPOCH;
        }
    }

    /** Certainly not done, and may work later: wait, bounded, and try again. */
    public static final class Unavailable extends RemoteException {
        private static final String NOT_SENT = "Not sent: ";

        /** Tells what could not be reached, or what it said. */
        public Unavailable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }

        /** The server was not reached at all; {@code why} in the words of the transport. */
        static Unavailable notSent(String why, @Nullable Throwable cause) {
            return new Unavailable(NOT_SENT + why, cause);
        }

        /** Whether the message is the server's own; else it was not reached. */
        public boolean fromServer() {
            return !String.valueOf(getMessage()).startsWith(NOT_SENT);
        }
    }

    /** May have been done: read back, or retry with the same operation id. */
    public static final class Unknown extends RemoteException {
        /** Tells what was asked, and how the answer got lost. */
        public Unknown(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
