package io.holdfast.catalog;

import io.holdfast.standard.Epoch;
import java.util.UUID;

/**
 * The decision that a data piece is no longer wanted. The row stays, and is listed no more.
 *
 * @param piece whose
 * @param reason for people
 * @param epoch in which it was decided
 */
public record Tombstone(UUID piece, String reason, Epoch epoch) {}
