package io.holdfast.replication.state;

import io.holdfast.replication.state.DivergentJob.Fate;
import io.holdfast.standard.MbrFormat;
import io.holdfast.standard.Resource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Decides what of a lineage that a forced change left behind is unknown to the lineage that goes on
 * (DR-PROTOCOL 4.3). Pure.
 *
 * <p>Each change that the returned site acknowledged beyond the fork stands in the report once: those
 * of resources under their resource, those of jobs under their job, notes of the audit as they are.
 * What a lineage writes about itself is not carried over: how replication stood, what was protected,
 * who was suspended, drains.
 *
 * <p>The log may have been purged up to some entry beyond the fork. Therefore a resource stands in the
 * report also when only its end differs from the base, without the entries that changed it.
 */
public final class Divergence {
    private Divergence() {}

    /** How a divergent resource stands to the lineage that goes on. */
    public enum Kind {
        /** Both sites came to the same: nothing to do. */
        IDENTICAL,
        /** New at the returned site, its name is free here. */
        ADDITIVE,
        /** Changed there; here it is something else: changed too, as at the fork, or its name taken. */
        CONFLICT,
        /** Nothing is left of it: taken back there, or deleted here since the fork. */
        OBSOLETE
    }

    /**
     * Classifies. The first row that applies:
     *
     * <pre>
     * theirs = base                                   OBSOLETE   changed there and changed back
     * theirs = ours                                   IDENTICAL
     * base and ours absent, name free                 ADDITIVE
     * base there, ours absent                         OBSOLETE   the surviving lineage deleted it
     * anything else                                   CONFLICT
     * </pre>
     *
     * A change of an object which is untouched here is a CONFLICT too: somebody has to choose.
     *
     * @param nameTaken whether another resource has its type and name here
     */
    public static Kind classify(
            Optional<Resource> base,
            Optional<Resource> theirs,
            Optional<Resource> ours,
            boolean nameTaken) {
        if (theirs.equals(base)) {
            return Kind.OBSOLETE;
        }
        if (theirs.equals(ours)) {
            return Kind.IDENTICAL;
        }
        if (ours.isEmpty()) {
            return base.isPresent() ? Kind.OBSOLETE : nameTaken ? Kind.CONFLICT : Kind.ADDITIVE;
        }
        return Kind.CONFLICT;
    }

    /** Classifies against a state as it is now. */
    public static Kind classify(DivergentResource item, ClusterState ours) {
        boolean taken =
                item.theirs()
                        .flatMap(t -> ours.resource(t.type(), t.name()))
                        .filter(holder -> !holder.resource().id().equals(item.id()))
                        .isPresent();
        return classify(
                item.base(),
                item.theirs(),
                ours.resource(item.id()).map(VersionedResource::resource),
                taken);
    }

    /**
     * Where a lineage left the one that goes on.
     *
     * @param term of the last common entry
     * @param index of the last common entry, in the divergent lineage; what comes after it diverged
     * @param base the resources then
     */
    public record ForkPoint(long term, long index, Map<UUID, Resource> base) {
        /** Copies the map. */
        public ForkPoint {
            base = Map.copyOf(base);
        }

        /** Whether an entry of the divergent log is not in the log that was taken over. */
        boolean isBefore(long entryTerm, long entryIndex) {
            return entryTerm > term || entryIndex > index;
        }
    }

    /**
     * Where a lineage left another.
     *
     * @param lineage the divergent one
     * @param theirs its state
     * @param ours the state of the lineage that goes on
     * @return empty when it did not: it goes on, or was handed over as a whole
     */
    public static Optional<ForkPoint> forkOf(UUID lineage, ClusterState theirs, ClusterState ours) {
        for (EpochRecord epoch : ours.epochs()) {
            Command.EpochChange change = epoch.change();
            if (change.parentLineage().equals(Optional.of(lineage))
                    && ours.isFork(change.epoch())) {
                return Optional.of(
                        new ForkPoint(
                                change.forkTerm(),
                                change.forkIndex(),
                                ours.resourcesBefore(change.epoch())));
            }
        }
        boolean goesOn =
                ours.epochs().stream()
                        .anyMatch(e ->
                                e.change().lineage().equals(lineage)
                                        || e.change().parentLineage().equals(Optional.of(lineage)));
        if (goesOn) {
            return Optional.empty();
        }
        // A branch of its own: all of it diverged, from the state that was planted in it.
        return theirs.epochs().stream()
                .map(e -> e.change().epoch())
                .filter(e -> theirs.isFork(e) && theirs.lineageOf(e).equals(Optional.of(lineage)))
                .findFirst()
                .map(e -> new ForkPoint(0, -1, theirs.resourcesBefore(e)));
    }

    /**
     * The report of one member of a site that returned.
     *
     * @param member the node that hands it over
     * @param lineage the divergent one
     * @param fork where it left
     * @param theirs its state at its end
     * @param log what its log still holds, in order; entries up to the fork are passed over
     * @param lastTerm term of its last entry
     * @param lastIndex index of its last entry
     * @param ours the state of the lineage that goes on
     */
    public static ReturnReport report(
            String member,
            UUID lineage,
            ForkPoint fork,
            ClusterState theirs,
            List<Tail.LogEntry> log,
            long lastTerm,
            long lastIndex,
            ClusterState ours) {
        Map<UUID, List<DivergentResource.Change>> changes = new TreeMap<>();
        Set<UUID> jobs = new TreeSet<>();
        List<AuditRecord> notes = new ArrayList<>();
        Set<UUID> seen = new HashSet<>();
        for (Tail.LogEntry at : log) {
            if (at.data().isEmpty() || !fork.isBefore(at.term(), at.index())) {
                continue;
            }
            Entry entry = Entry.parse(at.data());
            if (!theirs.wasDone(entry.operation(), at.index()) || !seen.add(entry.operation())) {
                continue;
            }
            note(entry, at.index(), changes, jobs, notes);
        }
        Map<UUID, Resource> end = new TreeMap<>();
        theirs.resources().forEach(r -> end.put(r.resource().id(), r.resource()));
        Set<UUID> touched = new TreeSet<>(changes.keySet());
        boolean purged = log.isEmpty() || log.getFirst().index() > fork.index() + 1;
        if (purged && fork.isBefore(lastTerm, lastIndex)) {
            touched.addAll(different(fork.base(), end));
        }
        return new ReturnReport(
                lineage,
                theirs.epoch(),
                fork.index(),
                new TreeSet<>(Set.of(member)),
                lastTerm,
                lastIndex,
                touched.stream()
                        .map(id ->
                                new DivergentResource(
                                        id,
                                        Optional.ofNullable(fork.base().get(id)),
                                        Optional.ofNullable(end.get(id)),
                                        changes.getOrDefault(id, List.of())))
                        .toList(),
                jobs(jobs, theirs, ours),
                notes,
                0,
                Optional.empty());
    }

    private static Set<UUID> different(Map<UUID, Resource> a, Map<UUID, Resource> b) {
        Set<UUID> ids = new TreeSet<>(a.keySet());
        ids.addAll(b.keySet());
        ids.removeIf(id -> Objects.equals(a.get(id), b.get(id)));
        return ids;
    }

    private static void note(
            Entry entry,
            long index,
            Map<UUID, List<DivergentResource.Change>> changes,
            Set<UUID> jobs,
            List<AuditRecord> notes) {
        long time = entry.timeMicros();
        switch (entry.command()) {
            case Command.PutResource c ->
                    changes.computeIfAbsent(c.resource().id(), _ -> new ArrayList<>())
                            .add(new DivergentResource.Change(index, time, false));
            case Command.DeleteResource c ->
                    changes.computeIfAbsent(c.id(), _ -> new ArrayList<>())
                            .add(new DivergentResource.Change(index, time, true));
            case Command.JobOpened c -> jobs.add(c.job().id());
            case Command.JobEnded c -> jobs.add(c.job());
            case Command.PieceRecovered c -> jobs.add(c.job().id());
            case Command.PutMbr c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    "system",
                                    "changed the MBR to " + MbrFormat.toJson(c.mbr()).print(),
                                    c.mbr().name()));
            case Command.AuditNote c ->
                    notes.add(new AuditRecord(time, entry.epoch(), c.who(), c.what(), c.subject()));
            case Command.StorageFailover c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    c.who(),
                                    "placed a lost storage at " + c.servedAt().word(),
                                    c.storage().toString()));
            case Command.StorageFailback c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    c.who(),
                                    "brought a storage home",
                                    c.storage().toString()));
            case Command.Expire c ->
                    c.pieces()
                            .forEach(one ->
                                    notes.add(
                                            new AuditRecord(
                                                    time,
                                                    entry.epoch(),
                                                    c.who(),
                                                    "expired a data piece"
                                                            + c.onlyAt()
                                                                    .map(s -> " at " + s.word())
                                                                    .orElse("")
                                                            + ": "
                                                            + one.reason(),
                                                    one.piece().toString())));
            case Command.HoldAdd c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    c.who(),
                                    "held (hold it here too, if it shall be kept): " + c.reason(),
                                    c.piece()
                                            .map(id -> "piece " + id)
                                            .orElseGet(
                                                    () -> "client " + c.client().orElseThrow())));
            case Command.HoldRelease c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    c.who(),
                                    "released a hold: " + c.reason(),
                                    c.hold().toString()));
            case Command.AbandonSite c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    c.who(),
                                    "abandoned a site: " + c.reason(),
                                    c.site().word()));
            case Command.SetAutoFailover c ->
                    notes.add(new AuditRecord(time, entry.epoch(), c.who(), c.text(), ""));
            case Command.SetAckPolicy c ->
                    notes.add(
                            new AuditRecord(
                                    time,
                                    entry.epoch(),
                                    c.who(),
                                    "ack policy " + c.policy().word() + ": " + c.reason(),
                                    ""));
            case Command.ExpirySettled _,
                    Command.GcBegin _,
                    Command.GcEnd _,
                    Command.ProtectedMark _,
                    Command.ReplStateChange _,
                    Command.EpochChange _,
                    Command.SwitchPrepare _,
                    Command.SwitchAbort _,
                    Command.SetSuspended _,
                    Command.SeedBegin _,
                    Command.SeedChunk _,
                    Command.SeedEnd _,
                    Command.ReportBegin _,
                    Command.ReportChunk _,
                    Command.ReportEnd _,
                    Command.ReportSigned _ -> {}
        }
    }

    /** What became of the jobs that the log names, and of pieces that both sites know differently. */
    private static List<DivergentJob> jobs(
            Set<UUID> named, ClusterState theirs, ClusterState ours) {
        Set<UUID> all = new TreeSet<>(named);
        theirs.unprotectedPieces().forEach(j -> all.add(j.id()));
        for (JobRecord job : theirs.jobs()) {
            if (isCorrupt(job, ours)) {
                all.add(job.id());
            }
        }
        List<DivergentJob> result = new ArrayList<>();
        for (UUID id : all) {
            theirs.job(id).flatMap(job -> job(job, ours)).ifPresent(result::add);
        }
        return result;
    }

    private static Optional<DivergentJob> job(JobRecord theirs, ClusterState ours) {
        Optional<JobRecord> known = ours.job(theirs.id());
        if (isCorrupt(theirs, ours)) {
            return Optional.of(
                    divergent(theirs, Fate.CORRUPTION, known.flatMap(JobRecord::pieceHeader)));
        }
        if (known.filter(j -> j.state() == theirs.state() && !j.recovered()).isPresent()) {
            return Optional.empty();
        }
        Fate fate =
                theirs.state() == JobState.OPEN
                        ? Fate.ABORTED
                        : theirs.state().isComplete() && theirs.row().isPresent()
                                ? Fate.RECOVERED
                                : Fate.HISTORY;
        return Optional.of(divergent(theirs, fate, Optional.empty()));
    }

    private static DivergentJob divergent(
            JobRecord job, Fate fate, Optional<io.holdfast.chunk.ChunkId> ours) {
        return new DivergentJob(
                job.id(),
                job.kind(),
                job.client(),
                job.state(),
                job.openedMicros(),
                job.endedMicros(),
                fate,
                job.pieceHeader(),
                ours,
                job.message());
    }

    /** Whether both lineages know a piece of this job, and not the same one. */
    public static boolean isCorrupt(JobRecord theirs, ClusterState ours) {
        return theirs.state().isComplete()
                && theirs.row().isPresent()
                && ours.job(theirs.id())
                        .filter(j -> j.state().isComplete() && j.row().isPresent())
                        .filter(j -> !j.pieceHeader().equals(theirs.pieceHeader()))
                        .isPresent();
    }
}
