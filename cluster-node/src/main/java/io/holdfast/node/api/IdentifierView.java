package io.holdfast.node.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An identifier as stored and as it is dialled in the current epoch.
 *
 * @param logical as stored: the local site's addresses
 * @param physical as rewritten for the active site; absent when it was refused
 * @param refusal why it has no physical form: which address lacks a mapping, what to add
 * @param rewrites what was replaced, in order; empty when nothing was
 */
public record IdentifierView(
        String logical,
        @Nullable String physical,
        @Nullable String refusal,
        List<Rewrite> rewrites) {
    /** Copies the list. */
    public IdentifierView {
        rewrites = List.copyOf(rewrites);
    }

    /**
     * One replaced address.
     *
     * @param where {@code head}, {@code IP}, {@code catalog}, ...
     * @param from the logical address
     * @param to the physical one
     * @param rule what said so: {@code client DR address}, {@code replication row 10.1.1.1 -> ...}
     */
    public record Rewrite(String where, String from, String to, String rule) {}
}
