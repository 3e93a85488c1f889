package io.holdfast.replication.state;

import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Job;
import java.util.Optional;
import java.util.UUID;

/**
 * What the cluster knows about a job.
 *
 * @param job identity and identifiers, logical
 * @param kind {@code backup}, {@code restore}, ...
 * @param client the client resource
 * @param level {@code full}, {@code incremental}, or empty
 * @param epoch in which it was opened
 * @param openedMicros leader's time when it was opened, epoch microseconds
 * @param state how far it has come
 * @param endedMicros leader's time when it ended; 0 while it is open
 * @param row the catalog row of the piece it made, so that it can be applied again
 * @param pieceHeader id of the committed PIECE frame
 * @param totals what it moved
 * @param message for anything but COMPLETE: what happened, to which thing, what next
 * @param stored where the piece was committed
 * @param protectedMicros leader's time when it became DR_PROTECTED; 0 while it is not
 * @param recovered whether it came from a returned site after a forced failover
 *     (RECOVERED_FROM_DIVERGENCE)
 * @param expiredMicros leader's time when the piece expired; 0 while it has not
 * @param continues the CHECKPOINTED job that this one goes on with
 * @param continuedBy of a CHECKPOINTED job: the one that goes on with it, once that is opened
 */
public record JobRecord(
        Job job,
        String kind,
        UUID client,
        String level,
        Epoch epoch,
        long openedMicros,
        JobState state,
        long endedMicros,
        Optional<CatalogRecord> row,
        Optional<ChunkId> pieceHeader,
        JobTotals totals,
        String message,
        Optional<StorePosition> stored,
        long protectedMicros,
        boolean recovered,
        long expiredMicros,
        Optional<UUID> continues,
        Optional<UUID> continuedBy) {

    /** The job's id. */
    public UUID id() {
        return job.id();
    }

    /** Whether the other site has everything that restoring it needs. */
    public boolean isProtected() {
        return protectedMicros != 0;
    }

    /** Whether the piece it made has expired. */
    public boolean isExpired() {
        return expiredMicros != 0;
    }

    /** Whether it made a piece that the other site should have and does not (yet). */
    public boolean isUnprotectedPiece() {
        return state.isComplete() && row.isPresent() && !isProtected() && !isExpired();
    }

    /**
     * Whether it is a backup that a planned move has stopped, and no other job goes on with it yet. Of a
     * restore nothing follows: what it has written is at the site that was left.
     */
    public boolean awaitsSuccessor() {
        return state == JobState.CHECKPOINTED && kind.equals("backup") && continuedBy.isEmpty();
    }

    /** The form on the wire, message JobState of {@code cluster.proto}. */
    public io.holdfast.replication.proto.cluster.v1.JobState toProto() {
        return Codec.jobRecord(this);
    }

    /**
     * Reads {@link #toProto()}.
     *
     * @throws io.holdfast.standard.FormatException when a field is malformed
     */
    public static JobRecord of(io.holdfast.replication.proto.cluster.v1.JobState proto) {
        return Codec.jobRecord(proto);
    }

    JobRecord ended(Command.JobEnded end, long micros) {
        return new JobRecord(
                job,
                kind,
                client,
                level,
                epoch,
                openedMicros,
                end.state(),
                micros,
                end.row(),
                end.pieceHeader(),
                end.totals(),
                end.message(),
                end.stored(),
                0,
                recovered,
                0,
                continues,
                continuedBy);
    }

    JobRecord continuedBy(UUID successor) {
        return with(protectedMicros, recovered, expiredMicros, Optional.of(successor));
    }

    JobRecord protectedAt(long micros) {
        return with(micros, recovered, expiredMicros, continuedBy);
    }

    JobRecord recoveredUnprotected() {
        return with(0, true, 0, continuedBy);
    }

    JobRecord expiredAt(long micros) {
        return with(protectedMicros, recovered, micros, continuedBy);
    }

    /** The same job and outcome; what became of it, or of its piece, since is another. */
    private JobRecord with(
            long protectedAt, boolean hasRecovered, long expiredAt, Optional<UUID> successor) {
        return new JobRecord(
                job,
                kind,
                client,
                level,
                epoch,
                openedMicros,
                state,
                endedMicros,
                row,
                pieceHeader,
                totals,
                message,
                stored,
                protectedAt,
                hasRecovered,
                expiredAt,
                continues,
                successor);
    }
}
