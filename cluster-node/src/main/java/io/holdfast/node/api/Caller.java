package io.holdfast.node.api;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who asks, for audit and for stopping a request that goes in circles. Bound for the duration of a
 * call by the REST layer; unbound when the node asks itself (the scheduler).
 *
 * @param role {@code operator} or {@code node}: of the certificate, or of the one on whose behalf a
 *     node asks
 * @param id the operator's or the node's name
 * @param forwardedBy the node that sent the request on, so it must not be sent on again; else absent
 */
public record Caller(String role, String id, @Nullable String forwardedBy) {
    /** Bound while {@link NodeApi} is called on behalf of a peer. */
    public static final ScopedValue<Caller> CURRENT = ScopedValue.newInstance();

    /** The current caller. */
    public static Optional<Caller> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }

    /** {@code operator admin}, with the node that sent it on. */
    @Override
    public String toString() {
        return role + " " + id + (forwardedBy == null ? "" : " by way of node " + forwardedBy);
    }
}
