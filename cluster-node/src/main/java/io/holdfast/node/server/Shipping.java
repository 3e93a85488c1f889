package io.holdfast.node.server;

import io.grpc.ManagedChannel;
import io.holdfast.agent.tls.GrpcTls;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.replication.ship.ShipOptions;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.replication.ship.Shipper;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the other site's store level with this node's: one {@link Shipper} to wherever the device
 * that this node serves is mapped at the other site. It runs at both sites and in every role but
 * before a confirmation, because the union of both stores is right in every case: what a returned
 * site has and the active one lacks goes up the same way as new backups do. Idle on a node without a
 * storage.
 */
final class Shipping implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Shipping.class);
    private static final Duration LOOK = Duration.ofMillis(250);

    private final Site site;
    private final Optional<ChunkStore> store;
    private final Optional<Endpoint> own;
    private final ClusterLog log;
    private final Supplier<Epoch> epoch;
    private final UUID cluster;
    private final @Nullable TlsMaterial tls;
    private final Path folder;
    private final ShipOptions options;
    private final InstantSource clock;
    private volatile @Nullable Shipper shipper;
    private volatile @Nullable Endpoint peer;
    private volatile boolean closed;
    private @Nullable ManagedChannel channel;

    /**
     * @param own where this node's storage listens; empty when it has none
     * @param tls of role storage; null when there is none
     * @param folder for cursors
     * @param grace of the collectors, which wait for the end of a shipper's session
     */
    Shipping(
            Site site,
            Optional<ChunkStore> store,
            Optional<Endpoint> own,
            ClusterLog log,
            Supplier<Epoch> epoch,
            UUID cluster,
            @Nullable TlsMaterial tls,
            Path folder,
            Duration grace,
            InstantSource clock) {
        this.site = site;
        this.store = store;
        this.own = own;
        this.log = log;
        this.epoch = epoch;
        this.cluster = cluster;
        this.tls = tls;
        this.folder = folder;
        this.options = ShipOptions.DEFAULT.sessionsWithin(grace.dividedBy(4));
        this.clock = clock;
    }

    void start(SiteController controller) {
        if (store.isPresent()) {
            Thread.ofVirtual().name("shipping").start(() -> run(controller));
        }
    }

    private void run(SiteController controller) {
        while (!closed) {
            try {
                follow(controller);
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("Shipping: {}", e.toString(), e);
            }
        }
    }

    /** Points the shipper at the peer that the resource DB names now, and lets it run or pause. */
    private synchronized void follow(SiteController controller) {
        Optional<Endpoint> wanted = peerStorage();
        if (wanted.isPresent() && !wanted.get().equals(peer) && !closed) {
            stop();
            TlsMaterial identity = java.util.Objects.requireNonNull(tls, "storage identity");
            ManagedChannel opened =
                    GrpcTls.channel(wanted.get(), identity, java.util.Set.of(PeerIdentity.STORAGE));
            channel = opened;
            peer = wanted.get();
            shipper =
                    new Shipper(
                                    store.orElseThrow(),
                                    wanted.get().toString(),
                                    opened,
                                    cluster,
                                    epoch,
                                    folder,
                                    options,
                                    clock)
                            .start();
            LOG.info("Ships to {}", wanted.get());
        }
        Shipper now = shipper;
        if (now != null) {
            switch (controller.state().role()) {
                case BOOT -> now.pause();
                case AWAIT_CONFIRM -> {
                    // In a stretched group (P3) those of the active site that do not lead wait
                    // here.
                    if (controller.state().group().stretched()) {
                        now.resume();
                    } else {
                        now.pause();
                    }
                }
                case ACTIVE, DRAINING, STANDBY, SEALING, PROMOTING, FENCED, RECONCILING, WITNESS ->
                        now.resume();
            }
        }
    }

    private Optional<Endpoint> peerStorage() {
        Lookup lookup = Lookup.in(log.state());
        return lookup.devices().stream()
                .filter(d -> lookup.at(d.storage(), site).equals(own))
                .findFirst()
                .flatMap(d -> lookup.at(d.storage(), site.peer()));
    }

    private void stop() {
        Shipper old = shipper;
        if (old != null) {
            old.close();
        }
        if (channel != null) {
            channel.shutdownNow();
        }
        shipper = null;
    }

    /** What the shipper says; empty while there is none. */
    Optional<ShipStatus> status() {
        Shipper now = shipper;
        return now == null ? Optional.empty() : Optional.of(now.status());
    }

    /** In words, for the health check. */
    String text() {
        return status().map(s ->
                        s.state() == ShipStatus.State.CAUGHT_UP
                                ? "ok"
                                : s.state()
                                        + " to "
                                        + s.peer()
                                        + ", "
                                        + s.lagBytes()
                                        + " bytes behind"
                                        + (s.lastError().isEmpty() ? "" : ": " + s.lastError()))
                .orElse(store.isPresent() ? "no peer is known yet" : "ok");
    }

    /** What the other site's store lacked when it was reached, and what is damaged in this one. */
    ShipReport report() {
        Shipper now = shipper;
        return now == null ? ShipReport.NONE : now.report();
    }

    @Override
    public synchronized void close() {
        closed = true;
        stop();
    }
}
