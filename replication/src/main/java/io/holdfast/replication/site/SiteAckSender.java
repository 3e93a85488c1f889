package io.holdfast.replication.site;

import io.grpc.Channel;
import io.holdfast.modeswitch.SiteAck;
import io.holdfast.replication.raft.RaftEvents;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.standard.Epoch;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the leader of each lineage how far this member has applied it: a {@link RaftEvents} listener
 * with one virtual thread, which sends the newest index only, connects again after a failure, and
 * repeats itself every {@link #REPEAT} so that silence means something.
 *
 * <p>It keeps the promise: once {@link #gate} has returned, nothing of a lower epoch is acknowledged.
 */
public final class SiteAckSender implements RaftEvents, AutoCloseable {
    /** How often the last index is told again. */
    public static final Duration REPEAT = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(SiteAckSender.class);
    private static final long RETRY_MILLIS = 200;

    private final String nodeId;
    private final UUID incarnation;
    private final Function<UUID, Optional<Channel>> leaderChannel;
    private final Consumer<SiteHandler.AckAnswer> answers;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition news = lock.newCondition();
    private final Map<UUID, Progress> lineages = new HashMap<>();
    private final Thread thread;
    private Epoch promise;
    private boolean closed;

    private static final class Progress {
        Epoch epoch = ClusterState.NO_EPOCH;
        long index = -1;
        boolean fresh;
        SiteClient.@Nullable AckStream stream;
        @Nullable Channel channel;
    }

    /**
     * Starts sending.
     *
     * @param promise this member's durable promise
     * @param leaderChannel to the site port of a lineage's leader; empty when nobody is known to lead
     *     it, or when this node need not acknowledge (it leads). Asked
     *     before each sending: must be quick
     * @param answers told what leaders answer; must be quick
     */
    public SiteAckSender(
            String nodeId,
            UUID incarnation,
            Epoch promise,
            Function<UUID, Optional<Channel>> leaderChannel,
            Consumer<SiteHandler.AckAnswer> answers) {
        this.nodeId = nodeId;
        this.incarnation = incarnation;
        this.promise = promise;
        this.leaderChannel = leaderChannel;
        this.answers = answers;
        this.thread = Thread.ofVirtual().name("site-ack-" + nodeId).start(this::run);
    }

    @Override
    public void applied(UUID lineage, long term, long index, ClusterState state) {
        lock.lock();
        try {
            Progress progress = lineages.computeIfAbsent(lineage, l -> new Progress());
            progress.epoch = state.epoch();
            progress.index = index;
            progress.fresh = true;
            news.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Sends again at once: somebody else leads. */
    @Override
    public void leaderChanged(UUID lineage, Optional<String> node, long term) {
        lock.lock();
        try {
            lineages.values().forEach(p -> p.fresh = true);
            news.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Closes the gate: when this returns, nothing of an epoch below {@code epoch} is sent any more.
     * Call it after the promise is durable, and before it is answered.
     */
    public void gate(Epoch epoch) {
        lock.lock();
        try {
            if (epoch.compareTo(promise) > 0) {
                promise = epoch;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Forgets a lineage that was closed here. */
    public void forget(UUID lineage) {
        lock.lock();
        try {
            Progress progress = lineages.remove(lineage);
            if (progress != null) {
                drop(progress);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        lock.lock();
        try {
            long pause = REPEAT.toMillis();
            while (!closed) {
                if (lineages.values().stream().noneMatch(p -> p.fresh) || pause == RETRY_MILLIS) {
                    boolean woken = news.await(pause, TimeUnit.MILLISECONDS);
                    if (!woken) {
                        lineages.values().forEach(p -> p.fresh = true);
                    }
                }
                pause = REPEAT.toMillis();
                for (Map.Entry<UUID, Progress> lineage : lineages.entrySet()) {
                    if (!closed && lineage.getValue().fresh && !send(lineage)) {
                        pause = RETRY_MILLIS;
                    }
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("{}: the sender of site acknowledgements ends", nodeId);
        } finally {
            lineages.values().forEach(SiteAckSender::drop);
            lock.unlock();
        }
    }

    /** Sends under the lock, so that the gate is exact. @return false to try again soon */
    private boolean send(Map.Entry<UUID, Progress> lineage) {
        Progress progress = lineage.getValue();
        progress.fresh = false;
        if (progress.epoch.n() == 0 || progress.epoch.compareTo(promise) < 0) {
            drop(progress);
            return true;
        }
        Optional<Channel> to = leaderChannel.apply(lineage.getKey());
        if (to.isEmpty()) {
            drop(progress);
            return true;
        }
        try {
            SiteClient.AckStream stream = progress.stream;
            if (stream == null || !Objects.equals(progress.channel, to.get())) {
                drop(progress);
                stream = open(to.get(), progress);
            }
            stream.send(
                    new SiteAck(
                            lineage.getKey(),
                            progress.epoch,
                            progress.index,
                            nodeId,
                            incarnation,
                            promise));
            return true;
        } catch (RuntimeException e) {
            LOG.debug("{}: an acknowledgement was not sent", nodeId, e);
            drop(progress);
            progress.fresh = true;
            return false;
        }
    }

    /** A stream's life as its own callbacks see it. Under the lock. */
    private static final class Life {
        SiteClient.@Nullable AckStream opened;
        boolean ended;
    }

    private SiteClient.AckStream open(Channel channel, Progress progress) {
        // The stream's end is told on another thread, perhaps after a newer stream was opened, or
        // before this one is noted: a connection that is refused ends it at once.
        Life life = new Life();
        SiteClient.AckStream stream =
                new SiteClient(channel, REPEAT).acks(answers, e -> broken(progress, life, e));
        life.opened = stream;
        if (!life.ended) {
            progress.channel = channel;
            progress.stream = stream;
        }
        return stream;
    }

    private void broken(Progress progress, Life life, Throwable cause) {
        LOG.debug("{}: a stream of acknowledgements ended", nodeId, cause);
        lock.lock();
        try {
            life.ended = true;
            if (life.opened != null && Objects.equals(progress.stream, life.opened)) {
                progress.stream = null;
                progress.channel = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private static void drop(Progress progress) {
        SiteClient.AckStream stream = progress.stream;
        progress.stream = null;
        progress.channel = null;
        if (stream != null) {
            try {
                stream.close();
            } catch (RuntimeException e) {
                LOG.debug("closing a stream of acknowledgements failed", e);
            }
        }
    }

    /** Stops sending. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            news.signal();
        } finally {
            lock.unlock();
        }
        thread.interrupt();
    }
}
