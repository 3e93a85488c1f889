package io.holdfast.modeswitch;

/** How the active site stands to the passive one (DR-PROTOCOL 3.4, R1 and R2). */
public enum ReplicationState {
    /** Writes are acknowledged PROTECTED. */
    SYNC,
    /** The peer is silent for too long; no UNPROTECTED acknowledgement before that is committed. */
    ASYNC_WAIT,
    /** Writes are acknowledged UNPROTECTED: the RPO is at risk. */
    ASYNC,
    /** The peer is back and draws level. */
    CATCHUP
}
