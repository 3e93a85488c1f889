package io.holdfast.node.api;

import java.util.UUID;

/**
 * A data piece that has expired, and may still be at a site.
 *
 * @param piece its identity
 * @param expired when
 * @param who the operator, or {@code retention}
 * @param reason why
 */
public record ExpiryView(UUID piece, Moment expired, String who, String reason) {}
