package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A backup or restore job, running or ended.
 *
 * @param id UUIDv7
 * @param kind {@code backup} or {@code restore}
 * @param state where it stands
 * @param level of a backup: {@code full} or {@code incremental}
 * @param client whose agent does it: the source of a backup, the target of a restore
 * @param clientName its name
 * @param piece the data piece that is written or read
 * @param epoch in which it was started, as in {@code 3.dr}
 * @param started leader's time
 * @param ended when its outcome was committed: the acknowledgement
 * @param message for anything but COMPLETE: what, to which thing, what next; else empty
 * @param continues the CHECKPOINTED job that this one goes on with
 * @param continuedBy of a CHECKPOINTED job: the one that goes on with it, once that is opened
 * @param warnings how many files vanished, could not be read, ...
 * @param progress counts so far, final once ended
 * @param protection of a backup: whether all of it is at the other site
 * @param protectedAt when it was shown DR_PROTECTED
 * @param protectedSeconds from {@code ended} to {@code protectedAt}
 * @param safety how safe its record and its piece are, and whether that is enough
 * @param identifiers its pairs, logical as stored and physical as dialled
 * @param log newest lines last, bounded
 */
public record JobView(
        UUID id,
        String kind,
        State state,
        @Nullable String level,
        @Nullable UUID client,
        String clientName,
        @Nullable UUID piece,
        String epoch,
        Moment started,
        @Nullable Moment ended,
        String message,
        @Nullable UUID continues,
        @Nullable UUID continuedBy,
        long warnings,
        Progress progress,
        Protection protection,
        @Nullable Moment protectedAt,
        @Nullable Double protectedSeconds,
        Safety safety,
        List<Pair> identifiers,
        List<LogLine> log) {
    /** Copies the lists. */
    public JobView {
        identifiers = List.copyOf(identifiers);
        log = List.copyOf(log);
    }

    /** The same job with another log. */
    public JobView withLog(List<LogLine> lines) {
        return new JobView(
                id,
                kind,
                state,
                level,
                client,
                clientName,
                piece,
                epoch,
                started,
                ended,
                message,
                continues,
                continuedBy,
                warnings,
                progress,
                protection,
                protectedAt,
                protectedSeconds,
                safety,
                identifiers,
                lines);
    }

    /** Where a job stands. */
    public enum State {
        /** Started, outcome not committed. */
        OPEN,
        /** All of it. */
        COMPLETE,
        /** All that could be read; the log names the rest. */
        COMPLETE_WITH_WARNINGS,
        /** Nothing was committed. */
        FAILED,
        /** Stopped on request; nothing was committed. */
        CANCELLED,
        /** Stopped by a planned move; a backup goes on as another job, which sends what is missing. */
        CHECKPOINTED;

        /** Whether a data piece stands (backup) or the target is usable (restore). */
        public boolean succeeded() {
            return this == COMPLETE || this == COMPLETE_WITH_WARNINGS;
        }
    }

    /**
     * Counts of a job.
     *
     * @param phase {@code scan}, {@code send}, {@code commit}, {@code restore}, or empty
     * @param files files looked at (backup) or written (restore)
     * @param filesUnchanged of those, skipped as unchanged
     * @param bytesRead read from the source, or written to the target
     * @param bytesNew of chunks that the storage lacked, before compression
     * @param bytesStored the same, as sealed frames
     * @param bytesDurable of those, acknowledged by the storage
     * @param chunksDurable how many chunks that is
     * @param sourceBytes what the piece represents, changed or not; 0 until known
     * @param dedupRatio sourceBytes / bytesStored (1 when nothing is known); larger is better
     * @param seconds from the order until now or until the outcome
     * @param firstByteMillis restore: from the order to the first byte written
     */
    public record Progress(
            String phase,
            long files,
            long filesUnchanged,
            long bytesRead,
            long bytesNew,
            long bytesStored,
            long bytesDurable,
            long chunksDurable,
            long sourceBytes,
            double dedupRatio,
            double seconds,
            @Nullable Long firstByteMillis) {
        /** Nothing yet. */
        public static final Progress NONE = new Progress("", 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, null);
    }

    /**
     * How safe a job is, and whether its client's policy is content with that.
     *
     * @param level of its newest record in the resource DB, as of every write
     * @param rpoAtRisk when UNPROTECTED: what is at the active site only
     * @param greenAt of a backup: the level that its policy asks for: {@code local}, {@code dr-log},
     *     {@code dr-data}; {@code local} of a restore
     * @param reached {@code none}, or the highest of them that it has reached
     * @param green whether it has ended well and reached {@code greenAt}
     * @param waitsFor {@code greenAt}, when it has ended well, has not reached it, and still may
     * @param away whether the other site is away, so that nothing is on its way there
     */
    public record Safety(
            Level level,
            @Nullable RpoAtRisk rpoAtRisk,
            String greenAt,
            String reached,
            boolean green,
            @Nullable String waitsFor,
            boolean away) {}

    /** One pair of identifiers. */
    public record Pair(IdentifierView input, IdentifierView output) {}

    /**
     * One line of a job's log.
     *
     * @param level {@code INFO}, {@code WARNING} or {@code ERROR}
     * @param path the file it is about, lossy UTF-8; may be empty
     * @param message what happened
     */
    public record LogLine(String level, String path, String message) {}
}
