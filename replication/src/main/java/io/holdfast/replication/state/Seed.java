package io.holdfast.replication.state;

import com.google.protobuf.ByteString;

/**
 * What a new lineage begins with: a state, as value and as bytes, and the change of epoch that opens it.
 * Made once for a takeover, because a state is large. An immutable value.
 *
 * @param state to begin with
 * @param bytes of that state
 * @param change the epoch that begins
 */
public record Seed(ClusterState state, ByteString bytes, Command.EpochChange change) {
    /** Of a state that is not bytes yet. */
    public static Seed of(ClusterState state, Command.EpochChange change) {
        return new Seed(state, state.toBytes(), change);
    }
}
