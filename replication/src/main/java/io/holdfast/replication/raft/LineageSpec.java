package io.holdfast.replication.raft;

import io.holdfast.standard.Epoch;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A lineage and its members: one Raft group.
 *
 * @param lineage its id, see {@link #idOf}
 * @param members voters and listeners, each node at most once
 */
public record LineageSpec(UUID lineage, List<Member> members) {
    /** Copies the list; refuses a node that is named twice. */
    public LineageSpec {
        members = List.copyOf(members);
        if (members.stream().map(Member::nodeId).distinct().count() != members.size()) {
            throw new IllegalArgumentException(
                    "a node is named twice in lineage " + lineage + ": " + members);
        }
    }

    /**
     * The id of the lineage that an epoch opens: a UUID of version 5 over the cluster and {@code
     * lineage/EPOCH}. Every node computes the same.
     */
    public static UUID idOf(UUID cluster, Epoch epoch) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(bytes(cluster));
            sha1.update(("lineage/" + epoch).getBytes(StandardCharsets.UTF_8));
            byte[] hash = sha1.digest();
            hash[6] = (byte) (hash[6] & 0x0f | 0x50);
            hash[8] = (byte) (hash[8] & 0x3f | 0x80);
            java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(hash);
            return new UUID(buffer.getLong(), buffer.getLong());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-1", e);
        }
    }

    private static byte[] bytes(UUID id) {
        return java.nio.ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    /** The member of a node. */
    public Optional<Member> member(String nodeId) {
        return members.stream().filter(m -> m.nodeId().equals(nodeId)).findFirst();
    }
}
