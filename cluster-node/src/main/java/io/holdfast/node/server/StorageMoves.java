package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.OpenSessionRequest;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.storage.StorageSession;
import io.holdfast.agent.storage.StoreStatus;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.catalog.CatalogFilter;
import io.holdfast.catalog.CatalogPiece;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.chunk.ChunkId;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.StorageView;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Expiry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.StorageMove;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/**
 * The loss of a storage whose site lives (F9): its jobs go on over the other site's store, at the same
 * logical identifiers. What the other store holds flows home by itself as soon as a store answers there
 * again, as after any return; the storage takes over once it lacks nothing. Runs on the active leader.
 */
final class StorageMoves {
    private static final int BATCH = 4_096;
    private static final UUID ASKING = new UUID(0, 0);

    private final ClusterLog log;
    private final Peers peers;

    StorageMoves(ClusterLog log, Peers peers) {
        this.log = log;
        this.peers = peers;
    }

    List<StorageView> list() {
        Lookup lookup = Lookup.in(log.state());
        return lookup.devices().stream().map(d -> view(lookup, d, true)).toList();
    }

    /** Whether a piece was lost with its storage. */
    static boolean isLost(ClusterState state, ChunkId header) {
        Set<UUID> lost = state.lostPieces();
        return lost.stream()
                        .flatMap(id -> state.job(id).stream())
                        .anyMatch(j -> j.pieceHeader().equals(Optional.of(header)))
                || !lost.isEmpty()
                        && state.expiries().stream()
                                .filter(e -> e.header().equals(header))
                                .anyMatch(e -> e.job().filter(lost::contains).isPresent());
    }

    // ---------------------------------------------------------------- away

    StorageView failover(Requests.StorageMove request) {
        Lookup lookup = Lookup.in(log.state());
        DeviceResource device = device(lookup, request.device());
        Site active = lookup.state().epoch().site();
        if (move(lookup, device).filter(StorageMove::isActive).isPresent()) {
            return view(lookup, device, false);
        }
        Endpoint other =
                lookup.at(device.storage(), active.peer())
                        .orElseThrow(() ->
                                refused(
                                        "Storage "
                                                + device.storage()
                                                + " has no counterpart at site "
                                                + active.peer().word(),
                                        "Add a row with: holdfast replication add"));
        StorageView before = view(lookup, device, false);
        if (before.other() == null || !before.other().reachable()) {
            throw refused(
                    "The store at " + other + " does not answer: nothing could be stored there",
                    "Start it first; see: holdfast storage list");
        }
        if (before.home().reachable() && !request.force()) {
            throw refused(
                    "The store at " + before.home().endpoint() + " answers",
                    "Repeat with --force when you know that its disk is lost");
        }
        log.submit(
                new Command.StorageFailover(
                        device.storage(),
                        active.peer(),
                        lostWith(lookup, device, other),
                        operator(request),
                        Optional.ofNullable(request.reason()).orElse("")));
        return view(Lookup.in(log.state()), device, false);
    }

    /**
     * What goes with a storage of the active site unless the other store has it, by job: the pieces that are
     * not protected, and those that the active site alone keeps.
     *
     * @param located where a piece was stored
     */
    static Map<UUID, ChunkId> atStake(
            ClusterState state, DeviceResource device, Function<Expiry, Optional<String>> located) {
        Map<UUID, ChunkId> atStake = new LinkedHashMap<>();
        state.unprotectedPieces().stream()
                .filter(j -> isAt(j.row().orElseThrow().location(), device))
                .forEach(j -> atStake.put(j.id(), j.pieceHeader().orElseThrow()));
        state.expiries().stream()
                .filter(e -> e.keeper().equals(Optional.of(state.epoch().site())))
                .filter(e -> located.apply(e).filter(at -> isAt(at, device)).isPresent())
                .forEach(e -> e.job().ifPresent(id -> atStake.put(id, e.header())));
        return atStake;
    }

    /** Where the pieces that one site keeps were stored: of a job that is forgotten the catalogs know it. */
    private Function<Expiry, Optional<String>> located(Lookup lookup) {
        ClusterState state = lookup.state();
        boolean forgotten =
                state.expiries().stream()
                        .filter(e -> !e.isEverywhere())
                        .anyMatch(e -> e.job().flatMap(state::job).isEmpty());
        Map<UUID, String> locations = new HashMap<>();
        if (forgotten) {
            rows(lookup).forEach(row -> locations.put(row.piece(), row.record().location()));
        }
        return e ->
                e.job()
                        .flatMap(state::job)
                        .flatMap(JobRecord::row)
                        .map(CatalogRecord::location)
                        .or(() -> Optional.ofNullable(locations.get(e.piece())));
    }

    /** Those of {@link #atStake} that the other store does not have. */
    private List<UUID> lostWith(Lookup lookup, DeviceResource device, Endpoint other) {
        return among(atStake(lookup.state(), device, located(lookup)), other, false);
    }

    /** Of some frames, by job, those that a store has, or those that it has not. */
    private List<UUID> among(Map<UUID, ChunkId> frames, Endpoint store, boolean has) {
        Set<ChunkId> missing = missing(store, List.copyOf(frames.values()));
        return frames.entrySet().stream()
                .filter(e -> missing.contains(e.getValue()) != has)
                .map(Map.Entry::getKey)
                .toList();
    }

    // ---------------------------------------------------------------- home

    StorageView failback(Requests.StorageMove request) {
        Lookup lookup = Lookup.in(log.state());
        DeviceResource device = device(lookup, request.device());
        Optional<StorageMove> move = move(lookup, device).filter(StorageMove::isActive);
        if (move.isEmpty()) {
            return view(lookup, device, false);
        }
        StorageView now = view(lookup, device, true);
        if (!now.home().reachable()) {
            throw refused(
                    "The store at " + now.home().endpoint() + " does not answer",
                    "Give its node a working disk and start it again");
        }
        if (now.piecesMissing() != 0) {
            throw refused(
                    "The store at "
                            + now.home().endpoint()
                            + " lacks "
                            + now.piecesMissing()
                            + " of "
                            + now.pieces()
                            + " pieces",
                    "They are on their way; see: holdfast storage list");
        }
        List<UUID> running =
                lookup.state().openJobs().stream()
                        .filter(j ->
                                j.job().pairs().stream()
                                        .anyMatch(p ->
                                                p.input().endpoint().equals(device.storage())
                                                        || p.output()
                                                                .endpoint()
                                                                .equals(device.storage())))
                        .map(JobRecord::id)
                        .toList();
        if (!running.isEmpty()) {
            throw refused(
                    "Job " + running.getFirst() + " uses the store of site " + now.servedAt(),
                    "Wait until it has ended, or cancel it; see: holdfast jobs");
        }
        Endpoint home = lookup.at(device.storage(), home(lookup, move)).orElseThrow();
        log.submit(
                new Command.StorageFailback(
                        device.storage(), found(lookup, move.get(), home), operator(request)));
        return view(Lookup.in(log.state()), device, true);
    }

    /** Of the pieces that were thought lost, those that the store has after all. */
    private List<UUID> found(Lookup lookup, StorageMove move, Endpoint home) {
        return among(frames(lookup.state(), move.lost()), home, true);
    }

    /** The PIECE frames of some jobs, also of those that are forgotten while the expiry of their piece is not. */
    static Map<UUID, ChunkId> frames(ClusterState state, List<UUID> jobs) {
        Map<UUID, ChunkId> frames = new LinkedHashMap<>();
        Set<UUID> wanted = new HashSet<>(jobs);
        state.expiries()
                .forEach(e ->
                        e.job()
                                .filter(wanted::contains)
                                .ifPresent(id -> frames.put(id, e.header())));
        jobs.forEach(id ->
                state.job(id)
                        .flatMap(JobRecord::pieceHeader)
                        .ifPresent(header -> frames.put(id, header)));
        return frames;
    }

    // ---------------------------------------------------------------- what is where

    private StorageView view(Lookup lookup, DeviceResource device, boolean count) {
        Optional<StorageMove> move = move(lookup, device);
        Optional<StorageMove> away = move.filter(StorageMove::isActive);
        Site home = home(lookup, away);
        Optional<Endpoint> there = lookup.at(device.storage(), home);
        StorageView.Store homeStore =
                there.map(e -> store(home, e))
                        .orElseGet(() ->
                                new StorageView.Store(home.word(), "no mapping", false, -1, -1));
        List<ChunkId> wanted = count ? headers(lookup, device, home) : List.of();
        return new StorageView(
                device.name(),
                device.storage().toString(),
                homeStore,
                lookup.at(device.storage(), home.peer())
                        .map(e -> store(home.peer(), e))
                        .orElse(null),
                away.map(StorageMove::servedAt).orElse(home).word(),
                away.map(m -> Moment.of(m.sinceMicros())).orElse(null),
                away.map(StorageMove::reason).orElse(null),
                wanted.size(),
                count && homeStore.reachable() ? missing(there.orElseThrow(), wanted).size() : -1,
                move.map(StorageMove::lost).orElse(List.of()));
    }

    /** The site whose store was lost; without a loss, the active one. */
    private static Site home(Lookup lookup, Optional<StorageMove> away) {
        return away.map(m -> m.servedAt().peer()).orElse(lookup.state().epoch().site());
    }

    private StorageView.Store store(Site site, Endpoint endpoint) {
        try {
            StoreStatus s = peers.storage(endpoint).status();
            return new StorageView.Store(
                    site.word(), endpoint.toString(), true, s.frames(), s.frameBytes());
        } catch (RemoteException e) {
            return new StorageView.Store(site.word(), endpoint.toString(), false, -1, -1);
        }
    }

    /** The pieces that a storage should have: all that are catalogued there, not lost, nor expired at its site. */
    private List<ChunkId> headers(Lookup lookup, DeviceResource device, Site home) {
        Set<UUID> lost = lookup.state().lostPieces();
        return rows(lookup).stream()
                .filter(row -> isAt(row.record().location(), device))
                .filter(row -> jobOf(row).filter(lost::contains).isEmpty())
                .filter(row ->
                        lookup.state().expiry(row.piece()).filter(e -> e.isAt(home)).isEmpty())
                .map(CatalogRow::header)
                .toList();
    }

    /** What the catalogs of the active site list. */
    private List<CatalogRow> rows(Lookup lookup) {
        List<CatalogRow> rows = new ArrayList<>();
        for (CatalogResource catalog : lookup.catalogs()) {
            Endpoint endpoint = Peers.servedAt(lookup, catalog, lookup.state().epoch().site());
            try {
                peers.catalog(endpoint).listAll(CatalogFilter.all()).stream()
                        .filter(p -> p.forgotten().isEmpty())
                        .map(CatalogPiece::row)
                        .forEach(rows::add);
            } catch (RemoteException e) {
                throw unavailable("Catalog " + endpoint, e);
            }
        }
        return rows;
    }

    private static Optional<UUID> jobOf(CatalogRow row) {
        return Optional.ofNullable(row.record().optional().get("job")).flatMap(Lookup::uuid);
    }

    private static boolean isAt(String location, DeviceResource device) {
        return Identifier.parse(location).endpoint().equals(device.storage());
    }

    /** Those of some frames that a store does not hold durably. */
    private Set<ChunkId> missing(Endpoint endpoint, List<ChunkId> ids) {
        Set<ChunkId> missing = new HashSet<>();
        if (ids.isEmpty()) {
            return missing;
        }
        try {
            StorageClient storage = peers.storage(endpoint);
            StorageSession session =
                    storage.openSession(ASKING, "", OpenSessionRequest.Purpose.REPLICATE);
            try {
                for (int from = 0; from < ids.size(); from += BATCH) {
                    List<ChunkId> batch = ids.subList(from, Math.min(ids.size(), from + BATCH));
                    BitSet answer = storage.missing(session, batch);
                    answer.stream().forEach(i -> missing.add(batch.get(i)));
                }
            } finally {
                storage.closeSession(session);
            }
            return missing;
        } catch (RemoteException e) {
            throw unavailable("The store at " + endpoint, e);
        }
    }

    private static Optional<StorageMove> move(Lookup lookup, DeviceResource device) {
        return lookup.state().storageMoves().stream()
                .filter(m -> m.storage().equals(device.storage()))
                .findFirst();
    }

    private static DeviceResource device(Lookup lookup, String named) {
        return lookup.devices().stream()
                .filter(d ->
                        d.name().equals(named)
                                || d.ip().equals(named)
                                || d.storage().toString().equals(named))
                .findFirst()
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.NOT_FOUND,
                                "There is no storage '" + named + "'",
                                "See the storages with: holdfast storage list"));
    }

    private static String operator(Requests.StorageMove request) {
        return Optional.ofNullable(request.operator()).orElse("operator");
    }

    private ApiException refused(String what, String next) {
        return new ApiException(
                ApiException.Kind.REFUSED,
                "Refused: " + what,
                next,
                log.state().epoch().toString(),
                null,
                null);
    }

    private static ApiException unavailable(String who, RemoteException e) {
        return new ApiException(
                ApiException.Kind.UNAVAILABLE,
                who + " did not answer: " + e.getMessage(),
                "Try again; see: holdfast status");
    }
}
