package io.holdfast.replication.state;

import io.holdfast.chunk.LogPosition;
import java.util.UUID;

/**
 * Where a piece was committed: the place just after its PIECE frame.
 *
 * @param incarnation of the store; a position means nothing without it
 * @param position in that store's append order
 */
public record StorePosition(UUID incarnation, LogPosition position) {}
