package io.holdfast.agent;

import io.grpc.Channel;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.files.JobMonitor;
import io.holdfast.agent.files.RemoteStorage;
import io.holdfast.agent.files.RestoreJob;
import io.holdfast.agent.files.RestoredCheck;
import io.holdfast.agent.proto.v1.EpochNamespace;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.HelloReply;
import io.holdfast.agent.proto.v1.HelloRequest;
import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.RehearsalGrpc;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.proto.v1.SampleOrder;
import io.holdfast.agent.proto.v1.SampleReply;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Rehearsal service of an agent: sample restores into a folder that is thrown away. Serve it to
 * {@link #ROLES} alone. It has neither the agent's job book nor its epoch, so a rehearsal changes
 * nothing that production reads; it takes one sample at a time. Thread-safe.
 */
public final class RehearsalService extends RehearsalGrpc.RehearsalImplBase {
    /** Whom to serve this to. */
    public static final Set<String> ROLES = Set.of(PeerIdentity.REHEARSAL);

    private static final Logger log = LoggerFactory.getLogger(RehearsalService.class);
    private static final int MAX_PROBLEMS = 20;
    private static final long ROOM_BYTES = 64L << 20;

    private final Options options;
    private final Semaphore one = new Semaphore(1);

    /**
     * Who this agent is.
     *
     * @param identity of its certificate
     * @param key opens domain key slots
     * @param storage gives a channel to a sandbox's storage, which has a certificate of {@link #ROLES}
     * @param folder for restored samples, of this service alone; emptied when it starts
     * @param workers threads of a restore
     */
    public record Options(
            PeerIdentity identity,
            AgentKey key,
            Function<Endpoint, Channel> storage,
            Path folder,
            int workers) {}

    /** A service; what an agent that died left of a sample is removed. */
    public RehearsalService(Options options) throws IOException {
        this.options = options;
        remove(options.folder());
    }

    @Override
    public void hello(HelloRequest request, StreamObserver<HelloReply> reply) {
        try {
            fitting(request.getContext());
        } catch (RuntimeException e) {
            reply.onError(Errors.fromHandler(e));
            return;
        }
        reply.onNext(HelloReply.newBuilder().setId(options.identity().id()).build());
        reply.onCompleted();
    }

    private void fitting(RequestContext context) {
        PeerIdentity.currentIn(ROLES, "a rehearsal");
        ContextCheck.requireFitting(context, options.identity().cluster(), EpochNamespace.DRILL);
    }

    @Override
    public void sample(SampleOrder order, StreamObserver<SampleReply> replies) {
        ServerCallStreamObserver<SampleReply> call =
                (ServerCallStreamObserver<SampleReply>) replies;
        Sample sample = new Sample();
        call.setOnCancelHandler(sample::cancel);
        // Off the call's thread, which has to hear that the caller hung up.
        Thread.ofVirtual()
                .name("rehearsal-sample")
                .start(
                        io.grpc.Context.current()
                                .wrap(() -> {
                                    SampleReply done;
                                    try {
                                        fitting(order.getContext());
                                        done = guarded(order, sample);
                                    } catch (IOException | RuntimeException e) {
                                        fail(call, e);
                                        return;
                                    }
                                    if (!call.isCancelled()) {
                                        call.onNext(done);
                                        call.onCompleted();
                                    }
                                }));
    }

    private static void fail(ServerCallStreamObserver<SampleReply> call, Exception e) {
        if (call.isCancelled() || e instanceof CancellationException) {
            log.info("a rehearsal's sample was given up: its caller is gone");
        } else if (e instanceof RemoteException.Refused storage) {
            // What the sandbox's storage said is as certain to our caller.
            call.onError(
                    Errors.status(
                            storage.code(),
                            String.valueOf(storage.getMessage()),
                            storage.next(),
                            null));
        } else {
            call.onError(Errors.fromHandler(e));
        }
    }

    private SampleReply guarded(SampleOrder order, Sample sample) throws IOException {
        if (!one.tryAcquire()) {
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE,
                    "This agent restores another sample of a rehearsal",
                    "Try again when it has ended",
                    null);
        }
        Path folder = options.folder();
        try {
            Files.createDirectories(
                    folder,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free - ROOM_BYTES < order.getBytes()) {
                throw Errors.status(
                        ErrorDetail.Code.FULL,
                        "A sample of "
                                + order.getBytes()
                                + " bytes does not fit into the "
                                + free
                                + " bytes that are free at "
                                + folder,
                        "Free space there, or let the rehearsal choose smaller samples",
                        null);
            }
            return sample.run(order, folder);
        } finally {
            try {
                remove(folder);
            } finally {
                one.release();
            }
        }
    }

    /** One sample restore. */
    private final class Sample {
        private final List<String> problems = new ArrayList<>();
        private final JobMonitor monitor = new JobMonitor(this::line);
        private final long startNanos = System.nanoTime();

        void cancel() {
            monitor.cancel();
        }

        private void line(LogLine.Level level, String path, String message) {
            if (level == LogLine.Level.ERROR) {
                problem(path + ": " + message);
            }
        }

        private synchronized void problem(String what) {
            if (problems.size() < MAX_PROBLEMS) {
                problems.add(what);
            }
        }

        private synchronized List<String> problems() {
            return List.copyOf(problems);
        }

        SampleReply run(SampleOrder order, Path folder) throws IOException {
            UUID id = Wire.uuid(order.getSample(), "sample id");
            ChunkId header = Wire.chunkId(order.getPieceHeader());
            Identifier input = Identifier.parse(order.getInput());
            Epoch epoch = Epoch.decode(order.getContext().getEpoch());
            StorageClient client =
                    new StorageClient(
                            options.storage().apply(input.endpoint()),
                            () -> Wire.rehearsal(options.identity().cluster(), epoch),
                            StorageClient.Options.DEFAULT);
            try (DomainKey key = options.key().open(order.getKey());
                    RemoteStorage storage =
                            RemoteStorage.open(client, id, order.getInput(), Purpose.RESTORE)) {
                RestoreJob.Spec spec =
                        new RestoreJob.Spec(
                                id,
                                Wire.uuid(order.getPiece(), "piece id"),
                                header,
                                io.holdfast.agent.files.PathBytes.of(folder.toAbsolutePath()),
                                List.of(),
                                false,
                                options.workers());
                RestoreJob.Result restored = new RestoreJob(spec, key, storage, monitor).run();
                long chunks =
                        new RestoredCheck(key, storage, monitor, this::problem).run(header, folder);
                return SampleReply.newBuilder()
                        .setFiles(restored.files())
                        .setBytes(restored.bytes())
                        .setChunks(chunks)
                        .setFirstByteMillis(restored.firstByteMillis())
                        .setMillis(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos))
                        .setWarnings(restored.warnings())
                        .addAllProblems(problems())
                        .build();
            }
        }
    }

    /** Removes a tree; follows no link. Folders that the piece made unreadable are opened first. */
    private static void remove(Path tree) throws IOException {
        if (!Files.exists(tree, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(
                tree,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes is)
                            throws IOException {
                        Files.setPosixFilePermissions(
                                dir, PosixFilePermissions.fromString("rwx------"));
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes is)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path dir, @Nullable IOException failed) throws IOException {
                        if (failed != null) {
                            throw failed;
                        }
                        Files.delete(dir);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
