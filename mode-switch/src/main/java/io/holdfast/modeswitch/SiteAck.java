package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import java.util.UUID;

/**
 * A member's word that it has applied, hence has on disk, everything up to an index.
 *
 * @param lineage of the log
 * @param epoch of the state that was applied
 * @param index the last entry
 * @param node the member
 * @param incarnation of its storage
 * @param promise the highest epoch it has promised
 */
public record SiteAck(
        UUID lineage, Epoch epoch, long index, String node, UUID incarnation, Epoch promise) {}
