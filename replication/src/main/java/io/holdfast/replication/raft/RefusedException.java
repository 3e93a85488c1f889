package io.holdfast.replication.raft;

import io.holdfast.replication.state.Reply;

/** The state machine refused a command: certainly not done. */
public final class RefusedException extends Exception {
    private final transient Reply.Refused refusal;

    /** Carries the refusal. */
    public RefusedException(Reply.Refused refusal) {
        super(refusal.message() + " " + refusal.next());
        this.refusal = refusal;
    }

    /** Why. */
    public Reply.Refused refusal() {
        return refusal;
    }
}
