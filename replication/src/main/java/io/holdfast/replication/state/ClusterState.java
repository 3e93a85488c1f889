package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.Profile;
import io.holdfast.modeswitch.ResolveTable;
import io.holdfast.replication.state.Reply.Code;
import io.holdfast.replication.state.Reply.Done;
import io.holdfast.replication.state.Reply.Refused;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Everything that Raft agrees on: who is active since when, the MBR, the resource DB, job outcomes
 * with the Protected ledger, how replication stands, audit. An immutable value: {@link #apply} makes
 * the next one, sharing what did not change, so a view may be kept and read from any thread.
 *
 * <p>{@code apply} is deterministic: it depends on the state, the entry and its index alone. A
 * logical rejection is a normal reply. The order of the checks:
 *
 * <ol>
 *   <li>an operation that was applied within the last {@link #REMEMBERED_DISTANCE} entries gets its
 *       first reply again, whatever has happened since;
 *   <li>a proposer in a lower epoch is refused, and so is one in a higher epoch (except for what
 *       changes the epoch);
 *   <li>a state without an epoch takes only its first epoch or a seed;
 *   <li>what the command itself demands.
 * </ol>
 */
public final class ClusterState {
    /** The epoch of a state that holds nothing yet. */
    public static final Epoch NO_EPOCH = new Epoch(0, Site.LOCAL);

    /** For how many entries of the log an operation id is remembered. */
    public static final long REMEMBERED_DISTANCE = 10_000;

    /** How many audit records are kept. */
    public static final int MAX_AUDIT = 2_000;

    /** How many jobs are kept; beyond, the oldest settled ones go (their pieces stay catalogued). */
    public static final int MAX_JOBS = 20_000;

    /** How many expired pieces may wait until they are gone from both sites. */
    public static final int MAX_EXPIRIES = 200_000;

    /** How many of them may have expired at one site, and be kept by the other. */
    public static final int MAX_KEPT_ELSEWHERE = 100_000;

    /** How many legal holds there may be. */
    public static final int MAX_HOLDS = 10_000;

    /** How many runs of garbage collection are kept. */
    public static final int MAX_GC_RUNS = 64;

    /** The version of states that this program writes, and the only one it reads. */
    public static final int VERSION = 1;

    private static final ClusterState EMPTY = new ClusterState(new Builder());

    private final Epoch epoch;
    private final @Nullable Mbr mbr;
    private final PersistentMap<UUID, VersionedResource> resources;
    private final PersistentMap<String, UUID> names;
    private final Addresses addresses;
    private final PersistentMap<UUID, JobRecord> jobs;
    private final ReplState repl;
    private final List<EpochRecord> epochs;
    private final PersistentMap<Long, AuditRecord> audit;
    private final long auditDropped;
    private final long jobsDropped;
    private final PersistentMap<UUID, String> suspended;
    private final @Nullable Draining draining;
    private final PersistentMap<UUID, Remembered> operations;
    private final PersistentMap<Ordered, UUID> operationOrder;
    private final @Nullable Seeding seeding;
    private final List<LossEntry> loss;
    private final List<Fork> forks;
    private final List<ReturnReport> reports;
    private final PersistentMap<String, Upload> uploads;
    private final PersistentMap<String, StorageMove> storageMoves;
    private final PersistentMap<UUID, Expiry> expiries;
    private final PersistentMap<UUID, Hold> holds;
    private final List<GcRun> gcRuns;
    private final @Nullable Abandonment abandoned;
    private final long forcedMicros;
    private final boolean autoFailoverOff;
    private final AckPolicy ackPolicy;
    private final Profile.Requires autoFailoverRequires;
    private volatile @Nullable ByteString hash;

    /** The resolver's table of all states that have the same addresses. */
    private static final class Addresses {
        private volatile @Nullable ResolveTable table;

        ResolveTable of(ClusterState state) {
            ResolveTable known = table;
            if (known == null) {
                List<Resource> all = new ArrayList<>();
                for (Resource.Type type : ADDRESSES) {
                    state.resources(type).forEach(r -> all.add(r.resource()));
                }
                known = ResolveTable.of(all);
                table = known;
            }
            return known;
        }
    }

    /** The types of resources that the resolver's table is made of. */
    private static final Set<Resource.Type> ADDRESSES =
            Set.of(Resource.Type.REPLICATION, Resource.Type.CLIENT);

    /** A reply that is kept for a repetition. */
    record Remembered(long index, Reply reply) {}

    /** Order of operations: by index, and by id where a seed gave many the same index. */
    record Ordered(long index, UUID operation) implements Comparable<Ordered> {
        @Override
        public int compareTo(Ordered other) {
            int byIndex = Long.compare(index, other.index);
            return byIndex != 0 ? byIndex : operation.compareTo(other.operation);
        }
    }

    /** A seed that is being received. */
    record Seeding(UUID seed, long totalBytes, ByteString sha256, List<ByteString> chunks) {
        Seeding {
            chunks = List.copyOf(chunks);
        }

        long receivedBytes() {
            return chunks.stream().mapToLong(ByteString::size).sum();
        }

        Seeding plus(ByteString chunk) {
            List<ByteString> more = new ArrayList<>(chunks);
            more.add(chunk);
            return new Seeding(seed, totalBytes, sha256, more);
        }
    }

    /** A report of a returned member that is being received. */
    record Upload(String member, Seeding parts) {}

    private ClusterState(Builder b) {
        this.epoch = b.epoch;
        this.mbr = b.mbr;
        this.resources = b.resources;
        this.names = b.names;
        this.addresses = b.addresses;
        this.jobs = b.jobs;
        this.repl = b.repl;
        this.epochs = List.copyOf(b.epochs);
        this.audit = b.audit;
        this.auditDropped = b.auditDropped;
        this.jobsDropped = b.jobsDropped;
        this.suspended = b.suspended;
        this.draining = b.draining;
        this.operations = b.operations;
        this.operationOrder = b.operationOrder;
        this.seeding = b.seeding;
        this.loss = List.copyOf(b.loss);
        this.forks = List.copyOf(b.forks);
        this.reports = List.copyOf(b.reports);
        this.uploads = b.uploads;
        this.storageMoves = b.storageMoves;
        this.expiries = b.expiries;
        this.holds = b.holds;
        this.gcRuns = List.copyOf(b.gcRuns);
        this.abandoned = b.abandoned;
        this.forcedMicros = b.forcedMicros;
        this.autoFailoverOff = b.autoFailoverOff;
        this.ackPolicy = b.ackPolicy;
        this.autoFailoverRequires = b.autoFailoverRequires;
    }

    /** The state of a new lineage: no epoch, nothing in it. */
    public static ClusterState empty() {
        return EMPTY;
    }

    // ------------------------------------------------------------------ what it holds

    /** The newest epoch; {@link #NO_EPOCH} before the first. */
    public Epoch epoch() {
        return epoch;
    }

    /** Whether it has an epoch, hence anything to show: false while a seed is on its way. */
    public boolean isSeeded() {
        return epoch.n() > 0;
    }

    /** The MBR, in the state's epoch and lineage. */
    public Optional<Mbr> mbr() {
        return Optional.ofNullable(mbr);
    }

    /** A resource by id. */
    public Optional<VersionedResource> resource(UUID id) {
        return resources.get(id);
    }

    /** A resource by type and name. */
    public Optional<VersionedResource> resource(Resource.Type type, String name) {
        return names.get(nameKey(type, name)).flatMap(resources::get);
    }

    /** All resources of a type, by name; the cost grows with these alone. */
    public List<VersionedResource> resources(Resource.Type type) {
        List<VersionedResource> found = new ArrayList<>();
        String prefix = nameKey(type, "");
        var named = names.from(prefix);
        while (named.hasNext()) {
            var next = named.next();
            if (!next.getKey().startsWith(prefix)) {
                break;
            }
            resources.get(next.getValue()).ifPresent(found::add);
        }
        return List.copyOf(found);
    }

    /** What the resolver knows: made when it is first asked for, kept while no address changes. */
    public ResolveTable addresses() {
        return addresses.of(this);
    }

    /** All resources, by id. */
    public List<VersionedResource> resources() {
        return resources.values().toList();
    }

    /** A job by id. */
    public Optional<JobRecord> job(UUID id) {
        return jobs.get(id);
    }

    /** All jobs, oldest id first. */
    public List<JobRecord> jobs() {
        return jobs.values().toList();
    }

    /** The jobs that are open. */
    public List<JobRecord> openJobs() {
        return jobs.values().filter(j -> j.state() == JobState.OPEN).toList();
    }

    /** The completed jobs whose pieces are not DR_PROTECTED, oldest id first. */
    public List<JobRecord> unprotectedPieces() {
        Set<UUID> lost = lostPieces();
        return jobs.values()
                .filter(JobRecord::isUnprotectedPiece)
                .filter(j -> !lost.contains(j.id()))
                .toList();
    }

    /** The completed jobs whose pieces were lost with a storage. */
    public Set<UUID> lostPieces() {
        return storageMoves
                .values()
                .flatMap(m -> m.lost().stream())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** The storages that were lost while their site went on, by address, the healed ones among them. */
    public List<StorageMove> storageMoves() {
        return storageMoves.values().toList();
    }

    /** The expired pieces that may still be at a site, and those that one site keeps, by id. */
    public List<Expiry> expiries() {
        return expiries.values().toList();
    }

    /** The expiry of a piece; empty when it has not expired, or is gone from both sites. */
    public Optional<Expiry> expiry(UUID piece) {
        return expiries.get(piece);
    }

    /** The site that keeps a piece alone, because it has expired at the other one. */
    public Optional<Site> keeper(UUID piece) {
        return expiries.get(piece).flatMap(Expiry::keeper);
    }

    /** The legal holds, by id. */
    public List<Hold> holds() {
        return holds.values().toList();
    }

    /** A hold that names this piece. */
    public Optional<Hold> holdOn(UUID piece, UUID client) {
        return holds.values().filter(h -> h.holds(piece, client)).findFirst();
    }

    /** The newest runs of garbage collection, oldest first. */
    public List<GcRun> gcRuns() {
        return gcRuns;
    }

    /** The site that an operator has declared lost. */
    public Optional<Abandonment> abandoned() {
        return Optional.ofNullable(abandoned);
    }

    /** Whether a site was declared lost. */
    public boolean isAbandoned(Site which) {
        return abandoned().filter(a -> a.site() == which).isPresent();
    }

    /**
     * Since when this epoch goes on without what the other site may have of its own, because it began by
     * force, leader's time; 0 when the other site has reconciled since.
     */
    public long forcedMicros() {
        return forcedMicros;
    }

    /** Whether the passive site may take over without an operator, where there is a witness. */
    public boolean autoFailover() {
        return !autoFailoverOff;
    }

    /** What an operator has chosen for writes that cannot be PROTECTED. */
    public AckPolicy ackPolicy() {
        return ackPolicy;
    }

    /**
     * The policy that holds now. Protection is against the loss of this site: where the other one is lost
     * already, because this epoch began by force or an operator has abandoned it, writes and backups go on
     * until replication has been SYNC again.
     */
    public AckPolicy bindingPolicy() {
        return forcedMicros == 0 && abandoned == null ? ackPolicy : AckPolicy.AVAILABILITY;
    }

    /** What it waits for then: {@code auto-failover-requires}. */
    public Profile.Requires autoFailoverRequires() {
        return autoFailoverRequires;
    }

    /** What a loss of the active site would put into the loss ledger now. */
    public List<JobRecord> atRisk() {
        return jobs.values()
                .filter(j -> j.state() == JobState.OPEN || j.isUnprotectedPiece())
                .toList();
    }

    /** The loss ledger of the newest forced change of the active site; empty without one. */
    public List<LossEntry> lossLedger() {
        return loss;
    }

    /** What sites that returned after a forced change had of their own, oldest first. */
    public List<ReturnReport> reports() {
        return reports;
    }

    /** Whether an epoch began by force, in a lineage forked off another one. */
    public boolean isFork(Epoch forced) {
        return forks.stream().anyMatch(f -> f.epoch().equals(forced));
    }

    /** The lineage in which an epoch began. */
    public Optional<UUID> lineageOf(Epoch begun) {
        return epochs.stream()
                .map(EpochRecord::change)
                .filter(c -> c.epoch().equals(begun))
                .map(Command.EpochChange::lineage)
                .findFirst();
    }

    /** The resources as they stood just before an epoch began by force. */
    public java.util.Map<UUID, Resource> resourcesBefore(Epoch forced) {
        java.util.Map<UUID, Resource> then = new java.util.TreeMap<>();
        resources.values().forEach(r -> then.put(r.resource().id(), r.resource()));
        for (Fork fork : forks.reversed()) {
            fork.base()
                    .forEach(e -> {
                        if (e.getValue().isPresent()) {
                            then.put(e.getKey(), e.getValue().get().resource());
                        } else {
                            then.remove(e.getKey());
                        }
                    });
            if (fork.epoch().equals(forced)) {
                return then;
            }
        }
        throw new IllegalArgumentException("Epoch " + forced + " did not begin by force");
    }

    /** Whether an entry did something: not refused, and no repetition; yes when that is forgotten. */
    boolean wasDone(UUID operation, long index) {
        return operations
                .get(operation)
                .map(r -> r.index() == index && r.reply() instanceof Done)
                .orElse(true);
    }

    /** How replication to the other site stands. */
    public ReplState repl() {
        return repl;
    }

    /** All epochs, oldest first. */
    public List<EpochRecord> epochs() {
        return epochs;
    }

    /** The audit records that are kept, oldest first. */
    public List<AuditRecord> audit() {
        return audit.values().toList();
    }

    /** The clients that are not backed up in this epoch, with the reason. */
    public java.util.Map<UUID, String> suspended() {
        java.util.Map<UUID, String> map = new java.util.TreeMap<>();
        suspended.forEach(e -> map.put(e.getKey(), e.getValue()));
        return java.util.Collections.unmodifiableMap(map);
    }

    /** The planned switchover under way. */
    public Optional<Draining> draining() {
        return Optional.ofNullable(draining);
    }

    // ------------------------------------------------------------------ bytes

    /** The state as bytes; equal states have equal bytes. */
    public ByteString toBytes() {
        ByteString bytes = StateCodec.write(this);
        hash = sha256(bytes);
        return bytes;
    }

    /**
     * Reads {@link #toBytes()}.
     *
     * @throws UnknownVersionException when a newer program wrote it
     * @throws io.holdfast.standard.FormatException when it is damaged
     */
    public static ClusterState parse(ByteString bytes) {
        return StateCodec.read(bytes);
    }

    /** SHA-256 of {@link #toBytes()}. */
    public ByteString hash() {
        ByteString known = hash;
        return known != null ? known : sha256(toBytes());
    }

    static ByteString sha256(ByteString bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (java.nio.ByteBuffer part : bytes.asReadOnlyByteBufferList()) {
                digest.update(part);
            }
            return ByteString.copyFrom(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }

    // ------------------------------------------------------------------ apply

    /**
     * The next state.
     *
     * @param entry with the leader's time
     * @param index of the entry in the log, larger than any before
     */
    public Applied apply(Entry entry, long index) {
        return apply(entry, index, Optional.empty());
    }

    /**
     * The same where a seed may be on its way whose state is known: one with the hash that the seed
     * announces is taken as it is, instead of being read from bytes once more.
     */
    public Applied apply(Entry entry, long index, Optional<ClusterState> known) {
        Optional<Remembered> before = operations.get(entry.operation());
        if (before.isPresent()) {
            return new Applied(this, before.get().reply(), before.get().index());
        }
        Builder next = new Builder(this);
        Reply reply = wrongEpoch(entry).orElseGet(() -> next.perform(entry, index, known));
        Builder result =
                reply instanceof Refused && !next.keepsOnRefusal ? new Builder(this) : next;
        result.remember(entry.operation(), index, reply);
        return new Applied(new ClusterState(result), reply, index);
    }

    private Optional<Reply> wrongEpoch(Entry entry) {
        if (entry.epoch().compareTo(epoch) < 0) {
            return Optional.of(
                    refused(
                            Code.STALE_EPOCH,
                            "Refused a command of epoch "
                                    + entry.epoch()
                                    + ": the cluster is in epoch "
                                    + epoch
                                    + ".",
                            "Ask a node of site " + epoch.site().word() + "."));
        }
        boolean changesEpoch =
                switch (entry.command()) {
                    case Command.EpochChange _,
                            Command.SeedBegin _,
                            Command.SeedChunk _,
                            Command.SeedEnd _ ->
                            true;
                    case Command.PutMbr _,
                            Command.PutResource _,
                            Command.DeleteResource _,
                            Command.JobOpened _,
                            Command.JobEnded _,
                            Command.ProtectedMark _,
                            Command.PieceRecovered _,
                            Command.ReplStateChange _,
                            Command.SwitchPrepare _,
                            Command.SwitchAbort _,
                            Command.SetSuspended _,
                            Command.ReportBegin _,
                            Command.ReportChunk _,
                            Command.ReportEnd _,
                            Command.ReportSigned _,
                            Command.StorageFailover _,
                            Command.StorageFailback _,
                            Command.Expire _,
                            Command.ExpirySettled _,
                            Command.HoldAdd _,
                            Command.HoldRelease _,
                            Command.GcBegin _,
                            Command.GcEnd _,
                            Command.AbandonSite _,
                            Command.SetAutoFailover _,
                            Command.SetAckPolicy _,
                            Command.AuditNote _ ->
                            false;
                };
        if (changesEpoch) {
            return Optional.empty();
        }
        if (!isSeeded()) {
            return Optional.of(
                    refused(
                            Code.NOT_SEEDED,
                            "Refused: this lineage has no state yet.",
                            "Wait until its seed has arrived."));
        }
        if (entry.epoch().compareTo(epoch) > 0) {
            return Optional.of(
                    refused(
                            Code.FUTURE_EPOCH,
                            "Refused a command of epoch "
                                    + entry.epoch()
                                    + ": this lineage ended in epoch "
                                    + epoch
                                    + ".",
                            "Use the lineage of the newer epoch."));
        }
        return Optional.empty();
    }

    private Refused refused(Code code, String message, String next) {
        return new Refused(code, message, next, epoch);
    }

    /** Why a planned move is refused while a report is open. */
    public static String unsigned(ReturnReport report) {
        return "Refused: what site "
                + report.epoch().site().word()
                + " had changed in lineage "
                + report.lineage()
                + " beyond the fork ("
                + report.resources().size()
                + " resources) is not signed.";
    }

    static String nameKey(Resource.Type type, String name) {
        return type.name() + '\u0000' + name;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ClusterState state && toBytes().equals(state.toBytes());
    }

    @Override
    public int hashCode() {
        return toBytes().hashCode();
    }

    /** For people. */
    @Override
    public String toString() {
        return "ClusterState{epoch "
                + epoch
                + ", "
                + resources.size()
                + " resources, "
                + jobs.size()
                + " jobs, "
                + repl.mode()
                + "}";
    }

    // what the codec and the builder read
    PersistentMap<UUID, Remembered> operations() {
        return operations;
    }

    PersistentMap<Ordered, UUID> operationOrder() {
        return operationOrder;
    }

    Optional<Seeding> seeding() {
        return Optional.ofNullable(seeding);
    }

    long auditDropped() {
        return auditDropped;
    }

    long jobsDropped() {
        return jobsDropped;
    }

    List<Fork> forks() {
        return forks;
    }

    PersistentMap<String, Upload> uploads() {
        return uploads;
    }

    /** The next state while it is being made; confined to one call of apply or parse. */
    static final class Builder {
        Epoch epoch = NO_EPOCH;
        @Nullable Mbr mbr;
        PersistentMap<UUID, VersionedResource> resources = PersistentMap.empty();
        PersistentMap<String, UUID> names = PersistentMap.empty();
        private Addresses addresses = new Addresses();
        PersistentMap<UUID, JobRecord> jobs = PersistentMap.empty();
        ReplState repl = new ReplState(ReplState.Mode.ASYNC, 0, 0);
        List<EpochRecord> epochs = List.of();
        PersistentMap<Long, AuditRecord> audit = PersistentMap.empty();
        long auditDropped;
        long jobsDropped;
        PersistentMap<UUID, String> suspended = PersistentMap.empty();
        @Nullable Draining draining;
        PersistentMap<UUID, Remembered> operations = PersistentMap.empty();
        PersistentMap<Ordered, UUID> operationOrder = PersistentMap.empty();
        @Nullable Seeding seeding;
        List<LossEntry> loss = List.of();
        List<Fork> forks = List.of();
        List<ReturnReport> reports = List.of();
        PersistentMap<String, Upload> uploads = PersistentMap.empty();
        PersistentMap<String, StorageMove> storageMoves = PersistentMap.empty();
        PersistentMap<UUID, Expiry> expiries = PersistentMap.empty();
        PersistentMap<UUID, Hold> holds = PersistentMap.empty();
        List<GcRun> gcRuns = List.of();
        @Nullable Abandonment abandoned;
        long forcedMicros;
        boolean autoFailoverOff;
        AckPolicy ackPolicy = AckPolicy.AVAILABILITY;
        Profile.Requires autoFailoverRequires = Profile.Requires.METADATA;
        boolean keepsOnRefusal;

        Builder() {}

        Builder(ClusterState s) {
            take(s);
        }

        private void take(ClusterState s) {
            epoch = s.epoch;
            mbr = s.mbr;
            resources = s.resources;
            names = s.names;
            addresses = s.addresses;
            jobs = s.jobs;
            repl = s.repl;
            epochs = s.epochs;
            audit = s.audit;
            auditDropped = s.auditDropped;
            jobsDropped = s.jobsDropped;
            suspended = s.suspended;
            draining = s.draining;
            operations = s.operations;
            operationOrder = s.operationOrder;
            seeding = s.seeding;
            loss = s.loss;
            forks = s.forks;
            reports = s.reports;
            uploads = s.uploads;
            storageMoves = s.storageMoves;
            expiries = s.expiries;
            holds = s.holds;
            gcRuns = s.gcRuns;
            abandoned = s.abandoned;
            forcedMicros = s.forcedMicros;
            autoFailoverOff = s.autoFailoverOff;
            ackPolicy = s.ackPolicy;
            autoFailoverRequires = s.autoFailoverRequires;
        }

        ClusterState build() {
            return new ClusterState(this);
        }

        private Refused refused(Code code, String message, String next) {
            return new Refused(code, message, next, epoch);
        }

        Reply perform(Entry entry, long index, Optional<ClusterState> known) {
            long now = entry.timeMicros();
            return switch (entry.command()) {
                case Command.PutMbr c -> putMbr(c);
                case Command.PutResource c -> putResource(c);
                case Command.DeleteResource c -> deleteResource(c);
                case Command.JobOpened c -> jobOpened(c, now);
                case Command.JobEnded c -> jobEnded(c, now);
                case Command.ProtectedMark c -> protectedMark(c, now);
                case Command.PieceRecovered c -> pieceRecovered(c);
                case Command.ReplStateChange c -> replStateChange(c, now);
                case Command.EpochChange c -> epochChange(c, now);
                case Command.SwitchPrepare c -> switchPrepare(c, now);
                case Command.SwitchAbort c -> switchAbort(c, now);
                case Command.SetSuspended c -> {
                    suspended = PersistentMap.empty();
                    c.clients().forEach((id, why) -> suspended = suspended.with(id, why));
                    yield new Done(0);
                }
                case Command.AuditNote c -> {
                    note(new AuditRecord(now, epoch, c.who(), c.what(), c.subject()));
                    yield new Done(0);
                }
                case Command.SeedBegin c -> seedBegin(c);
                case Command.SeedChunk c -> seedChunk(c);
                case Command.SeedEnd c -> seedEnd(c, now, index, known);
                case Command.ReportBegin c -> reportBegin(c);
                case Command.ReportChunk c -> reportChunk(c);
                case Command.ReportEnd c -> reportEnd(c, now);
                case Command.ReportSigned c -> reportSigned(c, now);
                case Command.StorageFailover c -> storageFailover(c, now);
                case Command.StorageFailback c -> storageFailback(c, now);
                case Command.Expire c -> expire(c, now);
                case Command.ExpirySettled c -> {
                    c.pieces().forEach(piece -> expiries = expiries.without(piece));
                    yield new Done(0);
                }
                case Command.HoldAdd c -> holdAdd(c, now);
                case Command.HoldRelease c -> holdRelease(c, now);
                case Command.GcBegin c -> gcBegin(c, now);
                case Command.GcEnd c -> gcEnd(c, now);
                case Command.AbandonSite c -> abandonSite(c, now);
                case Command.SetAutoFailover c -> {
                    autoFailoverOff = !c.on();
                    autoFailoverRequires = c.requires().orElse(autoFailoverRequires);
                    note(new AuditRecord(now, epoch, c.who(), c.text(), ""));
                    yield new Done(0);
                }
                case Command.SetAckPolicy c -> {
                    ackPolicy = c.policy();
                    note(
                            new AuditRecord(
                                    now,
                                    epoch,
                                    c.who(),
                                    "ack policy " + c.policy().word() + ": " + c.reason(),
                                    ""));
                    yield new Done(0);
                }
            };
        }

        private Reply putMbr(Command.PutMbr c) {
            Mbr old = mbr;
            if (old != null && !old.cluster().equals(c.mbr().cluster())) {
                return refused(
                        Code.CONFLICT,
                        "Refused MBR of cluster "
                                + c.mbr().cluster()
                                + ": this is cluster "
                                + old.cluster()
                                + ".",
                        "Send it to its own cluster.");
            }
            mbr = c.mbr().with(epoch, epochs.getLast().change().lineage());
            return new Done(0);
        }

        private Reply putResource(Command.PutResource c) {
            Resource resource = c.resource();
            Optional<VersionedResource> old = resources.get(resource.id());
            long version = old.map(VersionedResource::version).orElse(0L);
            if (c.expectedVersion() != Command.ANY_VERSION && c.expectedVersion() != version) {
                return versionMismatch(resource.id(), c.expectedVersion(), version);
            }
            if (old.isPresent() && old.get().resource().type() != resource.type()) {
                return refused(
                        Code.CONFLICT,
                        "Refused: resource "
                                + resource.id()
                                + " is a "
                                + old.get().resource().type().word()
                                + ", not a "
                                + resource.type().word()
                                + ".",
                        "Give the new resource an id of its own.");
            }
            String key = nameKey(resource.type(), resource.name());
            Optional<UUID> holder = names.get(key);
            if (holder.isPresent() && !holder.get().equals(resource.id())) {
                return refused(
                        Code.NAME_TAKEN,
                        "Refused: another "
                                + resource.type().word()
                                + " is named '"
                                + resource.name()
                                + "' ("
                                + holder.get()
                                + ").",
                        "Choose another name, or change that one.");
            }
            old.ifPresent(
                    o -> names = names.without(nameKey(resource.type(), o.resource().name())));
            names = names.with(key, resource.id());
            addressesChange(resource.type());
            keepBase(resource.id(), old);
            resources = resources.with(resource.id(), new VersionedResource(resource, version + 1));
            return new Done(version + 1);
        }

        private Reply deleteResource(Command.DeleteResource c) {
            Optional<VersionedResource> old = resources.get(c.id());
            if (old.isEmpty()) {
                return refused(
                        Code.NOT_FOUND, "There is no resource " + c.id() + ".", "Check the id.");
            }
            if (c.expectedVersion() != Command.ANY_VERSION
                    && c.expectedVersion() != old.get().version()) {
                return versionMismatch(c.id(), c.expectedVersion(), old.get().version());
            }
            Resource resource = old.get().resource();
            names = names.without(nameKey(resource.type(), resource.name()));
            addressesChange(resource.type());
            keepBase(c.id(), old);
            resources = resources.without(c.id());
            return new Done(old.get().version());
        }

        private void addressesChange(Resource.Type written) {
            if (ADDRESSES.contains(written)) {
                addresses = new Addresses();
            }
        }

        /** Before the first write of a resource since the newest fork: it is the base of reports. */
        private void keepBase(UUID id, Optional<VersionedResource> now) {
            if (!forks.isEmpty()) {
                List<Fork> next = new ArrayList<>(forks);
                next.add(next.removeLast().before(id, now));
                forks = next;
            }
        }

        private Reply versionMismatch(UUID id, long expected, long actual) {
            return refused(
                    Code.VERSION_MISMATCH,
                    "Refused: resource "
                            + id
                            + (actual == 0
                                    ? " does not exist, version " + expected + " was expected."
                                    : " is at version "
                                            + actual
                                            + ", not "
                                            + (expected == 0 ? "new." : expected + ".")),
                    "Read it again and repeat the change.");
        }

        /** Nothing comes in that the other site would lack. */
        private Optional<Reply> whileDraining(String what) {
            Draining drain = draining;
            if (drain == null) {
                return Optional.empty();
            }
            return Optional.of(
                    refused(
                            Code.DRAINING,
                            "Refused "
                                    + what
                                    + ": a switchover to site "
                                    + drain.target().word()
                                    + " is under way.",
                            "Start it again after the switchover."));
        }

        private Reply jobOpened(Command.JobOpened c, long now) {
            UUID id = c.job().id();
            Optional<Reply> drains = whileDraining("job " + id);
            if (drains.isPresent()) {
                return drains.get();
            }
            if (jobs.containsKey(id)) {
                return refused(
                        Code.CONFLICT, "There is a job " + id + " already.", "Use a new id.");
            }
            Optional<JobRecord> before = c.continues().flatMap(jobs::get);
            if (c.continues().isPresent() && before.filter(JobRecord::awaitsSuccessor).isEmpty()) {
                return notToContinue(c.continues().get(), before);
            }
            before.ifPresent(b -> jobs = jobs.with(b.id(), b.continuedBy(id)));
            jobs =
                    jobs.with(
                            id,
                            new JobRecord(
                                    c.job(),
                                    c.kind(),
                                    c.client(),
                                    c.level(),
                                    epoch,
                                    now,
                                    JobState.OPEN,
                                    0,
                                    Optional.empty(),
                                    Optional.empty(),
                                    JobTotals.NONE,
                                    "",
                                    Optional.empty(),
                                    0,
                                    false,
                                    0,
                                    c.continues(),
                                    Optional.empty()));
            forgetOldJobs();
            return new Done(0);
        }

        /** A job is gone on with once, whoever opens its successor, and how often. */
        private Refused notToContinue(UUID id, Optional<JobRecord> job) {
            if (job.isEmpty()) {
                return noJob(id);
            }
            return refused(
                    Code.CONFLICT,
                    "Refused: job "
                            + id
                            + " is "
                            + job.get().state()
                            + job.get()
                                    .continuedBy()
                                    .map(by -> " and goes on as job " + by)
                                    .orElse("")
                            + ".",
                    "Only a backup that is CHECKPOINTED is gone on with, once.");
        }

        private Reply jobEnded(Command.JobEnded c, long now) {
            Optional<JobRecord> job = jobs.get(c.job());
            if (job.isEmpty()) {
                return noJob(c.job());
            }
            JobRecord old = job.get();
            if (old.state() != JobState.OPEN) {
                return old.state() == c.state() && old.pieceHeader().equals(c.pieceHeader())
                        ? new Done(0)
                        : refused(
                                Code.CONFLICT,
                                "Refused: job " + c.job() + " has ended as " + old.state() + ".",
                                "Read it; an ended job does not change.");
            }
            jobs = jobs.with(c.job(), old.ended(c, now));
            return new Done(0);
        }

        private Reply protectedMark(Command.ProtectedMark c, long now) {
            Optional<JobRecord> job = jobs.get(c.job());
            if (job.isEmpty()) {
                return noJob(c.job());
            }
            JobRecord old = job.get();
            if (old.isProtected()) {
                return new Done(0);
            }
            if (!old.isUnprotectedPiece()) {
                return refused(
                        Code.CONFLICT,
                        "Refused: job "
                                + c.job()
                                + " is "
                                + old.state()
                                + (old.row().isPresent() ? "." : " and made no piece."),
                        "Only a completed backup can be protected.");
            }
            jobs = jobs.with(c.job(), old.protectedAt(now));
            return new Done(0);
        }

        private Reply pieceRecovered(Command.PieceRecovered c) {
            JobRecord theirs = c.job();
            if (!theirs.state().isComplete() || theirs.row().isEmpty()) {
                return refused(
                        Code.CONFLICT,
                        "Refused: job " + theirs.id() + " made no piece to recover.",
                        "Recover completed backups only.");
            }
            Optional<JobRecord> ours = jobs.get(theirs.id());
            if (ours.isPresent() && ours.get().state().isComplete()) {
                return ours.get().pieceHeader().equals(theirs.pieceHeader())
                        ? new Done(0)
                        : refused(
                                Code.CONFLICT,
                                "Job "
                                        + theirs.id()
                                        + " has different pieces at the two sites: "
                                        + ours.get().pieceHeader()
                                        + " here, "
                                        + theirs.pieceHeader()
                                        + " in lineage "
                                        + c.fromLineage()
                                        + ". One of them is corrupt.",
                                "Verify both pieces.");
            }
            Optional<Reply> drains = whileDraining("recovered job " + theirs.id());
            if (drains.isPresent()) {
                return drains.get();
            }
            Optional<Expiry> expired = expiries.get(theirs.row().get().piece());
            JobRecord recovered = theirs.recoveredUnprotected();
            jobs =
                    jobs.with(
                            theirs.id(),
                            // What one site keeps was protected before the other let it go.
                            expired.map(e ->
                                            e.isEverywhere()
                                                    ? recovered.expiredAt(e.timeMicros())
                                                    : recovered.protectedAt(e.timeMicros()))
                                    .orElse(recovered));
            forgetOldJobs();
            return new Done(1);
        }

        private Refused noJob(UUID id) {
            return refused(Code.NOT_FOUND, "There is no job " + id + ".", "Check the id.");
        }

        private Reply epochChange(Command.EpochChange c, long now) {
            if (c.epoch().compareTo(epoch) <= 0) {
                return refused(
                        Code.STALE_EPOCH,
                        "Refused a change to epoch "
                                + c.epoch()
                                + ": the cluster is in epoch "
                                + epoch
                                + ".",
                        "Take a higher epoch.");
            }
            boolean same =
                    !epochs.isEmpty() && epochs.getLast().change().lineage().equals(c.lineage());
            if (!same && epoch.n() > 0 && !isDrainedFor(c.epoch().site())) {
                return refused(
                        Code.CONFLICT,
                        "Refused the planned move to epoch "
                                + c.epoch()
                                + ": the record is not drained for site "
                                + c.epoch().site().word()
                                + " any more; "
                                + build().openJobs().size()
                                + " jobs are open, "
                                + build().unprotectedPieces().size()
                                + " pieces are not at the other site.",
                        "Take it back with 'holdfast failover --force' at site "
                                + epoch.site().word()
                                + ", then run switchover again.");
            }
            if (draining == null && epoch.n() > 0 && c.epoch().site() != epoch.site()) {
                forcedMicros = now;
            }
            // In the same lineage (P3) a change that was not drained for loses what is at risk.
            if (same && (draining == null || !build().atRisk().isEmpty())) {
                interrupt(build(), c.epoch(), now);
            }
            beginEpoch(c, now, false);
            return new Done(0);
        }

        /**
         * Whoever drained may have lost the lead since, and another given that up and opened jobs: the
         * last word on whether everything is across is the record's.
         */
        private boolean isDrainedFor(Site target) {
            Draining drain = draining;
            return drain != null
                    && drain.target() == target
                    && build().openJobs().isEmpty()
                    && build().unprotectedPieces().isEmpty();
        }

        /** The other site is there again: nothing goes on without it. */
        private Reply replStateChange(Command.ReplStateChange c, long now) {
            repl = c.state();
            if (repl.mode() == ReplState.Mode.SYNC) {
                forcedMicros = 0;
            }
            Abandonment lost = abandoned;
            boolean heard =
                    repl.mode() == ReplState.Mode.SYNC || repl.mode() == ReplState.Mode.CATCHUP;
            if (lost != null && heard) {
                abandoned = null;
                note(
                        new AuditRecord(
                                now,
                                epoch,
                                "system",
                                "the abandoned site is there again",
                                lost.site().word()));
            }
            return new Done(0);
        }

        /** What is at risk goes into the loss ledger, and jobs that were open end. */
        private void interrupt(ClusterState before, Epoch by, long now) {
            loss = before.atRisk().stream().map(j -> new LossEntry(j.id(), j.state())).toList();
            for (JobRecord open : before.openJobs()) {
                jobs =
                        jobs.with(
                                open.id(),
                                open.ended(
                                        new Command.JobEnded(
                                                open.id(),
                                                JobState.CANCELLED,
                                                Optional.empty(),
                                                Optional.empty(),
                                                JobTotals.NONE,
                                                "Interrupted by the change to epoch "
                                                        + by
                                                        + "; run it again.",
                                                Optional.empty()),
                                        now));
            }
        }

        /** Begins an epoch; {@code completes}: it began in the drained parent already. */
        private void beginEpoch(Command.EpochChange c, long now, boolean completes) {
            List<EpochRecord> history =
                    new ArrayList<>(completes ? epochs.subList(0, epochs.size() - 1) : epochs);
            history.add(new EpochRecord(c, now));
            epochs = history;
            epoch = c.epoch();
            draining = null;
            Mbr old = mbr;
            if (old != null) {
                mbr = old.with(c.epoch(), c.lineage());
            }
            note(
                    new AuditRecord(
                            now,
                            epoch,
                            c.operator(),
                            "epoch " + c.epoch() + ": " + c.reason(),
                            c.lineage().toString()));
        }

        private Reply switchPrepare(Command.SwitchPrepare c, long now) {
            Draining drain = draining;
            if (drain != null && drain.target() != c.target()) {
                return refused(
                        Code.DRAINING,
                        "Refused: a switchover to site " + drain.target().word() + " is under way.",
                        "Abort it first.");
            }
            Optional<ReturnReport> open = reports.stream().filter(ReturnReport::isOpen).findFirst();
            if (open.isPresent()) {
                return refused(
                        Code.CONFLICT,
                        unsigned(open.get()),
                        "See: holdfast reconcile; then: holdfast reconcile sign");
            }
            if (c.target() == epoch.site()) {
                return refused(
                        Code.CONFLICT,
                        "Refused: site " + c.target().word() + " is active already.",
                        "Nothing needs to be done.");
            }
            if (drain == null) {
                draining = new Draining(c.target(), now, c.reason(), c.operator(), c.limitMillis());
                note(
                        new AuditRecord(
                                now,
                                epoch,
                                c.operator(),
                                "switchover begins: " + c.reason(),
                                c.target().word()));
            } else if (c.limitMillis() > 0) {
                // Somebody prepares it anew, and has all of its time.
                draining = new Draining(c.target(), now, c.reason(), c.operator(), c.limitMillis());
            }
            return new Done(0);
        }

        private Reply switchAbort(Command.SwitchAbort c, long now) {
            if (draining != null) {
                note(
                        new AuditRecord(
                                now,
                                epoch,
                                draining.operator(),
                                "switchover aborted: " + c.reason(),
                                draining.target().word()));
                draining = null;
            }
            return new Done(0);
        }

        private Reply seedBegin(Command.SeedBegin c) {
            if (epoch.n() > 0) {
                return refused(
                        Code.CONFLICT,
                        "Refused a seed: this lineage has its state, in epoch " + epoch + ".",
                        "Seed a new lineage.");
            }
            seeding = new Seeding(c.seed(), c.totalBytes(), c.sha256(), List.of());
            return new Done(0);
        }

        private Reply seedChunk(Command.SeedChunk c) {
            Seeding seed = seeding;
            if (seed == null || !seed.seed().equals(c.seed())) {
                return wrongSeed(c.seed());
            }
            if (c.sequence() < seed.chunks().size()) {
                return new Done(0);
            }
            if (c.sequence() > seed.chunks().size()
                    || c.data().size() > Command.MAX_SEED_CHUNK
                    || seed.receivedBytes() + c.data().size() > seed.totalBytes()) {
                return refused(
                        Code.CORRUPT,
                        "Refused piece "
                                + c.sequence()
                                + " of seed "
                                + c.seed()
                                + ": "
                                + seed.chunks().size()
                                + " was expected, of at most "
                                + Command.MAX_SEED_CHUNK
                                + " bytes and "
                                + seed.totalBytes()
                                + " in all.",
                        "Begin the seed again.");
            }
            seeding = seed.plus(c.data());
            return new Done(0);
        }

        private Reply wrongSeed(UUID seed) {
            return refused(
                    Code.CONFLICT,
                    "Refused: seed "
                            + seed
                            + " was not begun here, or another one has replaced it.",
                    "Begin the seed again.");
        }

        private Reply seedEnd(
                Command.SeedEnd c, long now, long index, Optional<ClusterState> known) {
            Seeding seed = seeding;
            if (seed == null || !seed.seed().equals(c.seed())) {
                return wrongSeed(c.seed());
            }
            ByteString bytes = ByteString.copyFrom(seed.chunks());
            if (bytes.size() != seed.totalBytes() || !sha256(bytes).equals(seed.sha256())) {
                keepsOnRefusal = true;
                seeding = null;
                return refused(
                        Code.CORRUPT,
                        "Refused seed "
                                + c.seed()
                                + ": its "
                                + bytes.size()
                                + " bytes do not match the announced hash of "
                                + seed.totalBytes()
                                + " bytes.",
                        "Begin the seed again.");
            }
            ClusterState planted =
                    known.filter(k -> k.hash().equals(seed.sha256())).orElseGet(() -> parse(bytes));
            int order = c.change().epoch().compareTo(planted.epoch);
            boolean completes =
                    order == 0
                            && !planted.epochs.isEmpty()
                            && planted.epochs
                                    .getLast()
                                    .change()
                                    .lineage()
                                    .equals(c.change().lineage());
            if (order < 0 || order == 0 && !completes) {
                return refused(
                        Code.STALE_EPOCH,
                        "Refused seed "
                                + c.seed()
                                + " for epoch "
                                + c.change().epoch()
                                + ": its state is in epoch "
                                + planted.epoch
                                + ".",
                        "Take a higher epoch.");
            }
            plant(planted, c.change(), now, index, completes);
            return new Done(0);
        }

        private void plant(
                ClusterState planted,
                Command.EpochChange change,
                long now,
                long index,
                boolean completes) {
            PersistentMap<UUID, Remembered> own = operations;
            take(planted);
            seeding = null;
            uploads = PersistentMap.empty();
            // Indexes of the parent mean nothing here: what it did is as old as this entry.
            operations = PersistentMap.empty();
            operationOrder = PersistentMap.empty();
            planted.operations.forEach(e -> remember(e.getKey(), index, e.getValue().reply()));
            own.forEach(e -> remember(e.getKey(), e.getValue().index(), e.getValue().reply()));
            repl = new ReplState(ReplState.Mode.ASYNC, now, 0);
            if (!completes && planted.isSeeded()) {
                forcedMicros = now;
                List<Fork> more = new ArrayList<>(forks);
                more.add(new Fork(change.epoch(), PersistentMap.empty()));
                forks = more;
                interrupt(planted, change.epoch(), now);
            }
            beginEpoch(change, now, completes);
        }

        private Reply reportBegin(Command.ReportBegin c) {
            uploads =
                    uploads.with(
                            c.member(),
                            new Upload(
                                    c.member(),
                                    new Seeding(
                                            c.report(), c.totalBytes(), c.sha256(), List.of())));
            return new Done(0);
        }

        private Optional<Upload> upload(UUID report) {
            return uploads.values().filter(u -> u.parts().seed().equals(report)).findFirst();
        }

        private Reply noUpload(UUID report) {
            return refused(
                    Code.CONFLICT,
                    "Refused: report "
                            + report
                            + " was not begun here, or another one has replaced it.",
                    "Begin the report again.");
        }

        private Reply reportChunk(Command.ReportChunk c) {
            Optional<Upload> found = upload(c.report());
            if (found.isEmpty()) {
                return noUpload(c.report());
            }
            Upload upload = found.get();
            Seeding parts = upload.parts();
            if (c.sequence() < parts.chunks().size()) {
                return new Done(0);
            }
            if (c.sequence() > parts.chunks().size()
                    || c.data().size() > Command.MAX_SEED_CHUNK
                    || parts.receivedBytes() + c.data().size() > parts.totalBytes()) {
                return refused(
                        Code.CORRUPT,
                        "Refused piece "
                                + c.sequence()
                                + " of report "
                                + c.report()
                                + ": "
                                + parts.chunks().size()
                                + " was expected, of "
                                + parts.totalBytes()
                                + " bytes in all.",
                        "Begin the report again.");
            }
            uploads =
                    uploads.with(
                            upload.member(), new Upload(upload.member(), parts.plus(c.data())));
            return new Done(0);
        }

        private Reply reportEnd(Command.ReportEnd c, long now) {
            Optional<Upload> found = upload(c.report());
            if (found.isEmpty()) {
                return noUpload(c.report());
            }
            Seeding parts = found.get().parts();
            ByteString bytes = ByteString.copyFrom(parts.chunks());
            uploads = uploads.without(found.get().member());
            if (bytes.size() != parts.totalBytes() || !sha256(bytes).equals(parts.sha256())) {
                keepsOnRefusal = true;
                return refused(
                        Code.CORRUPT,
                        "Refused report "
                                + c.report()
                                + ": its "
                                + bytes.size()
                                + " bytes do not match the announced hash of "
                                + parts.totalBytes()
                                + " bytes.",
                        "Begin the report again.");
            }
            ReturnReport report = ReturnReport.parse(bytes).at(now);
            List<ReturnReport> next = new ArrayList<>(reports);
            for (int i = 0; i < next.size(); i++) {
                if (next.get(i).lineage().equals(report.lineage())) {
                    next.set(i, next.get(i).with(report));
                    reports = next;
                    return new Done(0);
                }
            }
            next.add(report);
            reports = next;
            note(
                    new AuditRecord(
                            now,
                            epoch,
                            "system",
                            "site "
                                    + report.epoch().site().word()
                                    + " returned: "
                                    + report.resources().size()
                                    + " resources and "
                                    + report.jobs().size()
                                    + " jobs differ",
                            report.lineage().toString()));
            return new Done(0);
        }

        private Reply reportSigned(Command.ReportSigned c, long now) {
            List<ReturnReport> next = new ArrayList<>(reports);
            for (int i = 0; i < next.size(); i++) {
                ReturnReport report = next.get(i);
                if (report.lineage().equals(c.lineage())) {
                    if (report.signature().isEmpty()) {
                        next.set(
                                i,
                                report.signed(
                                        new ReturnReport.Signature(c.who(), now, c.reason())));
                        reports = next;
                        note(
                                new AuditRecord(
                                        now,
                                        epoch,
                                        c.who(),
                                        "signed the report of the return: " + c.reason(),
                                        c.lineage().toString()));
                    }
                    return new Done(0);
                }
            }
            return refused(
                    Code.NOT_FOUND,
                    "There is no report of lineage " + c.lineage() + ".",
                    "See: holdfast reconcile");
        }

        private Reply storageFailover(Command.StorageFailover c, long now) {
            String key = c.storage().toString();
            Optional<StorageMove> before = storageMoves.get(key);
            if (before.filter(StorageMove::isActive).isPresent()) {
                return before.get().servedAt() == c.servedAt()
                        ? new Done(0)
                        : refused(
                                Code.CONFLICT,
                                "Refused: storage "
                                        + c.storage()
                                        + " is served at site "
                                        + before.get().servedAt().word()
                                        + " already.",
                                "Bring it home first: holdfast storage failback.");
            }
            List<UUID> lost = new ArrayList<>(before.map(StorageMove::lost).orElse(List.of()));
            c.lost().stream().filter(id -> !lost.contains(id)).forEach(lost::add);
            storageMoves =
                    storageMoves.with(
                            key,
                            new StorageMove(
                                    c.storage(), c.servedAt(), now, c.who(), c.reason(), lost, 0));
            note(
                    new AuditRecord(
                            now,
                            epoch,
                            c.who(),
                            "storage lost, served at site "
                                    + c.servedAt().word()
                                    + ", "
                                    + c.lost().size()
                                    + " pieces lost: "
                                    + c.reason(),
                            key));
            return new Done(0);
        }

        private Reply storageFailback(Command.StorageFailback c, long now) {
            String key = c.storage().toString();
            Optional<StorageMove> before = storageMoves.get(key);
            if (before.isEmpty()) {
                return refused(
                        Code.NOT_FOUND,
                        "Storage " + c.storage() + " is served at its own site.",
                        "Nothing needs to be done.");
            }
            StorageMove move = before.get();
            if (!move.isActive()) {
                return new Done(0);
            }
            storageMoves =
                    storageMoves.with(
                            key,
                            new StorageMove(
                                    move.storage(),
                                    move.servedAt(),
                                    move.sinceMicros(),
                                    move.who(),
                                    move.reason(),
                                    move.lost().stream()
                                            .filter(id -> !c.found().contains(id))
                                            .toList(),
                                    now));
            note(new AuditRecord(now, epoch, c.who(), "storage is home again", key));
            return new Done(0);
        }

        // ---- the end of data pieces

        /**
         * What is known of a piece once this command is done; empty when it changes nothing. What one site keeps
         * ends there only by a command that says so of both sites: one that has only seen the other end of it
         * rests on proof that this site keeps it, and does not know that it is the last copy.
         */
        private Optional<Expiry> changed(Command.Expire c, Command.Expiring one, long now) {
            Optional<Expiry> old = expiries.get(one.piece());
            if (old.isPresent() && (old.get().isEverywhere() || c.onlyAt().isPresent())) {
                return Optional.empty();
            }
            return Optional.of(
                    new Expiry(
                            one.piece(),
                            one.header(),
                            one.client(),
                            one.job(),
                            now,
                            c.who(),
                            one.reason(),
                            c.onlyAt()));
        }

        private Reply expire(Command.Expire c, long now) {
            int kept = 0;
            int known = 0;
            for (Command.Expiring one : c.pieces()) {
                Optional<Expiry> next = changed(c, one, now);
                Optional<Hold> hold =
                        holds.values().filter(h -> h.holds(one.piece(), one.client())).findFirst();
                if (hold.isPresent() && next.isPresent()) {
                    return refused(
                            Code.CONFLICT,
                            "Refused to expire piece "
                                    + one.piece()
                                    + ": hold "
                                    + hold.get().id()
                                    + " of "
                                    + hold.get().who()
                                    + " names it ("
                                    + hold.get().reason()
                                    + ").",
                            "Release it first: holdfast hold release " + hold.get().id());
                }
                Optional<Site> keeper = next.flatMap(Expiry::keeper);
                if (keeper.isPresent()) {
                    kept++;
                    // A job that is forgotten was protected before.
                    if (one.job().isEmpty()
                            || one.job()
                                    .flatMap(jobs::get)
                                    .filter(j -> !j.isProtected())
                                    .isPresent()) {
                        return refused(
                                Code.CONFLICT,
                                "Refused to expire piece "
                                        + one.piece()
                                        + " at site "
                                        + keeper.get().peer().word()
                                        + " alone: it is not DR_PROTECTED, so site "
                                        + keeper.get().word()
                                        + " may not have it.",
                                "Wait until it is; see: holdfast pieces");
                    }
                } else if (next.isPresent() && expiries.containsKey(one.piece())) {
                    known++;
                }
            }
            if (expiries.size() - known + c.pieces().size() > MAX_EXPIRIES) {
                return refused(
                        Code.CONFLICT,
                        "Refused to expire "
                                + c.pieces().size()
                                + " pieces: "
                                + expiries.size()
                                + " expired ones are not gone from both sites yet, at most "
                                + MAX_EXPIRIES
                                + " may wait.",
                        "See what holds up the collection: holdfast gc status");
            }
            if (kept > 0
                    && kept + expiries.values().filter(e -> !e.isEverywhere()).count()
                            > MAX_KEPT_ELSEWHERE) {
                return refused(
                        Code.CONFLICT,
                        "Refused to expire "
                                + kept
                                + " pieces at one site: at most "
                                + MAX_KEPT_ELSEWHERE
                                + " may be kept by the other alone.",
                        "They stay at both sites until others end; see: holdfast retention show");
            }
            int count = 0;
            for (Command.Expiring one : c.pieces()) {
                Optional<Expiry> next = changed(c, one, now);
                if (next.isPresent()) {
                    expiries = expiries.with(one.piece(), next.get());
                    if (next.get().isEverywhere()) {
                        one.job()
                                .flatMap(jobs::get)
                                .ifPresent(j -> jobs = jobs.with(j.id(), j.expiredAt(now)));
                    }
                    count++;
                }
            }
            if (count > 0) {
                note(
                        new AuditRecord(
                                now,
                                epoch,
                                c.who(),
                                "expired "
                                        + count
                                        + (count == 1 ? " data piece" : " data pieces")
                                        + c.onlyAt().map(s -> " at " + s.word()).orElse("")
                                        + ": "
                                        + c.pieces().getFirst().reason(),
                                c.pieces().getFirst().piece().toString()));
            }
            return new Done(count);
        }

        private Reply holdAdd(Command.HoldAdd c, long now) {
            Optional<Hold> before = holds.get(c.hold());
            if (before.isPresent()) {
                return new Done(0);
            }
            if (c.piece().flatMap(expiries::get).filter(Expiry::isEverywhere).isPresent()) {
                return refused(
                        Code.CONFLICT,
                        "Refused: piece " + c.piece().get() + " has expired.",
                        "An expiry is not taken back.");
            }
            if (holds.size() >= MAX_HOLDS) {
                return refused(
                        Code.CONFLICT,
                        "Refused: there are " + MAX_HOLDS + " holds, which is the bound.",
                        "Release some, or hold a client instead of its pieces.");
            }
            Hold hold = new Hold(c.hold(), c.piece(), c.client(), now, c.who(), c.reason());
            holds = holds.with(c.hold(), hold);
            note(new AuditRecord(now, epoch, c.who(), "hold: " + c.reason(), named(hold)));
            return new Done(0);
        }

        private static String named(Hold hold) {
            return hold.piece()
                    .map(p -> "piece " + p)
                    .orElseGet(() -> "client " + hold.client().orElseThrow());
        }

        private Reply holdRelease(Command.HoldRelease c, long now) {
            Optional<Hold> hold = holds.get(c.hold());
            if (hold.isEmpty()) {
                return refused(
                        Code.NOT_FOUND,
                        "There is no hold " + c.hold() + ".",
                        "See: holdfast hold list");
            }
            holds = holds.without(c.hold());
            note(
                    new AuditRecord(
                            now,
                            epoch,
                            c.who(),
                            "released a hold: " + c.reason(),
                            named(hold.get())));
            return new Done(0);
        }

        private Reply gcBegin(Command.GcBegin c, long now) {
            List<GcRun> next = new ArrayList<>();
            for (GcRun run : gcRuns) {
                if (run.id().equals(c.run())) {
                    return new Done(0);
                }
                boolean over =
                        run.endedMicros() == 0
                                && run.storage().equals(c.storage())
                                && run.site() == c.site();
                next.add(
                        over
                                ? run.ended(
                                        new Command.GcEnd(
                                                run.id(),
                                                "UNKNOWN",
                                                List.of("node " + c.node() + " took over"),
                                                0,
                                                0),
                                        now)
                                : run);
            }
            next.add(
                    new GcRun(
                            c.run(),
                            c.storage(),
                            c.site(),
                            c.work(),
                            epoch,
                            c.node(),
                            now,
                            0,
                            "",
                            List.of(),
                            0,
                            0));
            gcRuns = next.subList(Math.max(0, next.size() - MAX_GC_RUNS), next.size());
            return new Done(0);
        }

        private Reply gcEnd(Command.GcEnd c, long now) {
            List<GcRun> next = new ArrayList<>(gcRuns);
            for (int i = 0; i < next.size(); i++) {
                if (next.get(i).id().equals(c.run()) && next.get(i).endedMicros() == 0) {
                    next.set(i, next.get(i).ended(c, now));
                    gcRuns = next;
                }
            }
            return new Done(0);
        }

        private Reply abandonSite(Command.AbandonSite c, long now) {
            if (c.site() == epoch.site() || c.site() == Site.WITNESS) {
                return refused(
                        Code.CONFLICT,
                        "Refused: site "
                                + c.site().word()
                                + (c.site() == Site.WITNESS
                                        ? " stores no data."
                                        : " is the active one."),
                        "Abandon the other site.");
            }
            if (abandoned != null) {
                return new Done(0);
            }
            if (repl.mode() == ReplState.Mode.SYNC || repl.mode() == ReplState.Mode.CATCHUP) {
                return refused(
                        Code.CONFLICT,
                        "Refused: site "
                                + c.site().word()
                                + " is there, replication is "
                                + repl.mode()
                                + ".",
                        "Only a site that is lost is abandoned.");
            }
            abandoned = new Abandonment(c.site(), now, c.who(), c.reason());
            note(
                    new AuditRecord(
                            now,
                            epoch,
                            c.who(),
                            "abandoned a site: " + c.reason(),
                            c.site().word()));
            return new Done(0);
        }

        private void note(AuditRecord record) {
            audit = audit.with(auditDropped + audit.size(), record);
            if (audit.size() > MAX_AUDIT) {
                audit = audit.without(audit.iterator().next().getKey());
                auditDropped++;
            }
        }

        /** Drops a settled job when there are too many; looks at a bounded number of the oldest. */
        private void forgetOldJobs() {
            if (jobs.size() <= MAX_JOBS) {
                return;
            }
            int looked = 0;
            for (var oldest : jobs) {
                JobRecord job = oldest.getValue();
                if (job.state() != JobState.OPEN
                        && !job.isUnprotectedPiece()
                        && !(job.awaitsSuccessor() && resources.containsKey(job.client()))) {
                    jobs = jobs.without(oldest.getKey());
                    jobsDropped++;
                    return;
                }
                if (++looked == 64) {
                    return;
                }
            }
        }

        void remember(UUID operation, long index, Reply reply) {
            operations = operations.with(operation, new Remembered(index, reply));
            operationOrder = operationOrder.with(new Ordered(index, operation), operation);
            while (!operationOrder.isEmpty()) {
                Ordered oldest = operationOrder.iterator().next().getKey();
                if (oldest.index() > index - REMEMBERED_DISTANCE) {
                    return;
                }
                operationOrder = operationOrder.without(oldest);
                operations = operations.without(oldest.operation());
            }
        }
    }
}
