package io.holdfast.replication.raft;

import io.holdfast.replication.state.ClusterState;
import java.util.Optional;
import java.util.UUID;

/**
 * What a {@link RaftHost} tells. The methods run on threads of Raft, {@link #applied} in the order of
 * the log; they must return quickly and never throw.
 */
public interface RaftEvents {
    /**
     * Everything up to an index is applied here, hence on this node's disk. Not called for every
     * index of a snapshot that was installed: the index may jump.
     */
    default void applied(UUID lineage, long term, long index, ClusterState state) {}

    /** Somebody leads now, or (empty) nobody does as far as this node knows. */
    default void leaderChanged(UUID lineage, Optional<String> nodeId, long term) {}

    /** This node leads and has applied everything from earlier terms: leader's work may start. */
    default void leaderReady(UUID lineage, long term) {}

    /** This node leads no more: leader's work must stop at once. */
    default void notLeader(UUID lineage) {}

    /** Nobody has led for the time of {@code no-leader}; repeated while it lasts. */
    default void noLeader(UUID lineage) {}

    /** The members are others now. */
    default void membersChanged(UUID lineage) {}
}
