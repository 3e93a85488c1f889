package io.holdfast.replication.raft;

import io.holdfast.replication.state.Reply;

/**
 * A command was committed by Raft and answered by the state machine. Whether it is PROTECTED is
 * another matter: see {@code SiteAckBook}.
 *
 * @param lineage where
 * @param index of the entry that was first answered so; with a repeated operation, the first one
 * @param term of the entry that brought this answer
 * @param reply done, or refused
 */
public record Written(java.util.UUID lineage, long index, long term, Reply reply) {
    /**
     * The version of a {@link Reply.Done}.
     *
     * @throws RefusedException when the state machine refused
     */
    public long requireDone() throws RefusedException {
        return switch (reply) {
            case Reply.Done done -> done.version();
            case Reply.Refused refused -> throw new RefusedException(refused);
        };
    }
}
