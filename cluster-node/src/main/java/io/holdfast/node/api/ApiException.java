package io.holdfast.node.api;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A request that was not answered with a result. The kind says what the caller may conclude; the
 * message says what happened to which thing, and {@link #next()} what to do about it.
 */
public final class ApiException extends RuntimeException {
    private final Kind kind;
    private final String next;
    private final @Nullable String epoch;
    private final @Nullable String mode;

    /** Without epoch and mode. */
    public ApiException(Kind kind, String message, String next) {
        this(kind, message, next, null, null, null);
    }

    /**
     * With everything that is known.
     *
     * @param epoch of the answering node, as in {@code 3.dr}
     * @param mode role of the answering node's site: {@code ACTIVE}, {@code STANDBY}, {@code FENCED}
     * @param cause what led to it
     */
    public ApiException(
            Kind kind,
            String message,
            String next,
            @Nullable String epoch,
            @Nullable String mode,
            @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.next = next;
        this.epoch = epoch;
        this.mode = mode;
    }

    /** What the caller may conclude. */
    public enum Kind {
        /** Certainly not done: the mode or a rule forbids it. Fix the request or the mode. */
        REFUSED,
        /** Certainly not done: the asked node or agent has seen a higher epoch. */
        STALE_EPOCH,
        /** Certainly not done: no such client, piece, job or resource. */
        NOT_FOUND,
        /** May have been done. Read back, then retry with the same operation id. */
        UNKNOWN,
        /** Certainly not done, not now: try later. */
        UNAVAILABLE,
        /** Certainly not done: the request itself is malformed. */
        USAGE,
        /** Done and failed, or broken inside: the message says which. */
        FAILED;

        /** The word in JSON: {@code stale-epoch}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** The HTTP status that carries this kind. */
        public int httpStatus() {
            return switch (this) {
                case REFUSED, STALE_EPOCH -> 409;
                case NOT_FOUND -> 404;
                case USAGE -> 400;
                case UNAVAILABLE -> 503;
                case UNKNOWN -> 504;
                case FAILED -> 500;
            };
        }
    }

    /** What the caller may conclude. */
    public Kind kind() {
        return kind;
    }

    /** What to do next: a sentence, or empty. */
    public String next() {
        return next;
    }

    /** Epoch of the node that answered, where known. */
    public @Nullable String epoch() {
        return epoch;
    }

    /** Role of the answering node's site, where known. */
    public @Nullable String mode() {
        return mode;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }

    /** As it goes over the wire. */
    public ErrorView view() {
        return new ErrorView(kind.word(), kind, getMessage(), next, epoch, mode);
    }
}
