package io.holdfast.agent.storage;

import io.holdfast.chunk.LogPosition;
import java.util.UUID;

/**
 * What a storage holds.
 *
 * @param incarnation which store it is
 * @param frames held
 * @param frameBytes of them
 * @param packs files that hold them
 * @param freeBytes of the file system below
 * @param end of the durable log
 */
public record StoreStatus(
        UUID incarnation,
        long frames,
        long frameBytes,
        long packs,
        long freeBytes,
        LogPosition end) {}
