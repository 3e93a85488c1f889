package io.holdfast.replication.state;

import static io.holdfast.replication.state.Codec.audit;
import static io.holdfast.replication.state.Codec.damaged;
import static io.holdfast.replication.state.Codec.endpoint;
import static io.holdfast.replication.state.Codec.epoch;
import static io.holdfast.replication.state.Codec.epochChange;
import static io.holdfast.replication.state.Codec.jobRecord;
import static io.holdfast.replication.state.Codec.mbr;
import static io.holdfast.replication.state.Codec.optionalSite;
import static io.holdfast.replication.state.Codec.optionalUuid;
import static io.holdfast.replication.state.Codec.reply;
import static io.holdfast.replication.state.Codec.report;
import static io.holdfast.replication.state.Codec.requireVersion;
import static io.holdfast.replication.state.Codec.requires;
import static io.holdfast.replication.state.Codec.resource;
import static io.holdfast.replication.state.Codec.suspensions;
import static io.holdfast.replication.state.Codec.uuid;
import static io.holdfast.replication.state.Codec.uuids;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.WireFormat;
import io.holdfast.chunk.ChunkId;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.Profile;
import io.holdfast.replication.proto.cluster.v1.Remembered;
import io.holdfast.replication.proto.cluster.v1.State;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A whole {@link ClusterState} as one {@code State} message and back. What there is much of (resources,
 * jobs, operations) is written and read one by one, in the order of the field numbers, so a takeover
 * with 100,000 resources never holds them as messages beside the state; the bytes are the same.
 */
final class StateCodec {
    private static final int MESSAGE = WireFormat.WIRETYPE_LENGTH_DELIMITED;
    private static final int RESOURCE = State.RESOURCES_FIELD_NUMBER << 3 | MESSAGE;
    private static final int JOB = State.JOBS_FIELD_NUMBER << 3 | MESSAGE;
    private static final int OPERATION = State.OPERATIONS_FIELD_NUMBER << 3 | MESSAGE;
    private static final ExtensionRegistryLite NO_EXTENSIONS =
            ExtensionRegistryLite.getEmptyRegistry();

    private StateCodec() {}

    /** The bytes of {@link ClusterState#toBytes}. */
    static ByteString write(ClusterState s) {
        ByteString.Output bytes = ByteString.newOutput();
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            head(s).writeTo(out);
            for (VersionedResource r : s.resources()) {
                out.writeMessage(
                        State.RESOURCES_FIELD_NUMBER,
                        io.holdfast.replication.proto.cluster.v1.VersionedResource.newBuilder()
                                .setResource(resource(r.resource()))
                                .setVersion(r.version())
                                .build());
            }
            for (JobRecord job : s.jobs()) {
                out.writeMessage(State.JOBS_FIELD_NUMBER, jobRecord(job));
            }
            middle(s).writeTo(out);
            for (var ordered : s.operationOrder()) {
                UUID operation = ordered.getValue();
                Optional<ClusterState.Remembered> known = s.operations().get(operation);
                if (known.isPresent()) {
                    out.writeMessage(
                            State.OPERATIONS_FIELD_NUMBER,
                            Remembered.newBuilder()
                                    .setOperation(uuid(operation))
                                    .setIndex(known.get().index())
                                    .setReply(reply(known.get().reply()))
                                    .build());
                }
            }
            rest(s).writeTo(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("memory is no disk", e);
        }
        return bytes.toByteString();
    }

    private static State head(ClusterState s) {
        State.Builder b =
                State.newBuilder().setVersion(ClusterState.VERSION).setEpoch(epoch(s.epoch()));
        s.mbr().ifPresent(m -> b.setMbr(mbr(m)));
        return b.build();
    }

    private static State middle(ClusterState s) {
        State.Builder b = State.newBuilder().addAllSuspended(suspensions(s.suspended()));
        b.getReplBuilder()
                .setState(s.repl().mode().name())
                .setSinceMicros(s.repl().sinceMicros())
                .setLastProtectedIndex(s.repl().lastProtectedIndex());
        for (EpochRecord e : s.epochs()) {
            b.addEpochsBuilder().setChange(epochChange(e.change())).setTimeMicros(e.timeMicros());
        }
        s.audit().forEach(a -> b.addAudit(audit(a)));
        s.draining()
                .ifPresent(d ->
                        b.getDrainingBuilder()
                                .setTarget(d.target().word())
                                .setSinceMicros(d.sinceMicros())
                                .setReason(d.reason())
                                .setOperator(d.operator())
                                .setLimitMillis(d.limitMillis()));
        return b.build();
    }

    private static State rest(ClusterState s) {
        State.Builder b =
                State.newBuilder()
                        .setAuditDropped(s.auditDropped())
                        .setJobsDropped(s.jobsDropped())
                        .setForcedMicros(s.forcedMicros());
        s.seeding()
                .ifPresent(x ->
                        b.getSeedingBuilder()
                                .setSeed(uuid(x.seed()))
                                .setTotalBytes(x.totalBytes())
                                .setSha256(x.sha256())
                                .addAllChunks(x.chunks()));
        for (LossEntry loss : s.lossLedger()) {
            b.addLossBuilder().setJob(uuid(loss.job())).setState(loss.atFork().name());
        }
        for (Fork fork : s.forks()) {
            var f = b.addForksBuilder().setEpoch(epoch(fork.epoch()));
            fork.base()
                    .forEach(e -> {
                        var base = f.addBaseBuilder().setId(uuid(e.getKey()));
                        e.getValue()
                                .ifPresent(r ->
                                        base.setResource(resource(r.resource()))
                                                .setVersion(r.version()));
                    });
        }
        s.reports().forEach(r -> b.addReports(report(r)));
        s.storageMoves()
                .forEach(m ->
                        b.addStorageMovesBuilder()
                                .setStorage(endpoint(m.storage()))
                                .setServedAt(m.servedAt().word())
                                .setSinceMicros(m.sinceMicros())
                                .setWho(m.who())
                                .setReason(m.reason())
                                .addAllLost(m.lost().stream().map(Codec::uuid).toList())
                                .setOverMicros(m.overMicros()));
        for (Expiry e : s.expiries()) {
            b.addExpiriesBuilder()
                    .setPiece(uuid(e.piece()))
                    .setHeader(ByteString.copyFrom(e.header().bytes()))
                    .setClient(uuid(e.client()))
                    .setJob(optionalUuid(e.job()))
                    .setTimeMicros(e.timeMicros())
                    .setWho(e.who())
                    .setReason(e.reason())
                    .setOnlyAt(optionalSite(e.onlyAt()));
        }
        for (Hold h : s.holds()) {
            b.addHoldsBuilder()
                    .setId(uuid(h.id()))
                    .setPiece(optionalUuid(h.piece()))
                    .setClient(optionalUuid(h.client()))
                    .setTimeMicros(h.timeMicros())
                    .setWho(h.who())
                    .setReason(h.reason());
        }
        for (GcRun r : s.gcRuns()) {
            b.addGcRunsBuilder()
                    .setId(uuid(r.id()))
                    .setStorage(endpoint(r.storage()))
                    .setSite(r.site().word())
                    .setWork(r.work().name())
                    .setEpoch(epoch(r.epoch()))
                    .setNode(r.node())
                    .setBeganMicros(r.beganMicros())
                    .setEndedMicros(r.endedMicros())
                    .setOutcome(r.outcome())
                    .addAllReasons(r.reasons())
                    .setFrames(r.frames())
                    .setBytes(r.bytes());
        }
        b.setAutoFailoverOff(!s.autoFailover());
        b.setProtectionPolicy(s.ackPolicy() == AckPolicy.PROTECTION);
        if (s.autoFailoverRequires() != Profile.Requires.METADATA) {
            b.setAutoFailoverRequires(s.autoFailoverRequires().word());
        }
        s.abandoned()
                .ifPresent(a ->
                        b.getAbandonedBuilder()
                                .setSite(a.site().word())
                                .setTimeMicros(a.timeMicros())
                                .setWho(a.who())
                                .setReason(a.reason()));
        s.uploads()
                .values()
                .forEach(u ->
                        b.addUploadsBuilder()
                                .setMember(u.member())
                                .getPartsBuilder()
                                .setSeed(uuid(u.parts().seed()))
                                .setTotalBytes(u.parts().totalBytes())
                                .setSha256(u.parts().sha256())
                                .addAllChunks(u.parts().chunks()));
        return b.build();
    }

    /**
     * Reads {@link #write}.
     *
     * @throws UnknownVersionException when a newer program wrote it
     * @throws FormatException when it is damaged
     */
    static ClusterState read(ByteString bytes) {
        ClusterState.Builder b = new ClusterState.Builder();
        State p;
        try {
            p = many(bytes, b);
        } catch (InvalidProtocolBufferException e) {
            throw damaged("state", e);
        } catch (IOException e) {
            throw new UncheckedIOException("memory is no disk", e);
        }
        requireVersion("a state", p.getVersion(), ClusterState.VERSION);
        b.epoch = epoch(p.getEpoch());
        b.mbr = p.hasMbr() ? mbr(p.getMbr()) : null;
        b.repl =
                new ReplState(
                        ReplState.Mode.ofWord(p.getRepl().getState()),
                        p.getRepl().getSinceMicros(),
                        p.getRepl().getLastProtectedIndex());
        b.epochs =
                p.getEpochsList().stream()
                        .map(e -> new EpochRecord(epochChange(e.getChange()), e.getTimeMicros()))
                        .toList();
        b.auditDropped = p.getAuditDropped();
        b.jobsDropped = p.getJobsDropped();
        long sequence = p.getAuditDropped();
        for (var a : p.getAuditList()) {
            b.audit = b.audit.with(sequence++, audit(a));
        }
        p.getSuspendedList()
                .forEach(s -> b.suspended = b.suspended.with(uuid(s.getClient()), s.getReason()));
        if (p.hasDraining()) {
            var d = p.getDraining();
            b.draining =
                    new Draining(
                            Site.ofWord(d.getTarget()),
                            d.getSinceMicros(),
                            d.getReason(),
                            d.getOperator(),
                            d.getLimitMillis());
        }
        if (p.hasSeeding()) {
            var x = p.getSeeding();
            b.seeding =
                    new ClusterState.Seeding(
                            uuid(x.getSeed()), x.getTotalBytes(), x.getSha256(), x.getChunksList());
        }
        b.loss =
                p.getLossList().stream()
                        .map(l -> new LossEntry(uuid(l.getJob()), JobState.ofWord(l.getState())))
                        .toList();
        b.forks = p.getForksList().stream().map(Codec::fork).toList();
        b.reports = p.getReportsList().stream().map(Codec::report).toList();
        for (var m : p.getStorageMovesList()) {
            Endpoint storage = endpoint(m.getStorage());
            b.storageMoves =
                    b.storageMoves.with(
                            storage.toString(),
                            new StorageMove(
                                    storage,
                                    Site.ofWord(m.getServedAt()),
                                    m.getSinceMicros(),
                                    m.getWho(),
                                    m.getReason(),
                                    uuids(m.getLostList()),
                                    m.getOverMicros()));
        }
        for (var e : p.getExpiriesList()) {
            b.expiries =
                    b.expiries.with(
                            uuid(e.getPiece()),
                            new Expiry(
                                    uuid(e.getPiece()),
                                    ChunkId.of(e.getHeader().toByteArray()),
                                    uuid(e.getClient()),
                                    optionalUuid(e.getJob()),
                                    e.getTimeMicros(),
                                    e.getWho(),
                                    e.getReason(),
                                    optionalSite(e.getOnlyAt())));
        }
        for (var h : p.getHoldsList()) {
            b.holds =
                    b.holds.with(
                            uuid(h.getId()),
                            new Hold(
                                    uuid(h.getId()),
                                    optionalUuid(h.getPiece()),
                                    optionalUuid(h.getClient()),
                                    h.getTimeMicros(),
                                    h.getWho(),
                                    h.getReason()));
        }
        b.gcRuns = p.getGcRunsList().stream().map(StateCodec::gcRun).toList();
        b.forcedMicros = p.getForcedMicros();
        b.autoFailoverOff = p.getAutoFailoverOff();
        b.ackPolicy = p.getProtectionPolicy() ? AckPolicy.PROTECTION : AckPolicy.AVAILABILITY;
        b.autoFailoverRequires =
                requires(p.getAutoFailoverRequires()).orElse(Profile.Requires.METADATA);
        if (p.hasAbandoned()) {
            var a = p.getAbandoned();
            b.abandoned =
                    new Abandonment(
                            Site.ofWord(a.getSite()), a.getTimeMicros(), a.getWho(), a.getReason());
        }
        for (var u : p.getUploadsList()) {
            var x = u.getParts();
            b.uploads =
                    b.uploads.with(
                            u.getMember(),
                            new ClusterState.Upload(
                                    u.getMember(),
                                    new ClusterState.Seeding(
                                            uuid(x.getSeed()),
                                            x.getTotalBytes(),
                                            x.getSha256(),
                                            x.getChunksList())));
        }
        return b.build();
    }

    /** Puts what there is much of into the builder. @return the rest, as a message */
    private static State many(ByteString bytes, ClusterState.Builder b) throws IOException {
        SortedMap<UUID, VersionedResource> resources = new TreeMap<>();
        SortedMap<String, UUID> names = new TreeMap<>();
        SortedMap<UUID, JobRecord> jobs = new TreeMap<>();
        SortedMap<UUID, ClusterState.Remembered> operations = new TreeMap<>();
        SortedMap<ClusterState.Ordered, UUID> order = new TreeMap<>();
        UnknownFieldSet.Builder rest = UnknownFieldSet.newBuilder();
        CodedInputStream in = bytes.newCodedInput();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag) {
                case RESOURCE -> {
                    var r =
                            in.readMessage(
                                    io.holdfast.replication.proto.cluster.v1.VersionedResource
                                            .parser(),
                                    NO_EXTENSIONS);
                    Resource resource = resource(r.getResource());
                    resources.put(resource.id(), new VersionedResource(resource, r.getVersion()));
                    names.put(
                            ClusterState.nameKey(resource.type(), resource.name()), resource.id());
                }
                case JOB -> {
                    JobRecord job =
                            jobRecord(
                                    in.readMessage(
                                            io.holdfast.replication.proto.cluster.v1.JobState
                                                    .parser(),
                                            NO_EXTENSIONS));
                    jobs.put(job.id(), job);
                }
                case OPERATION -> {
                    Remembered r = in.readMessage(Remembered.parser(), NO_EXTENSIONS);
                    UUID operation = uuid(r.getOperation());
                    operations.put(
                            operation,
                            new ClusterState.Remembered(r.getIndex(), reply(r.getReply())));
                    order.put(new ClusterState.Ordered(r.getIndex(), operation), operation);
                }
                default -> rest.mergeFieldFrom(tag, in);
            }
        }
        b.resources = PersistentMap.copyOf(resources);
        b.names = PersistentMap.copyOf(names);
        b.jobs = PersistentMap.copyOf(jobs);
        b.operations = PersistentMap.copyOf(operations);
        b.operationOrder = PersistentMap.copyOf(order);
        return State.parseFrom(rest.build().toByteString());
    }

    private static GcRun gcRun(io.holdfast.replication.proto.cluster.v1.GcRun r) {
        return new GcRun(
                uuid(r.getId()),
                endpoint(r.getStorage()),
                Site.ofWord(r.getSite()),
                GcRun.Work.ofWord(r.getWork()),
                epoch(r.getEpoch()),
                r.getNode(),
                r.getBeganMicros(),
                r.getEndedMicros(),
                r.getOutcome(),
                r.getReasonsList(),
                r.getFrames(),
                r.getBytes());
    }
}
