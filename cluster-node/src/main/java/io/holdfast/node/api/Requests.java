package io.holdfast.node.api;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What goes into {@link NodeApi}. An {@code operation} is the caller's id of what it wants once: a
 * repeated request with the same id answers with the first one's result and does nothing again.
 */
public final class Requests {
    private Requests() {}

    /**
     * A backup to be started.
     *
     * @param client name or id of a client resource
     * @param source path to back up; absent: the client's
     * @param level {@code full} or {@code incremental}
     * @param operation becomes the job's id when it is a UUIDv7 that is not taken; absent: a new one
     */
    public record Backup(
            String client, @Nullable String source, String level, @Nullable UUID operation) {}

    /**
     * A restore to be started.
     *
     * @param piece what
     * @param targetClient name or id of the client whose agent writes it
     * @param targetPath folder there; the piece's paths are created below it
     * @param include paths below the piece's root; empty: everything
     * @param overwrite replace files that exist; otherwise a non-empty target is refused
     * @param operation as in {@link Backup}
     */
    public record Restore(
            UUID piece,
            String targetClient,
            String targetPath,
            @JsonSetter(nulls = Nulls.AS_EMPTY) List<String> include,
            boolean overwrite,
            @Nullable UUID operation) {
        /** Copies the list. */
        public Restore {
            include = List.copyOf(include);
        }
    }

    /**
     * Which jobs.
     *
     * @param client name or id; absent: all
     * @param state absent: all
     * @param limit newest so many
     */
    public record JobFilter(@Nullable String client, JobView.@Nullable State state, int limit) {}

    /**
     * Which data pieces.
     *
     * @param client name or id; absent: all
     * @param limit newest so many
     */
    public record PieceFilter(@Nullable String client, int limit) {}

    /**
     * Entries of a data piece's tree.
     *
     * @param piece which
     * @param path below its root; empty: the root
     * @param recursive everything below, or one level
     * @param via name or id of the client whose agent opens it; absent: the piece's own client
     */
    public record Listing(UUID piece, String path, boolean recursive, @Nullable String via) {}

    /**
     * A failover to be done at this node's site.
     *
     * @param force although the active site was seen alive
     * @param operator who asks; the REST layer sets it from the certificate
     * @param reason why, for the audit
     * @param operation id of this wish
     */
    public record Failover(
            boolean force, String operator, String reason, @Nullable UUID operation) {}

    /**
     * A planned switchover.
     *
     * @param to {@code local} or {@code dr}
     * @param operator who asks; the REST layer sets it from the certificate
     * @param reason why, for the audit
     * @param operation id of this wish
     * @param drainSeconds how long running jobs are waited for before they are checkpointed, 0 to
     *     {@value #MAX_DRAIN_SECONDS}; absent: 60
     * @param barrierSeconds how long the other site may take to draw level, 1 to {@value
     *     #MAX_BARRIER_SECONDS}; absent: 90
     */
    public record Switchover(
            String to,
            String operator,
            String reason,
            @Nullable UUID operation,
            @Nullable Integer drainSeconds,
            @Nullable Integer barrierSeconds) {
        /** Checks the times. */
        public Switchover {
            inBounds("drain", drainSeconds, 0, MAX_DRAIN_SECONDS);
            inBounds("barrier", barrierSeconds, 1, MAX_BARRIER_SECONDS);
        }

        private static void inBounds(String what, @Nullable Integer seconds, int least, int most) {
            if (seconds != null && (seconds < least || seconds > most)) {
                throw new ApiException(
                        ApiException.Kind.USAGE,
                        "A switchover with a "
                                + what
                                + " of "
                                + seconds
                                + " s; expected "
                                + least
                                + " to "
                                + most
                                + " s",
                        "See: holdfast switchover --help");
            }
        }
    }

    /** Longest time that a switchover waits for running jobs. */
    public static final int MAX_DRAIN_SECONDS = 900;

    /** Longest time that a switchover waits for the other site. */
    public static final int MAX_BARRIER_SECONDS = 600;

    /**
     * Whether the passive site may take over by itself.
     *
     * @param on whether it may
     * @param requires {@code metadata} or {@code protected-backups}; absent: as before
     * @param operator who asks; the REST layer sets it from the certificate
     * @param reason why, for the audit
     */
    public record AutoFailover(
            boolean on, @Nullable String requires, String operator, String reason) {}

    /**
     * What becomes of writes that cannot be PROTECTED.
     *
     * @param policy {@code availability} or {@code protection}
     * @param operator who asks; the REST layer sets it from the certificate
     * @param reason why, for the audit
     */
    public record ChooseAckPolicy(String policy, String operator, String reason) {}

    /**
     * A rehearsal.
     *
     * @param pieces how many protected data pieces are sampled, 0 to {@value #MAX_SAMPLES}
     * @param operation becomes the report's id when it is a UUIDv7; absent: a new one
     */
    public record Rehearsal(int pieces, @Nullable UUID operation) {
        /** Checks the number. */
        public Rehearsal {
            if (pieces < 0 || pieces > MAX_SAMPLES) {
                throw new ApiException(
                        ApiException.Kind.USAGE,
                        "A rehearsal of " + pieces + " pieces; expected 0 to " + MAX_SAMPLES,
                        "See: holdfast rehearse --help");
            }
        }
    }

    /** Most data pieces that one rehearsal samples. */
    public static final int MAX_SAMPLES = 100;

    /**
     * One change of a returned site to be made here too.
     *
     * @param item id of the resource
     * @param oursVersion version of the resource here as it was seen; 0 when there was none
     * @param operator taken from the certificate
     */
    public record Reapply(UUID item, long oursVersion, @Nullable String operator) {}

    /**
     * The report of a return is dealt with.
     *
     * @param operator taken from the certificate
     * @param reason why, for the audit
     */
    public record Sign(@Nullable String operator, @Nullable String reason) {}

    /**
     * A storage changes its place.
     *
     * @param device name or address of the storage's device
     * @param force although its own store answers
     * @param operator taken from the certificate
     * @param reason why, for the audit
     */
    public record StorageMove(
            String device, boolean force, @Nullable String operator, @Nullable String reason) {}

    /**
     * Data pieces expire by name.
     *
     * @param pieces at most {@value #MAX_EXPIRING}
     * @param operator taken from the certificate
     * @param reason why, for the audit
     */
    public record Expire(
            @JsonSetter(nulls = Nulls.AS_EMPTY) List<UUID> pieces,
            @Nullable String operator,
            @Nullable String reason) {
        /** Copies the list and checks its length. */
        public Expire {
            pieces = List.copyOf(pieces);
            if (pieces.isEmpty() || pieces.size() > MAX_EXPIRING) {
                throw new ApiException(
                        ApiException.Kind.USAGE,
                        "An expiry of " + pieces.size() + " pieces; expected 1 to " + MAX_EXPIRING,
                        "See: holdfast expire --help");
            }
        }
    }

    /** Most data pieces that one request expires. */
    public static final int MAX_EXPIRING = 1_000;

    /**
     * A legal hold.
     *
     * @param piece the data piece that it names; absent when it names a client
     * @param client name or id of the client whose pieces it names; absent when it names a piece
     * @param operator taken from the certificate
     * @param reason why, for the audit
     * @param operation becomes the hold's id; absent: a new one
     */
    public record Hold(
            @Nullable UUID piece,
            @Nullable String client,
            @Nullable String operator,
            @Nullable String reason,
            @Nullable UUID operation) {}

    /**
     * The end of a legal hold.
     *
     * @param hold its id
     * @param operator taken from the certificate
     * @param reason why, for the audit
     */
    public record Release(UUID hold, @Nullable String operator, @Nullable String reason) {}

    /**
     * The other site is declared lost.
     *
     * @param site {@code local} or {@code dr}
     * @param operator taken from the certificate
     * @param reason why, for the audit
     */
    public record Abandon(String site, @Nullable String operator, @Nullable String reason) {}
}
