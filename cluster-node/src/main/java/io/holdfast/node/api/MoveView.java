package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;

/**
 * A failover or switchover while its request is outstanding.
 *
 * @param operation its id
 * @param steps those that are done, in order; the answer to the request begins with the same ones
 * @param doing what it is at now, in words; empty when that is not known
 * @param doingMillis since the last of the steps
 */
public record MoveView(UUID operation, List<StepView> steps, String doing, long doingMillis) {
    /** Copies the list. */
    public MoveView {
        steps = List.copyOf(steps);
    }
}
