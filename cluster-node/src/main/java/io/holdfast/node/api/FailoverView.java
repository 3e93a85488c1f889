package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;

/**
 * A failover that was done: this site is active and writable.
 *
 * @param operation its id
 * @param steps in order
 * @param writableMillis from the request until the first write was committed in the new epoch
 * @param previousEpoch that was sealed
 * @param epoch that was opened
 * @param previousLineage the Raft group that was left
 * @param lineage the new one
 * @param lossLedger what was acknowledged and is not known to be here
 * @param rewritten each address in use, logical and as rewritten from now on
 * @param goOn names of the clients whose backups go on
 * @param suspended the clients that are suspended, with the reason
 */
public record FailoverView(
        UUID operation,
        List<StepView> steps,
        long writableMillis,
        String previousEpoch,
        String epoch,
        UUID previousLineage,
        UUID lineage,
        LossLedgerView lossLedger,
        List<IdentifierView> rewritten,
        List<String> goOn,
        List<SuspendedView> suspended) {
    /** Copies the lists. */
    public FailoverView {
        steps = List.copyOf(steps);
        rewritten = List.copyOf(rewritten);
        goOn = List.copyOf(goOn);
        suspended = List.copyOf(suspended);
    }
}
