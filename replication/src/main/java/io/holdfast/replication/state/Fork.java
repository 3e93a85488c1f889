package io.holdfast.replication.state;

import io.holdfast.standard.Epoch;
import java.util.Optional;

/**
 * A forced change of the active site, and how each resource that was written since stood just before
 * it: the base of a conflict report. What was not written since stands as it stood then.
 *
 * @param epoch that the change opened
 * @param base by resource id; empty where there was no such resource. Of the newest fork it grows
 *     with each first write of a resource; an older one ends where the next begins
 */
record Fork(Epoch epoch, PersistentMap<java.util.UUID, Optional<VersionedResource>> base) {
    /** This fork, once a resource is about to be written. */
    Fork before(java.util.UUID id, Optional<VersionedResource> now) {
        return base.containsKey(id) ? this : new Fork(epoch, base.with(id, now));
    }
}
