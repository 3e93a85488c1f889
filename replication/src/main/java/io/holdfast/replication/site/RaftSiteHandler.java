package io.holdfast.replication.site;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.modeswitch.SiteAck;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.SubmitException;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.Reply;
import io.holdfast.replication.state.Tail;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The Raft side of a node's answers. Every call that changes something checks the epoch against the
 * durable promise first. Thread-safe.
 */
public class RaftSiteHandler implements SiteHandler {
    private final RaftHost host;
    private final UUID incarnation;
    private final String nodeId;
    private final EpochGuard guard;
    private final SiteAckSender sender;
    private final Supplier<NodeStatus> status;
    private volatile @Nullable ProtectionWatch watch;

    /**
     * A handler.
     *
     * @param guard the node's durable promise
     * @param sender whose gate is closed by a promise
     * @param status asked for each description
     */
    public RaftSiteHandler(
            RaftHost host, EpochGuard guard, SiteAckSender sender, Supplier<NodeStatus> status) {
        this.host = host;
        this.nodeId = host.self(false, 0).nodeId();
        this.incarnation = host.self(false, 0).incarnation();
        this.guard = guard;
        this.sender = sender;
        this.status = status;
    }

    /** Where acknowledgements go from now on: set while this node leads, cleared when it does not. */
    public void watch(Optional<ProtectionWatch> newWatch) {
        watch = newWatch.orElse(null);
    }

    @Override
    public AckAnswer ack(SiteAck ack) {
        ProtectionWatch current = watch;
        if (current == null || !current.book().lineage().equals(ack.lineage())) {
            return new AckAnswer(-1, false);
        }
        try {
            boolean counts = current.enter(ack, host.lastIndex(ack.lineage()));
            return new AckAnswer(current.protectedIndex(), counts);
        } catch (SubmitException.Unavailable e) {
            return new AckAnswer(-1, false);
        }
    }

    @Override
    public SiteDescription describe(Optional<Epoch> callerEpoch) throws IOException {
        NodeStatus node = status.get();
        Optional<UUID> lineage = node.lineage().filter(host::isOpen);
        ClusterState state = ClusterState.empty();
        long applied = -1;
        long last = -1;
        if (lineage.isPresent()) {
            state = host.state(lineage.get());
            applied = host.appliedIndex(lineage.get());
            last = host.lastIndex(lineage.get());
        }
        return new SiteDescription(
                nodeId,
                incarnation,
                node.site(),
                node.state(),
                state.isSeeded() ? Optional.of(state.epoch()) : Optional.empty(),
                Optional.of(guard.max()),
                true,
                lineage,
                applied,
                lineage.map(host::lastTerm).orElse(0L),
                last,
                node.lastContactMicros(),
                lineage.map(host::isLeader).orElse(false),
                state.repl().mode().name(),
                state.repl().sinceMicros(),
                node.version(),
                node.shipping());
    }

    @Override
    public Epoch promise(Epoch epoch, String reason) throws IOException, StaleEpochException {
        raise(epoch);
        return guard.max();
    }

    /** Durable first, then the gate; both before anybody is told. */
    private void raise(Epoch epoch) throws IOException, StaleEpochException {
        guard.promise(epoch);
        sender.gate(epoch);
    }

    @Override
    public Tail readTail(UUID lineage, Epoch epoch) throws IOException, StaleEpochException {
        raise(epoch);
        return host.readTail(lineage);
    }

    @Override
    public Tail readNewestTail(Epoch epoch) throws IOException, StaleEpochException {
        raise(epoch);
        List<Tail> open = new ArrayList<>();
        for (UUID lineage : host.lineages()) {
            open.add(host.readTail(lineage));
        }
        return Tail.newest(open)
                .orElseThrow(() ->
                        new SubmitException.Unavailable(
                                "Node " + nodeId + " has no lineage's record whole.", null));
    }

    @Override
    public long openLineage(LineageSpec spec, Epoch epoch, boolean join)
            throws IOException, StaleEpochException {
        raise(epoch);
        if (join) {
            host.joinLineage(spec);
        } else {
            host.createLineage(spec);
        }
        return host.appliedIndex(spec.lineage());
    }

    @Override
    public Optional<Path> closeLineage(UUID lineage, Epoch epoch, String reason)
            throws IOException, StaleEpochException {
        raise(epoch);
        sender.forget(lineage);
        return host.closeLineage(lineage);
    }

    @Override
    public void handOver(Epoch epoch, Entry part) throws IOException {
        boolean report =
                switch (part.command()) {
                    case Command.ReportBegin _, Command.ReportChunk _, Command.ReportEnd _ -> true;
                    default -> false;
                };
        if (!report) {
            throw new IllegalArgumentException(
                    "A returned site hands over reports, not "
                            + part.command().getClass().getSimpleName()
                            + ".");
        }
        Written written =
                RaftHost.await(host.submit(lineage(), epoch, part.command(), part.operation()));
        if (written.reply() instanceof Reply.Refused refused) {
            throw new IllegalArgumentException(refused.message() + " " + refused.next());
        }
    }

    @Override
    public boolean askWitness(String candidate, Set<String> lost, long term, long question)
            throws IOException {
        throw new IllegalArgumentException("Node " + nodeId + " is no witness.");
    }

    private UUID lineage() throws SubmitException.Unavailable {
        return status.get()
                .lineage()
                .orElseThrow(() ->
                        new SubmitException.Unavailable(
                                "Node " + nodeId + " works with no lineage.", null));
    }

    @Override
    public Recovered recover(Epoch epoch, UUID fromLineage, List<JobRecord> jobs)
            throws IOException {
        UUID lineage = lineage();
        List<UUID> merged = new ArrayList<>();
        List<UUID> known = new ArrayList<>();
        for (JobRecord job : jobs) {
            UUID operation =
                    UUID.nameUUIDFromBytes(
                            ("recover/" + epoch + "/" + fromLineage + "/" + job.id())
                                    .getBytes(StandardCharsets.UTF_8));
            Written written =
                    RaftHost.await(
                            host.submit(
                                    lineage,
                                    epoch,
                                    new Command.PieceRecovered(job, fromLineage),
                                    operation));
            switch (written.reply()) {
                case Reply.Done done -> (done.version() == 1 ? merged : known).add(job.id());
                case Reply.Refused refused ->
                        throw new IllegalArgumentException(
                                refused.message() + " " + refused.next());
            }
        }
        return new Recovered(merged, known);
    }
}
