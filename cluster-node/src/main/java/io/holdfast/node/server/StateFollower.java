package io.holdfast.node.server;

import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.replication.raft.RaftEvents;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Keeps the MBR file and the site machine in step with what Raft says and what is applied.
 *
 * @param lineage the one that this node works with; others are not listened to
 * @param promise of this node
 * @param machine takes events
 * @param mbr takes the newest record
 */
record StateFollower(
        Supplier<UUID> lineage,
        Supplier<Epoch> promise,
        Consumer<SiteEvent> machine,
        Consumer<Mbr> mbr)
        implements RaftEvents {
    @Override
    public void applied(UUID of, long term, long index, ClusterState state) {
        if (!of.equals(lineage.get()) || !state.isSeeded()) {
            return;
        }
        state.mbr().ifPresent(mbr);
        if (state.epochs().isEmpty()) {
            return;
        }
        Command.EpochChange change = state.epochs().getLast().change();
        if (!change.lineage().equals(of) && change.epoch().compareTo(promise.get()) > 0) {
            SiteOperations.coordinatorOf(change)
                    .ifPresent(coordinator ->
                            machine.accept(
                                    new SiteEvent.SwitchoverApplied(change.epoch(), coordinator)));
        }
    }
}
