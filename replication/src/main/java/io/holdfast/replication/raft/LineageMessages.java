package io.holdfast.replication.raft;

import io.holdfast.agent.wire.Wire;
import io.holdfast.standard.Endpoint;

/** Lineages to and from {@code site.proto}. */
public final class LineageMessages {
    private LineageMessages() {}

    /** The form on the wire and in files. */
    public static io.holdfast.replication.proto.site.v1.LineageSpec toProto(LineageSpec spec) {
        var b =
                io.holdfast.replication.proto.site.v1.LineageSpec.newBuilder()
                        .setLineage(Wire.bytes(spec.lineage()));
        for (Member m : spec.members()) {
            b.addMembersBuilder()
                    .setNode(m.nodeId())
                    .setIncarnation(Wire.bytes(m.incarnation()))
                    .setHost(m.raft().host())
                    .setRaftPort(m.raft().requirePort())
                    .setVoter(m.voter())
                    .setPriority(m.priority());
        }
        return b.build();
    }

    /**
     * Reads {@link #toProto}.
     *
     * @throws io.holdfast.standard.FormatException when a field is malformed
     */
    public static LineageSpec of(io.holdfast.replication.proto.site.v1.LineageSpec p) {
        return new LineageSpec(
                Wire.uuid(p.getLineage(), "lineage"),
                p.getMembersList().stream()
                        .map(m ->
                                new Member(
                                        m.getNode(),
                                        Wire.uuid(m.getIncarnation(), "incarnation"),
                                        Endpoint.of(m.getHost(), m.getRaftPort()),
                                        m.getVoter(),
                                        m.getPriority()))
                        .toList());
    }
}
