package io.holdfast.node.api;

import java.util.UUID;

/**
 * A client that is not backed up in this mode.
 *
 * @param client its resource id
 * @param name its name
 * @param reason why, and what would change it
 */
public record SuspendedView(UUID client, String name, String reason) {}
