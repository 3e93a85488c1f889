package io.holdfast.node.server;

import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.replication.state.ClusterState;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

/** What {@link Acknowledgements} asks of this node's log and site machine. */
record LeaderView(ClusterLog log, SiteController controller, InstantSource clock)
        implements Acknowledgements.Leader {
    @Override
    public long protectedIndex() {
        return log.protectedIndex();
    }

    @Override
    public long appliedIndex() {
        return log.appliedIndex();
    }

    @Override
    public boolean leads(UUID lineage) {
        return log.lineage().equals(lineage) && log.leads() && controller.mayCommand();
    }

    /** As the machine says where this site may command; elsewhere as the record says. */
    @Override
    public ReplicationState replication() {
        return controller.state().mayCommand()
                ? controller.state().replication()
                : ReplicationState.valueOf(log.state().repl().mode().name());
    }

    @Override
    public ClusterState state() {
        return log.state();
    }

    @Override
    public long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void await(long index, long millis) throws InterruptedException {
        boolean _ = log.acknowledged().await(index, Duration.ofMillis(millis));
    }
}
