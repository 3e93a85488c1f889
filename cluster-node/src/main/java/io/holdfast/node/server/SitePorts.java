package io.holdfast.node.server;

import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@link SiteController} and {@link SiteOperations} need of the rest of the node. */
final class SitePorts {
    private static final Logger LOG = LoggerFactory.getLogger(SitePorts.class);

    private SitePorts() {}

    /** The record: see {@link ClusterLog}. */
    interface Log {
        UUID lineage();

        void use(UUID newLineage);

        ClusterState state();

        boolean leads();

        long appliedIndex();

        Written submit(Command command);

        Written submit(Command command, UUID operation);

        void submitOnceLed(Command command, UUID operation) throws InterruptedException;

        /** Writes a change of epoch, on condition that {@code parent} is still the epoch. */
        void changeEpoch(Command.EpochChange change, Epoch parent, UUID operation);

        boolean awaitProtected(long index, Duration timeout) throws InterruptedException;
    }

    /** What the other nodes say: see {@link PeerWatch}. */
    interface Sightings {
        /** Asks every other node now, and remembers. */
        List<PeerWatch.Seen> round();

        List<PeerWatch.Seen> all();

        List<PeerWatch.Seen> of(Site which);

        Optional<Long> lastContactMicros();
    }

    /** The steps of a change of the active site: see {@link SiteActions}. */
    interface Steps {
        String promisedTo();

        void persistPromise(Epoch epoch, String candidate) throws IOException, StaleEpochException;

        void askPromise(String member, String candidate, Epoch epoch) throws RemoteException;

        /** Whether the witness has lost these members, too. */
        boolean askWitness(String witness, Set<String> lost, long term, long question)
                throws RemoteException;

        /** Gives the lead of the group that this node leads to a member of a site. */
        void prefer(UUID lineage, Site preferred) throws IOException;

        /**
         * Gives the lead to a site as soon as that can be done, and blocks until then, or until it is not
         * wanted any more. Says once why it waits.
         */
        default void preferWhile(BooleanSupplier wanted, Supplier<UUID> lineage, Site preferred) {
            for (int attempt = 1; wanted.getAsBoolean(); attempt++) {
                try {
                    prefer(lineage.get(), preferred);
                    return;
                } catch (IOException | RuntimeException e) {
                    if (attempt == 1) {
                        LOG.info("The lead stays here for now: {}", e.getMessage());
                    }
                }
                try {
                    Thread.sleep(SiteController.ROUND);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }

        /**
         * Reads of each member, which has promised this epoch, the log that it takes part in a promotion
         * with. What was read for the same epoch before is not read again.
         */
        Logs readTails(Epoch epoch, Set<String> members) throws IOException;

        /**
         * Logs that were read for a promotion.
         *
         * @param members whose they are
         * @param newest the newest epoch in the one that wins, committed or not; 0 without one
         * @param text a line on each member that was asked, for operators
         */
        record Logs(Set<String> members, Epoch newest, String text) {}

        void closeLineages(UUID but) throws IOException;

        void openLineage(UUID lineage, Epoch epoch, int quorum) throws IOException;

        /** @param lastContactMicros when a site that is given up was heard last; 0 for none */
        ClusterState seed(
                UUID lineage, Epoch epoch, String reason, String operator, long lastContactMicros)
                throws IOException, InterruptedException;

        void reconcile(Epoch epoch, List<PeerWatch.Seen> peers) throws IOException;
    }

    /** What runs while this site is active: see {@link LeaderServices}. */
    interface Services {
        void allow(Epoch epoch);

        void forbid();

        boolean isReady();

        void watchReplication(SiteController controller);

        void commitReplication(ReplicationState state) throws InterruptedException;

        boolean awaitCaughtUp() throws InterruptedException;

        boolean isLevel();

        boolean lagBounded();

        /** The agent that does an open job, for people. */
        String agentOf(JobRecord job);

        /** Asks the agent of an open job to stop it at a checkpoint. */
        void checkpoint(JobRecord job) throws RemoteException;
    }
}
