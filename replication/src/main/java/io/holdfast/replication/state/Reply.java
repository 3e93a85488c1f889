package io.holdfast.replication.state;

import io.holdfast.standard.Epoch;

/** What the state machine answers. Both kinds are normal, and the same on every node. */
public sealed interface Reply {
    /**
     * Done.
     *
     * @param version of the resource that was written; 0 where it means nothing
     */
    record Done(long version) implements Reply {}

    /**
     * Certainly not done.
     *
     * @param code why
     * @param message what happened, to which thing
     * @param next what to do next
     * @param epoch of the state that refused
     */
    record Refused(Code code, String message, String next, Epoch epoch) implements Reply {}

    /** Why a command is refused. */
    enum Code {
        /** The proposer's epoch is lower than the state's. */
        STALE_EPOCH,
        /** The proposer's epoch is higher than the state's: it talks to a lineage left behind. */
        FUTURE_EPOCH,
        /** The lineage holds no state yet: it waits for its seed. */
        NOT_SEEDED,
        /** The resource was changed meanwhile. */
        VERSION_MISMATCH,
        /** Another resource of this type has the name. */
        NAME_TAKEN,
        /** There is no such thing. */
        NOT_FOUND,
        /** The thing is in a state that does not allow this. */
        CONFLICT,
        /** A planned switchover is under way. */
        DRAINING,
        /** The bytes of a seed are not what was announced. */
        CORRUPT
    }
}
