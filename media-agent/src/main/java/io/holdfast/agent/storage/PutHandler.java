package io.holdfast.agent.storage;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.proto.v1.PutReply;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.wire.ContextCheck;
import io.holdfast.agent.wire.Errors;
import io.holdfast.chunk.ChunkStore;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One stream of frames. The call's thread appends the frames of a request and only then asks for the
 * next, so one request is in memory. A second thread syncs behind it and acknowledges: while one fsync runs, frames
 * gather for the next. When too much is written and not yet durable, no more frames are asked for.
 */
final class PutHandler implements StreamObserver<PutFrames> {
    private static final long GATHER_BYTES = 4 << 20;
    private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(8);
    private static final Set<Purpose> PURPOSES = Set.of(Purpose.BACKUP, Purpose.REPLICATE);

    private final ChunkStore store;
    private final ContextCheck check;
    private final Sessions sessions;
    private final Semaphore streams;
    private final long unsyncedBound;
    private final PeerIdentity peer;
    private final ServerCallStreamObserver<PutReply> replies;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Sessions.@Nullable Use use;
    private long appended;
    private long durable;
    private long unsyncedBytes;
    private long newFrames;
    private long newBytes;
    private boolean paused;
    private boolean halfClosed;
    private boolean ended;

    PutHandler(
            ChunkStore store,
            ContextCheck check,
            Sessions sessions,
            Semaphore streams,
            long unsyncedBound,
            PeerIdentity peer,
            ServerCallStreamObserver<PutReply> replies) {
        this.store = store;
        this.check = check;
        this.sessions = sessions;
        this.streams = streams;
        this.unsyncedBound = unsyncedBound;
        this.peer = peer;
        this.replies = replies;
        replies.setOnCancelHandler(this::end);
        replies.disableAutoRequest();
        replies.request(1);
    }

    @Override
    public void onNext(PutFrames frames) {
        try {
            take(frames);
        } catch (IOException | RuntimeException e) {
            fail(e);
        } finally {
            frames.recycle();
        }
    }

    private void take(PutFrames frames) throws IOException {
        if (!frames.malformed.isEmpty()) {
            throw Errors.refused(
                    "PutRequest is malformed: " + frames.malformed, "Correct the sender");
        }
        Sessions.Use current = use;
        if (current == null) {
            current = begin(frames);
        }
        Sessions.Session session = current.session();
        if (session.ended()) {
            throw Sessions.ended(session.id);
        }
        if (frames.sequence != appended + 1) {
            throw Errors.refused(
                    "Frame has sequence number " + frames.sequence + ", expected " + (appended + 1),
                    "Number the frames of a stream 1, 2, 3, ...");
        }
        long bytes = 0;
        long added = 0;
        long addedBytes = 0;
        for (int i = 0; i < frames.count(); i++) {
            int length = frames.length(i);
            bytes += length;
            if (append(session, frames, i)) {
                added++;
                addedBytes += length;
            }
        }
        lock.lock();
        try {
            appended += frames.count();
            unsyncedBytes += bytes;
            newFrames += added;
            newBytes += addedBytes;
            paused = unsyncedBytes >= unsyncedBound;
            changed.signalAll();
            if (!paused && !ended) {
                replies.request(1);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean append(Sessions.Session session, PutFrames frames, int i) throws IOException {
        try {
            return store.append(session.id, frames.buffer, frames.offset(i), frames.length(i));
        } catch (IllegalArgumentException e) {
            throw Errors.refused(
                    "Frame " + (frames.sequence + i) + " was refused: " + e.getMessage(),
                    "Send a PIECE by CommitPiece");
        }
    }

    /** The first message says whose stream this is. Chunks are welcome in any epoch. */
    private Sessions.Use begin(PutFrames frames) {
        if (frames.context == null) {
            throw Errors.refused(
                    "The first PutRequest of a stream has no context",
                    "Send context and session in the first message");
        }
        check.acceptStale(frames.context);
        Sessions.Use begun = sessions.use(frames.session, peer, PURPOSES);
        if (!streams.tryAcquire()) {
            begun.close();
            throw Errors.status(
                    ErrorDetail.Code.UNAVAILABLE,
                    "The storage takes no more streams of frames at once",
                    "Try again when other jobs have ended",
                    null);
        }
        lock.lock();
        try {
            use = begun;
            if (ended) {
                release();
            } else {
                Thread.ofVirtual().name("put-sync").start(this::syncAll);
            }
        } finally {
            lock.unlock();
        }
        return begun;
    }

    @Override
    public void onError(Throwable cancelled) {
        end();
    }

    @Override
    public void onCompleted() {
        lock.lock();
        try {
            halfClosed = true;
            if (use == null && !ended) {
                ended = true;
                replies.onCompleted(); // a stream without frames
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void syncAll() {
        try {
            while (awaitWork()) {
                syncOnce();
            }
        } catch (IOException | RuntimeException e) {
            fail(e);
        } catch (InterruptedException e) {
            fail(e);
            Thread.currentThread().interrupt();
        } finally {
            end();
        }
    }

    /** Waits until there is enough to sync; false at the end of the stream. */
    private boolean awaitWork() throws InterruptedException {
        lock.lock();
        try {
            while (!ended && appended == durable && !halfClosed) {
                changed.await();
            }
            long nanos = GATHER_NANOS;
            while (!ended && !halfClosed && !paused && unsyncedBytes < GATHER_BYTES && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            if (!ended && halfClosed && appended == durable) {
                ended = true;
                replies.onCompleted();
            }
            return !ended;
        } finally {
            lock.unlock();
        }
    }

    private void syncOnce() throws IOException {
        long target;
        long bytes;
        PutReply.Builder reply = PutReply.newBuilder();
        lock.lock();
        try {
            target = appended;
            bytes = unsyncedBytes;
            reply.setDurableSequence(target).setNewFrames(newFrames).setNewBytes(newBytes);
        } finally {
            lock.unlock();
        }
        store.sync();
        lock.lock();
        try {
            durable = target;
            unsyncedBytes -= bytes;
            if (!ended) {
                replies.onNext(reply.build());
                if (paused && unsyncedBytes < unsyncedBound) {
                    paused = false;
                    replies.request(1);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void fail(Throwable thrown) {
        lock.lock();
        try {
            if (!ended) {
                replies.onError(Errors.fromHandler(thrown));
            }
            end();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the stream, whoever notices first. */
    private void end() {
        lock.lock();
        try {
            ended = true;
            release();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean released;

    private void release() {
        if (use != null && !released) {
            released = true;
            use.close();
            streams.release();
        }
    }
}
