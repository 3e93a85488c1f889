package io.holdfast.node.server;

import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.WriteAnswer;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.node.api.Saved;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Says of each write of an operator whether it is PROTECTED, or refuses to say so: {@link WriteAnswer}
 * decides, this class waits and counts. Thread-safe.
 */
final class Acknowledgements {
    /** How often it looks for what no acknowledgement tells: leadership lost, ASYNC committed. */
    private static final long PAUSE_MILLIS = 10;

    /** Some heartbeats of Raft: the passive site hears with the next one what is committed. */
    private static final long SETTLE_MILLIS = 600;

    /** Beyond the silence that degrades, for the entry that says so to be committed. */
    private static final Duration AFTER_DEGRADE = Duration.ofSeconds(10);

    /** Below the patience of whoever asks over REST. */
    private static final Duration MOST = Duration.ofSeconds(25);

    /** What became of writes, for the metrics. */
    enum Outcome {
        PROTECTED,
        UNPROTECTED,
        UNKNOWN,
        REFUSED
    }

    /** What the waiting needs to know. */
    interface Leader {
        /** Newest index that a quorum of each site has acknowledged in this lineage; -1 for none. */
        long protectedIndex();

        /** Newest entry applied here. */
        long appliedIndex();

        /** Whether this node leads this lineage, and may command. */
        boolean leads(UUID lineage);

        ReplicationState replication();

        ClusterState state();

        long nowMicros();

        /** A monotonic clock. */
        long nanoTime();

        /** Returns once {@link #protectedIndex} has reached an index, or after this time. */
        void await(long index, long millis) throws InterruptedException;
    }

    private final Leader leader;
    private final WriteAnswer.Limits limits;
    private final Set<Waiting> waiting = ConcurrentHashMap.newKeySet();
    private final Map<Outcome, LongAdder> counts = new EnumMap<>(Outcome.class);

    /** One write that waits; no two are the same. */
    private static final class Waiting {
        final long sinceNanos;

        Waiting(long sinceNanos) {
            this.sinceNanos = sinceNanos;
        }
    }

    /** The oldest write that was answered UNPROTECTED and has not been acknowledged since. */
    private @Nullable Alone alone;

    private record Alone(UUID lineage, long index, long micros) {}

    Acknowledgements(Leader leader, Duration degrade) {
        this.leader = leader;
        Duration limit = degrade.plus(AFTER_DEGRADE);
        this.limits =
                new WriteAnswer.Limits(
                        WriteAnswer.SYNC_MILLIS,
                        (limit.compareTo(MOST) < 0 ? limit : MOST).toMillis());
        for (Outcome outcome : Outcome.values()) {
            counts.put(outcome, new LongAdder());
        }
    }

    /** How many writes have ended so since this process began. */
    long count(Outcome outcome) {
        return java.util.Objects.requireNonNull(counts.get(outcome)).sum();
    }

    /** Whether the other site is away: no acknowledgement of it is to be expected. */
    boolean isAway() {
        return switch (leader.replication()) {
            case ASYNC, ASYNC_WAIT -> true;
            case SYNC, CATCHUP -> false;
        };
    }

    /** Whether some write has waited so long that the other site cannot be called in time. */
    boolean isOverdue(Duration inTime) {
        long now = leader.nanoTime();
        return waiting.stream().anyMatch(w -> now - w.sinceNanos > inTime.toNanos());
    }

    /**
     * Refuses what could not be PROTECTED now, where the cluster's policy asks for that.
     *
     * @param what the write, as in {@code the write}
     */
    void require(String what) {
        ClusterState state = leader.state();
        if (state.bindingPolicy() == AckPolicy.PROTECTION && isAway()) {
            count(Outcome.REFUSED, 1);
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    "Refused "
                            + what
                            + ": the cluster's ack policy is protection, and site "
                            + state.epoch().site().peer().word()
                            + " acknowledges nothing since "
                            + Moment.of(state.repl().sinceMicros()).iso()
                            + " (replication is "
                            + leader.replication()
                            + ")",
                    "Bring it back (holdfast status), or go on alone: holdfast ack-policy"
                            + " availability",
                    state.epoch().toString(),
                    null,
                    null);
        }
    }

    private void count(Outcome outcome, long more) {
        java.util.Objects.requireNonNull(counts.get(outcome)).add(more);
    }

    /**
     * Waits until it is certain how safe a write is.
     *
     * @param binds whether the cluster's policy binds it; what deals with the loss of a site it does not
     * @throws ApiException UNKNOWN when it may be lost, and the policy does not let it be acknowledged so
     */
    <T> Saved<T> saved(UUID lineage, long index, boolean binds, T result) {
        Waiting ticket = new Waiting(leader.nanoTime());
        waiting.add(ticket);
        long began = leader.nowMicros();
        try {
            while (true) {
                long waited = (leader.nanoTime() - ticket.sinceNanos) / 1_000_000;
                boolean leads = leader.leads(lineage);
                AckPolicy policy = binds ? leader.state().bindingPolicy() : AckPolicy.AVAILABILITY;
                WriteAnswer answer =
                        WriteAnswer.of(
                                leads && leader.protectedIndex() >= index,
                                leads,
                                leader.replication(),
                                policy,
                                waited,
                                limits);
                switch (answer) {
                    case WAIT -> leader.await(index, PAUSE_MILLIS);
                    case PROTECTED -> {
                        count(Outcome.PROTECTED, 1);
                        return answer(Level.PROTECTED, lineage, index, result);
                    }
                    case UNPROTECTED -> {
                        count(Outcome.UNPROTECTED, 1);
                        alone(lineage, index, began);
                        return answer(Level.UNPROTECTED, lineage, index, result);
                    }
                    case UNKNOWN -> throw unknown(lineage, index, leads, waited);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unknown(lineage, index, true, 0);
        } finally {
            waiting.remove(ticket);
        }
    }

    private <T> Saved<T> answer(Level level, UUID lineage, long index, T result) {
        ClusterState state = leader.state();
        return new Saved<>(
                level,
                level == Level.PROTECTED ? null : atRisk(),
                state.epoch().toString(),
                lineage,
                index,
                result);
    }

    private synchronized void alone(UUID lineage, long index, long micros) {
        Alone known = alone;
        if (known == null || !known.lineage().equals(lineage) || known.index() > index) {
            alone = new Alone(lineage, index, micros);
        }
    }

    /** When the oldest write was made that is alone still; {@code otherwise} for none. */
    private synchronized long aloneSince(long otherwise) {
        Alone known = alone;
        if (known == null) {
            return otherwise;
        }
        if (!leader.leads(known.lineage()) || leader.protectedIndex() >= known.index()) {
            alone = null;
            return otherwise;
        }
        return Math.min(otherwise, known.micros());
    }

    private ApiException unknown(UUID lineage, long index, boolean leads, long waited) {
        count(Outcome.UNKNOWN, 1);
        ClusterState state = leader.state();
        return new ApiException(
                ApiException.Kind.UNKNOWN,
                "Written at index "
                        + index
                        + " of lineage "
                        + lineage
                        + (leads
                                ? ", but site "
                                        + state.epoch().site().peer().word()
                                        + " has not acknowledged it in "
                                        + waited
                                        + " ms (replication is "
                                        + leader.replication()
                                        + ", ack policy "
                                        + state.ackPolicy().word()
                                        + ")"
                                : ", and this node leads no more: nobody can say whether it is"
                                        + " PROTECTED"),
                "It may be lost with the active site. Read back before you repeat it; see: holdfast"
                        + " status",
                state.epoch().toString(),
                null,
                null);
    }

    /** What a loss of the active site would cost now, whatever that is. */
    RpoAtRisk atRisk() {
        return atRisk(leader.appliedIndex());
    }

    /** The same of what stands in the log now: in SYNC, what is on its way gets a moment to arrive. */
    RpoAtRisk settled() {
        long applied = leader.appliedIndex();
        try {
            for (long waited = 0;
                    waited < SETTLE_MILLIS
                            && leader.replication() == ReplicationState.SYNC
                            && leader.protectedIndex() < applied;
                    waited += PAUSE_MILLIS) {
                leader.await(applied, PAUSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return atRisk(applied);
    }

    private RpoAtRisk atRisk(long applied) {
        RpoAtRisk risk =
                atRisk(leader.state(), leader.protectedIndex(), applied, leader.nowMicros());
        return new RpoAtRisk(
                Moment.of(aloneSince(risk.since().micros())), risk.changes(), risk.bytes());
    }

    /** Pure: as {@link RpoAtRisk} says. */
    static RpoAtRisk atRisk(ClusterState state, long protectedIndex, long applied, long nowMicros) {
        ReplState repl = state.repl();
        long since =
                repl.mode() == ReplState.Mode.SYNC || repl.sinceMicros() == 0
                        ? nowMicros
                        : repl.sinceMicros();
        long bytes = 0;
        for (JobRecord job : state.unprotectedPieces()) {
            since = Math.min(since, job.endedMicros());
            bytes += job.totals().bytesStored();
        }
        long there = Math.max(protectedIndex, repl.lastProtectedIndex());
        return new RpoAtRisk(Moment.of(since), Math.max(0, applied - there), bytes);
    }
}
