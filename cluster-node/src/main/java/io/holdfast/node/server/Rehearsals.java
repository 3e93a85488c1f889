package io.holdfast.node.server;

import io.holdfast.agent.DurableFile;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.catalog.CatalogException;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Caller;
import io.holdfast.node.api.RehearsalText;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.rest.ApiJson;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RaftSettings;
import io.holdfast.standard.RehearsalResource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rehearsals at this node: opens a {@link Sandbox} beside production while replication goes on, plays
 * a failover through in it, removes it, whatever happened, and stores the report. One at a time.
 * Before and after, what production decides by on this disk is compared byte for byte.
 *
 * <p>A collector must not sweep a store while {@link #isUnderWay}: what samples need is pinned as it
 * is found, and a pin begins where a sweep could already be on its way.
 */
final class Rehearsals implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsals.class);
    private static final long END_MILLIS = 10_000;

    private final NodeConfig config;
    private final RaftHost raft;
    private final RaftSettings settings;
    private final ClusterLog log;
    private final EpochGuard guard;
    private final SiteController site;
    private final SiteConfig machine;
    private final Optional<ChunkStore> store;
    private final Optional<CatalogDatabase> catalog;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Path folder;
    private boolean running;
    private @Nullable Sandbox open;
    private boolean closed;

    /** With the node's parts, which stay its own. What a node that died left behind is removed. */
    Rehearsals(
            NodeConfig config,
            RaftHost raft,
            RaftSettings settings,
            ClusterLog log,
            EpochGuard guard,
            SiteController site,
            SiteConfig machine,
            Optional<ChunkStore> store,
            Optional<CatalogDatabase> catalog,
            InstantSource clock,
            RandomGenerator random)
            throws IOException {
        this.config = config;
        this.raft = raft;
        this.settings = settings;
        this.log = log;
        this.guard = guard;
        this.site = site;
        this.machine = machine;
        this.store = store;
        this.catalog = catalog;
        this.clock = clock;
        this.random = random;
        this.folder = config.data().resolve("rehearsal");
        Sandbox.remove(folder);
    }

    /** Whether this node can hold a sandbox now: passive, with storage and catalog. */
    boolean isPossible() {
        return site.state().role() == SiteRole.STANDBY && store.isPresent() && catalog.isPresent();
    }

    /** Whether a sandbox reads the node's store. */
    synchronized boolean isUnderWay() {
        return running;
    }

    /**
     * Rehearses.
     *
     * @param id of the report
     * @param put writes a resource into the resource DB, wherever that is
     */
    RehearsalView run(
            UUID id, Requests.Rehearsal request, Function<ResourceView, ResourceView> put) {
        begin();
        try {
            return store(play(id, request), put);
        } finally {
            end();
        }
    }

    private synchronized void begin() {
        if (closed || running) {
            throw refused(
                    closed ? "this node stops" : "another rehearsal is under way",
                    "Try again when it has ended");
        }
        running = true;
    }

    private synchronized void opened(Sandbox sandbox) {
        open = sandbox;
        if (closed) {
            sandbox.stop();
        }
    }

    private synchronized void end() {
        running = false;
        open = null;
        notifyAll();
    }

    private ApiException refused(String why, String next) {
        return new ApiException(
                ApiException.Kind.REFUSED,
                "Refused a rehearsal at node " + config.node() + ": " + why,
                next,
                guard.max().toString(),
                site.role(),
                null);
    }

    private TlsMaterial identity() {
        Path identity =
                config.rehearsalIdentity()
                        .orElseThrow(() ->
                                refused(
                                        "it has no certificate of role rehearsal",
                                        "Enrol one where the cluster's authorities are kept: holdfast"
                                                + " rehearse enrol DIR, then restart the node"));
        try {
            TlsMaterial tls = TlsMaterial.load(identity);
            if (!tls.identity().role().equals(PeerIdentity.REHEARSAL)) {
                throw new IOException(
                        identity + " is of role " + tls.identity().role() + ", not rehearsal");
            }
            return tls;
        } catch (IOException e) {
            throw refused(String.valueOf(e.getMessage()), "Enrol it anew");
        }
    }

    private RehearsalView play(UUID id, Requests.Rehearsal request) {
        if (!isPossible()) {
            throw refused(
                    "it is "
                            + site.role()
                            + (store.isPresent() && catalog.isPresent()
                                    ? ""
                                    : " and has no storage and catalog"),
                    "Rehearse at a STANDBY node with storage and catalog");
        }
        TlsMaterial tls = identity();
        RehearsalRun run =
                new RehearsalRun(
                        id,
                        config.node(),
                        machine,
                        request.pieces(),
                        ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()));
        Map<String, String> before = fingerprint();
        LOG.info("Rehearsal {} begins", id);
        try {
            try (Sandbox sandbox =
                    Sandbox.open(
                            folder,
                            new Sandbox.Production(
                                    config.node(),
                                    config.listen().host(),
                                    tls,
                                    raft,
                                    log.lineage(),
                                    guard.max(),
                                    store.orElseThrow(),
                                    catalog.orElseThrow(),
                                    config.devices(),
                                    settings,
                                    clock,
                                    random))) {
                opened(sandbox);
                run.play(sandbox, catalog.orElseThrow());
            }
            run.step("sandbox removed", "");
        } catch (InterruptedException e) {
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE,
                    "The rehearsal was stopped, its sandbox is removed: this node ends",
                    "Start it again when the node runs");
        } catch (IOException | CatalogException | RuntimeException e) {
            LOG.warn("Rehearsal {} ended early", id, e);
            run.problem("The rehearsal ended early: " + e.getMessage());
        }
        Map<String, String> after = fingerprint();
        if (!after.equals(before)) {
            run.problem(
                    "Production changed at this node while it was rehearsed: "
                            + before
                            + " became "
                            + after);
        }
        return run.view(guard.max(), after.equals(before));
    }

    /** What production decides by on this disk: promise, role, whom it promised, its lineages. */
    private Map<String, String> fingerprint() {
        Map<String, String> print = new TreeMap<>();
        for (String name : new String[] {"promise", "role.json", "site/promised-to"}) {
            Path file = config.data().resolve(name);
            try {
                print.put(
                        name,
                        Files.exists(file)
                                ? Integer.toHexString(Arrays.hashCode(Files.readAllBytes(file)))
                                : "absent");
            } catch (IOException e) {
                print.put(name, "unreadable");
            }
        }
        Path lineages = config.data().resolve("raft/lineages");
        try (Stream<Path> found = Files.list(lineages)) {
            print.put(
                    "lineages",
                    found.map(p -> String.valueOf(p.getFileName())).sorted().toList().toString());
        } catch (IOException e) {
            print.put("lineages", "unreadable");
        }
        print.put("role", site.role());
        print.put("epoch", guard.max().toString());
        return print;
    }

    /** The report goes into the resource DB; where that does not answer, into a file here. */
    private RehearsalView store(RehearsalView view, Function<ResourceView, ResourceView> put) {
        RehearsalResource resource =
                new RehearsalResource(
                        view.started().iso() + " " + view.node(),
                        view.verdict().name(),
                        ApiJson.print(view),
                        RehearsalText.of(view));
        try {
            // On this node's own behalf: the request itself may have been sent on to it.
            var _ =
                    ScopedValue.where(Caller.CURRENT, new Caller("node", config.node(), null))
                            .call(() ->
                                    put.apply(ResourceView.of(resource.toResource(view.id()), -1)));
            LOG.info("Rehearsal {}: {}", view.id(), view.verdict());
            return view;
        } catch (ApiException e) {
            Path file = config.data().resolve("rehearsal-" + view.id() + ".json");
            String where = "; it is in " + file + " at node " + config.node();
            try {
                DurableFile.write(file, resource.report().getBytes(StandardCharsets.UTF_8));
            } catch (IOException disk) {
                where = ", and not in a file either: " + disk.getMessage();
            }
            LOG.warn(
                    "Report of rehearsal {} is not stored: {}{}", view.id(), e.getMessage(), where);
            return view.notStored(e.getMessage() + where);
        }
    }

    /** Stops a rehearsal and waits until its sandbox is gone. */
    @Override
    public synchronized void close() {
        closed = true;
        if (open != null) {
            open.stop();
        }
        long end = System.nanoTime() + END_MILLIS * 1_000_000;
        try {
            while (running && System.nanoTime() < end) {
                wait(100);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
