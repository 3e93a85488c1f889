package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.Profile;
import io.holdfast.replication.proto.cluster.v1.Text;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Job;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Values to and from {@code cluster.proto}. Maps are written sorted, so equal values have equal
 * bytes.
 */
final class Codec {
    private Codec() {}

    static Optional<Profile.Requires> requires(String word) {
        return word.isEmpty() ? Optional.empty() : Optional.of(Profile.Requires.ofWord(word));
    }

    // ------------------------------------------------------------------ small things

    static ByteString uuid(UUID id) {
        return ByteString.copyFrom(
                ByteBuffer.allocate(16)
                        .putLong(id.getMostSignificantBits())
                        .putLong(id.getLeastSignificantBits())
                        .flip());
    }

    static UUID uuid(ByteString bytes) {
        if (bytes.size() != 16) {
            throw new FormatException("UUID", bytes.size() + " bytes", 0, "16 bytes");
        }
        ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
        return new UUID(buffer.getLong(), buffer.getLong());
    }

    static Optional<UUID> optionalUuid(ByteString bytes) {
        return bytes.isEmpty() ? Optional.empty() : Optional.of(uuid(bytes));
    }

    /** A site of this word; empty when there is none. */
    static Optional<Site> optionalSite(String word) {
        return word.isEmpty() ? Optional.empty() : Optional.of(Site.ofWord(word));
    }

    static String optionalSite(Optional<Site> site) {
        return site.map(Site::word).orElse("");
    }

    static ByteString optionalUuid(Optional<UUID> id) {
        return id.map(Codec::uuid).orElse(ByteString.EMPTY);
    }

    static List<UUID> uuids(List<ByteString> list) {
        return list.stream().map(Codec::uuid).toList();
    }

    static io.holdfast.replication.proto.cluster.v1.Endpoint endpoint(Endpoint e) {
        return io.holdfast.replication.proto.cluster.v1.Endpoint.newBuilder()
                .setHost(e.host())
                .setPort(e.port().orElse(0))
                .build();
    }

    static Endpoint endpoint(io.holdfast.replication.proto.cluster.v1.Endpoint p) {
        return new Endpoint(
                p.getHost(), p.getPort() == 0 ? OptionalInt.empty() : OptionalInt.of(p.getPort()));
    }

    static Epoch epoch(long encoded) {
        return encoded == 0 ? ClusterState.NO_EPOCH : Epoch.decode(encoded);
    }

    static long epoch(Epoch epoch) {
        return epoch.n() == 0 ? 0 : epoch.encoded();
    }

    private static List<Text> texts(Map<String, String> map) {
        List<Text> texts = new ArrayList<>(map.size());
        boolean sorted = map instanceof SortedMap<String, String> s && s.comparator() == null;
        (sorted ? map : new TreeMap<>(map))
                .forEach((k, v) -> texts.add(Text.newBuilder().setKey(k).setValue(v).build()));
        return texts;
    }

    private static Map<String, String> texts(List<Text> texts) {
        Map<String, String> map = new TreeMap<>();
        // The keys are a few words, the same in every resource.
        texts.forEach(t -> map.put(t.getKey().intern(), t.getValue()));
        return map;
    }

    static void requireVersion(String what, int met, int known) {
        if (met != known) {
            throw new UnknownVersionException(what, Integer.toString(met), Integer.toString(known));
        }
    }

    static FormatException damaged(String what, InvalidProtocolBufferException e) {
        return new FormatException(what, String.valueOf(e.getMessage()), 0, "cluster.proto");
    }

    // ------------------------------------------------------------------ entries

    static io.holdfast.replication.proto.cluster.v1.Entry entry(Entry entry) {
        var b =
                io.holdfast.replication.proto.cluster.v1.Entry.newBuilder()
                        .setVersion(Entry.VERSION)
                        .setOperation(uuid(entry.operation()))
                        .setEpoch(epoch(entry.epoch()))
                        .setTimeMicros(entry.timeMicros());
        switch (entry.command()) {
            case Command.PutMbr c -> b.getPutMbrBuilder().setMbr(mbr(c.mbr()));
            case Command.PutResource c ->
                    b.getPutResourceBuilder()
                            .setResource(resource(c.resource()))
                            .setExpectedVersion(c.expectedVersion());
            case Command.DeleteResource c ->
                    b.getDeleteResourceBuilder()
                            .setId(uuid(c.id()))
                            .setExpectedVersion(c.expectedVersion());
            case Command.JobOpened c ->
                    b.getJobOpenedBuilder()
                            .setJob(job(c.job()))
                            .setKind(c.kind())
                            .setClient(uuid(c.client()))
                            .setLevel(c.level())
                            .setContinues(optionalUuid(c.continues()));
            case Command.JobEnded c -> {
                var end =
                        b.getJobEndedBuilder()
                                .setJob(uuid(c.job()))
                                .setState(c.state().name())
                                .setTotals(totals(c.totals()))
                                .setMessage(c.message());
                c.row().ifPresent(r -> end.setRow(row(r)));
                c.pieceHeader().ifPresent(h -> end.setPieceHeader(ByteString.copyFrom(h.bytes())));
                c.stored().ifPresent(s -> end.setStored(position(s)));
            }
            case Command.ProtectedMark c -> b.getProtectedMarkBuilder().setJob(uuid(c.job()));
            case Command.PieceRecovered c ->
                    b.getPieceRecoveredBuilder()
                            .setJob(jobRecord(c.job()))
                            .setFromLineage(uuid(c.fromLineage()));
            case Command.ReplStateChange c ->
                    b.getReplStateChangeBuilder()
                            .setState(c.state().mode().name())
                            .setSinceMicros(c.state().sinceMicros())
                            .setLastProtectedIndex(c.state().lastProtectedIndex());
            case Command.EpochChange c -> b.setEpochChange(epochChange(c));
            case Command.SwitchPrepare c ->
                    b.getSwitchPrepareBuilder()
                            .setTarget(c.target().word())
                            .setReason(c.reason())
                            .setOperator(c.operator())
                            .setLimitMillis(c.limitMillis());
            case Command.SwitchAbort c -> b.getSwitchAbortBuilder().setReason(c.reason());
            case Command.SetSuspended c ->
                    b.getSetSuspendedBuilder().addAllClients(suspensions(c.clients()));
            case Command.AuditNote c ->
                    b.getAuditNoteBuilder()
                            .setWho(c.who())
                            .setWhat(c.what())
                            .setSubject(c.subject());
            case Command.SeedBegin c ->
                    b.getSeedBeginBuilder()
                            .setSeed(uuid(c.seed()))
                            .setTotalBytes(c.totalBytes())
                            .setSha256(c.sha256());
            case Command.SeedChunk c ->
                    b.getSeedChunkBuilder()
                            .setSeed(uuid(c.seed()))
                            .setSequence(c.sequence())
                            .setData(c.data());
            case Command.ReportBegin c ->
                    b.getReportBeginBuilder()
                            .setMember(c.member())
                            .setReport(uuid(c.report()))
                            .setTotalBytes(c.totalBytes())
                            .setSha256(c.sha256());
            case Command.ReportChunk c ->
                    b.getReportChunkBuilder()
                            .setReport(uuid(c.report()))
                            .setSequence(c.sequence())
                            .setData(c.data());
            case Command.ReportEnd c -> b.getReportEndBuilder().setReport(uuid(c.report()));
            case Command.ReportSigned c ->
                    b.getReportSignedBuilder()
                            .setLineage(uuid(c.lineage()))
                            .setWho(c.who())
                            .setReason(c.reason());
            case Command.StorageFailover c ->
                    b.getStorageFailoverBuilder()
                            .setStorage(endpoint(c.storage()))
                            .setServedAt(c.servedAt().word())
                            .addAllLost(c.lost().stream().map(Codec::uuid).toList())
                            .setWho(c.who())
                            .setReason(c.reason());
            case Command.StorageFailback c ->
                    b.getStorageFailbackBuilder()
                            .setStorage(endpoint(c.storage()))
                            .addAllFound(c.found().stream().map(Codec::uuid).toList())
                            .setWho(c.who());
            case Command.Expire c -> {
                var e = b.getExpireBuilder().setWho(c.who()).setOnlyAt(optionalSite(c.onlyAt()));
                for (Command.Expiring one : c.pieces()) {
                    e.addPiecesBuilder()
                            .setPiece(uuid(one.piece()))
                            .setHeader(ByteString.copyFrom(one.header().bytes()))
                            .setClient(uuid(one.client()))
                            .setJob(optionalUuid(one.job()))
                            .setReason(one.reason());
                }
            }
            case Command.ExpirySettled c ->
                    b.getExpirySettledBuilder()
                            .addAllPieces(c.pieces().stream().map(Codec::uuid).toList());
            case Command.HoldAdd c ->
                    b.getHoldAddBuilder()
                            .setHold(uuid(c.hold()))
                            .setPiece(optionalUuid(c.piece()))
                            .setClient(optionalUuid(c.client()))
                            .setWho(c.who())
                            .setReason(c.reason());
            case Command.HoldRelease c ->
                    b.getHoldReleaseBuilder()
                            .setHold(uuid(c.hold()))
                            .setWho(c.who())
                            .setReason(c.reason());
            case Command.GcBegin c ->
                    b.getGcBeginBuilder()
                            .setRun(uuid(c.run()))
                            .setStorage(endpoint(c.storage()))
                            .setSite(c.site().word())
                            .setWork(c.work().name())
                            .setNode(c.node());
            case Command.GcEnd c ->
                    b.getGcEndBuilder()
                            .setRun(uuid(c.run()))
                            .setOutcome(c.outcome())
                            .addAllReasons(c.reasons())
                            .setFrames(c.frames())
                            .setBytes(c.bytes());
            case Command.AbandonSite c ->
                    b.getAbandonSiteBuilder()
                            .setSite(c.site().word())
                            .setWho(c.who())
                            .setReason(c.reason());
            case Command.SetAutoFailover c ->
                    b.getSetAutoFailoverBuilder()
                            .setOn(c.on())
                            .setWho(c.who())
                            .setReason(c.reason())
                            .setRequires(c.requires().map(Profile.Requires::word).orElse(""));
            case Command.SetAckPolicy c ->
                    b.getSetAckPolicyBuilder()
                            .setPolicy(c.policy().word())
                            .setWho(c.who())
                            .setReason(c.reason());
            case Command.SeedEnd c ->
                    b.getSeedEndBuilder()
                            .setSeed(uuid(c.seed()))
                            .setEpochChange(epochChange(c.change()));
        }
        return b.build();
    }

    static Entry entry(ByteString bytes) {
        try {
            var e = io.holdfast.replication.proto.cluster.v1.Entry.parseFrom(bytes);
            requireVersion("a log entry", e.getVersion(), Entry.VERSION);
            return new Entry(
                    uuid(e.getOperation()), epoch(e.getEpoch()), e.getTimeMicros(), command(e));
        } catch (InvalidProtocolBufferException e) {
            throw damaged("log entry", e);
        }
    }

    private static Command command(io.holdfast.replication.proto.cluster.v1.Entry e) {
        return switch (e.getCommandCase()) {
            case PUT_MBR -> new Command.PutMbr(mbr(e.getPutMbr().getMbr()));
            case PUT_RESOURCE ->
                    new Command.PutResource(
                            resource(e.getPutResource().getResource()),
                            e.getPutResource().getExpectedVersion());
            case DELETE_RESOURCE ->
                    new Command.DeleteResource(
                            uuid(e.getDeleteResource().getId()),
                            e.getDeleteResource().getExpectedVersion());
            case JOB_OPENED ->
                    new Command.JobOpened(
                            job(e.getJobOpened().getJob()),
                            e.getJobOpened().getKind(),
                            uuid(e.getJobOpened().getClient()),
                            e.getJobOpened().getLevel(),
                            optionalUuid(e.getJobOpened().getContinues()));
            case JOB_ENDED -> {
                var c = e.getJobEnded();
                yield new Command.JobEnded(
                        uuid(c.getJob()),
                        JobState.ofWord(c.getState()),
                        c.hasRow() ? Optional.of(row(c.getRow())) : Optional.empty(),
                        chunkId(c.getPieceHeader()),
                        totals(c.getTotals()),
                        c.getMessage(),
                        c.hasStored() ? Optional.of(position(c.getStored())) : Optional.empty());
            }
            case PROTECTED_MARK -> new Command.ProtectedMark(uuid(e.getProtectedMark().getJob()));
            case PIECE_RECOVERED ->
                    new Command.PieceRecovered(
                            jobRecord(e.getPieceRecovered().getJob()),
                            uuid(e.getPieceRecovered().getFromLineage()));
            case REPL_STATE_CHANGE ->
                    new Command.ReplStateChange(
                            new ReplState(
                                    ReplState.Mode.ofWord(e.getReplStateChange().getState()),
                                    e.getReplStateChange().getSinceMicros(),
                                    e.getReplStateChange().getLastProtectedIndex()));
            case EPOCH_CHANGE -> epochChange(e.getEpochChange());
            case SWITCH_PREPARE ->
                    new Command.SwitchPrepare(
                            Site.ofWord(e.getSwitchPrepare().getTarget()),
                            e.getSwitchPrepare().getReason(),
                            e.getSwitchPrepare().getOperator(),
                            e.getSwitchPrepare().getLimitMillis());
            case SWITCH_ABORT -> new Command.SwitchAbort(e.getSwitchAbort().getReason());
            case SET_SUSPENDED -> {
                Map<UUID, String> clients = new TreeMap<>();
                e.getSetSuspended()
                        .getClientsList()
                        .forEach(s -> clients.put(uuid(s.getClient()), s.getReason()));
                yield new Command.SetSuspended(clients);
            }
            case AUDIT_NOTE ->
                    new Command.AuditNote(
                            e.getAuditNote().getWho(),
                            e.getAuditNote().getWhat(),
                            e.getAuditNote().getSubject());
            case SEED_BEGIN ->
                    new Command.SeedBegin(
                            uuid(e.getSeedBegin().getSeed()),
                            e.getSeedBegin().getTotalBytes(),
                            e.getSeedBegin().getSha256());
            case SEED_CHUNK ->
                    new Command.SeedChunk(
                            uuid(e.getSeedChunk().getSeed()),
                            e.getSeedChunk().getSequence(),
                            e.getSeedChunk().getData());
            case SEED_END ->
                    new Command.SeedEnd(
                            uuid(e.getSeedEnd().getSeed()),
                            epochChange(e.getSeedEnd().getEpochChange()));
            case REPORT_BEGIN ->
                    new Command.ReportBegin(
                            e.getReportBegin().getMember(),
                            uuid(e.getReportBegin().getReport()),
                            e.getReportBegin().getTotalBytes(),
                            e.getReportBegin().getSha256());
            case REPORT_CHUNK ->
                    new Command.ReportChunk(
                            uuid(e.getReportChunk().getReport()),
                            e.getReportChunk().getSequence(),
                            e.getReportChunk().getData());
            case REPORT_END -> new Command.ReportEnd(uuid(e.getReportEnd().getReport()));
            case REPORT_SIGNED ->
                    new Command.ReportSigned(
                            uuid(e.getReportSigned().getLineage()),
                            e.getReportSigned().getWho(),
                            e.getReportSigned().getReason());
            case STORAGE_FAILOVER ->
                    new Command.StorageFailover(
                            endpoint(e.getStorageFailover().getStorage()),
                            Site.ofWord(e.getStorageFailover().getServedAt()),
                            uuids(e.getStorageFailover().getLostList()),
                            e.getStorageFailover().getWho(),
                            e.getStorageFailover().getReason());
            case STORAGE_FAILBACK ->
                    new Command.StorageFailback(
                            endpoint(e.getStorageFailback().getStorage()),
                            uuids(e.getStorageFailback().getFoundList()),
                            e.getStorageFailback().getWho());
            case EXPIRE ->
                    new Command.Expire(
                            e.getExpire().getPiecesList().stream()
                                    .map(one ->
                                            new Command.Expiring(
                                                    uuid(one.getPiece()),
                                                    ChunkId.of(one.getHeader().toByteArray()),
                                                    uuid(one.getClient()),
                                                    optionalUuid(one.getJob()),
                                                    one.getReason()))
                                    .toList(),
                            e.getExpire().getWho(),
                            optionalSite(e.getExpire().getOnlyAt()));
            case EXPIRY_SETTLED ->
                    new Command.ExpirySettled(uuids(e.getExpirySettled().getPiecesList()));
            case HOLD_ADD ->
                    new Command.HoldAdd(
                            uuid(e.getHoldAdd().getHold()),
                            optionalUuid(e.getHoldAdd().getPiece()),
                            optionalUuid(e.getHoldAdd().getClient()),
                            e.getHoldAdd().getWho(),
                            e.getHoldAdd().getReason());
            case HOLD_RELEASE ->
                    new Command.HoldRelease(
                            uuid(e.getHoldRelease().getHold()),
                            e.getHoldRelease().getWho(),
                            e.getHoldRelease().getReason());
            case GC_BEGIN ->
                    new Command.GcBegin(
                            uuid(e.getGcBegin().getRun()),
                            endpoint(e.getGcBegin().getStorage()),
                            Site.ofWord(e.getGcBegin().getSite()),
                            GcRun.Work.ofWord(e.getGcBegin().getWork()),
                            e.getGcBegin().getNode());
            case GC_END ->
                    new Command.GcEnd(
                            uuid(e.getGcEnd().getRun()),
                            e.getGcEnd().getOutcome(),
                            e.getGcEnd().getReasonsList(),
                            e.getGcEnd().getFrames(),
                            e.getGcEnd().getBytes());
            case ABANDON_SITE ->
                    new Command.AbandonSite(
                            Site.ofWord(e.getAbandonSite().getSite()),
                            e.getAbandonSite().getWho(),
                            e.getAbandonSite().getReason());
            case SET_AUTO_FAILOVER ->
                    new Command.SetAutoFailover(
                            e.getSetAutoFailover().getOn(),
                            requires(e.getSetAutoFailover().getRequires()),
                            e.getSetAutoFailover().getWho(),
                            e.getSetAutoFailover().getReason());
            case SET_ACK_POLICY ->
                    new Command.SetAckPolicy(
                            AckPolicy.ofWord(e.getSetAckPolicy().getPolicy()),
                            e.getSetAckPolicy().getWho(),
                            e.getSetAckPolicy().getReason());
            case COMMAND_NOT_SET ->
                    throw new UnknownVersionException(
                            "a log entry", "1 with a command added later", "1");
        };
    }

    static io.holdfast.replication.proto.cluster.v1.EpochChange epochChange(Command.EpochChange c) {
        return io.holdfast.replication.proto.cluster.v1.EpochChange.newBuilder()
                .setEpoch(epoch(c.epoch()))
                .setLineage(uuid(c.lineage()))
                .setParentLineage(optionalUuid(c.parentLineage()))
                .setForkTerm(c.forkTerm())
                .setForkIndex(c.forkIndex())
                .setForkHash(c.forkHash())
                .setReason(c.reason())
                .setOperator(c.operator())
                .setLastContactMicros(c.lastContactMicros())
                .build();
    }

    static Command.EpochChange epochChange(io.holdfast.replication.proto.cluster.v1.EpochChange c) {
        return new Command.EpochChange(
                epoch(c.getEpoch()),
                uuid(c.getLineage()),
                optionalUuid(c.getParentLineage()),
                c.getForkTerm(),
                c.getForkIndex(),
                c.getForkHash(),
                c.getReason(),
                c.getOperator(),
                c.getLastContactMicros());
    }

    // ------------------------------------------------------------------ values of the standard

    static io.holdfast.replication.proto.cluster.v1.Mbr mbr(Mbr mbr) {
        var b =
                io.holdfast.replication.proto.cluster.v1.Mbr.newBuilder()
                        .setCluster(uuid(mbr.cluster()))
                        .setName(mbr.name())
                        .setProfile(mbr.profile())
                        .setResourceDb(mbr.resourceDb())
                        .setDefaultCatalog(mbr.defaultCatalog())
                        .setMethodRepository(mbr.methodRepository())
                        .setEpoch(epoch(mbr.epoch()))
                        .setLineage(uuid(mbr.lineage()))
                        .setChunking(
                                io.holdfast.replication.proto.cluster.v1.Chunking.newBuilder()
                                        .setMin(mbr.chunking().minBytes())
                                        .setAverage(mbr.chunking().averageBytes())
                                        .setMax(mbr.chunking().maxBytes())
                                        .setNormalization(mbr.chunking().normalization()));
        for (Map.Entry<Site, List<NodeAddress>> site : new TreeMap<>(mbr.sites()).entrySet()) {
            var s = b.addSitesBuilder().setSite(site.getKey().code());
            for (NodeAddress n : site.getValue()) {
                s.addNodesBuilder()
                        .setId(n.id())
                        .setHost(n.host())
                        .setRestPort(n.restPort())
                        .setRaftPort(n.raftPort())
                        .setSitePort(n.sitePort())
                        .addAllRoles(new TreeSet<>(n.roles()));
            }
        }
        return b.build();
    }

    static Mbr mbr(io.holdfast.replication.proto.cluster.v1.Mbr p) {
        Map<Site, List<NodeAddress>> sites = new EnumMap<>(Site.class);
        p.getSitesList()
                .forEach(s ->
                        sites.put(
                                Site.ofCode(s.getSite()),
                                s.getNodesList().stream()
                                        .map(n ->
                                                new NodeAddress(
                                                        n.getId(),
                                                        n.getHost(),
                                                        n.getRestPort(),
                                                        n.getRaftPort(),
                                                        n.getSitePort(),
                                                        Set.copyOf(n.getRolesList())))
                                        .toList()));
        var c = p.getChunking();
        return new Mbr(
                uuid(p.getCluster()),
                p.getName(),
                p.getProfile(),
                sites,
                p.getResourceDb(),
                p.getDefaultCatalog(),
                p.getMethodRepository(),
                epoch(p.getEpoch()),
                uuid(p.getLineage()),
                new Chunking(c.getMin(), c.getAverage(), c.getMax(), c.getNormalization()));
    }

    static io.holdfast.replication.proto.cluster.v1.Resource resource(Resource r) {
        var b =
                io.holdfast.replication.proto.cluster.v1.Resource.newBuilder()
                        .setId(uuid(r.id()))
                        .setDomain(r.domain())
                        .setCategory(r.category())
                        .setName(r.name())
                        .setType(r.type().name())
                        .addAllInfo(texts(r.info()))
                        .addAllOptional(texts(r.optional()));
        r.catalog().ifPresent(b::setCatalog);
        return b.build();
    }

    static Resource resource(io.holdfast.replication.proto.cluster.v1.Resource p) {
        return new Resource(
                uuid(p.getId()),
                p.getDomain(),
                p.getCategory(),
                p.getName(),
                resourceType(p.getType()),
                texts(p.getInfoList()),
                p.hasCatalog() ? Optional.of(p.getCatalog()) : Optional.empty(),
                texts(p.getOptionalList()));
    }

    private static Resource.Type resourceType(String word) {
        for (Resource.Type type : Resource.Type.values()) {
            if (type.name().equals(word)) {
                return type;
            }
        }
        throw new UnknownVersionException(
                "a resource of type " + word, "1", "the types of its own version");
    }

    private static io.holdfast.replication.proto.cluster.v1.Job job(Job job) {
        var b =
                io.holdfast.replication.proto.cluster.v1.Job.newBuilder()
                        .setId(uuid(job.id()))
                        .setParent(optionalUuid(job.parent()));
        for (Job.Pair pair : job.pairs()) {
            b.addPairsBuilder()
                    .setInput(identifier(pair.input()))
                    .setOutput(identifier(pair.output()));
        }
        return b.build();
    }

    private static Job job(io.holdfast.replication.proto.cluster.v1.Job p) {
        return new Job(
                uuid(p.getId()),
                optionalUuid(p.getParent()),
                p.getPairsList().stream()
                        .map(pair ->
                                new Job.Pair(
                                        identifier(pair.getInput()), identifier(pair.getOutput())))
                        .toList());
    }

    private static io.holdfast.replication.proto.cluster.v1.Identifier identifier(Identifier id) {
        var b =
                io.holdfast.replication.proto.cluster.v1.Identifier.newBuilder()
                        .setEndpoint(endpoint(id.endpoint()))
                        .setMethod(id.method())
                        .setLocation(id.location());
        for (Identifier.Param param : id.params()) {
            switch (param) {
                case Identifier.Param.Positional p -> b.addParamsBuilder().setValue(p.value());
                case Identifier.Param.KeyValue p ->
                        b.addParamsBuilder().setKey(p.key()).setValue(p.value());
            }
        }
        return b.build();
    }

    private static Identifier identifier(io.holdfast.replication.proto.cluster.v1.Identifier p) {
        List<Identifier.Param> params = new ArrayList<>();
        p.getParamsList()
                .forEach(q ->
                        params.add(
                                q.hasKey()
                                        ? new Identifier.Param.KeyValue(q.getKey(), q.getValue())
                                        : new Identifier.Param.Positional(q.getValue())));
        return new Identifier(endpoint(p.getEndpoint()), p.getMethod(), params, p.getLocation());
    }

    private static io.holdfast.replication.proto.cluster.v1.CatalogRecord row(CatalogRecord r) {
        return io.holdfast.replication.proto.cluster.v1.CatalogRecord.newBuilder()
                .setPiece(uuid(r.piece()))
                .setClient(uuid(r.client()))
                .setClientName(r.clientName())
                .setDataPiece(r.dataPiece())
                .setType(r.type())
                .setOwner(r.owner())
                .setLocation(r.location())
                .setBackupTimeMicros(r.backupTimeMicros())
                .setExpiryMicros(r.expiryMicros())
                .setSizeBytes(r.sizeBytes())
                .setOriginCatalog(r.originCatalog())
                .addAllOptional(texts(r.optional()))
                .build();
    }

    private static CatalogRecord row(io.holdfast.replication.proto.cluster.v1.CatalogRecord p) {
        return new CatalogRecord(
                uuid(p.getPiece()),
                uuid(p.getClient()),
                p.getClientName(),
                p.getDataPiece(),
                p.getType(),
                p.getOwner(),
                p.getLocation(),
                p.getBackupTimeMicros(),
                p.getExpiryMicros(),
                p.getSizeBytes(),
                p.getOriginCatalog(),
                texts(p.getOptionalList()));
    }

    // ------------------------------------------------------------------ jobs

    private static Optional<ChunkId> chunkId(ByteString bytes) {
        return bytes.isEmpty() ? Optional.empty() : Optional.of(ChunkId.of(bytes.toByteArray()));
    }

    private static io.holdfast.replication.proto.cluster.v1.Totals totals(JobTotals t) {
        return io.holdfast.replication.proto.cluster.v1.Totals.newBuilder()
                .setFiles(t.files())
                .setFilesUnchanged(t.filesUnchanged())
                .setSourceBytes(t.sourceBytes())
                .setBytesRead(t.bytesRead())
                .setBytesNew(t.bytesNew())
                .setBytesStored(t.bytesStored())
                .setWarnings(t.warnings())
                .build();
    }

    private static JobTotals totals(io.holdfast.replication.proto.cluster.v1.Totals p) {
        return new JobTotals(
                p.getFiles(),
                p.getFilesUnchanged(),
                p.getSourceBytes(),
                p.getBytesRead(),
                p.getBytesNew(),
                p.getBytesStored(),
                p.getWarnings());
    }

    private static io.holdfast.replication.proto.cluster.v1.StorePosition position(
            StorePosition s) {
        return io.holdfast.replication.proto.cluster.v1.StorePosition.newBuilder()
                .setIncarnation(uuid(s.incarnation()))
                .setPack(s.position().pack())
                .setOffset(s.position().offset())
                .build();
    }

    private static StorePosition position(
            io.holdfast.replication.proto.cluster.v1.StorePosition p) {
        return new StorePosition(
                uuid(p.getIncarnation()), new LogPosition(p.getPack(), p.getOffset()));
    }

    static io.holdfast.replication.proto.cluster.v1.JobState jobRecord(JobRecord j) {
        var b =
                io.holdfast.replication.proto.cluster.v1.JobState.newBuilder()
                        .setJob(job(j.job()))
                        .setKind(j.kind())
                        .setClient(uuid(j.client()))
                        .setLevel(j.level())
                        .setEpoch(epoch(j.epoch()))
                        .setOpenedMicros(j.openedMicros())
                        .setState(j.state().name())
                        .setEndedMicros(j.endedMicros())
                        .setTotals(totals(j.totals()))
                        .setMessage(j.message())
                        .setProtectedMicros(j.protectedMicros())
                        .setRecovered(j.recovered())
                        .setExpiredMicros(j.expiredMicros())
                        .setContinues(optionalUuid(j.continues()))
                        .setContinuedBy(optionalUuid(j.continuedBy()));
        j.row().ifPresent(r -> b.setRow(row(r)));
        j.pieceHeader().ifPresent(h -> b.setPieceHeader(ByteString.copyFrom(h.bytes())));
        j.stored().ifPresent(s -> b.setStored(position(s)));
        return b.build();
    }

    static JobRecord jobRecord(io.holdfast.replication.proto.cluster.v1.JobState p) {
        return new JobRecord(
                job(p.getJob()),
                p.getKind(),
                uuid(p.getClient()),
                p.getLevel(),
                epoch(p.getEpoch()),
                p.getOpenedMicros(),
                JobState.ofWord(p.getState()),
                p.getEndedMicros(),
                p.hasRow() ? Optional.of(row(p.getRow())) : Optional.empty(),
                chunkId(p.getPieceHeader()),
                totals(p.getTotals()),
                p.getMessage(),
                p.hasStored() ? Optional.of(position(p.getStored())) : Optional.empty(),
                p.getProtectedMicros(),
                p.getRecovered(),
                p.getExpiredMicros(),
                optionalUuid(p.getContinues()),
                optionalUuid(p.getContinuedBy()));
    }

    // ------------------------------------------------------------------ returns

    static Fork fork(io.holdfast.replication.proto.cluster.v1.Fork p) {
        PersistentMap<UUID, Optional<VersionedResource>> base = PersistentMap.empty();
        for (var b : p.getBaseList()) {
            base =
                    base.with(
                            uuid(b.getId()),
                            b.hasResource()
                                    ? Optional.of(
                                            new VersionedResource(
                                                    resource(b.getResource()), b.getVersion()))
                                    : Optional.empty());
        }
        return new Fork(epoch(p.getEpoch()), base);
    }

    static io.holdfast.replication.proto.cluster.v1.ReturnReport report(ReturnReport r) {
        var b =
                io.holdfast.replication.proto.cluster.v1.ReturnReport.newBuilder()
                        .setLineage(uuid(r.lineage()))
                        .setEpoch(epoch(r.epoch()))
                        .setForkIndex(r.forkIndex())
                        .addAllMembers(r.members())
                        .setLastTerm(r.lastTerm())
                        .setLastIndex(r.lastIndex())
                        .setTimeMicros(r.timeMicros());
        for (DivergentResource item : r.resources()) {
            var i = b.addResourcesBuilder().setId(uuid(item.id()));
            item.base().ifPresent(v -> i.setBase(resource(v)));
            item.theirs().ifPresent(v -> i.setTheirs(resource(v)));
            for (DivergentResource.Change c : item.changes()) {
                i.addChangesBuilder()
                        .setIndex(c.index())
                        .setTimeMicros(c.timeMicros())
                        .setDeletes(c.deletes());
            }
        }
        for (DivergentJob job : r.jobs()) {
            var j =
                    b.addJobsBuilder()
                            .setJob(uuid(job.job()))
                            .setKind(job.kind())
                            .setClient(uuid(job.client()))
                            .setState(job.state().name())
                            .setOpenedMicros(job.openedMicros())
                            .setEndedMicros(job.endedMicros())
                            .setFate(job.fate().name())
                            .setMessage(job.message());
            job.theirs().ifPresent(h -> j.setTheirs(ByteString.copyFrom(h.bytes())));
            job.ours().ifPresent(h -> j.setOurs(ByteString.copyFrom(h.bytes())));
        }
        r.notes().forEach(n -> b.addNotes(audit(n)));
        r.signature()
                .ifPresent(s ->
                        b.getSignatureBuilder()
                                .setWho(s.who())
                                .setTimeMicros(s.timeMicros())
                                .setReason(s.reason()));
        return b.build();
    }

    static ReturnReport report(ByteString bytes) {
        try {
            return report(io.holdfast.replication.proto.cluster.v1.ReturnReport.parseFrom(bytes));
        } catch (InvalidProtocolBufferException e) {
            throw damaged("report of a return", e);
        }
    }

    static ReturnReport report(io.holdfast.replication.proto.cluster.v1.ReturnReport p) {
        return new ReturnReport(
                uuid(p.getLineage()),
                epoch(p.getEpoch()),
                p.getForkIndex(),
                new TreeSet<>(p.getMembersList()),
                p.getLastTerm(),
                p.getLastIndex(),
                p.getResourcesList().stream().map(Codec::divergentResource).toList(),
                p.getJobsList().stream().map(Codec::divergentJob).toList(),
                p.getNotesList().stream().map(Codec::audit).toList(),
                p.getTimeMicros(),
                p.hasSignature()
                        ? Optional.of(
                                new ReturnReport.Signature(
                                        p.getSignature().getWho(),
                                        p.getSignature().getTimeMicros(),
                                        p.getSignature().getReason()))
                        : Optional.empty());
    }

    private static DivergentResource divergentResource(
            io.holdfast.replication.proto.cluster.v1.DivergentResource p) {
        return new DivergentResource(
                uuid(p.getId()),
                p.hasBase() ? Optional.of(resource(p.getBase())) : Optional.empty(),
                p.hasTheirs() ? Optional.of(resource(p.getTheirs())) : Optional.empty(),
                p.getChangesList().stream()
                        .map(c ->
                                new DivergentResource.Change(
                                        c.getIndex(), c.getTimeMicros(), c.getDeletes()))
                        .toList());
    }

    private static DivergentJob divergentJob(
            io.holdfast.replication.proto.cluster.v1.DivergentJob p) {
        return new DivergentJob(
                uuid(p.getJob()),
                p.getKind(),
                uuid(p.getClient()),
                JobState.ofWord(p.getState()),
                p.getOpenedMicros(),
                p.getEndedMicros(),
                fate(p.getFate()),
                chunkId(p.getTheirs()),
                chunkId(p.getOurs()),
                p.getMessage());
    }

    private static DivergentJob.Fate fate(String word) {
        for (DivergentJob.Fate fate : DivergentJob.Fate.values()) {
            if (fate.name().equals(word)) {
                return fate;
            }
        }
        throw new FormatException("fate of a job", word, 0, "RECOVERED, ABORTED, ...");
    }

    static io.holdfast.replication.proto.cluster.v1.AuditRecord audit(AuditRecord a) {
        return io.holdfast.replication.proto.cluster.v1.AuditRecord.newBuilder()
                .setTimeMicros(a.timeMicros())
                .setEpoch(epoch(a.epoch()))
                .setWho(a.who())
                .setWhat(a.what())
                .setSubject(a.subject())
                .build();
    }

    static AuditRecord audit(io.holdfast.replication.proto.cluster.v1.AuditRecord a) {
        return new AuditRecord(
                a.getTimeMicros(), epoch(a.getEpoch()), a.getWho(), a.getWhat(), a.getSubject());
    }

    // ------------------------------------------------------------------ replies

    static io.holdfast.replication.proto.cluster.v1.Reply reply(Reply reply) {
        var b = io.holdfast.replication.proto.cluster.v1.Reply.newBuilder();
        switch (reply) {
            case Reply.Done d -> b.getDoneBuilder().setVersion(d.version());
            case Reply.Refused r ->
                    b.getRefusedBuilder()
                            .setCode(r.code().name())
                            .setMessage(r.message())
                            .setNext(r.next())
                            .setEpoch(epoch(r.epoch()));
        }
        return b.build();
    }

    static Reply reply(io.holdfast.replication.proto.cluster.v1.Reply p) {
        return switch (p.getOutcomeCase()) {
            case DONE -> new Reply.Done(p.getDone().getVersion());
            case REFUSED ->
                    new Reply.Refused(
                            code(p.getRefused().getCode()),
                            p.getRefused().getMessage(),
                            p.getRefused().getNext(),
                            epoch(p.getRefused().getEpoch()));
            case OUTCOME_NOT_SET ->
                    throw new FormatException("reply", p.toString(), 0, "done or refused");
        };
    }

    private static Reply.Code code(String word) {
        for (Reply.Code code : Reply.Code.values()) {
            if (code.name().equals(word)) {
                return code;
            }
        }
        throw new FormatException("refusal", word, 0, "STALE_EPOCH, NAME_TAKEN, ...");
    }

    // ------------------------------------------------------------------ state

    static List<io.holdfast.replication.proto.cluster.v1.Suspension> suspensions(
            Map<UUID, String> clients) {
        List<io.holdfast.replication.proto.cluster.v1.Suspension> list = new ArrayList<>();
        new TreeMap<>(clients)
                .forEach((id, why) ->
                        list.add(
                                io.holdfast.replication.proto.cluster.v1.Suspension.newBuilder()
                                        .setClient(uuid(id))
                                        .setReason(why)
                                        .build()));
        return list;
    }
}
