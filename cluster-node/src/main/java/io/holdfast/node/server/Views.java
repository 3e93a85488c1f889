package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.Progress;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.node.api.SuspendedView;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.DivergentJob;
import io.holdfast.replication.state.EpochRecord;
import io.holdfast.replication.state.Expiry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.replication.state.JobTotals;
import io.holdfast.replication.state.LossEntry;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Job;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What people and programs are shown, from the cluster's state and what this node has heard. Pure. */
final class Views {
    private static final Logger LOG = LoggerFactory.getLogger(Views.class);

    private Views() {}

    /**
     * A job.
     *
     * @param shownProtected whether its protection may be shown
     * @param safety how safe it is; see {@link #safety}
     * @param withLog whether the log lines go along
     */
    static JobView job(
            Lookup lookup,
            JobRecord job,
            JobJournal.View heard,
            boolean shownProtected,
            JobView.Safety safety,
            boolean withLog,
            long nowMicros) {
        String clientName =
                lookup.client(job.client())
                        .map(c -> c.view().name())
                        .or(() -> job.row().map(CatalogRecord::clientName))
                        .orElse(job.client().toString());
        boolean backup = job.kind().equals("backup");
        boolean ended = job.state() != JobState.OPEN;
        boolean atDr = shownProtected && !isLetGoByDr(lookup.state(), job);
        double seconds = ((ended ? job.endedMicros() : nowMicros) - job.openedMicros()) / 1e6;
        return new JobView(
                job.id(),
                job.kind(),
                JobRunner.stateOf(job.state()),
                job.level().isEmpty() ? null : job.level(),
                job.client(),
                clientName,
                JobPlanner.pieceOf(job.job()).orElse(null),
                job.epoch().toString(),
                Moment.of(job.openedMicros()),
                ended ? Moment.of(job.endedMicros()) : null,
                Checkpoints.shown(lookup.state(), job),
                job.continues().orElse(null),
                job.continuedBy().orElse(null),
                job.totals().warnings(),
                progress(job, heard, seconds),
                !backup || !job.state().isComplete() && ended
                        ? Protection.NOT_APPLICABLE
                        : atDr ? Protection.DR_PROTECTED : Protection.UNPROTECTED,
                atDr ? Moment.of(job.protectedMicros()) : null,
                atDr ? Double.valueOf((job.protectedMicros() - job.endedMicros()) / 1e6) : null,
                safety,
                job.job().pairs().stream()
                        .map(p -> new JobView.Pair(input(lookup, job, p), lookup.view(p.output())))
                        .toList(),
                withLog ? heard.lines() : List.of());
    }

    /** Where a job reads, as dialled now: a restore reads where its piece is kept. */
    private static IdentifierView input(Lookup lookup, JobRecord job, Job.Pair pair) {
        return job.kind().equals("backup")
                ? lookup.view(pair.input())
                : JobPlanner.pieceOf(job.job())
                        .map(piece -> lookup.viewToRead(pair.input(), piece))
                        .orElseGet(() -> lookup.view(pair.input()));
    }

    /** Whether DR has let a piece go (G5) that local keeps: the loss of local takes it, like one never shipped. */
    private static boolean isLetGoByDr(ClusterState state, UUID piece) {
        return state.keeper(piece).equals(Optional.of(Site.LOCAL));
    }

    private static boolean isLetGoByDr(ClusterState state, JobRecord job) {
        return job.row().filter(r -> isLetGoByDr(state, r.piece())).isPresent();
    }

    /**
     * How safe a job is.
     *
     * @param shown whether its piece is DR_PROTECTED
     * @param recorded whether both sites have acknowledged its newest record
     * @param away whether the other site is away
     * @param atRisk what is at this site only; null when recorded
     */
    static JobView.Safety safety(
            Lookup lookup,
            JobRecord job,
            boolean shown,
            boolean recorded,
            boolean away,
            @Nullable RpoAtRisk atRisk) {
        boolean backup = job.kind().equals("backup");
        PolicyResource.GreenAt wanted =
                backup ? greenAt(lookup, job.client()) : PolicyResource.GreenAt.LOCAL;
        boolean whole = job.state().isComplete() && !lookup.state().lostPieces().contains(job.id());
        boolean letGo = isLetGoByDr(lookup.state(), job);
        Optional<PolicyResource.GreenAt> reached =
                !whole
                        ? Optional.empty()
                        : Optional.of(
                                shown && !letGo
                                        ? PolicyResource.GreenAt.DR_DATA
                                        : recorded
                                                ? PolicyResource.GreenAt.DR_LOG
                                                : PolicyResource.GreenAt.LOCAL);
        boolean green = reached.filter(r -> r.compareTo(wanted) >= 0).isPresent();
        return new JobView.Safety(
                recorded ? Level.PROTECTED : Level.UNPROTECTED,
                recorded ? null : atRisk,
                wanted.word(),
                reached.map(PolicyResource.GreenAt::word).orElse("none"),
                green,
                whole && !green && !job.isExpired() && !letGo ? wanted.word() : null,
                away);
    }

    /** The level at which a client's backups are green; where nobody can say it, the highest. */
    static PolicyResource.GreenAt greenAt(Lookup lookup, UUID client) {
        try {
            return lookup.client(client)
                    .map(c -> lookup.policy(c).greenAt())
                    .orElse(PolicyResource.GreenAt.DR_DATA);
        } catch (ApiException e) {
            LOG.debug("Client {} has no policy: {}", client, e.getMessage());
            return PolicyResource.GreenAt.DR_DATA;
        }
    }

    private static JobView.Progress progress(JobRecord job, JobJournal.View heard, double seconds) {
        Progress now = heard.progress();
        JobTotals totals = job.totals();
        Outcome outcome = heard.outcome();
        boolean ended = job.state() != JobState.OPEN;
        long source = ended ? totals.sourceBytes() : 0;
        long stored = ended ? totals.bytesStored() : now.getBytesStored();
        return new JobView.Progress(
                ended ? "" : now.getPhase(),
                ended ? totals.files() : now.getFiles(),
                totals.filesUnchanged(),
                ended ? totals.bytesRead() : now.getBytesRead(),
                ended ? totals.bytesNew() : now.getBytesNew(),
                stored,
                ended && now.getBytesDurable() == 0 ? stored : now.getBytesDurable(),
                now.getChunksDurable(),
                source,
                stored == 0 || source == 0 ? 1 : (double) source / stored,
                seconds,
                outcome == null || job.kind().equals("backup")
                        ? null
                        : Long.valueOf(outcome.getFirstByteMillis()));
    }

    /** A data piece. */
    static PieceView piece(Lookup lookup, CatalogRow row, @Nullable JobRecord job, boolean shown) {
        CatalogRecord record = row.record();
        Optional<Expiry> expiry = lookup.state().expiry(record.piece());
        boolean atDr = shown && !isLetGoByDr(lookup.state(), record.piece());
        return new PieceView(
                record.piece(),
                record.client(),
                record.clientName(),
                record.dataPiece(),
                record.type(),
                record.owner(),
                lookup.viewToRead(Identifier.parse(record.location()), record.piece()),
                Moment.of(record.backupTimeMicros()),
                record.expiryMicros() == Long.MAX_VALUE ? null : Moment.of(record.expiryMicros()),
                record.sizeBytes(),
                record.originCatalog(),
                atDr ? Protection.DR_PROTECTED : Protection.UNPROTECTED,
                atDr && job != null ? Moment.of(job.protectedMicros()) : null,
                expiry.filter(Expiry::isEverywhere).isPresent()
                        ? "EXPIRED"
                        : job != null && lookup.state().lostPieces().contains(job.id())
                                ? "LOST"
                                : job != null && job.recovered()
                                        ? "RECOVERED_FROM_DIVERGENCE"
                                        : "NORMAL",
                List.of(Site.LOCAL, Site.DR).stream()
                        .filter(site -> expiry.filter(e -> e.isAt(site)).isEmpty())
                        .map(Site::word)
                        .toList(),
                record.optional());
    }

    /** The clients that would be, or are, suspended while a site is active. */
    static List<SuspendedView> suspended(Lookup lookup, Site active) {
        List<SuspendedView> result = new ArrayList<>();
        for (Lookup.Client client : lookup.clients()) {
            Lookup.suspension(client.view(), active)
                    .ifPresent(why ->
                            result.add(new SuspendedView(client.id(), client.view().name(), why)));
        }
        return result;
    }

    /** The clients whose backups go on while a site is active. */
    static List<String> goOn(Lookup lookup, Site active) {
        return lookup.clients().stream()
                .filter(c -> Lookup.suspension(c.view(), active).isEmpty())
                .map(c -> c.view().name())
                .toList();
    }

    /** Every distinct identifier in use, logical and as it is dialled now. */
    static List<IdentifierView> rewritten(Lookup lookup) {
        return inUse(lookup).stream().map(lookup::view).toList();
    }

    /** The identifiers in use, catalogs' among them, that cannot be dialled while a site is active. */
    static List<IdentifierView> unmapped(Lookup lookup, Site active) {
        Set<String> all = new LinkedHashSet<>(inUse(lookup));
        lookup.catalogs()
                .forEach(c ->
                        all.add(new Identifier(c.address(), "READ", List.of(), "").toString()));
        return all.stream()
                .map(logical -> lookup.view(Identifier.parse(logical), active))
                .filter(view -> view.physical() == null)
                .toList();
    }

    private static Set<String> inUse(Lookup lookup) {
        Set<String> seen = new LinkedHashSet<>();
        lookup.clients().forEach(c -> seen.addAll(identifiers(lookup, c)));
        return seen;
    }

    /** The logical identifiers of a client's backups: its source, and where its pieces go. */
    static List<String> identifiers(Lookup lookup, Lookup.Client client) {
        List<String> all = new ArrayList<>();
        all.add(
                new Identifier(
                                client.view().address(),
                                "READ",
                                List.of(),
                                client.view().sourcePath())
                        .toString());
        try {
            all.add(
                    JobPlanner.backup(lookup, client, "/", new UUID(0, 0), new UUID(0, 0))
                            .pairs()
                            .getFirst()
                            .output()
                            .toString()
                            .replace(",piece:" + new UUID(0, 0), ""));
        } catch (ApiException e) {
            LOG.debug("client {} has no output to show: {}", client.view().name(), e.getMessage());
        }
        return all;
    }

    /** What a failover now would list. */
    static LossLedgerView ledgerAhead(ClusterState state, Optional<Long> lastContactMicros) {
        List<LossLedgerView.Entry> entries = new ArrayList<>();
        state.atRisk().forEach(job -> entries.add(lossEntry(state, job, job.state(), false)));
        entries.addAll(keptBy(state, state.epoch().site(), Long.MAX_VALUE, false));
        return new LossLedgerView(
                null, lastContactMicros.map(Moment::of).orElse(null), false, entries);
    }

    /** The pieces that a site alone keeps, those of them that had expired at the other one by a time. */
    private static List<LossLedgerView.Entry> keptBy(
            ClusterState state, Site lost, long untilMicros, boolean complete) {
        List<LossLedgerView.Entry> entries = new ArrayList<>();
        for (Expiry expiry : state.expiries()) {
            if (!expiry.keeper().equals(Optional.of(lost)) || expiry.timeMicros() > untilMicros) {
                continue;
            }
            Optional<JobRecord> job = expiry.job().flatMap(state::job);
            entries.add(
                    new LossLedgerView.Entry(
                            expiry.job().orElse(new UUID(0, 0)),
                            expiry.client(),
                            clientName(state, expiry.client()),
                            expiry.piece(),
                            "UNPROTECTED",
                            Moment.of(job.map(JobRecord::openedMicros).orElse(0L)),
                            job.map(j -> Moment.of(j.endedMicros())).orElse(null),
                            job.map(j -> j.totals().sourceBytes()).orElse(0L),
                            complete ? "MERGED" : null,
                            "was kept by site "
                                    + lost.word()
                                    + " alone: its retention at site "
                                    + lost.peer().word()
                                    + " was over"));
        }
        return entries;
    }

    /**
     * The ledger of the newest forced change of the active site. It is complete when the lost site has
     * handed over everything; a planned change after it needed both sites, so it is complete then too.
     */
    static LossLedgerView lossLedger(ClusterState state, Optional<Long> lastContactMicros) {
        List<EpochRecord> epochs = state.epochs();
        Optional<EpochRecord> forced =
                epochs.stream()
                        .filter(e -> e.change().reason().startsWith("failover"))
                        .reduce((_, later) -> later);
        boolean complete =
                forced.isPresent()
                        && (!epochs.getLast().equals(forced.get())
                                || Returns.isComplete(state, forced.get().change()));
        List<LossLedgerView.Entry> entries = new ArrayList<>();
        Set<UUID> listed = new LinkedHashSet<>();
        for (LossEntry entry : state.lossLedger()) {
            listed.add(entry.job());
            state.job(entry.job())
                    .ifPresent(job -> entries.add(lossEntry(state, job, entry.atFork(), complete)));
        }
        forced
                .map(e -> keptBy(state, e.change().epoch().site().peer(), e.timeMicros(), complete))
                .orElse(List.of())
                .stream()
                .filter(e -> listed.add(e.job()))
                .forEach(entries::add);
        forced.map(e -> broughtBack(state, epochs, e)).orElse(List.of()).stream()
                .filter(j -> listed.add(j.id()))
                .forEach(job -> entries.add(unseen(state, job)));
        forced.flatMap(e -> Returns.report(state, e.change())).stream()
                .flatMap(r -> r.jobs().stream())
                .filter(j -> j.kind().equals("backup") && listed.add(j.job()))
                .forEach(job -> entries.add(unseen(state, job)));
        entries.sort(Comparator.comparingLong(e -> e.started().micros()));
        return new LossLedgerView(
                forced.map(e -> e.change().epoch().toString()).orElse(null),
                forced.flatMap(e -> lostSince(e, lastContactMicros)).map(Moment::of).orElse(null),
                complete,
                entries);
    }

    /**
     * As the record has it, because a restart forgets. Where it does not, what this node remembers from
     * before the change: a site that is back was heard just now.
     */
    private static Optional<Long> lostSince(EpochRecord forced, Optional<Long> lastContactMicros) {
        return forced.change().lastContactMicros() > 0
                ? Optional.of(forced.change().lastContactMicros())
                : lastContactMicros.filter(at -> at <= forced.timeMicros());
    }

    /**
     * What the site that was lost by a forced change brought back: opened in an epoch from the one
     * before that change on. Older jobs came back from an earlier loss.
     */
    private static List<JobRecord> broughtBack(
            ClusterState state, List<EpochRecord> epochs, EpochRecord forced) {
        int at = epochs.indexOf(forced);
        return state.jobs().stream()
                .filter(JobRecord::recovered)
                .filter(j ->
                        at == 0 || j.epoch().compareTo(epochs.get(at - 1).change().epoch()) >= 0)
                .toList();
    }

    /** An entry; that a job was aborted is certain only when its site is back. */
    private static LossLedgerView.Entry lossEntry(
            ClusterState state, JobRecord job, JobState atFork, boolean siteIsBack) {
        boolean open = atFork == JobState.OPEN;
        String resolution =
                job.recovered() || job.isProtected()
                        ? "MERGED"
                        : siteIsBack
                                        && (job.state() == JobState.CANCELLED
                                                || job.state() == JobState.FAILED)
                                ? "ABORTED"
                                : null;
        return new LossLedgerView.Entry(
                job.id(),
                job.client(),
                name(state, job),
                JobPlanner.pieceOf(job.job()).orElse(null),
                open ? "OPEN" : "UNPROTECTED",
                Moment.of(job.openedMicros()),
                job.endedMicros() == 0 ? null : Moment.of(job.endedMicros()),
                job.totals().sourceBytes(),
                resolution,
                open
                        ? "was running when the site was lost; no outcome was seen here"
                        : "was acknowledged at the lost site and is not known to be whole here");
    }

    private static LossLedgerView.Entry unseen(ClusterState state, JobRecord job) {
        return new LossLedgerView.Entry(
                job.id(),
                job.client(),
                name(state, job),
                JobPlanner.pieceOf(job.job()).orElse(null),
                "UNSEEN",
                Moment.of(job.openedMicros()),
                Moment.of(job.endedMicros()),
                job.totals().sourceBytes(),
                "MERGED",
                "was acknowledged at the lost site, never seen here; brought back with it");
    }

    /** A job that only the returned site has named. */
    private static LossLedgerView.Entry unseen(ClusterState state, DivergentJob job) {
        return new LossLedgerView.Entry(
                job.job(),
                job.client(),
                clientName(state, job.client()),
                null,
                "UNSEEN",
                Moment.of(job.openedMicros()),
                job.endedMicros() == 0 ? null : Moment.of(job.endedMicros()),
                0,
                switch (job.fate()) {
                    case RECOVERED -> null;
                    case ABORTED, HISTORY -> "ABORTED";
                    case CORRUPTION -> "LOST";
                },
                switch (job.fate()) {
                    case RECOVERED -> "was acknowledged at the lost site; its data is on the way";
                    case ABORTED -> "was running at the lost site; run it again";
                    case HISTORY -> "ended there as " + job.state() + ": " + job.message();
                    case CORRUPTION ->
                            "both sites have a piece of it, and not the same: verify both";
                });
    }

    private static String name(ClusterState state, JobRecord job) {
        return clientName(state, job.client());
    }

    /** A client's name; its id when it is gone. */
    static String clientName(ClusterState state, UUID client) {
        return Lookup.in(state).client(client).map(c -> c.view().name()).orElse(client.toString());
    }
}
