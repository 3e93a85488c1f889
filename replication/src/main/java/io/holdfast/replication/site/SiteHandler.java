package io.holdfast.replication.site;

import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteAckBook;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What a node does when another asks it. Methods run on virtual threads, several at once, and may
 * block. A {@link StaleEpochException} reaches the caller as STALE_EPOCH, an
 * {@link IllegalArgumentException} as REFUSED, a {@link
 * io.holdfast.replication.raft.SubmitException.Unavailable} as UNAVAILABLE.
 */
public interface SiteHandler {
    /**
     * What the leader answers to an acknowledgement.
     *
     * @param protectedIndex as in {@link SiteAckBook#protectedIndex}
     * @param admitted whether the member counts
     */
    record AckAnswer(long protectedIndex, boolean admitted) {}

    /** A member has applied something. Must not block. */
    AckAnswer ack(SiteAck ack);

    /**
     * Who is there.
     *
     * @param callerEpoch the highest epoch that the caller knows
     */
    SiteDescription describe(Optional<Epoch> callerEpoch) throws IOException;

    /**
     * Raises the promise: durable, and the gate for acknowledgements of lower epochs closed, when
     * this returns.
     *
     * @return the promise now
     */
    Epoch promise(Epoch epoch, String reason) throws IOException, StaleEpochException;

    /** All this member holds of a lineage. {@code epoch} must have been promised. */
    Tail readTail(UUID lineage, Epoch epoch) throws IOException, StaleEpochException;

    /**
     * All this member holds of the newest lineage that it has whole ({@link
     * io.holdfast.modeswitch.TailKey}). {@code epoch} must have been promised.
     */
    Tail readNewestTail(Epoch epoch) throws IOException, StaleEpochException;

    /**
     * Opens a lineage.
     *
     * @param join whether it runs already
     * @return index applied here; -1 for nothing
     */
    long openLineage(LineageSpec spec, Epoch epoch, boolean join)
            throws IOException, StaleEpochException;

    /** Closes and archives a lineage. @return where it lies; empty when it was not there */
    Optional<Path> closeLineage(UUID lineage, Epoch epoch, String reason)
            throws IOException, StaleEpochException;

    /** Records the jobs that a returned site had completed. Served by the leader. */
    Recovered recover(Epoch epoch, UUID fromLineage, List<JobRecord> jobs)
            throws IOException, StaleEpochException;

    /**
     * Whether this witness has lost these members, too.
     *
     * @param candidate who asks, and leads in {@code term}
     * @param question number of the question
     */
    boolean askWitness(String candidate, Set<String> lost, long term, long question)
            throws IOException;

    /**
     * Records a part of what a returned site hands over: a {@link
     * io.holdfast.replication.state.Command.ReportBegin}, a chunk, or the end. Served by the leader.
     */
    void handOver(Epoch epoch, Entry part) throws IOException, StaleEpochException;
}
