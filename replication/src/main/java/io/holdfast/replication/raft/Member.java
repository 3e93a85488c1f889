package io.holdfast.replication.raft;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import java.util.UUID;

/**
 * A member of a lineage. Its identity is {@code node#incarnation}, so that a node that lost its
 * storage is another member and can never vote as the old one.
 *
 * @param nodeId the node, as in the MBR
 * @param incarnation of its Raft storage, see {@link StorageIncarnation}
 * @param raft where its Raft server listens
 * @param voter whether it votes; otherwise it is a listener: it receives the log and never leads
 * @param priority the higher, the rather it leads; 0 for voters of the passive site
 */
public record Member(String nodeId, UUID incarnation, Endpoint raft, boolean voter, int priority) {
    /** Checks the node id and the port. */
    public Member {
        if (nodeId.isBlank() || nodeId.indexOf('#') >= 0) {
            throw new FormatException("node id", nodeId, 0, "not blank, without '#'");
        }
        raft.requirePort();
    }

    /** The same member as a listener. */
    public Member asListener() {
        return new Member(nodeId, incarnation, raft, false, 0);
    }

    /** The same member as a voter of this priority. */
    public Member asVoter(int newPriority) {
        return new Member(nodeId, incarnation, raft, true, newPriority);
    }

    /** {@code node#incarnation}. */
    public String memberId() {
        return nodeId + "#" + incarnation;
    }
}
