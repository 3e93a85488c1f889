package io.holdfast.modeswitch;

import io.holdfast.standard.Identifier;
import java.util.List;

/** What the resolver says about a logical identifier. */
public sealed interface Resolution {
    /**
     * The physical identifier, to be dialled.
     *
     * @param identifier every address as it is served now
     * @param rewrites what was changed, in the order of the text; empty when nothing was
     */
    record Resolved(Identifier identifier, List<Rewrite> rewrites) implements Resolution {
        /** Copies the list. */
        public Resolved {
            rewrites = List.copyOf(rewrites);
        }
    }

    /**
     * Certainly not to be dialled: an address has no mapping.
     *
     * @param address the address, as it stands in the identifier
     * @param message what happened, to which address, and what to do
     */
    record Refused(String address, String message) implements Resolution {}

    /**
     * One address that was replaced.
     *
     * @param place {@code head}, {@code IP:} or {@code param 2} (from 1)
     * @param from as stored
     * @param to as dialled
     * @param rule why: {@code client crit}, or the Replication row
     */
    record Rewrite(String place, String from, String to, String rule) {}
}
