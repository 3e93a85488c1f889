package io.holdfast.catalog;

import io.holdfast.standard.Epoch;
import java.util.UUID;

/**
 * Why a catalog did not do what it was asked: certainly not done, except where the subtype says
 * otherwise. The message says what happened to which thing, {@link #next()} what to do.
 */
public abstract sealed class CatalogException extends Exception {
    private final String next;

    private CatalogException(String message, String next) {
        super(message);
        this.next = next;
    }

    /** What to do next. */
    public String next() {
        return next;
    }

    /** Refused: this database has obeyed a higher epoch. */
    public static final class StaleEpoch extends CatalogException {
        private final Epoch maxEpoch;

        /** Tells both epochs. */
        public StaleEpoch(UUID database, Epoch given, Epoch maxEpoch) {
            super(
                    "Catalog database "
                            + database
                            + " has obeyed epoch "
                            + maxEpoch
                            + " and refuses epoch "
                            + given,
                    "Find the active site (holdfast status) and send the request there");
            this.maxEpoch = maxEpoch;
        }

        /** The highest epoch obeyed. */
        public Epoch maxEpoch() {
            return maxEpoch;
        }
    }

    /** Refused: the request cannot be done as it is. */
    public static final class Refused extends CatalogException {
        /** Says why. */
        public Refused(String message, String next) {
            super(message, next);
        }
    }

    /** Refused: no such piece. */
    public static final class NotFound extends CatalogException {
        /** Names the piece. */
        public NotFound(UUID database, UUID piece) {
            super(
                    "Catalog database " + database + " has no data piece " + piece,
                    "List the pieces (holdfast pieces)");
        }
    }

    /** The same piece id with another content, or another thing that must not be. Nothing was changed. */
    public static final class Corrupt extends CatalogException {
        /** Says what disagrees with what. */
        public Corrupt(String message, String next) {
            super(message, next);
        }
    }

    /** A batch waits for a piece's bytes. What precedes it in the batch is applied and durable. */
    public static final class Parked extends CatalogException {
        private final UUID piece;
        private final long appliedSeq;

        /** Names the piece and how far the origin is applied. */
        public Parked(UUID origin, UUID piece, long seq, long appliedSeq, String why) {
            super(
                    "Entry "
                            + seq
                            + " of catalog database "
                            + origin
                            + " waits for data piece "
                            + piece
                            + ": "
                            + why
                            + "; applied up to "
                            + appliedSeq,
                    "Ship the piece's chunks and manifest, then send the batch again");
            this.piece = piece;
            this.appliedSeq = appliedSeq;
        }

        /** The piece whose frame is not durable here. */
        public UUID piece() {
            return piece;
        }

        /** All entries up to this one are applied and durable. */
        public long appliedSeq() {
            return appliedSeq;
        }
    }

    /** The database could not be used; nothing was changed. Try later. */
    public static final class Unavailable extends CatalogException {
        /** Wraps the database's complaint. */
        public Unavailable(UUID database, Throwable cause) {
            super(
                    "Catalog database " + database + " could not be used: " + cause.getMessage(),
                    "Look at the database's log, then try again");
            initCause(cause);
        }
    }

    /** The commit's outcome is not known. Repeat the request: every one is idempotent. */
    public static final class Unknown extends CatalogException {
        /** Wraps the database's complaint. */
        public Unknown(UUID database, Throwable cause) {
            super(
                    "Catalog database "
                            + database
                            + " did not say whether it committed: "
                            + cause.getMessage(),
                    "Repeat the request");
            initCause(cause);
        }
    }
}
