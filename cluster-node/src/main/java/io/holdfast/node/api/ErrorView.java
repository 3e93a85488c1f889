package io.holdfast.node.api;

import org.jspecify.annotations.Nullable;

/**
 * An answer that is not a result.
 *
 * @param error the kind as a stable word for scripts: {@code refused}, {@code stale-epoch}, ...
 * @param kind what the caller may conclude
 * @param message what happened, to which thing
 * @param next what to do next; may be empty
 * @param epoch of the node that answered, where known
 * @param mode role of the answering node's site, where known
 */
public record ErrorView(
        String error,
        ApiException.Kind kind,
        String message,
        String next,
        @Nullable String epoch,
        @Nullable String mode) {}
