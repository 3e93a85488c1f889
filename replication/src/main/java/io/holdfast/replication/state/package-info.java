/**
 * The state machine of the cluster as a pure value: {@link
 * io.holdfast.replication.state.ClusterState} is what Raft agrees on (MBR, resources, jobs, the
 * Protected ledger, epochs, audit), {@link io.holdfast.replication.state.Command} what may be done
 * to it. Nothing here knows Ratis, a clock, a file or a thread.
 *
 * <p>Start at {@link io.holdfast.replication.state.ClusterState#apply}. The bytes of both are
 * {@code holdfast/cluster/v1/cluster.proto}, with golden files in the tests.
 */
@NullMarked
package io.holdfast.replication.state;

import org.jspecify.annotations.NullMarked;
