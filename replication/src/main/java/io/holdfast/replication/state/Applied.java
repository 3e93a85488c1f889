package io.holdfast.replication.state;

/**
 * What came of one entry.
 *
 * @param state the next state
 * @param reply the answer to the proposer
 * @param firstIndex index of the entry that was first answered so: smaller than this entry's when
 *     its operation had been applied before
 */
public record Applied(ClusterState state, Reply reply, long firstIndex) {}
