package io.holdfast.node.api;

/** Whether a data piece survives the loss of its site. */
public enum Protection {
    /** Not, or not yet: something of it stands at one site only. */
    UNPROTECTED,
    /** Chunks, manifest, catalog rows, keys and the mark itself are durable at the other site. */
    DR_PROTECTED,
    /** A restore, or a cluster without another site. */
    NOT_APPLICABLE
}
