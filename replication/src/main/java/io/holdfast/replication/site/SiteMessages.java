package io.holdfast.replication.site;

import com.google.protobuf.ByteString;
import io.holdfast.agent.wire.Wire;
import io.holdfast.modeswitch.SiteAck;
import io.holdfast.replication.proto.site.v1.CatchUp;
import io.holdfast.replication.proto.site.v1.DescribeReply;
import io.holdfast.replication.proto.site.v1.TailEntry;
import io.holdfast.replication.proto.site.v1.TailHeader;
import io.holdfast.replication.proto.site.v1.TailPart;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/** Values to and from {@code site.proto}. */
final class SiteMessages {
    /** Pieces of a state as they are sent. */
    static final int PART_BYTES = 1 << 20;

    private SiteMessages() {}

    static Optional<Epoch> epoch(long encoded) {
        return encoded == 0 ? Optional.empty() : Optional.of(Epoch.decode(encoded));
    }

    static long epoch(Optional<Epoch> epoch) {
        return epoch.map(Epoch::encoded).orElse(0L);
    }

    static Epoch requireEpoch(long encoded, String what) {
        return epoch(encoded).orElseThrow(() -> new FormatException(what, "0", 0, "an epoch"));
    }

    static io.holdfast.replication.proto.site.v1.SiteAck toProto(SiteAck ack) {
        return io.holdfast.replication.proto.site.v1.SiteAck.newBuilder()
                .setLineage(Wire.bytes(ack.lineage()))
                .setEpoch(ack.epoch().encoded())
                .setIndex(ack.index())
                .setNode(ack.node())
                .setIncarnation(Wire.bytes(ack.incarnation()))
                .setPromise(ack.promise().encoded())
                .build();
    }

    static SiteAck of(io.holdfast.replication.proto.site.v1.SiteAck p) {
        return new SiteAck(
                Wire.uuid(p.getLineage(), "lineage"),
                requireEpoch(p.getEpoch(), "epoch"),
                p.getIndex(),
                p.getNode(),
                Wire.uuid(p.getIncarnation(), "incarnation"),
                requireEpoch(p.getPromise(), "promise"));
    }

    static DescribeReply toProto(SiteDescription d) {
        return DescribeReply.newBuilder()
                .setNode(d.node())
                .setIncarnation(Wire.bytes(d.incarnation()))
                .setSite(d.site().word())
                .setState(d.state())
                .setEpoch(epoch(d.epoch()))
                .setPromise(epoch(d.promise()))
                .setAdmitted(d.admitted())
                .setLineage(d.lineage().map(Wire::bytes).orElse(ByteString.EMPTY))
                .setAppliedIndex(d.appliedIndex())
                .setLastTerm(d.lastTerm())
                .setLastIndex(d.lastIndex())
                .setLastContactMicros(d.lastContactMicros())
                .setLeader(d.leader())
                .setReplState(d.replMode())
                .setReplSinceMicros(d.replSinceMicros())
                .setVersion(d.version())
                .setCatchUp(toProto(d.shipping().catchUp()))
                .addAllDamage(d.shipping().damage())
                .build();
    }

    static SiteDescription of(DescribeReply p) {
        return new SiteDescription(
                p.getNode(),
                Wire.uuid(p.getIncarnation(), "incarnation"),
                Site.ofWord(p.getSite()),
                p.getState(),
                epoch(p.getEpoch()),
                epoch(p.getPromise()),
                p.getAdmitted(),
                p.getLineage().isEmpty()
                        ? Optional.<UUID>empty()
                        : Optional.of(Wire.uuid(p.getLineage(), "lineage")),
                p.getAppliedIndex(),
                p.getLastTerm(),
                p.getLastIndex(),
                p.getLastContactMicros(),
                p.getLeader(),
                p.getReplState(),
                p.getReplSinceMicros(),
                p.getVersion(),
                new ShipReport(
                        p.hasCatchUp() ? of(p.getCatchUp()) : ShipStatus.CatchUp.NONE,
                        p.getDamageList()));
    }

    private static CatchUp toProto(ShipStatus.CatchUp c) {
        return CatchUp.newBuilder()
                .setDone(c.done())
                .setFramesMissing(c.framesMissing())
                .setBytesMissing(c.bytesMissing())
                .setFramesMoved(c.framesMoved())
                .setBytesMoved(c.bytesMoved())
                .build();
    }

    private static ShipStatus.CatchUp of(CatchUp p) {
        return new ShipStatus.CatchUp(
                p.getDone(),
                Math.max(0, p.getFramesMissing()),
                Math.max(0, p.getBytesMissing()),
                Math.max(0, p.getFramesMoved()),
                Math.max(0, p.getBytesMoved()));
    }

    static void send(Tail tail, Consumer<TailPart> to) {
        to.accept(
                TailPart.newBuilder()
                        .setHeader(
                                TailHeader.newBuilder()
                                        .setLineage(Wire.bytes(tail.lineage()))
                                        .setAppliedTerm(tail.appliedTerm())
                                        .setAppliedIndex(tail.appliedIndex())
                                        .setLastTerm(tail.lastTerm())
                                        .setLastIndex(tail.lastIndex())
                                        .setStateBytes(tail.state().size())
                                        .setEntries(tail.entries().size())
                                        .setJoined(tail.joined().encoded()))
                        .build());
        for (int at = 0; at < tail.state().size(); at += PART_BYTES) {
            int end = Math.min(tail.state().size(), at + PART_BYTES);
            to.accept(TailPart.newBuilder().setState(tail.state().substring(at, end)).build());
        }
        for (Tail.LogEntry entry : tail.entries()) {
            to.accept(
                    TailPart.newBuilder()
                            .setEntry(
                                    TailEntry.newBuilder()
                                            .setTerm(entry.term())
                                            .setIndex(entry.index())
                                            .setData(entry.data()))
                            .build());
        }
    }

    /** Reads what {@link #send} sent. @throws FormatException when something is missing */
    static Tail receive(Iterator<TailPart> parts) {
        if (!parts.hasNext()) {
            throw new FormatException("log tail", "nothing", 0, "a header");
        }
        TailHeader header = parts.next().getHeader();
        List<ByteString> state = new ArrayList<>();
        List<Tail.LogEntry> entries = new ArrayList<>();
        while (parts.hasNext()) {
            TailPart part = parts.next();
            switch (part.getPartCase()) {
                case STATE -> state.add(part.getState());
                case ENTRY ->
                        entries.add(
                                new Tail.LogEntry(
                                        part.getEntry().getTerm(),
                                        part.getEntry().getIndex(),
                                        part.getEntry().getData()));
                case HEADER, PART_NOT_SET ->
                        throw new FormatException(
                                "log tail", part.getPartCase().name(), 0, "state or entry");
            }
        }
        ByteString bytes = ByteString.copyFrom(state);
        if (bytes.size() != header.getStateBytes() || entries.size() != header.getEntries()) {
            throw new FormatException(
                    "log tail",
                    bytes.size() + " bytes and " + entries.size() + " entries",
                    0,
                    header.getStateBytes() + " and " + header.getEntries());
        }
        return new Tail(
                        Wire.uuid(header.getLineage(), "lineage"),
                        header.getAppliedTerm(),
                        header.getAppliedIndex(),
                        bytes,
                        entries,
                        header.getLastTerm(),
                        header.getLastIndex())
                .joinedIn(epoch(header.getJoined()).orElse(ClusterState.NO_EPOCH));
    }
}
