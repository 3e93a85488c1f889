package io.holdfast.node.server;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.modeswitch.SiteAck;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.SubmitException;
import io.holdfast.replication.site.NodeStatus;
import io.holdfast.replication.site.RaftSiteHandler;
import io.holdfast.replication.site.Recovered;
import io.holdfast.replication.site.SiteAckSender;
import io.holdfast.replication.site.SiteDescription;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a node answers to another: the Raft part as {@link RaftSiteHandler} does it, promises by way of
 * the site machine, and a returned site's jobs only once their bytes and rows have arrived.
 */
final class NodeSiteHandler extends RaftSiteHandler {
    private final EpochGuard guard;
    private final SiteActions actions;
    private final ClusterLog log;
    private final Peers peers;
    private final Map<String, Long> acks = new ConcurrentHashMap<>();
    private @Nullable SiteController controller;

    NodeSiteHandler(
            RaftHost raft,
            EpochGuard guard,
            SiteAckSender sender,
            Supplier<NodeStatus> status,
            SiteActions actions,
            ClusterLog log,
            Peers peers) {
        super(raft, guard, sender, status);
        this.guard = guard;
        this.actions = actions;
        this.log = log;
        this.peers = peers;
    }

    void bind(SiteController newController) {
        controller = newController;
    }

    /** How many of these nodes have acknowledged something within a time. */
    long heardWithin(List<String> nodes, Duration time) {
        long since = System.nanoTime() - time.toNanos();
        return nodes.stream()
                .filter(n -> {
                    Long at = acks.get(n);
                    return at != null && at - since > 0;
                })
                .count();
    }

    @Override
    public AckAnswer ack(SiteAck ack) {
        AckAnswer answer = super.ack(ack);
        if (answer.admitted()) {
            acks.put(ack.node(), System.nanoTime());
        }
        return answer;
    }

    /** {@inheritDoc} The reason names the candidate: two cannot get the same epoch. */
    @Override
    public Epoch promise(Epoch epoch, String reason) throws IOException, StaleEpochException {
        SiteController bound = controller;
        if (bound == null) {
            throw new SubmitException.Unavailable("This node is starting.", null);
        }
        Optional<Epoch> standing = bound.promiseAsked(reason, epoch);
        if (standing.isPresent()) {
            throw new StaleEpochException(epoch, standing.get());
        }
        return guard.max();
    }

    @Override
    public boolean askWitness(String candidate, Set<String> lost, long term, long question)
            throws IOException {
        SiteController bound = controller;
        if (bound == null) {
            throw new SubmitException.Unavailable("This node is starting.", null);
        }
        return bound.witnessAsked(candidate, lost, term, question);
    }

    @Override
    public Tail readTail(UUID lineage, Epoch epoch) throws IOException, StaleEpochException {
        guard.observe(epoch);
        return actions.ownTail(lineage);
    }

    @Override
    public Tail readNewestTail(Epoch epoch) throws IOException, StaleEpochException {
        guard.observe(epoch);
        return actions.tailToPromoteFrom();
    }

    @Override
    public long openLineage(LineageSpec spec, Epoch epoch, boolean join)
            throws IOException, StaleEpochException {
        guard.observe(epoch);
        if (join) {
            requireReconciled(epoch);
        }
        actions.closeLineages(spec.lineage());
        actions.reopens(spec.lineage());
        long applied = super.openLineage(spec, epoch, join);
        log.use(spec.lineage());
        return applied;
    }

    /** A member that may hold something of its own joins only after that is archived and offered. */
    private void requireReconciled(Epoch epoch) throws SubmitException.Unavailable {
        SiteController bound = controller;
        boolean ready =
                bound != null
                        && bound.state().epoch().equals(epoch)
                        && (bound.state().role() == SiteRole.STANDBY
                                || bound.state().role() == SiteRole.WITNESS
                                || bound.state().role() == SiteRole.AWAIT_CONFIRM
                                || bound.state().role() == SiteRole.ACTIVE);
        if (!ready) {
            throw new SubmitException.Unavailable(
                    "This node is not ready to join epoch " + epoch + ": it reconciles first.",
                    null);
        }
    }

    @Override
    public SiteDescription describe(Optional<Epoch> callerEpoch) throws IOException {
        try {
            return super.describe(callerEpoch);
        } catch (IllegalStateException e) {
            throw new SubmitException.Unavailable("A lineage is just being opened here.", e);
        }
    }

    @Override
    public Recovered recover(Epoch epoch, UUID fromLineage, List<JobRecord> jobs)
            throws IOException {
        Lookup lookup = Lookup.in(log.state());
        for (JobRecord job : jobs) {
            boolean known =
                    lookup.state().job(job.id()).filter(j -> j.state().isComplete()).isPresent();
            if (!known && !hasArrived(lookup, job)) {
                throw new SubmitException.Unavailable(
                        "Piece "
                                + job.row().map(r -> r.piece().toString()).orElse("?")
                                + " of job "
                                + job.id()
                                + " has not arrived yet.",
                        null);
            }
        }
        return super.recover(epoch, fromLineage, jobs);
    }

    private boolean hasArrived(Lookup lookup, JobRecord job) throws RemoteException {
        CatalogRecord row = job.row().orElseThrow();
        Optional<Endpoint> storage = lookup.now(Identifier.parse(row.location()).endpoint());
        return storage.isPresent()
                && Protector.holds(
                        peers.storage(storage.get()), job.id(), job.pieceHeader().orElseThrow())
                && peers.catalogOf(lookup, row).get(row.piece()).isPresent();
    }
}
