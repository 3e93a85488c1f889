package io.holdfast.node.server;

import io.holdfast.node.api.ApiException;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.SubmitException;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Reply;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to write into the cluster's record and to read from it, in the lineage that this node
 * belongs to now. Blocking; thread-safe. A refusal of the state machine is an {@link ApiException} of
 * kind REFUSED or STALE_EPOCH, a lost answer one of kind UNKNOWN: those two never mix.
 */
final class ClusterLog implements SitePorts.Log {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterLog.class);

    private static final Duration WHILE = Duration.ofMillis(20);
    private static final Duration ELECTION_LIMIT = Duration.ofSeconds(20);

    private final RaftHost raft;
    private final Supplier<Epoch> epoch;
    private final Consumer<Epoch> higherEpoch;
    private volatile UUID lineage;
    private volatile Acknowledged acknowledged = Acknowledged.NOTHING;
    private volatile ClusterState last = ClusterState.empty();

    ClusterLog(RaftHost raft, UUID lineage, Supplier<Epoch> epoch, Consumer<Epoch> higherEpoch) {
        this.raft = raft;
        this.lineage = lineage;
        this.epoch = epoch;
        this.higherEpoch = higherEpoch;
    }

    /** The lineage that is written to. */
    @Override
    public UUID lineage() {
        return lineage;
    }

    @Override
    public void use(UUID newLineage) {
        lineage = newLineage;
    }

    /** What both sites have of this log, while this node leads it. */
    void acknowledged(Acknowledged now) {
        acknowledged = now;
    }

    Acknowledged acknowledged() {
        return acknowledged;
    }

    /**
     * What is applied here, however old. While no lineage is open (it was left, the next one is not
     * joined yet) what was known last.
     */
    @Override
    public ClusterState state() {
        try {
            ClusterState now = raft.state(lineage);
            if (now.isSeeded()) {
                last = now;
            }
        } catch (SubmitException.Unavailable e) {
            LOG.trace("no lineage is open", e);
        }
        return last;
    }

    /** What every acknowledged write is in. @throws ApiException UNAVAILABLE when nobody leads */
    ClusterState read() {
        try {
            return RaftHost.await(raft.readLinearizable(lineage));
        } catch (IOException e) {
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE,
                    "Cannot read the cluster's record: " + e.getMessage(),
                    "Try again when a leader is elected; see: holdfast status");
        }
    }

    /** What is known while no lineage is open: the state of the lineage that was left. */
    void remember(ClusterState known) {
        last = known;
    }

    @Override
    public long appliedIndex() {
        try {
            return raft.appliedIndex(lineage);
        } catch (SubmitException.Unavailable e) {
            return -1;
        }
    }

    /** Newest index that is durable at the other site; -1 when none, or when this node leads not. */
    long protectedIndex() {
        return acknowledged.protectedIndex();
    }

    @Override
    public boolean leads() {
        return raft.isLeader(lineage);
    }

    @Override
    public Written submit(Command command) {
        return submit(command, UUID.randomUUID());
    }

    /** Writes. @throws ApiException as the class comment says */
    @Override
    public Written submit(Command command, UUID operation) {
        return submit(epoch.get(), command, operation);
    }

    private Written submit(Epoch proposer, Command command, UUID operation) {
        try {
            Written written = RaftHost.await(raft.submit(lineage, proposer, command, operation));
            if (written.reply() instanceof Reply.Refused refused) {
                throw refused(refused);
            }
            note(command, written);
            return written;
        } catch (SubmitException.Unavailable e) {
            throw new ApiException(
                    ApiException.Kind.UNAVAILABLE,
                    "Not written: " + e.getMessage(),
                    "Try again when a leader is elected; see: holdfast status");
        } catch (IOException e) {
            throw new ApiException(
                    ApiException.Kind.UNKNOWN,
                    "Written or not, the answer got lost: " + e.getMessage(),
                    "Read back, then repeat with the same operation id " + operation);
        }
    }

    private void note(Command command, Written written) {
        if (command instanceof Command.JobOpened opened) {
            acknowledged.recorded(written.lineage(), opened.job().id(), written.index());
        } else if (command instanceof Command.JobEnded ended) {
            acknowledged.recorded(written.lineage(), ended.job(), written.index());
        }
        if (NEWEST.isBound()) {
            NEWEST.get().accept(written);
        }
    }

    /**
     * What somebody did, and the newest entry that it wrote.
     *
     * @param index of that entry; where nothing was written, the newest that is applied here
     */
    record Did<T>(T result, UUID lineage, long index) {}

    private static final class Newest {
        private @Nullable Written written;

        void accept(Written one) {
            Written known = written;
            if (known == null
                    || !known.lineage().equals(one.lineage())
                    || one.index() > known.index()) {
                written = one;
            }
        }
    }

    private static final ScopedValue<Newest> NEWEST = ScopedValue.newInstance();

    /** Does something in this thread, and says which entry has it all. */
    <T> Did<T> noting(Supplier<T> what) {
        Newest newest = new Newest();
        T result = ScopedValue.where(NEWEST, newest).call(what::get);
        Written written = newest.written;
        return written == null
                ? new Did<>(result, lineage, appliedIndex())
                : new Did<>(result, written.lineage(), written.index());
    }

    @Override
    public void changeEpoch(Command.EpochChange change, Epoch parent, UUID operation) {
        submit(parent, change, operation);
    }

    private ApiException refused(Reply.Refused refused) {
        ApiException.Kind kind =
                switch (refused.code()) {
                    case STALE_EPOCH -> ApiException.Kind.STALE_EPOCH;
                    case NOT_FOUND -> ApiException.Kind.NOT_FOUND;
                    case NOT_SEEDED -> ApiException.Kind.UNAVAILABLE;
                    case FUTURE_EPOCH, VERSION_MISMATCH, NAME_TAKEN, CONFLICT, DRAINING, CORRUPT ->
                            ApiException.Kind.REFUSED;
                };
        return new ApiException(
                kind, refused.message(), refused.next(), refused.epoch().toString(), null, null);
    }

    /**
     * Writes an idempotent command, again and again, until it is done, it is refused (logged), or
     * this node leads no more.
     */
    void submitWhileLeading(Command command, UUID operation) throws InterruptedException {
        while (true) {
            try {
                submit(command, operation);
                return;
            } catch (ApiException e) {
                switch (e.kind()) {
                    case UNKNOWN, UNAVAILABLE -> {
                        if (!leads()) {
                            LOG.info(
                                    "Left to the next leader: {}",
                                    command.getClass().getSimpleName());
                            throw new InterruptedException("not leading");
                        }
                        Thread.sleep(200);
                    }
                    case REFUSED, STALE_EPOCH, NOT_FOUND, USAGE, FAILED -> {
                        LOG.warn(
                                "{} was refused: {}",
                                command.getClass().getSimpleName(),
                                e.getMessage());
                        return;
                    }
                }
            }
        }
    }

    /**
     * Writes an idempotent command into a lineage that is just electing its leader.
     *
     * @throws ApiException when it was refused, or nobody led for {@link #ELECTION_LIMIT}
     */
    @Override
    public void submitOnceLed(Command command, UUID operation) throws InterruptedException {
        long deadline = System.nanoTime() + ELECTION_LIMIT.toNanos();
        while (true) {
            try {
                submit(command, operation);
                return;
            } catch (ApiException e) {
                boolean later =
                        e.kind() == ApiException.Kind.UNAVAILABLE
                                || e.kind() == ApiException.Kind.UNKNOWN;
                if (!later || System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.sleep(50);
            }
        }
    }

    /** Waits until an index is durable at the other site. @return false when it took too long */
    @Override
    public boolean awaitProtected(long index, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (protectedIndex() < index) {
            long left = deadline - System.nanoTime();
            if (left < 0) {
                return false;
            }
            // A while at a time: another leadership has another book.
            acknowledged.await(index, Duration.ofNanos(Math.min(left, WHILE.toNanos())));
        }
        return true;
    }

    /** Some peer has obeyed a higher epoch: this node must not act any more. */
    void higherEpochSeen(Epoch seen) {
        higherEpoch.accept(seen);
    }
}
