package io.holdfast.node.server;

import com.google.protobuf.ByteString;
import io.holdfast.agent.proto.v1.BackupOrder;
import io.holdfast.agent.proto.v1.DomainKeySlot;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.PieceFields;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.RestoreOrder;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.server.Lookup.Client;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Identifier.Param.KeyValue;
import io.holdfast.standard.Identifier.Param.Positional;
import io.holdfast.standard.Job;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import io.holdfast.standard.Uuid7;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Jobs as identifiers, and orders from them. Pure. A job's identifiers say everything that its order
 * needs (piece, include, overwrite stand in the params), so a new leader can send the same order
 * again from what stands in Raft, and attach to the running job.
 */
final class JobPlanner {
    private static final int COMPRESSION_LEVEL = 1;

    private JobPlanner() {}

    /**
     * Checks what an order will need: both ends of each pair, and a key for the client.
     *
     * @throws ApiException when an address does not resolve at the active site, or the key is gone
     */
    static void requirePossible(Lookup lookup, Lookup.Client client, Job job) {
        job.pairs()
                .forEach(pair -> {
                    lookup.physical(pair.input());
                    lookup.physical(pair.output());
                });
        slot(lookup, lookup.key(client), client);
    }

    /** A backup of {@code source} into a new piece. */
    static Job backup(Lookup lookup, Client client, String source, UUID job, UUID piece) {
        DeviceResource device = lookup.device(client);
        Identifier input = new Identifier(client.view().address(), "READ", List.of(), source);
        Identifier output =
                new Identifier(
                        device.storage(),
                        "WRITE",
                        List.of(
                                new KeyValue("IP", device.ip()),
                                new Positional("dedupe"),
                                new KeyValue("catalog", lookup.catalog(client).name()),
                                new KeyValue("piece", piece.toString())),
                        device.location() + "/" + client.id());
        return new Job(job, Optional.empty(), List.of(new Job.Pair(input, output)));
    }

    /** The piece that a backup makes: from the job's id, so that a repeated order names the same one. */
    static UUID pieceFor(UUID job) {
        return Uuid7.of(
                Uuid7.epochMillis(job),
                ~job.getMostSignificantBits(),
                ~job.getLeastSignificantBits());
    }

    /** A restore of a catalogued piece onto a client. */
    static Job restore(
            CatalogRecord row,
            Client target,
            String folder,
            List<String> include,
            boolean overwrite,
            UUID job) {
        Identifier location = Identifier.parse(row.location());
        Identifier input = readOf(location, row.piece());
        List<Identifier.Param> params = new ArrayList<>();
        if (overwrite) {
            params.add(new Positional("overwrite"));
        }
        include.forEach(path -> params.add(new KeyValue("include", path)));
        Identifier output = new Identifier(target.view().address(), "WRITE", params, folder);
        return new Job(job, Optional.empty(), List.of(new Job.Pair(input, output)));
    }

    /** The identifier from which a piece is read. */
    static Identifier readOf(Identifier location, UUID piece) {
        List<Identifier.Param> params = new ArrayList<>();
        location.param("IP").ifPresent(ip -> params.add(new KeyValue("IP", ip)));
        params.add(new Positional("dedupe"));
        params.add(new KeyValue("piece", piece.toString()));
        return new Identifier(location.endpoint(), "READ", params, location.location());
    }

    /** The piece that a job writes or reads; empty when its identifiers name none. */
    static Optional<UUID> pieceOf(Job job) {
        Job.Pair pair = job.pairs().getFirst();
        return pair.output()
                .param("piece")
                .or(() -> pair.input().param("piece"))
                .map(UUID::fromString);
    }

    /** The logical identifier under which a piece is catalogued. */
    static Identifier location(Job job) {
        return job.pairs().getFirst().output();
    }

    /**
     * The catalog row of a backup, but for its size, root and counts, which the agent tells. It expires when
     * the site that keeps longer lets it go.
     */
    static CatalogRecord row(
            Lookup lookup, JobRecord job, long sizeBytes, Map<String, String> more) {
        Client client = clientOf(lookup, job);
        PolicyResource policy = lookup.policy(client);
        Job.Pair pair = job.job().pairs().getFirst();
        long expiry =
                Math.max(
                        expiry(job, policy.retentionAt(Site.LOCAL)),
                        expiry(job, policy.retentionAt(Site.DR)));
        Map<String, String> optional = new java.util.TreeMap<>(more);
        optional.put("job", job.id().toString());
        optional.put("epoch", job.epoch().toString());
        return new CatalogRecord(
                pieceOf(job.job()).orElseThrow(),
                client.id(),
                client.view().name(),
                pair.input().location(),
                "files/" + job.level(),
                client.view().owner(),
                location(job.job()).toString(),
                job.openedMicros(),
                expiry,
                sizeBytes,
                lookup.catalog(client).name(),
                optional);
    }

    private static long expiry(JobRecord job, Retention retention) {
        return retention
                .certainly()
                .map(Duration::toMillis)
                .map(ms -> job.openedMicros() + ms * 1000)
                .orElse(Long.MAX_VALUE);
    }

    /** Where alone a piece is kept, as the end of a message about reading it; empty when both sites have it. */
    static String keptOnly(Lookup lookup, UUID piece) {
        return lookup.keeper(piece)
                .map(site ->
                        ". Only site "
                                + site.word()
                                + " keeps this piece: its storage must be reachable")
                .orElse("");
    }

    /** The order to the client's agent, with every address as it is dialled now. */
    static JobOrder backupOrder(Lookup lookup, JobRecord job, RequestContext context) {
        Client client = clientOf(lookup, job);
        Job.Pair pair = job.job().pairs().getFirst();
        Chunking chunking = lookup.mbr().chunking();
        CatalogRecord row = row(lookup, job, 0, Map.of());
        return JobOrder.newBuilder()
                .setContext(context)
                .setJob(Wire.bytes(job.id()))
                .setInput(lookup.physical(pair.input()).toString())
                .setOutput(lookup.physical(pair.output()).toString())
                .setKey(slot(lookup, lookup.key(client), client))
                .setBackup(
                        BackupOrder.newBuilder()
                                .setPiece(Wire.bytes(row.piece()))
                                .setLevel(job.level())
                                .setChunking(
                                        io.holdfast.agent.proto.v1.Chunking.newBuilder()
                                                .setMin(chunking.minBytes())
                                                .setAverage(chunking.averageBytes())
                                                .setMax(chunking.maxBytes())
                                                .setNormalization(chunking.normalization()))
                                .setFields(fields(row))
                                .setCompressionLevel(COMPRESSION_LEVEL))
                .build();
    }

    /** The order to the target's agent. It reads where the piece is kept. */
    static JobOrder restoreOrder(
            Lookup lookup,
            JobRecord job,
            CatalogRecord row,
            ChunkId header,
            RequestContext context) {
        Client target = clientOf(lookup, job);
        Job.Pair pair = job.job().pairs().getFirst();
        return JobOrder.newBuilder()
                .setContext(context)
                .setJob(Wire.bytes(job.id()))
                .setInput(lookup.physicalToRead(pair.input(), row.piece()).toString())
                .setOutput(lookup.physical(pair.output()).toString())
                .setKey(slot(lookup, keyOf(lookup, row), target))
                .setRestore(
                        RestoreOrder.newBuilder()
                                .setPiece(Wire.bytes(row.piece()))
                                .setPieceHeader(Wire.bytes(header))
                                .setTarget(pair.output().location())
                                .addAllInclude(includes(pair.output()))
                                .setOverwrite(
                                        pair.output()
                                                .params()
                                                .contains(new Positional("overwrite"))))
                .build();
    }

    /** The agent that does a job: the head of its client's identifier, as dialled now. */
    static Endpoint agentOf(Lookup lookup, JobRecord job) {
        Job.Pair pair = job.job().pairs().getFirst();
        Identifier own = job.kind().equals("backup") ? pair.input() : pair.output();
        return lookup.physical(own).endpoint();
    }

    private static List<String> includes(Identifier output) {
        return output.params().stream()
                .filter(p -> p instanceof KeyValue kv && kv.key().equals("include"))
                .map(Identifier.Param::value)
                .toList();
    }

    static Client clientOf(Lookup lookup, JobRecord job) {
        return lookup.client(job.client())
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.NOT_FOUND,
                                "Client " + job.client() + " of job " + job.id() + " is gone",
                                "Create the client again, or start another job"));
    }

    /** The dedup domain that a piece was sealed in: that of its client, or the only one there is. */
    static DomainKeyResource keyOf(Lookup lookup, CatalogRecord row) {
        return lookup.client(row.client())
                .map(lookup::key)
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.REFUSED,
                                "Client "
                                        + row.clientName()
                                        + " of piece "
                                        + row.piece()
                                        + " is gone, and with it the name of its domain key",
                                "Create the client again under the same id"));
    }

    /** The key slot of the agent that stands for a client at the active site. */
    static DomainKeySlot slot(Lookup lookup, DomainKeyResource key, Client holder) {
        String name = holder.slot(lookup.state().epoch().site());
        byte[] sealed = key.slots().get(name);
        if (sealed == null) {
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    "Domain key "
                            + key.name()
                            + " has no slot '"
                            + name
                            + "': the agent of client "
                            + holder.view().name()
                            + " cannot open this data",
                    "Give the agent a slot with: holdfast client add, or use another client");
        }
        return DomainKeySlot.newBuilder()
                .setDomain(Wire.bytes(key.domain()))
                .setKeyEpoch(key.keyEpoch())
                .setSlot(ByteString.copyFrom(sealed))
                .build();
    }

    private static PieceFields fields(CatalogRecord row) {
        return PieceFields.newBuilder()
                .setClient(Wire.bytes(row.client()))
                .setClientName(row.clientName())
                .setDataPiece(row.dataPiece())
                .setType(row.type())
                .setOwner(row.owner())
                .setLocation(row.location())
                .setBackupTimeMicros(row.backupTimeMicros())
                .setExpiryMicros(row.expiryMicros())
                .setOriginCatalog(row.originCatalog())
                .putAllOptional(row.optional())
                .build();
    }
}
