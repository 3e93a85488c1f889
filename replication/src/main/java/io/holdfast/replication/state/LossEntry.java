package io.holdfast.replication.state;

import java.util.UUID;

/**
 * A job that a forced change of the active site found open, or complete without being
 * DR_PROTECTED (DECISIONS 19). What the surviving site never heard of cannot be listed.
 *
 * @param job its id; what became of it since is {@link ClusterState#job}
 * @param atFork how it stood then: OPEN, or complete
 */
public record LossEntry(UUID job, JobState atFork) {}
