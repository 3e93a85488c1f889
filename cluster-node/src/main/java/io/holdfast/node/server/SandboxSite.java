package io.holdfast.node.server;

import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.modeswitch.Decision;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteEffect;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteMachine;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.modeswitch.SiteState;
import io.holdfast.node.config.RoleFile;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Reply;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiConsumer;

/**
 * Promotes a site in a {@link Sandbox}: the same {@link SiteMachine} as production's, with this node as
 * the only member of its site and nobody to hear at the other one, as an operator would force it in any
 * profile (P2). Its effects touch the sandbox alone. For one thread.
 */
final class SandboxSite {
    private static final String REASON = "rehearsal";

    private final Sandbox sandbox;
    private final Site site;
    private final BiConsumer<String, String> steps;
    private final Deque<SiteEvent> events = new ArrayDeque<>();
    private final UUID lineage = UUID.randomUUID();
    private SiteState state;

    /**
     * @param config production's, for its times
     * @param steps told what was done, and what came out of it
     */
    SandboxSite(Sandbox sandbox, SiteConfig config, BiConsumer<String, String> steps) {
        this.sandbox = sandbox;
        this.site = config.site();
        this.steps = steps;
        this.state =
                SiteState.booting(
                        new SiteConfig(
                                config.site(),
                                config.self(),
                                Set.of(config.self()),
                                config.peerMembers(),
                                config.degradeMillis(),
                                config.stableMillis(),
                                config.attemptMillis()));
    }

    /** The random lineage that is opened. */
    UUID lineage() {
        return lineage;
    }

    /**
     * Takes over.
     *
     * @param now a number that no earlier start used
     * @return the state in the new epoch
     * @throws IOException what went wrong, as a failover would have met it
     */
    ClusterState promote(Epoch epoch, long now) throws IOException, InterruptedException {
        events.add(new SiteEvent.Booted(SiteRole.STANDBY, epoch, sandbox.guard().max(), "", now));
        events.add(new SiteEvent.OperatorFailover(false, List.of()));
        while (!events.isEmpty()) {
            sandbox.requireGoingOn();
            if (!sandbox.broken().isEmpty()) {
                throw new IOException("The sandbox's Raft server ended: " + sandbox.broken());
            }
            Decision decision = SiteMachine.step(state, events.remove());
            state = decision.state();
            for (SiteEffect effect : decision.effects()) {
                perform(effect);
            }
        }
        if (state.role() != SiteRole.ACTIVE) {
            throw new IOException("The sandbox's site ended as " + state.describe());
        }
        return sandbox.raft().state(lineage);
    }

    /** A write in the new epoch, as an operator's would be. */
    Written write(Command command) throws IOException {
        Written written =
                RaftHost.await(
                        sandbox.raft().submit(lineage, state.epoch(), command, UUID.randomUUID()));
        if (written.reply() instanceof Reply.Refused refused) {
            throw new IOException("The sandbox refused a write: " + refused.message());
        }
        return written;
    }

    private void perform(SiteEffect effect) throws IOException, InterruptedException {
        switch (effect) {
            case SiteEffect.PersistPromise(Epoch epoch, String _) -> {
                try {
                    sandbox.guard().promise(epoch);
                } catch (StaleEpochException e) {
                    throw new IOException("The sandbox obeyed a higher epoch", e);
                }
                steps.accept("seal", "promise " + epoch + ", durable in the sandbox");
                events.add(new SiteEvent.PromiseDurable(sandbox.node(), epoch));
            }
            case SiteEffect.PersistRole durable ->
                    new RoleFile(durable.role().name(), durable.epoch(), lineage)
                            .write(sandbox.folder().resolve("role.json"));
            case SiteEffect.ReadTails(Epoch epoch, Set<String> members) -> {
                steps.accept("read tails", sandbox.tail().toString());
                events.add(new SiteEvent.TailsRead(epoch, members));
            }
            case SiteEffect.OpenLineage(Epoch epoch) -> {
                sandbox.raft()
                        .createLineage(
                                new LineageSpec(lineage, List.of(sandbox.raft().self(true, 1))));
                steps.accept("open lineage", lineage.toString());
                events.add(new SiteEvent.LineageOpen(epoch));
            }
            case SiteEffect.CommitEpochChange change -> {
                commit(change.epoch());
                events.add(new SiteEvent.EpochChangeCommitted(change.epoch()));
            }
            case SiteEffect.CommitReplication(var replication) ->
                    events.add(new SiteEvent.ReplicationCommitted(replication));
            case SiteEffect.Refuse(String reason) ->
                    throw new IOException("The site machine refused: " + reason);
            case SiteEffect.CloseAckGate _,
                    SiteEffect.CloseLineage _,
                    SiteEffect.SeedLineage _,
                    SiteEffect.StartServices _,
                    SiteEffect.AllowUnprotectedAcks _,
                    SiteEffect.Ignore _ -> {
                // No acknowledgement leaves a sandbox, no other lineage is open in it, the seed
                // goes
                // with the change of epoch, and no schedule or agent is served.
            }
            default -> throw new IOException("A rehearsal has nobody for " + effect + " to reach");
        }
    }

    private void commit(Epoch epoch) throws IOException, InterruptedException {
        ClusterState seeded =
                SiteActions.seed(sandbox.raft(), sandbox.tail(), lineage, epoch, REASON, REASON, 0);
        steps.accept("epoch change", epoch + " committed in the sandbox's lineage");
        Map<UUID, String> suspended = new TreeMap<>();
        Views.suspended(Lookup.in(seeded), site)
                .forEach(s -> suspended.put(s.client(), s.reason()));
        var _ =
                RaftHost.await(
                        sandbox.raft()
                                .submit(
                                        lineage,
                                        epoch,
                                        new Command.SetSuspended(suspended),
                                        UUID.randomUUID()));
        steps.accept("rewrite map", suspended.size() + " clients suspended");
    }
}
