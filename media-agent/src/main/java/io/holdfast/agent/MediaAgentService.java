package io.holdfast.agent;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.files.BackupJob;
import io.holdfast.agent.files.FileScanner;
import io.holdfast.agent.files.JobMonitor;
import io.holdfast.agent.files.ListJob;
import io.holdfast.agent.files.RemoteStorage;
import io.holdfast.agent.files.RestoreJob;
import io.holdfast.agent.proto.v1.AcknowledgeReply;
import io.holdfast.agent.proto.v1.AcknowledgeRequest;
import io.holdfast.agent.proto.v1.BackupOrder;
import io.holdfast.agent.proto.v1.CancelReply;
import io.holdfast.agent.proto.v1.CancelRequest;
import io.holdfast.agent.proto.v1.DescribeReply;
import io.holdfast.agent.proto.v1.DescribeRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.JobEvent;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.ListEntry;
import io.holdfast.agent.proto.v1.ListOrder;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.Method;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.PieceFields;
import io.holdfast.agent.proto.v1.PushReply;
import io.holdfast.agent.proto.v1.PushRequest;
import io.holdfast.agent.proto.v1.QueryReply;
import io.holdfast.agent.proto.v1.QueryRequest;
import io.holdfast.agent.proto.v1.RestoreOrder;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The MediaAgent service: who is here, and jobs on orders of the cluster's nodes. Thread-safe.
 *
 * <p>A job runs in threads of its own and outlives the stream that ordered it. Its outcome is durable
 * before anybody sees it, and stays until it is acknowledged; ordering the same job again attaches to
 * it, or answers its outcome, also after a restart of the agent. At most {@value #RUNNING_JOBS} jobs
 * run at once, further ones wait; beyond {@value #OPEN_JOBS} an order is answered UNAVAILABLE.
 *
 * <p>Orders are obeyed only from peers of role {@code node} and in the present epoch; the job then
 * carries the epoch of its order to the storage, which refuses it when it has become stale.
 */
public final class MediaAgentService extends MediaAgentGrpc.MediaAgentImplBase
        implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MediaAgentService.class);

    static final int RUNNING_JOBS = 2;
    static final int OPEN_JOBS = 64;
    private static final long EVENT_MILLIS = 250;
    private static final long STOP_MILLIS = 5_000;
    private static final Set<String> SERVERS = Set.of(PeerIdentity.NODE);
    private static final Set<String> READ_PARAMS = Set.of("one-file-system");

    private final Options options;
    private final ContextCheck check;
    private final JobBook book;
    private final Map<UUID, AgentJob> jobs = new ConcurrentHashMap<>();
    private final Semaphore running = new Semaphore(RUNNING_JOBS, true);
    private volatile boolean closed;

    /**
     * Who this agent is and what it can do.
     *
     * @param identity of its certificate
     * @param listen where it is reached; an order's identifiers must name it. With a host like {@code
     *     0.0.0.0} only the port counts
     * @param guard highest epoch obeyed
     * @param key opens domain key slots
     * @param storage gives a channel to a storage's endpoint; the channel is not closed here
     * @param dataDir folder of its own
     * @param workers threads of a job
     */
    public record Options(
            PeerIdentity identity,
            Supplier<Endpoint> listen,
            EpochGuard guard,
            AgentKey key,
            Function<Endpoint, Channel> storage,
            Path dataDir,
            int workers,
            String version,
            InstantSource clock) {}

    /** A service; jobs that ran when the agent died are finished now. */
    public MediaAgentService(Options options) throws IOException {
        this.options = options;
        this.check = new ContextCheck(options.identity().cluster(), options.guard());
        Files.createDirectories(cacheFolder());
        this.book = JobBook.open(options.dataDir().resolve("jobs"));
    }

    private Path cacheFolder() {
        return options.dataDir().resolve("cache");
    }

    private List<Method> methods() {
        return List.of(method("READ"), method("WRITE"), method("LIST"));
    }

    private Method method(String name) {
        return Method.newBuilder().setName(name).setVersion(options.version()).build();
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeReply> reply) {
        answer(
                reply,
                () -> {
                    check.acceptStale(request.getContext());
                    return DescribeReply.newBuilder()
                            .setCluster(Wire.bytes(options.identity().cluster()))
                            .setRole(options.identity().role())
                            .setId(options.identity().id())
                            .setMaxEpoch(options.guard().max().encoded())
                            .addAllMethods(methods())
                            .setVersion(options.version())
                            .setPublicKey(ByteString.copyFrom(options.key().publicRaw()))
                            .build();
                });
    }

    @Override
    public void query(QueryRequest request, StreamObserver<QueryReply> reply) {
        answer(
                reply,
                () -> {
                    check.acceptStale(request.getContext());
                    boolean present =
                            methods().stream()
                                    .anyMatch(m -> m.getName().equals(request.getMethod()));
                    return QueryReply.newBuilder()
                            .setPresent(present)
                            .setVersion(present ? options.version() : "")
                            .build();
                });
    }

    @Override
    public void push(PushRequest request, StreamObserver<PushReply> reply) {
        answer(
                reply,
                () -> {
                    PeerIdentity.currentIn(SERVERS, "pushing a method");
                    check.accept(request.getContext());
                    throw Errors.refused(
                            "Refused method "
                                    + request.getMethod().getName()
                                    + ": this agent does not take pushed methods",
                            "Install an agent that has the method");
                });
    }

    @Override
    public void run(JobOrder order, StreamObserver<JobEvent> events) {
        AgentJob job;
        try {
            PeerIdentity.currentIn(SERVERS, "ordering a job");
            Epoch epoch = check.accept(order.getContext()).epoch();
            job = jobOf(order, epoch);
        } catch (IOException | RuntimeException e) {
            events.onError(Errors.fromHandler(e));
            return;
        }
        ServerCallStreamObserver<JobEvent> call = (ServerCallStreamObserver<JobEvent>) events;
        Stream<JobEvent> stream = new Stream<>(call);
        Thread.ofVirtual()
                .name("watch-" + job.id())
                .start(() -> {
                    try {
                        job.watch(stream::send, EVENT_MILLIS);
                        stream.complete();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    /** A stream of replies that waits until there is room. */
    private static final class Stream<T> {
        private final ServerCallStreamObserver<T> call;
        private boolean gone;

        Stream(ServerCallStreamObserver<T> call) {
            this.call = call;
            call.setOnReadyHandler(this::wake);
            call.setOnCancelHandler(this::leave);
        }

        private synchronized void wake() {
            notifyAll();
        }

        private synchronized void leave() {
            gone = true;
            notifyAll();
        }

        /** False when nobody listens any more. */
        synchronized boolean send(T message) throws InterruptedException {
            while (!gone && !call.isReady()) {
                wait(1_000);
            }
            if (!gone) {
                call.onNext(message);
            }
            return !gone;
        }

        synchronized void complete() {
            if (!gone) {
                call.onCompleted();
            }
        }

        synchronized void fail(Throwable e) {
            if (!gone) {
                call.onError(Errors.fromHandler(e));
            }
        }
    }

    /** The job of an order: the one that runs, the one that ended, or a new one. */
    private synchronized AgentJob jobOf(JobOrder order, Epoch epoch) throws IOException {
        UUID id = Wire.uuid(order.getJob(), "job id");
        AgentJob known = jobs.get(id);
        if (known != null) {
            return known;
        }
        Optional<JobBook.Finished> finished = book.outcome(id);
        if (finished.isPresent()) {
            AgentJob job = new AgentJob(id, finished.get());
            jobs.put(id, job);
            return job;
        }
        if (closed) {
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE, "This agent is stopping", "Try again", null);
        }
        if (jobs.values().stream().filter(job -> !job.hasEnded()).count() >= OPEN_JOBS) {
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE,
                    "This agent already has " + OPEN_JOBS + " jobs to do",
                    "Try again when some have ended",
                    null);
        }
        Work work =
                switch (order.getWhatCase()) {
                    case BACKUP -> backup(id, order, order.getBackup(), epoch);
                    case RESTORE -> restore(id, order, order.getRestore(), epoch);
                    case WHAT_NOT_SET ->
                            throw Errors.refused(
                                    "Refused job " + id + ": it orders neither backup nor restore",
                                    "Correct the order");
                };
        book.begin(id);
        AgentJob job = new AgentJob(id);
        jobs.put(id, job);
        Thread.ofPlatform().name("job-" + id).daemon().start(() -> perform(job, work));
        return job;
    }

    /** What a job does, once it is its turn. */
    private interface Work {
        Outcome.Builder perform(JobMonitor monitor) throws IOException;
    }

    private void perform(AgentJob job, Work work) {
        Outcome.Builder outcome;
        boolean mayRun = false;
        try {
            while (!mayRun) {
                if (job.monitor().isCancelled()) {
                    throw new CancellationException("cancelled before it began");
                }
                mayRun = running.tryAcquire(200, TimeUnit.MILLISECONDS);
            }
            outcome = work.perform(job.monitor());
        } catch (Throwable e) {
            outcome = outcomeOf(job, e);
        } finally {
            if (mayRun) {
                running.release();
            }
        }
        Outcome built = outcome.setTotals(job.monitor().progress()).build();
        log.info("job {} ended: {} {}", job.id(), built.getState(), built.getMessage());
        try {
            book.finish(job.id(), job.closeLog(), built);
        } catch (IOException e) {
            // Told all the same; after a restart of the agent it would be answered as failed.
            log.error("outcome of job {} is not durable: {}", job.id(), e.getMessage());
        }
        job.end(built);
    }

    private static Outcome.Builder outcomeOf(AgentJob job, Throwable thrown) {
        Outcome.Builder outcome = Outcome.newBuilder();
        String message = thrown.getMessage();
        outcome.setMessage(message == null ? thrown.getClass().getSimpleName() : message);
        if (job.isCheckpointing()) {
            return checkpointed();
        }
        if (job.isStopping()) {
            return outcome.setState(Outcome.State.FAILED)
                    .setMessage("The agent was stopped while the job was running; run it again");
        }
        if (job.monitor().isCancelled()) {
            return outcome.setState(Outcome.State.CANCELLED).setMessage("Cancelled on request");
        }
        return switch (thrown) {
            case RemoteException.Refused refused
                    when refused.code() != ErrorDetail.Code.FULL
                            && refused.code() != ErrorDetail.Code.CORRUPT
                            && refused.code() != ErrorDetail.Code.NOT_FOUND ->
                    outcome.setState(Outcome.State.REFUSED);
            case BackupJob.Failed failed -> outcome.setState(Outcome.State.FAILED);
            case IOException failed -> outcome.setState(Outcome.State.FAILED);
            default -> {
                log.error("job {} failed", job.id(), thrown);
                yield outcome.setState(Outcome.State.FAILED)
                        .setMessage(
                                "The agent failed: "
                                        + thrown
                                        + "; see its own log, then run the job again");
            }
        };
    }

    private static Outcome.Builder checkpointed() {
        return Outcome.newBuilder()
                .setState(Outcome.State.CHECKPOINTED)
                .setMessage("Stopped for a planned move; what the storage has is kept");
    }

    private Work backup(UUID id, JobOrder order, BackupOrder what, Epoch epoch) {
        Identifier input = Identifier.parse(order.getInput());
        Identifier output = Identifier.parse(order.getOutput());
        requireMethod(input, "READ", "input of a backup");
        requireMethod(output, "WRITE", "output of a backup");
        requireHere(input, "input");
        Endpoint storage = requireStorage(output, "output");
        for (Identifier.Param param : input.params()) {
            if (!(param instanceof Identifier.Param.Positional(String value)
                    && READ_PARAMS.contains(value))) {
                throw Errors.refused(
                        "Refused "
                                + order.getInput()
                                + ": this agent's READ knows the parameters "
                                + READ_PARAMS
                                + " only",
                        "Correct the client's input identifier");
            }
        }
        if (!input.location().startsWith("/")) {
            throw Errors.refused(
                    "Refused input " + order.getInput() + ": its location is not an absolute path",
                    "Correct the client's source path");
        }
        boolean incremental =
                switch (what.getLevel()) {
                    case "full" -> false;
                    case "incremental" -> true;
                    default ->
                            throw Errors.refused(
                                    "Refused level '" + what.getLevel() + "'",
                                    "Use full or incremental");
                };
        List<String> exclude = List.copyOf(what.getExcludeList());
        boolean oneFileSystem = input.has("one-file-system");
        try {
            new FileScanner(exclude, oneFileSystem).excludesAnything();
        } catch (IllegalArgumentException e) {
            throw Errors.refused(
                    "Refused job " + id + ": " + e.getMessage(), "Correct the pattern");
        }
        Chunking chunking =
                new Chunking(
                        what.getChunking().getMin(),
                        what.getChunking().getAverage(),
                        what.getChunking().getMax(),
                        what.getChunking().getNormalization());
        BackupJob.Spec spec =
                new BackupJob.Spec(
                        id,
                        epoch.encoded(),
                        record(Wire.uuid(what.getPiece(), "piece id"), what.getFields()),
                        input.location().getBytes(StandardCharsets.UTF_8),
                        incremental,
                        chunking,
                        what.getCompressionLevel(),
                        exclude,
                        oneFileSystem,
                        cacheFolder(),
                        options.workers());
        DomainKey key = options.key().open(order.getKey());
        Work work =
                monitor -> {
                    try (key;
                            RemoteStorage session =
                                    RemoteStorage.open(
                                            client(storage, epoch),
                                            id,
                                            order.getOutput(),
                                            Purpose.BACKUP)) {
                        BackupJob.Result result =
                                new BackupJob(spec, key, session, monitor, options.clock()).run();
                        return outcome(result);
                    }
                };
        return naming(storage, work);
    }

    /** A storage that is lost is named, with what to do, instead of told in gRPC's words. */
    private static Work naming(Endpoint storage, Work work) {
        return monitor -> {
            try {
                return work.perform(monitor);
            } catch (RemoteException.Unavailable | RemoteException.Unknown e) {
                if (e instanceof RemoteException.Unavailable said && said.fromServer()) {
                    throw e;
                }
                log.warn("storage {} was lost to a job: {}", storage, e.getMessage());
                throw new IOException(
                        "Storage "
                                + storage
                                + " does not answer. What it has acknowledged is kept. Start it, or"
                                + " mend the way to it, then run the job again; only what it lacks is"
                                + " sent",
                        e);
            }
        };
    }

    private static Outcome.Builder outcome(BackupJob.Result result) {
        Outcome.Builder outcome =
                Outcome.newBuilder()
                        .setState(Outcome.State.COMPLETED)
                        .setPieceHeader(Wire.bytes(result.pieceHeader()))
                        .setRoot(Wire.bytes(result.root()))
                        .setSourceBytes(result.sourceBytes())
                        .setFilesTotal(result.files())
                        .setFilesUnchanged(result.unchanged())
                        .setWarnings(result.warnings())
                        .setStoreIncarnation(Wire.bytes(result.incarnation()))
                        .setLogPack(result.end().pack())
                        .setLogOffset(result.end().offset());
        if (result.warnings() > 0) {
            outcome.setState(Outcome.State.COMPLETED_WITH_WARNINGS)
                    .setMessage(
                            result.warnings()
                                    + (result.warnings() == 1 ? " warning" : " warnings")
                                    + "; the job's log names each file");
        }
        return outcome;
    }

    private static CatalogRecord record(UUID piece, PieceFields fields) {
        return new CatalogRecord(
                piece,
                Wire.uuid(fields.getClient(), "client id"),
                fields.getClientName(),
                fields.getDataPiece(),
                fields.getType(),
                fields.getOwner(),
                fields.getLocation(),
                fields.getBackupTimeMicros(),
                fields.getExpiryMicros(),
                0,
                fields.getOriginCatalog(),
                fields.getOptionalMap());
    }

    private Work restore(UUID id, JobOrder order, RestoreOrder what, Epoch epoch) {
        Identifier input = Identifier.parse(order.getInput());
        Identifier output = Identifier.parse(order.getOutput());
        requireMethod(input, "READ", "input of a restore");
        requireMethod(output, "WRITE", "output of a restore");
        requireHere(output, "output");
        Endpoint storage = requireStorage(input, "input");
        String target = what.getTarget().isEmpty() ? output.location() : what.getTarget();
        if (!output.location().isEmpty() && !target.equals(output.location())) {
            throw Errors.refused(
                    "Refused job "
                            + id
                            + ": its target "
                            + target
                            + " is not the location of its output "
                            + order.getOutput(),
                    "Correct the order");
        }
        if (!target.startsWith("/") || target.indexOf('\0') >= 0) {
            throw Errors.refused(
                    "Refused target '" + target + "': it is not an absolute path",
                    "Name an absolute path");
        }
        RestoreJob.Spec spec =
                new RestoreJob.Spec(
                        id,
                        Wire.uuid(what.getPiece(), "piece id"),
                        Wire.chunkId(what.getPieceHeader()),
                        target.getBytes(StandardCharsets.UTF_8),
                        what.getIncludeList(),
                        what.getOverwrite(),
                        options.workers());
        DomainKey key = options.key().open(order.getKey());
        long orderNanos = System.nanoTime();
        Work work =
                monitor -> {
                    try (key;
                            RemoteStorage session =
                                    RemoteStorage.open(
                                            client(storage, epoch),
                                            id,
                                            order.getInput(),
                                            Purpose.RESTORE)) {
                        long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - orderNanos);
                        return outcome(new RestoreJob(spec, key, session, monitor).run(), waited);
                    }
                };
        return naming(storage, work);
    }

    private static Outcome.Builder outcome(RestoreJob.Result result, long waitedMillis) {
        Outcome.Builder outcome =
                Outcome.newBuilder()
                        .setState(Outcome.State.COMPLETED)
                        .setSourceBytes(result.bytes())
                        .setFilesTotal(result.files())
                        .setWarnings(result.warnings())
                        .setFirstByteMillis(waitedMillis + result.firstByteMillis());
        if (result.errors() > 0) {
            return outcome.setState(Outcome.State.FAILED)
                    .setMessage(
                            result.errors()
                                    + (result.errors() == 1 ? " path was" : " paths were")
                                    + " not restored, or not whole; the job's log names each. "
                                    + result.files()
                                    + " files are restored");
        }
        if (result.warnings() > 0) {
            return outcome.setState(Outcome.State.COMPLETED_WITH_WARNINGS)
                    .setMessage(
                            result.warnings()
                                    + (result.warnings() == 1 ? " warning" : " warnings")
                                    + " in the job's log");
        }
        return outcome;
    }

    private StorageClient client(Endpoint storage, Epoch epoch) {
        return new StorageClient(
                options.storage().apply(storage),
                Wire.contexts(options.identity().cluster(), () -> epoch),
                StorageClient.Options.DEFAULT);
    }

    private static void requireMethod(Identifier identifier, String method, String place) {
        if (!identifier.method().equals(method)) {
            throw Errors.refused(
                    "Refused "
                            + identifier
                            + ": the method of the "
                            + place
                            + " is "
                            + method
                            + ", not '"
                            + identifier.method()
                            + "'",
                    "Correct the order");
        }
    }

    private void requireHere(Identifier identifier, String place) {
        Endpoint here = options.listen().get();
        Endpoint named = identifier.endpoint();
        boolean anyHost = here.host().equals("0.0.0.0") || here.host().equals("::");
        boolean samePort = named.port().equals(here.port());
        // A host name may well be this address; only two different addresses are certainly wrong.
        boolean sameHost =
                anyHost
                        || !named.isAddress()
                        || !here.isAddress()
                        || named.host().equals(here.host());
        if (!samePort || !sameHost) {
            throw Errors.refused(
                    "Refused "
                            + place
                            + " "
                            + identifier
                            + ": it names the agent at "
                            + named
                            + ", and this one listens at "
                            + here,
                    "Send the order to the agent that its " + place + " names");
        }
    }

    private static Endpoint requireStorage(Identifier identifier, String place) {
        if (identifier.endpoint().port().isEmpty()) {
            throw Errors.refused(
                    "Refused " + place + " " + identifier + ": it names no port of a storage",
                    "Write HOST:PORT");
        }
        return identifier.endpoint();
    }

    @Override
    public void acknowledge(AcknowledgeRequest request, StreamObserver<AcknowledgeReply> reply) {
        answer(
                reply,
                () -> {
                    PeerIdentity.currentIn(SERVERS, "acknowledging a job");
                    check.accept(request.getContext());
                    UUID id = Wire.uuid(request.getJob(), "job id");
                    synchronized (this) {
                        AgentJob job = jobs.get(id);
                        if (job != null && !job.hasEnded()) {
                            throw Errors.refused(
                                    "Refused to forget job " + id + ": it is still running",
                                    "Wait for its outcome, or cancel it");
                        }
                        book.forget(id);
                        jobs.remove(id);
                    }
                    return AcknowledgeReply.getDefaultInstance();
                });
    }

    @Override
    public void cancel(CancelRequest request, StreamObserver<CancelReply> reply) {
        answer(
                reply,
                () -> {
                    PeerIdentity.currentIn(SERVERS, "cancelling a job");
                    check.accept(request.getContext());
                    boolean wasRunning =
                            cancel(Wire.uuid(request.getJob(), "job id"), request.getReason());
                    return CancelReply.newBuilder().setWasRunning(wasRunning).build();
                });
    }

    /** @return whether it was running */
    private synchronized boolean cancel(UUID id, CancelRequest.Reason reason) throws IOException {
        AgentJob job = jobs.get(id);
        if (job == null
                && reason == CancelRequest.Reason.CHECKPOINT
                && book.outcome(id).isEmpty()) {
            // Its order may be on the way, or wait at the server: it must find that it is over.
            book.finish(id, List.of(), checkpointed().build());
            return false;
        }
        if (job == null || job.hasEnded()) {
            return false;
        }
        job.cancel(reason);
        return true;
    }

    @Override
    public void list(ListOrder order, StreamObserver<ListEntry> entries) {
        Stream<ListEntry> stream = new Stream<>((ServerCallStreamObserver<ListEntry>) entries);
        Endpoint storage;
        Epoch epoch;
        DomainKey key;
        ChunkId header;
        UUID operation;
        try {
            PeerIdentity.currentIn(SERVERS, "listing a piece");
            ContextCheck.Accepted accepted = check.accept(order.getContext());
            epoch = accepted.epoch();
            operation = accepted.operation();
            Identifier input = Identifier.parse(order.getInput());
            requireMethod(input, "READ", "input of a list");
            storage = requireStorage(input, "input");
            header = Wire.chunkId(order.getPieceHeader());
            key = options.key().open(order.getKey());
        } catch (RuntimeException e) {
            entries.onError(Errors.fromHandler(e));
            return;
        }
        Thread.ofVirtual()
                .name("list-" + operation)
                .start(() -> {
                    try (key;
                            RemoteStorage session =
                                    RemoteStorage.open(
                                            client(storage, epoch),
                                            operation,
                                            order.getInput(),
                                            Purpose.RESTORE)) {
                        new ListJob(key, session, entry -> sendEntry(stream, entry))
                                .run(header, order.getPath(), order.getRecursive());
                        stream.complete();
                    } catch (IOException | RuntimeException e) {
                        stream.fail(told(e));
                    }
                });
    }

    private static void sendEntry(Stream<ListEntry> stream, ListEntry entry) {
        try {
            if (!stream.send(entry)) {
                throw new CancellationException("nobody listens any more");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    /** A failure of the storage, in words that reach the caller. */
    private static Throwable told(Exception e) {
        return switch (e) {
            case RemoteException.Refused refused ->
                    Errors.status(
                            refused.code(), message(refused), "", refused.maxEpoch().orElse(null));
            case RemoteException.Unavailable unavailable ->
                    Errors.status(ErrorDetail.Code.UNAVAILABLE, message(unavailable), "", null);
            case RemoteException.Unknown unknown ->
                    Errors.status(ErrorDetail.Code.UNAVAILABLE, message(unknown), "", null);
            case ListJob.NotFound notFound ->
                    Errors.status(ErrorDetail.Code.NOT_FOUND, message(notFound), "", null);
            case BackupJob.Failed failed -> Errors.refused(message(failed), "");
            case StoreException store -> store;
            default -> e;
        };
    }

    private static String message(Exception e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private interface Answer<T> {
        T get() throws IOException;
    }

    private static <T> void answer(StreamObserver<T> reply, Answer<T> answer) {
        T value;
        try {
            value = answer.get();
        } catch (IOException | RuntimeException e) {
            reply.onError(Errors.fromHandler(e));
            return;
        }
        reply.onNext(value);
        reply.onCompleted();
    }

    /** Stops running jobs and waits, bounded, until their outcomes (failed) are durable. */
    @Override
    public void close() {
        List<AgentJob> open;
        synchronized (this) {
            closed = true;
            open = jobs.values().stream().filter(job -> !job.hasEnded()).toList();
        }
        open.forEach(AgentJob::stop);
        try {
            for (AgentJob job : open) {
                if (!job.awaitEnd(STOP_MILLIS)) {
                    log.warn("job {} did not stop in time", job.id());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
