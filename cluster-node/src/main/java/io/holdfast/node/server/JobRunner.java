package io.holdfast.node.server;

import io.grpc.StatusRuntimeException;
import io.holdfast.agent.proto.v1.AcknowledgeRequest;
import io.holdfast.agent.proto.v1.CancelRequest;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.Progress;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.JobView;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.replication.state.JobTotals;
import io.holdfast.replication.state.StorePosition;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the open jobs of the cluster while this node leads the active site: orders them at the
 * agents, follows them, and writes their outcome into the catalog and into Raft before the agent may
 * forget it. An order is rebuilt from what stands in Raft, so a new leader attaches to jobs that are
 * under way. One virtual thread for each job; at most {@value #MAX_RUNNING} are ordered at a time.
 */
final class JobRunner implements AutoCloseable {
    /** Jobs that are ordered at the same time; the others wait. */
    static final int MAX_RUNNING = 16;

    private static final Logger LOG = LoggerFactory.getLogger(JobRunner.class);
    private static final Duration AGENT_LOST_AFTER = Duration.ofSeconds(60);
    private static final Duration RETRY_PAUSE = Duration.ofMillis(500);

    private final ClusterLog log;
    private final Peers peers;
    private final JobJournal journal;
    private final Map<UUID, Thread> running = new ConcurrentHashMap<>();

    /** Left to the next leader. */
    private final Set<UUID> stuck = ConcurrentHashMap.newKeySet();

    private final Semaphore slots = new Semaphore(MAX_RUNNING);
    private volatile BooleanSupplier commands = () -> true;
    private volatile boolean working;

    JobRunner(ClusterLog log, Peers peers, JobJournal journal) {
        this.log = log;
        this.peers = peers;
        this.journal = journal;
    }

    /** This node leads the active site from now on: takes over every open job. */
    void start() {
        working = true;
        stuck.clear();
        log.state().openJobs().forEach(job -> follow(job.id()));
    }

    /** This node leads no more: lets go of the jobs without touching them. */
    void stop() {
        working = false;
        running.values().forEach(Thread::interrupt);
    }

    /** Follows an open job until its outcome is in Raft. Harmless when it is followed already. */
    void follow(UUID job) {
        if (!working) {
            return;
        }
        running.computeIfAbsent(
                job, id -> Thread.ofVirtual().name("job-" + id).start(() -> runGuarded(id)));
    }

    /** Asks the agent of a running job to stop. */
    void cancel(JobRecord job) throws RemoteException {
        stop(job, CancelRequest.Reason.ON_REQUEST);
    }

    /** Asks the agent of an open job to stop it, because another one will go on with it. */
    void checkpoint(JobRecord job) throws RemoteException {
        stop(job, CancelRequest.Reason.CHECKPOINT);
    }

    private void stop(JobRecord job, CancelRequest.Reason reason) throws RemoteException {
        Endpoint agent = JobPlanner.agentOf(Lookup.in(log.state()), job);
        try {
            peers.agent(agent, Duration.ofSeconds(10))
                    .cancel(
                            CancelRequest.newBuilder()
                                    .setContext(peers.context())
                                    .setJob(Wire.bytes(job.id()))
                                    .setReason(reason)
                                    .build());
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    /** Whether no job is being followed. */
    boolean idle() {
        return running.isEmpty();
    }

    /** Follows what is open and not followed: the opening of a job may be known only later. */
    void followAll() {
        log.state().openJobs().stream()
                .map(JobRecord::id)
                .filter(id -> !stuck.contains(id))
                .forEach(this::follow);
    }

    private void runGuarded(UUID id) {
        try {
            slots.acquire();
            try {
                run(id);
            } finally {
                slots.release();
            }
        } catch (InterruptedException e) {
            LOG.info("Job {} is left to the next leader", id);
        } catch (RuntimeException e) {
            stuck.add(id);
            LOG.error("Job {} stays open: {}", id, e.toString(), e);
        } finally {
            running.remove(id);
        }
    }

    /** Agents are commanded only while this holds: a process that stood still may have lost it. */
    void commandsWhile(BooleanSupplier mayCommand) {
        commands = mayCommand;
    }

    private void run(UUID id) throws InterruptedException {
        long silentSince = System.nanoTime();
        while (working) {
            if (!commands.getAsBoolean()) {
                Thread.sleep(RETRY_PAUSE);
                continue;
            }
            Optional<JobRecord> record = log.state().job(id);
            if (record.isEmpty() || record.get().state() != JobState.OPEN) {
                return;
            }
            try {
                Outcome outcome = order(record.get());
                end(record.get(), outcome);
                return;
            } catch (ApiException e) {
                refuse(record.get(), e.getMessage() + ". " + e.next());
                return;
            } catch (RemoteException.Refused e) {
                if (e.stale()) {
                    e.maxEpoch().ifPresent(log::higherEpochSeen);
                    return;
                }
                refuse(record.get(), String.valueOf(e.getMessage()));
                return;
            } catch (Followed e) {
                silentSince = System.nanoTime();
                Thread.sleep(RETRY_PAUSE);
            } catch (RemoteException e) {
                long silent = System.nanoTime() - silentSince;
                if (silent > AGENT_LOST_AFTER.toNanos()) {
                    refuse(
                            record.get(),
                            "The agent did not answer for "
                                    + TimeUnit.NANOSECONDS.toSeconds(silent)
                                    + " s: "
                                    + e.getMessage()
                                    + ". Start the agent, then run the job again");
                    return;
                }
                Thread.sleep(RETRY_PAUSE);
            }
        }
    }

    /** The stream broke after the agent had said something: attach again, the silence starts anew. */
    private static final class Followed extends RuntimeException {
        Followed(Throwable cause) {
            super(cause);
        }
    }

    private Outcome order(JobRecord job) throws RemoteException {
        Lookup lookup = Lookup.in(log.state());
        JobOrder order = orderOf(lookup, job);
        Endpoint endpoint = JobPlanner.agentOf(lookup, job);
        journal.attach(job.id(), order.getInput(), order.getOutput());
        boolean heard = false;
        try {
            MediaAgentGrpc.MediaAgentBlockingStub agent = peers.agent(endpoint);
            Iterator<JobEvent> events = agent.run(order);
            while (events.hasNext()) {
                JobEvent event = events.next();
                heard = true;
                switch (event.getEventCase()) {
                    case PROGRESS -> journal.progress(job.id(), event.getProgress());
                    case LOG -> journal.line(job.id(), event.getLog());
                    case OUTCOME -> {
                        journal.progress(job.id(), event.getOutcome().getTotals());
                        return event.getOutcome();
                    }
                    case EVENT_NOT_SET ->
                            LOG.warn("Job {}: empty event from {}", job.id(), endpoint);
                }
            }
            throw new RemoteException.Unknown(
                    "Agent "
                            + endpoint
                            + " ended the stream of job "
                            + job.id()
                            + " without outcome",
                    null);
        } catch (StatusRuntimeException e) {
            RemoteException remote = Errors.of(e);
            if (heard && !(remote instanceof RemoteException.Refused)) {
                throw new Followed(remote);
            }
            throw remote;
        }
    }

    private JobOrder orderOf(Lookup lookup, JobRecord job) throws RemoteException {
        if (job.kind().equals("backup")) {
            return JobPlanner.backupOrder(lookup, job, peers.context());
        }
        UUID piece = JobPlanner.pieceOf(job.job()).orElseThrow();
        CatalogRow row = peers.catalogRow(lookup, piece);
        return JobPlanner.restoreOrder(lookup, job, row.record(), row.header(), peers.context());
    }

    private void end(JobRecord job, Outcome outcome) throws InterruptedException {
        journal.outcome(job.id(), outcome);
        JobState state =
                switch (outcome.getState()) {
                    case COMPLETED -> JobState.COMPLETE;
                    case COMPLETED_WITH_WARNINGS -> JobState.COMPLETE_WITH_WARNINGS;
                    case CANCELLED -> JobState.CANCELLED;
                    case CHECKPOINTED -> JobState.CHECKPOINTED;
                    case FAILED, REFUSED, STATE_UNSPECIFIED, UNRECOGNIZED -> JobState.FAILED;
                };
        Progress totals = outcome.getTotals();
        JobTotals counted =
                new JobTotals(
                        outcome.getFilesTotal() == 0 ? totals.getFiles() : outcome.getFilesTotal(),
                        outcome.getFilesUnchanged(),
                        outcome.getSourceBytes(),
                        totals.getBytesRead(),
                        totals.getBytesNew(),
                        totals.getBytesStored(),
                        outcome.getWarnings());
        if (!state.isComplete() || !job.kind().equals("backup")) {
            commit(
                    new Command.JobEnded(
                            job.id(),
                            state,
                            Optional.empty(),
                            Optional.empty(),
                            counted,
                            state == JobState.CHECKPOINTED
                                    ? Checkpoints.message(job, log.state().draining())
                                    : state.isComplete() ? outcome.getMessage() : why(job, outcome),
                            Optional.empty()));
        } else {
            ChunkId header = Wire.chunkId(outcome.getPieceHeader());
            CatalogRow row = catalogue(job, outcome, header);
            commit(
                    new Command.JobEnded(
                            job.id(),
                            state,
                            Optional.of(row.record()),
                            Optional.of(header),
                            counted,
                            outcome.getMessage(),
                            Optional.of(
                                    new StorePosition(
                                            Wire.uuid(outcome.getStoreIncarnation(), "store"),
                                            new LogPosition(
                                                    outcome.getLogPack(),
                                                    outcome.getLogOffset())))));
        }
        acknowledge(job);
    }

    /** What the agent says, and, of a restore, where alone its piece is kept. */
    private String why(JobRecord job, Outcome outcome) {
        return outcome.getMessage()
                + (job.kind().equals("backup") || outcome.getState() == Outcome.State.CANCELLED
                        ? ""
                        : JobPlanner.pieceOf(job.job())
                                .map(p -> JobPlanner.keptOnly(Lookup.in(log.state()), p))
                                .orElse(""));
    }

    /** Writes the row, in one transaction with its outbox entry; tries again while we lead. */
    private CatalogRow catalogue(JobRecord job, Outcome outcome, ChunkId header)
            throws InterruptedException {
        while (true) {
            Lookup lookup = Lookup.in(log.state());
            Map<String, String> more =
                    Map.of(
                            "root", HexFormat.of().formatHex(outcome.getRoot().toByteArray()),
                            "files", Long.toString(outcome.getFilesTotal()),
                            "warnings", Long.toString(outcome.getWarnings()));
            CatalogRecord record = JobPlanner.row(lookup, job, outcome.getSourceBytes(), more);
            CatalogRow row = new CatalogRow(record, header);
            try {
                peers.catalogOf(lookup, record).record(row);
                return row;
            } catch (RemoteException.Refused e) {
                e.maxEpoch().ifPresent(log::higherEpochSeen);
                throw new IllegalStateException(
                        "The catalog refused the row of job " + job.id() + ": " + e.getMessage(),
                        e);
            } catch (RemoteException e) {
                LOG.warn("Row of job {} is not in the catalog yet: {}", job.id(), e.getMessage());
                Thread.sleep(RETRY_PAUSE);
            }
        }
    }

    private void refuse(JobRecord job, String message) throws InterruptedException {
        journal.error(job.id(), message);
        commit(
                new Command.JobEnded(
                        job.id(),
                        JobState.FAILED,
                        Optional.empty(),
                        Optional.empty(),
                        JobTotals.NONE,
                        message,
                        Optional.empty()));
    }

    private void commit(Command.JobEnded ended) throws InterruptedException {
        UUID operation =
                UUID.nameUUIDFromBytes(
                        ("job-ended/" + ended.job()).getBytes(StandardCharsets.UTF_8));
        log.submitWhileLeading(ended, operation);
    }

    private void acknowledge(JobRecord job) {
        try {
            Endpoint endpoint = JobPlanner.agentOf(Lookup.in(log.state()), job);
            var _ =
                    peers.agent(endpoint, Duration.ofSeconds(10))
                            .acknowledge(
                                    AcknowledgeRequest.newBuilder()
                                            .setContext(peers.context())
                                            .setJob(Wire.bytes(job.id()))
                                            .build());
        } catch (StatusRuntimeException | ApiException e) {
            LOG.info("Job {} is not forgotten by its agent yet: {}", job.id(), e.getMessage());
        }
    }

    /** The state of a job as it is shown. */
    static JobView.State stateOf(JobState state) {
        return JobView.State.valueOf(state.name());
    }

    @Override
    public void close() {
        stop();
    }
}
