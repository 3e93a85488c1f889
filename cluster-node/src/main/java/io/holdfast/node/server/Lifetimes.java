package io.holdfast.node.server;

import io.holdfast.agent.wire.RemoteException;
import io.holdfast.catalog.CatalogFilter;
import io.holdfast.catalog.CatalogPiece;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.gc.SiteRetentionPlan;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ExpiryView;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.RetentionView;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Expiry;
import io.holdfast.replication.state.Hold;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long data pieces stay: what retention decides, expiry by name, legal holds, and the tombstones
 * that follow. Runs on the active leader. The order of an end is: Expire in the log; once that is
 * acknowledged by the other site, a tombstone in the active catalog, which the pump carries over; then a
 * mark at each site whose catalog has it. A piece that expires at one site, while the other keeps it (G5),
 * gets no tombstone: the catalogs go on listing it, and the store of that one site lets it go.
 */
final class Lifetimes {
    private static final Logger LOG = LoggerFactory.getLogger(Lifetimes.class);

    private static final int MAX_REASON = 1_000;

    private final ClusterLog log;
    private final Peers peers;

    /** Pieces whose tombstone was seen in the catalogs of a site; a tombstone never goes. */
    private final Map<Site, Set<UUID>> buried = new EnumMap<>(Site.class);

    private final Predicate<JobRecord> shown;

    /**
     * Of a node.
     *
     * @param shown whether a job's piece may be shown DR_PROTECTED
     */
    Lifetimes(ClusterLog log, Peers peers, Predicate<JobRecord> shown) {
        this.log = log;
        this.peers = peers;
        this.shown = shown;
        for (Site site : Site.values()) {
            buried.put(site, ConcurrentHashMap.newKeySet());
        }
    }

    /** Whether the piece of a PIECE frame has expired at a site, as far as a state says. */
    static boolean isExpired(ClusterState state, ChunkId header, Site site) {
        return state.expiries().stream().anyMatch(e -> e.header().equals(header) && e.isAt(site));
    }

    /** Which of some pieces a site's stores hold whole, as they answer now; what does not answer holds none. */
    interface Stores {
        Set<UUID> holding(Lookup lookup, Site site, List<CatalogRow> rows)
                throws InterruptedException;
    }

    // ---------------------------------------------------------------- retention

    /** Every catalogued piece with what retention says of it at each site. */
    record Ruled(CatalogRow row, SiteRetentionPlan.Verdict verdict) {}

    /** What a policy says of its pieces at both sites. */
    private record Keeping(Retention local, Retention dr, boolean drMayGoFirst) {
        static final Keeping FOREVER = new Keeping(Retention.FOREVER, Retention.FOREVER, false);

        static Keeping of(PolicyResource policy) {
            return new Keeping(
                    policy.retentionAt(Site.LOCAL),
                    policy.retentionAt(Site.DR),
                    policy.drMayExpireFirst());
        }
    }

    /**
     * What retention says of every piece that is catalogued at the active site. What would be kept by one
     * site alone is looked for in that site's stores first.
     */
    List<Ruled> rule(Lookup lookup, long nowMicros, boolean clockTrusted, Stores stores)
            throws InterruptedException {
        Map<UUID, CatalogRow> rows = new HashMap<>();
        List<SiteRetentionPlan.Piece> pieces = new ArrayList<>();
        Map<UUID, Keeping> policies = new HashMap<>();
        Set<UUID> lost = lookup.state().lostPieces();
        for (CatalogPiece piece : catalogued(lookup, CatalogFilter.all())) {
            CatalogRecord record = piece.row().record();
            rows.put(piece.row().piece(), piece.row());
            Keeping keeping = policies.computeIfAbsent(record.client(), id -> keeping(lookup, id));
            pieces.add(
                    new SiteRetentionPlan.Piece(
                            record.piece(),
                            record.client() + " " + record.dataPiece(),
                            record.backupTimeMicros(),
                            keeping.local(),
                            keeping.dr(),
                            keeping.drMayGoFirst(),
                            lookup.state().holdOn(record.piece(), record.client()).isPresent(),
                            jobOf(record).filter(lost::contains).isEmpty(),
                            jobOf(record).filter(id -> isProtected(lookup, id)).isPresent(),
                            expiredAt(lookup.state().expiry(record.piece()))));
        }
        SiteRetentionPlan plan =
                plan(
                        pieces,
                        nowMicros,
                        clockTrusted,
                        lookup.state().epoch().site(),
                        (site, alone) ->
                                stores.holding(
                                        lookup,
                                        site,
                                        alone.stream()
                                                .map(id ->
                                                        java.util.Objects.requireNonNull(
                                                                rows.get(id)))
                                                .toList()));
        return plan.verdicts().stream()
                .map(v -> new Ruled(java.util.Objects.requireNonNull(rows.get(v.piece().id())), v))
                .toList();
    }

    /** Which of some pieces a site's stores hold whole. */
    interface Proofs {
        Set<UUID> holding(Site site, List<UUID> pieces) throws InterruptedException;
    }

    /**
     * The plan in which each piece that one site would keep alone was found there. What a site turns out to
     * lack takes the place of nothing else there, so others may be kept by it alone then, and are asked for too.
     */
    static SiteRetentionPlan plan(
            List<SiteRetentionPlan.Piece> pieces,
            long nowMicros,
            boolean clockTrusted,
            Site active,
            Proofs proofs)
            throws InterruptedException {
        List<SiteRetentionPlan.Piece> known = new ArrayList<>(pieces);
        Map<Site, Set<UUID>> asked = new EnumMap<>(Site.class);
        while (true) {
            SiteRetentionPlan plan = SiteRetentionPlan.of(known, nowMicros, clockTrusted, active);
            Set<UUID> lacking = new HashSet<>();
            for (Site site : List.of(Site.LOCAL, Site.DR)) {
                Set<UUID> before = asked.computeIfAbsent(site, _ -> new HashSet<>());
                List<UUID> alone =
                        plan.verdicts().stream()
                                .filter(v ->
                                        !v.expires().isEmpty() && v.keeps().equals(Set.of(site)))
                                .map(v -> v.piece().id())
                                .filter(before::add)
                                .toList();
                if (!alone.isEmpty()) {
                    lacking.addAll(alone);
                    lacking.removeAll(proofs.holding(site, alone));
                }
            }
            if (lacking.isEmpty()) {
                return plan;
            }
            known.replaceAll(p -> lacking.contains(p.id()) ? p.withProven(false) : p);
        }
    }

    /** Whether a job's piece is DR_PROTECTED. A job that is forgotten was; then its stores alone answer. */
    private boolean isProtected(Lookup lookup, UUID job) {
        return lookup.state().job(job).map(shown::test).orElse(true);
    }

    private static Set<Site> expiredAt(Optional<Expiry> expiry) {
        return expiry.map(e -> e.onlyAt().map(Set::of).orElseGet(() -> Set.of(Site.LOCAL, Site.DR)))
                .orElseGet(Set::of);
    }

    /** A client that is gone, or whose group or policy is, keeps what it has. */
    private static Keeping keeping(Lookup lookup, UUID client) {
        try {
            return lookup.client(client)
                    .map(c -> Keeping.of(lookup.policy(c)))
                    .orElse(Keeping.FOREVER);
        } catch (ApiException e) {
            LOG.warn("Data of client {} does not expire: {}", client, e.getMessage());
            return Keeping.FOREVER;
        }
    }

    private List<CatalogPiece> catalogued(Lookup lookup, CatalogFilter filter) {
        List<CatalogPiece> pieces = new ArrayList<>();
        for (CatalogResource catalog : lookup.catalogs()) {
            Endpoint endpoint = Peers.servedAt(lookup, catalog, lookup.state().epoch().site());
            try {
                pieces.addAll(peers.catalog(endpoint).listAll(filter));
            } catch (RemoteException e) {
                throw unavailable("Catalog " + endpoint, e);
            }
        }
        return pieces;
    }

    private static Optional<UUID> jobOf(CatalogRecord record) {
        return Optional.ofNullable(record.optional().get("job")).flatMap(Lookup::uuid);
    }

    /** Proposes the expiry of what retention lets go. @return how many expired, at one site or both */
    int expireDue(long nowMicros, boolean clockTrusted, Stores stores) throws InterruptedException {
        Lookup lookup = Lookup.in(log.state());
        Map<Optional<Site>, List<Command.Expiring>> due = new HashMap<>();
        for (Ruled one : rule(lookup, nowMicros, clockTrusted, stores)) {
            Set<Site> expires = one.verdict().expires();
            if (!expires.isEmpty()) {
                Optional<Site> onlyAt =
                        one.verdict().keeps().isEmpty()
                                ? Optional.empty()
                                : expires.stream().findFirst();
                String reason = one.verdict().at(expires.iterator().next()).reason();
                due.computeIfAbsent(onlyAt, _ -> new ArrayList<>())
                        .add(expiring(one.row(), reason));
            }
        }
        long room =
                ClusterState.MAX_KEPT_ELSEWHERE
                        - lookup.state().expiries().stream().filter(e -> !e.isEverywhere()).count();
        int count = propose(due.getOrDefault(Optional.<Site>empty(), List.of()), Optional.empty());
        for (Site site : List.of(Site.LOCAL, Site.DR)) {
            List<Command.Expiring> there = due.getOrDefault(Optional.of(site), List.of());
            List<Command.Expiring> some = there.subList(0, Math.clamp(room, 0, there.size()));
            if (some.size() < there.size()) {
                LOG.warn(
                        "{} data pieces stay at site {}: at most {} may be kept by one site alone",
                        there.size() - some.size(),
                        site.word(),
                        ClusterState.MAX_KEPT_ELSEWHERE);
            }
            room -= some.size();
            count += propose(some, Optional.of(site));
        }
        return count;
    }

    private int propose(List<Command.Expiring> due, Optional<Site> onlyAt) {
        for (int from = 0; from < due.size(); from += Command.MAX_EXPIRING) {
            List<Command.Expiring> some =
                    due.subList(from, Math.min(due.size(), from + Command.MAX_EXPIRING));
            log.submit(new Command.Expire(some, "retention", onlyAt));
        }
        if (!due.isEmpty()) {
            LOG.info(
                    "Retention expires {} data pieces{}",
                    due.size(),
                    onlyAt.map(s -> " at " + s.word()).orElse(""));
        }
        return due.size();
    }

    private static Command.Expiring expiring(CatalogRow row, String reason) {
        return new Command.Expiring(
                row.piece(), row.header(), row.record().client(), jobOf(row.record()), reason);
    }

    RetentionView view(long nowMicros, boolean clockTrusted, Stores stores)
            throws InterruptedException {
        Lookup lookup = Lookup.in(log.state());
        Map<String, Integer> clients = new HashMap<>();
        for (Lookup.Client client : lookup.clients()) {
            try {
                clients.merge(lookup.policy(client).name(), 1, Integer::sum);
            } catch (ApiException e) {
                LOG.debug("Client {} has no policy: {}", client.id(), e.getMessage());
            }
        }
        return new RetentionView(
                lookup.state().resources(Resource.Type.POLICY).stream()
                        .map(r -> PolicyResource.of(r.resource()))
                        .map(p ->
                                new RetentionView.Policy(
                                        p.name(),
                                        p.retention().toString(),
                                        clients.getOrDefault(p.name(), 0),
                                        p.retentionAt(Site.DR).toString(),
                                        p.drMayExpireFirst()))
                        .toList(),
                rule(lookup, nowMicros, clockTrusted, stores).stream()
                        .map(r ->
                                new RetentionView.Piece(
                                        r.row().piece(),
                                        r.row().record().clientName(),
                                        r.row().record().dataPiece(),
                                        Moment.of(r.row().record().backupTimeMicros()),
                                        r.verdict().action().name(),
                                        r.verdict().reason(),
                                        sites(r.verdict())))
                        .toList());
    }

    private static List<RetentionView.AtSite> sites(SiteRetentionPlan.Verdict verdict) {
        return List.of(Site.LOCAL, Site.DR).stream()
                .map(site ->
                        new RetentionView.AtSite(
                                site.word(),
                                verdict.at(site).action().name(),
                                verdict.at(site).reason()))
                .toList();
    }

    // ---------------------------------------------------------------- by name

    List<ExpiryView> expire(Requests.Expire request) {
        Lookup lookup = Lookup.in(log.state());
        String reason = Optional.ofNullable(request.reason()).orElse("");
        List<Command.Expiring> pieces = new ArrayList<>();
        for (UUID piece : request.pieces()) {
            pieces.add(
                    expiring(
                            row(lookup, piece),
                            "expired by name" + (reason.isEmpty() ? "" : ": " + reason)));
        }
        log.submit(new Command.Expire(pieces, who(request.operator())));
        ClusterState now = log.state();
        return request.pieces().stream()
                .flatMap(id -> now.expiry(id).stream())
                .map(Lifetimes::view)
                .toList();
    }

    private static ExpiryView view(Expiry expiry) {
        return new ExpiryView(
                expiry.piece(), Moment.of(expiry.timeMicros()), expiry.who(), expiry.reason());
    }

    /** The row of a piece, also of one with a tombstone: its bytes may have come back. */
    private CatalogRow row(Lookup lookup, UUID piece) {
        for (CatalogResource catalog : lookup.catalogs()) {
            Endpoint endpoint = Peers.servedAt(lookup, catalog, lookup.state().epoch().site());
            try {
                Optional<CatalogPiece> found = peers.catalog(endpoint).get(piece);
                if (found.isPresent()) {
                    return found.get().row();
                }
            } catch (RemoteException e) {
                throw unavailable("Catalog " + endpoint, e);
            }
        }
        throw new ApiException(
                ApiException.Kind.NOT_FOUND,
                "No catalog knows a data piece " + piece,
                "See the pieces with: holdfast pieces");
    }

    private static String who(@org.jspecify.annotations.Nullable String operator) {
        return Optional.ofNullable(operator).orElse("operator");
    }

    // ---------------------------------------------------------------- holds

    List<HoldView> holds() {
        Lookup lookup = Lookup.in(log.state());
        return lookup.state().holds().stream().map(h -> view(lookup, h)).toList();
    }

    HoldView hold(Requests.Hold request, UUID id) {
        if ((request.piece() == null) == (request.client() == null)) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    "A hold names a data piece or a client, one of the two",
                    "See: holdfast hold add --help");
        }
        Lookup lookup = Lookup.in(log.state());
        Optional<UUID> piece = Optional.ofNullable(request.piece());
        piece.ifPresent(p -> {
            var _ = row(lookup, p);
        });
        Optional<UUID> client =
                Optional.ofNullable(request.client()).map(lookup::client).map(Lookup.Client::id);
        log.submit(
                new Command.HoldAdd(
                        id,
                        piece,
                        client,
                        who(request.operator()),
                        Optional.ofNullable(request.reason()).orElse("")));
        Lookup now = Lookup.in(log.state());
        return now.state().holds().stream()
                .filter(h -> h.id().equals(id))
                .findFirst()
                .map(h -> view(now, h))
                .orElseThrow(() -> noHold(id));
    }

    HoldView release(Requests.Release request) {
        Lookup lookup = Lookup.in(log.state());
        HoldView view =
                lookup.state().holds().stream()
                        .filter(h -> h.id().equals(request.hold()))
                        .findFirst()
                        .map(h -> view(lookup, h))
                        .orElseThrow(() -> noHold(request.hold()));
        log.submit(
                new Command.HoldRelease(
                        request.hold(),
                        who(request.operator()),
                        Optional.ofNullable(request.reason()).orElse("")));
        return view;
    }

    private static ApiException noHold(UUID id) {
        return new ApiException(
                ApiException.Kind.NOT_FOUND,
                "There is no hold " + id,
                "See the holds with: holdfast hold list");
    }

    private static HoldView view(Lookup lookup, Hold hold) {
        return new HoldView(
                hold.id(),
                hold.piece().orElse(null),
                hold.client().orElse(null),
                hold.client().flatMap(lookup::client).map(c -> c.view().name()).orElse(null),
                Moment.of(hold.timeMicros()),
                hold.who(),
                hold.reason());
    }

    // ---------------------------------------------------------------- tombstones

    /**
     * Puts tombstones for those of these expiries that no site keeps into the active catalogs, and looks
     * where they have come to. Call it only with expiries that no forced move can take back.
     */
    void bury(Lookup lookup, List<Expiry> expiries) {
        tombstones(lookup, expiries, true);
    }

    /** Looks where the tombstones of these expiries have come to. */
    void look(Lookup lookup, List<Expiry> expiries) {
        tombstones(lookup, expiries, false);
    }

    private void tombstones(Lookup lookup, List<Expiry> expiries, boolean write) {
        Site active = lookup.state().epoch().site();
        for (Site site : List.of(active, active.peer())) {
            Set<UUID> there = java.util.Objects.requireNonNull(buried.get(site));
            List<Expiry> left =
                    expiries.stream()
                            .filter(Expiry::isEverywhere)
                            .filter(e -> !there.contains(e.piece()))
                            .toList();
            if (left.isEmpty()) {
                continue;
            }
            for (CatalogResource catalog : lookup.catalogs()) {
                Optional<Endpoint> endpoint = lookup.at(catalog.address(), site);
                if (endpoint.isEmpty()) {
                    continue;
                }
                try {
                    bury(endpoint.get(), left, write && site == active, there);
                } catch (RemoteException e) {
                    if (e instanceof RemoteException.Refused refused) {
                        refused.maxEpoch().ifPresent(log::higherEpochSeen);
                    }
                    LOG.debug("No tombstones at {} yet: {}", endpoint.get(), e.getMessage());
                }
            }
        }
    }

    private void bury(Endpoint endpoint, List<Expiry> expiries, boolean write, Set<UUID> there)
            throws RemoteException {
        var catalog = peers.catalog(endpoint);
        for (Expiry expiry : expiries) {
            Optional<CatalogPiece> found = catalog.get(expiry.piece());
            if (found.isEmpty()) {
                continue;
            }
            if (found.get().forgotten().isEmpty() && write) {
                var _ = catalog.forget(expiry.piece(), cut(expiry.reason()));
                there.add(expiry.piece());
            } else if (found.get().forgotten().isPresent()) {
                there.add(expiry.piece());
            }
        }
    }

    private static String cut(String reason) {
        return reason.substring(0, Math.min(reason.length(), MAX_REASON));
    }

    /** Whether the catalog of a site was seen to have a piece's tombstone. */
    boolean isBuried(Site site, UUID piece) {
        return java.util.Objects.requireNonNull(buried.get(site)).contains(piece);
    }

    /** Forgets what is over. */
    void settled(List<UUID> pieces) {
        buried.values().forEach(set -> pieces.forEach(set::remove));
    }

    private static ApiException unavailable(String who, RemoteException e) {
        return new ApiException(
                ApiException.Kind.UNAVAILABLE,
                who + " did not answer: " + e.getMessage(),
                "Try again; see: holdfast status");
    }
}
