package io.holdfast.node.api;

/** Whether what was written survives the loss of a site. */
public enum Level {
    /** A quorum of each site has acknowledged it, from its disk: it survives the loss of either. */
    PROTECTED,
    /** It stands in the active site's log, and is lost with that site. It may be PROTECTED later. */
    UNPROTECTED
}
