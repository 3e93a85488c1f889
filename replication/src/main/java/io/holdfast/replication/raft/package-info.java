/**
 * The Raft groups of a node: {@link io.holdfast.replication.raft.RaftHost} runs one Ratis server
 * with a group for each lineage, whose state machine is {@link
 * io.holdfast.replication.state.ClusterState}. The only place that knows Ratis.
 *
 * <p>A lineage is created on its members, seeded once, written by {@code submit} from any member,
 * closed when a higher epoch has begun elsewhere, and archived, never deleted. Raft does not fence:
 * a returned majority of an old lineage elects itself and takes writes again. The epochs in the
 * commands and in every other call do.
 */
@NullMarked
package io.holdfast.replication.raft;

import org.jspecify.annotations.NullMarked;
