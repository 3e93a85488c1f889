package io.holdfast.node.server;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Divergence;
import io.holdfast.replication.state.DivergentJob;
import io.holdfast.replication.state.DivergentResource;
import io.holdfast.replication.state.EpochRecord;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReturnReport;
import io.holdfast.replication.state.VersionedResource;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Resource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What is shown, and what may be done, about a site that returned after a forced change. Pure. */
final class Returns {
    private Returns() {}

    /** The newest forced change of the active site. */
    static Optional<Command.EpochChange> forced(ClusterState state) {
        return state.epochs().stream()
                .map(EpochRecord::change)
                .filter(c -> c.reason().startsWith("failover"))
                .reduce((_, later) -> later);
    }

    /** What the site that was lost by a forced change has handed over. */
    static Optional<ReturnReport> report(ClusterState state, Command.EpochChange forced) {
        return state.reports().stream()
                .filter(r -> Optional.of(r.lineage()).equals(forced.parentLineage()))
                .findFirst();
    }

    /**
     * Whether so many members of the lost site have handed over what they had that nothing which it
     * acknowledged can be missing: what the surviving members did not have is on a majority of them.
     */
    static boolean isComplete(ClusterState state, Command.EpochChange forced) {
        if (forced.parentLineage().equals(Optional.of(forced.lineage()))) {
            return true; // in one lineage (P3) nothing that was acknowledged can be missing
        }
        int members = state.mbr().map(m -> m.nodes(forced.epoch().site().peer()).size()).orElse(1);
        return report(state, forced).filter(r -> r.members().size() > members / 2).isPresent();
    }

    /**
     * The whole report.
     *
     * @param stage how far the return is
     * @param shown whether a job's piece may be shown as protected
     */
    static ReconcileView view(
            ClusterState state,
            Command.EpochChange forced,
            String stage,
            Predicate<JobRecord> shown,
            ShipStatus.CatchUp catchUp) {
        Optional<ReturnReport> report = report(state, forced);
        List<UUID> aborted =
                state.lossLedger().stream()
                        .map(e -> e.job())
                        .filter(id ->
                                state.job(id).filter(j -> !j.state().isComplete()).isPresent())
                        .toList();
        List<UUID> unseen =
                report.stream()
                        .flatMap(r -> r.jobs().stream())
                        .filter(j -> j.fate() == DivergentJob.Fate.ABORTED)
                        .map(DivergentJob::job)
                        .filter(id -> !aborted.contains(id))
                        .toList();
        return new ReconcileView(
                stage,
                forced.epoch().site().peer().word(),
                forced.parentLineage().orElse(null),
                forced.forkIndex(),
                report.map(r -> List.copyOf(r.members())).orElse(List.of()),
                state.jobs().stream()
                        .filter(JobRecord::recovered)
                        .flatMap(j -> j.row().stream().map(row -> merged(j, row, shown.test(j))))
                        .toList(),
                java.util.stream.Stream.concat(aborted.stream(), unseen.stream()).toList(),
                state.reports().stream()
                        .filter(r -> r.isOpen() || report.filter(r::equals).isPresent())
                        .flatMap(r -> r.resources().stream())
                        .map(item -> setting(item, state))
                        .toList(),
                report.stream()
                        .flatMap(r -> r.jobs().stream())
                        .filter(j -> j.fate() == DivergentJob.Fate.CORRUPTION)
                        .map(j ->
                                new ReconcileView.Corrupt(
                                        j.job(),
                                        Views.clientName(state, j.client()),
                                        j.theirs().map(Object::toString).orElse(""),
                                        j.ours().map(Object::toString).orElse("")))
                        .toList(),
                state.reports().stream().anyMatch(ReturnReport::isOpen),
                report.flatMap(ReturnReport::signature)
                        .map(s ->
                                new ReconcileView.Signature(
                                        s.who(), Moment.of(s.timeMicros()), s.reason()))
                        .orElse(null),
                catchUp.bytesMissing(),
                catchUp.bytesMoved(),
                catchUp.framesMissing(),
                catchUp.framesMoved());
    }

    private static ReconcileView.Merged merged(JobRecord job, CatalogRecord row, boolean shown) {
        return new ReconcileView.Merged(
                row.piece(),
                job.id(),
                row.client(),
                row.clientName(),
                row.dataPiece(),
                Moment.of(row.backupTimeMicros()),
                row.sizeBytes(),
                shown ? Protection.DR_PROTECTED : Protection.UNPROTECTED);
    }

    /** One divergent resource, as it stands to what is here now. */
    static ReconcileView.Setting setting(DivergentResource item, ClusterState state) {
        Optional<VersionedResource> ours = state.resource(item.id());
        Optional<Resource> named = item.named().or(() -> ours.map(VersionedResource::resource));
        return new ReconcileView.Setting(
                item.id(),
                named.map(Resource::name).orElse(item.id().toString()),
                named.map(r -> r.type().word()).orElse(""),
                Divergence.classify(item, state).name(),
                detail(item, ours.map(VersionedResource::resource), state),
                view(item.base(), -1),
                view(item.theirs(), -1),
                ours.map(o -> ResourceView.of(o.resource(), o.version())).orElse(null));
    }

    private static @Nullable ResourceView view(Optional<Resource> resource, long version) {
        return resource.map(r -> ResourceView.of(r, version)).orElse(null);
    }

    private static String detail(
            DivergentResource item, Optional<Resource> ours, ClusterState state) {
        String there = change(item.base(), item.theirs()) + " there";
        String times = item.changes().size() > 1 ? " (" + item.changes().size() + " writes)" : "";
        String here =
                switch (Divergence.classify(item, state)) {
                    case IDENTICAL -> "the same here";
                    case ADDITIVE -> "its name is free here";
                    case OBSOLETE ->
                            item.theirs().equals(item.base())
                                    ? "nothing is left to apply"
                                    : "deleted here since the fork";
                    case CONFLICT ->
                            ours.isEmpty()
                                    ? "another resource has its name here"
                                    : ours.equals(item.base())
                                            ? "not changed here"
                                            : change(item.base(), ours) + " here too";
                };
        return there + times + "; " + here;
    }

    private static String change(Optional<Resource> from, Optional<Resource> to) {
        if (from.equals(to)) {
            return "changed and changed back";
        }
        return from.isEmpty() ? "added" : to.isEmpty() ? "deleted" : "changed";
    }

    /** The divergent resource of an id. @throws ApiException NOT_FOUND */
    static DivergentResource item(ClusterState state, UUID id) {
        return state.reports().reversed().stream()
                .flatMap(r -> r.resources().stream())
                .filter(r -> r.id().equals(id))
                .findFirst()
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.NOT_FOUND,
                                "No report of a return names resource " + id,
                                "See: holdfast reconcile"));
    }

    /** The ordinary write that makes a divergent change here; empty when it is made already. */
    static Optional<Command> write(ClusterState state, DivergentResource item, long oursVersion) {
        if (Divergence.classify(item, state) == Divergence.Kind.IDENTICAL
                || item.theirs().isEmpty() && state.resource(item.id()).isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                item.theirs().isPresent()
                        ? new Command.PutResource(item.theirs().get(), oursVersion)
                        : new Command.DeleteResource(item.id(), oursVersion));
    }

    /** Refuses a planned move while a report waits for its signature. */
    static void requireSigned(ClusterState state, String role) {
        state.reports().stream()
                .filter(ReturnReport::isOpen)
                .findFirst()
                .ifPresent(report -> {
                    throw new ApiException(
                            ApiException.Kind.REFUSED,
                            ClusterState.unsigned(report),
                            "See: holdfast reconcile; then: holdfast reconcile sign",
                            state.epoch().toString(),
                            role,
                            null);
                });
    }
}
