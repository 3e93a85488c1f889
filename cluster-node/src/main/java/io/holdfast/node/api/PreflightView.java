package io.holdfast.node.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a failover at this node would do, and what stands against it. Nothing was changed.
 *
 * @param node that was asked
 * @param site its site
 * @param role its site's role
 * @param epoch newest epoch that it obeys
 * @param nextEpoch that the failover would open
 * @param verdict whether it may be done
 * @param refusals why not, each with what to do; with {@code NEEDS_FORCE}, what {@code --force}
 *     overrides
 * @param seen what was seen of the active site, one finding a line
 * @param replication state of the replication as last known
 * @param replicationSince since when it stands so
 * @param lastContact when the active site was last heard
 * @param lossLedger what would be listed as lost or unknown
 * @param goOn names of the clients whose backups go on
 * @param suspended the clients that would be suspended
 * @param unmapped the identifiers in use that nothing maps to this site
 */
public record PreflightView(
        String node,
        String site,
        String role,
        String epoch,
        String nextEpoch,
        Verdict verdict,
        List<String> refusals,
        List<String> seen,
        String replication,
        @Nullable Moment replicationSince,
        @Nullable Moment lastContact,
        LossLedgerView lossLedger,
        List<String> goOn,
        List<SuspendedView> suspended,
        List<IdentifierView> unmapped) {
    /** Copies the lists. */
    public PreflightView {
        refusals = List.copyOf(refusals);
        seen = List.copyOf(seen);
        goOn = List.copyOf(goOn);
        suspended = List.copyOf(suspended);
        unmapped = List.copyOf(unmapped);
    }

    /** Whether a failover may be done. */
    public enum Verdict {
        /** Yes. */
        ALLOWED,
        /** Only by force: the active site, or part of it, was seen alive. */
        NEEDS_FORCE,
        /** No, not even by force. */
        REFUSED
    }
}
