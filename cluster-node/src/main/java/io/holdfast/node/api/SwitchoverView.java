package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;

/**
 * A planned switchover that was done: nothing acknowledged was lost.
 *
 * @param operation its id
 * @param steps in order
 * @param from the site that was active
 * @param to the site that is
 * @param previousEpoch that was sealed
 * @param epoch that was opened
 * @param previousLineage the Raft group that was left
 * @param lineage the new one
 * @param rewritten each address in use, logical and as it is dialled from now on
 * @param resumed names of clients whose backups are possible again
 * @param suspended the clients that are suspended, with the reason
 */
public record SwitchoverView(
        UUID operation,
        List<StepView> steps,
        String from,
        String to,
        String previousEpoch,
        String epoch,
        UUID previousLineage,
        UUID lineage,
        List<IdentifierView> rewritten,
        List<String> resumed,
        List<SuspendedView> suspended) {
    /** Copies the lists. */
    public SwitchoverView {
        steps = List.copyOf(steps);
        rewritten = List.copyOf(rewritten);
        resumed = List.copyOf(resumed);
        suspended = List.copyOf(suspended);
    }
}
