package io.holdfast.node.server;

import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.replication.site.SiteClient;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the other nodes said of themselves last, and when. Asks all of them at once, each round bounded
 * by {@link #TIMEOUT}; what they say is evidence, never authority. Thread-safe.
 */
final class PeerWatch implements SitePorts.Sightings {
    /** A node that does not answer within this is not reachable. */
    static final Duration TIMEOUT = Duration.ofMillis(1500);

    private static final Logger LOG = LoggerFactory.getLogger(PeerWatch.class);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);

    private final String self;
    private final Site site;
    private final Supplier<Mbr> mbr;
    private final Supplier<Epoch> epoch;
    private final ChannelCache channels;
    private final InstantSource clock;
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, Seen> seen = new ConcurrentHashMap<>();

    /**
     * What was seen of a node.
     *
     * @param description what it said last; empty when it never answered
     * @param atMicros when it answered last, epoch microseconds; 0 for never
     * @param reachable whether it answered in the newest round
     * @param problem why it did not
     */
    record Seen(
            NodeAddress node,
            Optional<SiteDescription> description,
            long atMicros,
            boolean reachable,
            String problem) {}

    PeerWatch(
            String self,
            Site site,
            Supplier<Mbr> mbr,
            Supplier<Epoch> epoch,
            ChannelCache channels,
            InstantSource clock) {
        this.self = self;
        this.site = site;
        this.mbr = mbr;
        this.epoch = epoch;
        this.channels = channels;
        this.clock = clock;
    }

    /** A client to a node, for calls that do something. */
    SiteClient client(NodeAddress node) {
        return new SiteClient(channel(node), CALL_TIMEOUT);
    }

    io.grpc.Channel channel(NodeAddress node) {
        return channels.channel(
                Endpoint.of(node.host(), node.sitePort()), java.util.Set.of(PeerIdentity.NODE));
    }

    /** Asks every other node now, and remembers. */
    @Override
    public List<Seen> round() {
        List<NodeAddress> others = NodeService.others(mbr.get(), self);
        List<Callable<Seen>> questions = new ArrayList<>();
        others.forEach(node -> questions.add(() -> ask(node)));
        List<Seen> answers = new ArrayList<>();
        try {
            for (Future<Seen> answer : callers.invokeAll(questions)) {
                Seen now = answer.get();
                seen.put(now.node().id(), now);
                answers.add(now);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("asking the other nodes failed", e);
        }
        return answers;
    }

    private Seen ask(NodeAddress node) {
        try {
            SiteDescription description =
                    new SiteClient(channel(node), TIMEOUT).describe(Optional.of(epoch.get()));
            return new Seen(node, Optional.of(description), nowMicros(), true, "");
        } catch (RemoteException e) {
            LOG.trace("node {} does not answer: {}", node.id(), e.getMessage());
            Seen before = seen.get(node.id());
            return new Seen(
                    node,
                    before == null ? Optional.empty() : before.description(),
                    before == null ? 0 : before.atMicros(),
                    false,
                    String.valueOf(e.getMessage()));
        }
    }

    private long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    /** What is known of every other node. */
    @Override
    public List<Seen> all() {
        return NodeService.others(mbr.get(), self).stream()
                .map(n ->
                        seen.getOrDefault(
                                n.id(), new Seen(n, Optional.empty(), 0, false, "not asked yet")))
                .toList();
    }

    /** What is known of the other nodes of a site. */
    @Override
    public List<Seen> of(Site which) {
        return all().stream().filter(s -> siteOf(s.node()) == which).toList();
    }

    /** The site whose contact matters: the other one; for the witness the local one. */
    static Site across(Site site) {
        return site == Site.WITNESS ? Site.LOCAL : site.peer();
    }

    private Site siteOf(NodeAddress node) {
        return mbr.get().siteOf(node.id()).orElseThrow();
    }

    /** When the other site was heard last, epoch microseconds; empty for never. */
    @Override
    public Optional<Long> lastContactMicros() {
        return of(across(site)).stream()
                .map(Seen::atMicros)
                .filter(at -> at > 0)
                .max(Long::compare);
    }

    void close() {
        callers.shutdownNow();
    }
}
