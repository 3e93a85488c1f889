package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.CollectorStatusReply;
import io.holdfast.agent.proto.v1.GcOrder;
import io.holdfast.agent.proto.v1.GcStanding;
import io.holdfast.agent.storage.CollectorClient;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.GcRun;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The collectors of all stores of both sites, as the active leader orders them about. Each order is
 * written into the log before it is given (the lease), and its outcome after it.
 */
final class StoreCollectors {
    /** From which disagreement of clocks on nothing expires, is marked or swept. */
    static final Duration MAX_SKEW = Duration.ofMinutes(5);

    private static final Logger LOG = LoggerFactory.getLogger(StoreCollectors.class);
    private static final Duration POLL = Duration.ofMillis(500);

    private final String self;
    private final ClusterLog log;
    private final Peers peers;
    private final InstantSource clock;

    StoreCollectors(String self, ClusterLog log, Peers peers, InstantSource clock) {
        this.self = self;
        this.log = log;
        this.peers = peers;
        this.clock = clock;
    }

    /** One store of one site. */
    record Store(DeviceResource device, Site site, Endpoint endpoint) {}

    /**
     * What its collector said.
     *
     * @param status empty when it did not answer
     * @param skewMillis how far its clock is off the leader's, at least; 0 when it did not answer
     * @param problem why it did not answer
     */
    record Seen(
            Store store, Optional<CollectorStatusReply> status, long skewMillis, String problem) {
        boolean reachable() {
            return status.isPresent();
        }

        /** Which of the ids that were asked for it holds. */
        BitSet held() {
            return Wire.bits(status.orElseThrow().getHeld());
        }

        /** Which of them it holds whole, as far as it knows: nothing while it knows of damage. */
        BitSet proven() {
            return status.orElseThrow().getSound() ? held() : new BitSet();
        }
    }

    long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    /** Every store that is mapped. */
    static List<Store> stores(Lookup lookup) {
        List<Store> stores = new ArrayList<>();
        for (DeviceResource device : lookup.devices()) {
            for (Site site : List.of(Site.LOCAL, Site.DR)) {
                lookup.at(device.storage(), site)
                        .map(e -> new Store(device, site, e))
                        .filter(s ->
                                stores.stream().noneMatch(o -> o.endpoint().equals(s.endpoint())))
                        .ifPresent(stores::add);
            }
        }
        return stores;
    }

    /** Asks all of them at once; {@code ids} are PIECE frames to be looked for. */
    List<Seen> look(List<Store> stores, List<ChunkId> ids) throws InterruptedException {
        List<Seen> seen = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Seen>> answers = new ArrayList<>();
            stores.forEach(store -> answers.add(threads.submit(() -> look(store, ids))));
            for (Future<Seen> answer : answers) {
                seen.add(answer.get());
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("asking the collectors failed", e);
        }
        return seen;
    }

    private Seen look(Store store, List<ChunkId> ids) {
        long asked = nowMicros();
        try {
            CollectorStatusReply status = peers.collector(store.endpoint()).status(ids);
            long answered = nowMicros();
            // Its clock was read at some moment between the two.
            long there = status.getStoreMicros();
            long off = there < asked ? asked - there : Math.max(0, there - answered);
            return new Seen(store, Optional.of(status), off / 1_000, "");
        } catch (RemoteException e) {
            return new Seen(store, Optional.empty(), 0, String.valueOf(e.getMessage()));
        }
    }

    /** The largest disagreement of clocks; empty while a store that matters does not answer. */
    static OptionalLong skewMillis(List<Seen> seen, Optional<Site> abandoned) {
        boolean known =
                seen.stream()
                        .filter(s -> !abandoned.equals(Optional.of(s.store().site())))
                        .allMatch(Seen::reachable);
        return known && !seen.isEmpty()
                ? seen.stream().mapToLong(Seen::skewMillis).max()
                : OptionalLong.empty();
    }

    GcOrder order(long skewMillis) {
        return GcOrder.newBuilder()
                .setLeaderMicros(nowMicros())
                .setPeersSkewMillis(skewMillis)
                .build();
    }

    // ---------------------------------------------------------------- orders

    /** Marks a store, and waits for its end. */
    GcRun mark(Store store, long skewMillis, Collection<ChunkId> expired)
            throws InterruptedException {
        return work(
                store,
                GcRun.Work.MARK,
                (client, run) -> client.mark(run, order(skewMillis), expired));
    }

    /** Sweeps a store, and waits for its end. */
    GcRun sweep(Store store, long skewMillis, GcStanding standing) throws InterruptedException {
        return work(
                store,
                GcRun.Work.SWEEP,
                (client, run) -> client.sweep(run, order(skewMillis), standing));
    }

    private interface Order {
        Optional<CollectorClient.Work> give(CollectorClient client, UUID run)
                throws RemoteException;
    }

    private GcRun work(Store store, GcRun.Work work, Order order) throws InterruptedException {
        UUID run = UUID.randomUUID();
        log.submit(
                new Command.GcBegin(run, store.device().storage(), store.site(), work, self), run);
        CollectorClient.Work done = await(store, run, order);
        log.submit(
                new Command.GcEnd(
                        run, done.outcome(), done.reasons(), done.frames(), done.bytes()));
        LOG.info(
                "{} of the store at {}: {}, {} frames, {} bytes {}",
                work,
                store.endpoint(),
                done.outcome(),
                done.frames(),
                done.bytes(),
                done.reasons());
        return log.state().gcRuns().stream()
                .filter(r -> r.id().equals(run))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("run " + run + " is not kept"));
    }

    private CollectorClient.Work await(Store store, UUID run, Order order)
            throws InterruptedException {
        CollectorClient client = peers.collector(store.endpoint());
        try {
            Optional<CollectorClient.Work> done = order.give(client, run);
            while (done.isEmpty()) {
                Thread.sleep(POLL);
                CollectorStatusReply status = client.status(List.of());
                done = CollectorClient.last(status).filter(w -> w.run().equals(run));
                if (done.isEmpty() && !status.getWorking().equals(Wire.bytes(run))) {
                    return ended(run, "UNKNOWN", "the storage was started again meanwhile");
                }
            }
            return done.get();
        } catch (RemoteException e) {
            return switch (e) {
                case RemoteException.Refused refused -> {
                    refused.maxEpoch().ifPresent(log::higherEpochSeen);
                    yield ended(run, "REFUSED", String.valueOf(e.getMessage()));
                }
                case RemoteException.Unavailable _ ->
                        ended(run, "FAILED", String.valueOf(e.getMessage()));
                case RemoteException.Unknown _ ->
                        ended(run, "UNKNOWN", String.valueOf(e.getMessage()));
            };
        }
    }

    private static CollectorClient.Work ended(UUID run, String outcome, String why) {
        return new CollectorClient.Work(run, outcome, List.of(why), 0, 0);
    }
}
