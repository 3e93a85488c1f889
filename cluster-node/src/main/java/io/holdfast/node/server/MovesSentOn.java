package io.holdfast.node.server;

import io.holdfast.node.api.MoveView;
import io.holdfast.node.api.NodeApi;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The moves that this node has sent on to the leader and awaits the answer of: the leader has their
 * steps, and leads no more before a switchover ends, so that it could not be found again. As many as
 * there are requests outstanding. Thread-safe.
 */
final class MovesSentOn {
    private final Map<UUID, NodeApi> leaders = new ConcurrentHashMap<>();

    /** Calls the leader, and knows until it has answered that it was asked. */
    <T> T sendOn(@Nullable UUID operation, NodeApi leader, Supplier<T> call) {
        if (operation == null) {
            return call.get();
        }
        leaders.put(operation, leader);
        try {
            return call.get();
        } finally {
            leaders.remove(operation, leader);
        }
    }

    /** What the node that was asked tells of the move; empty when it was not sent on. */
    Optional<MoveView> look(UUID operation) {
        return Optional.ofNullable(leaders.get(operation)).map(leader -> leader.move(operation));
    }
}
