package io.holdfast.agent.storage;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.ReadReply;
import io.holdfast.agent.proto.v1.ReadRequest;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * One stream of reads: ids come in, frames go out in the same order, each verified by the store. All
 * methods run in the call's own thread, one at a time; a frame is read only when the socket takes it.
 */
final class ReadHandler implements StreamObserver<ReadRequest> {
    /** Ids in one request. */
    static final int MAX_IDS = 1024;

    private static final int READY_BYTES = 2 << 20;
    private static final Set<Purpose> PURPOSES =
            Set.of(Purpose.RESTORE, Purpose.BACKUP, Purpose.REPLICATE);

    private final ChunkStore store;
    private final ContextCheck check;
    private final Sessions sessions;
    private final Semaphore streams;
    private final PeerIdentity peer;
    private final ServerCallStreamObserver<ReadReply> replies;
    private final ArrayDeque<ChunkId> wanted = new ArrayDeque<>();
    private Sessions.@Nullable Use use;
    private boolean halfClosed;
    private boolean ended;
    private boolean asked;

    ReadHandler(
            ChunkStore store,
            ContextCheck check,
            Sessions sessions,
            Semaphore streams,
            PeerIdentity peer,
            ServerCallStreamObserver<ReadReply> replies) {
        this.store = store;
        this.check = check;
        this.sessions = sessions;
        this.streams = streams;
        this.peer = peer;
        this.replies = replies;
        replies.setOnReadyThreshold(READY_BYTES);
        replies.setOnReadyHandler(this::pump);
        replies.setOnCancelHandler(this::end);
        replies.disableAutoRequest();
        ask();
    }

    @Override
    public void onNext(ReadRequest request) {
        asked = false;
        try {
            if (use == null) {
                begin(request);
            }
            wanted.addAll(Wire.chunkIds(request.getIds(), MAX_IDS));
        } catch (RuntimeException e) {
            fail(e);
            return;
        }
        pump();
    }

    private void begin(ReadRequest request) {
        check.acceptStale(request.getContext());
        Sessions.Use begun = sessions.use(request.getSession(), peer, PURPOSES);
        if (!streams.tryAcquire()) {
            begun.close();
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE,
                    "The storage serves no more streams of reads at once",
                    "Try again when other jobs have ended",
                    null);
        }
        use = begun;
    }

    @Override
    public void onError(Throwable cancelled) {
        end();
    }

    @Override
    public void onCompleted() {
        halfClosed = true;
        pump();
    }

    private void pump() {
        try {
            while (!ended && replies.isReady()) {
                ChunkId next = wanted.poll();
                if (next == null) {
                    break;
                }
                replies.onNext(
                        ReadReply.newBuilder()
                                .setFrame(UnsafeByteOperations.unsafeWrap(store.read(next)))
                                .build());
            }
        } catch (IOException | RuntimeException e) {
            fail(e);
        }
        if (ended) {
            return;
        }
        if (wanted.isEmpty() && halfClosed) {
            end();
            replies.onCompleted();
        } else if (wanted.size() < MAX_IDS && !halfClosed) {
            ask();
        }
    }

    private void ask() {
        if (!asked) {
            asked = true;
            replies.request(1);
        }
    }

    private void fail(Throwable thrown) {
        if (!ended) {
            end();
            replies.onError(Errors.fromHandler(thrown));
        }
    }

    private void end() {
        if (!ended) {
            ended = true;
            wanted.clear();
            if (use != null) {
                use.close();
                streams.release();
            }
        }
    }
}
