package io.holdfast.agent.storage;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.holdfast.agent.proto.v1.PutReply;
import io.holdfast.agent.proto.v1.PutRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The stream of frames over a gRPC call. One lock; callbacks only note and signal. A request costs both
 * sides as much as sealing a few kilobytes, so small frames travel together.
 */
final class PutCall implements StorageClient.PutStream {
    /** A frame of fewer bytes is copied and gathered; of more, sent at once and by itself. */
    private static final int SMALL_BYTES = 32 << 10;

    private static final int GATHER_BYTES = 128 << 10;

    private record Sent(long sequence, int bytes) {}

    private final ClientCall<PutRequest, PutReply> call;
    private final Supplier<RequestContext> contexts;
    private final StorageSession session;
    private final long maxInFlightBytes;
    private final long stallNanos;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Sent> inFlight = new ArrayDeque<>();
    private long inFlightBytes;
    private long sent;
    private byte[] gathered = {};
    private int gatheredBytes;
    private PutRequest.Builder request = PutRequest.newBuilder();
    private long durable;
    private long newFrames;
    private long newBytes;
    private long events;
    private boolean halfClosed;
    private boolean completed;
    private @Nullable RemoteException failure;
    private @Nullable LongConsumer listener;

    PutCall(
            ClientCall<PutRequest, PutReply> call,
            Supplier<RequestContext> contexts,
            StorageSession session,
            StorageClient.Options options) {
        this.call = call;
        this.contexts = contexts;
        this.session = session;
        this.maxInFlightBytes = options.maxInFlightBytes();
        this.stallNanos = options.stallTimeout().toNanos();
        call.start(new Callbacks(), new Metadata());
        call.request(Integer.MAX_VALUE);
    }

    @Override
    public long put(byte[] frame, int offset, int length) throws RemoteException {
        lock.lock();
        try {
            if (halfClosed) {
                throw new IllegalStateException("This stream of frames has been finished");
            }
            if (!hasRoom(length)) {
                send();
                await(() -> hasRoom(length), "room to send frame " + (sent + 1));
            }
            if (request.getFramesCount() == 0) {
                request.setSequence(sent + 1);
            }
            if (sent == 0) {
                request.setContext(contexts.get()).setSession(Wire.bytes(session.id()));
            }
            sent++;
            inFlight.add(new Sent(sent, length));
            inFlightBytes += length;
            if (length < SMALL_BYTES) {
                gather(frame, offset, length);
            } else {
                request.addFrames(UnsafeByteOperations.unsafeWrap(frame, offset, length));
                send();
            }
            return sent;
        } finally {
            lock.unlock();
        }
    }

    private boolean hasRoom(int length) throws RemoteException {
        requireUnfailed();
        return call.isReady()
                && !completed
                && (inFlightBytes == 0 || inFlightBytes + length <= maxInFlightBytes);
    }

    private void gather(byte[] frame, int offset, int length) {
        if (gathered.length == 0) {
            gathered = new byte[GATHER_BYTES + SMALL_BYTES];
        }
        System.arraycopy(frame, offset, gathered, gatheredBytes, length);
        request.addFrames(UnsafeByteOperations.unsafeWrap(gathered, gatheredBytes, length));
        gatheredBytes += length;
        if (gatheredBytes >= GATHER_BYTES || request.getFramesCount() == PutFrames.MAX_FRAMES) {
            send();
        }
    }

    /** After an error every method throws it again. Holds the lock. */
    private void requireUnfailed() throws RemoteException {
        if (failure != null) {
            throw failure;
        }
    }

    /** Sends what was gathered; gRPC has copied it when this returns. Holds the lock. */
    private void send() {
        if (request.getFramesCount() > 0) {
            call.sendMessage(request.build());
            request = PutRequest.newBuilder();
            gatheredBytes = 0;
        }
    }

    @Override
    public void flush() throws RemoteException {
        lock.lock();
        try {
            requireUnfailed();
            if (!halfClosed) {
                send();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long durableSequence() {
        lock.lock();
        try {
            return durable;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void awaitDurable(long sequence) throws RemoteException {
        lock.lock();
        try {
            if (sequence > sent) {
                throw new IllegalArgumentException(
                        "Frame " + sequence + " has not been sent; the last is " + sent);
            }
            if (durable < sequence) {
                flush();
                await(() -> durable >= sequence, "frame " + sequence + " to become durable");
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onDurable(LongConsumer newListener) {
        lock.lock();
        try {
            listener = newListener;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long newFrames() {
        lock.lock();
        try {
            return newFrames;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long newBytes() {
        lock.lock();
        try {
            return newBytes;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void finish() throws RemoteException {
        lock.lock();
        try {
            requireUnfailed();
            if (!halfClosed) {
                send();
                halfClosed = true;
                call.halfClose();
            }
            if (!completed) {
                await(() -> completed, "the end of the stream of frames");
            }
            requireUnfailed();
            if (durable < sent) {
                throw new RemoteException.Unknown(
                        "The storage ended the stream after acknowledging "
                                + durable
                                + " of "
                                + sent
                                + " frames",
                        null);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (!completed) {
                halfClosed = true;
                call.cancel("The sender closed the stream", null);
            }
        } finally {
            lock.unlock();
        }
    }

    private interface Holds {
        boolean holds() throws RemoteException;
    }

    /** Waits; time without any event from the other side counts as a stall. Holds the lock. */
    private void await(Holds condition, String what) throws RemoteException {
        long seen = events;
        long nanos = stallNanos;
        while (true) {
            requireUnfailed();
            if (condition.holds()) {
                return;
            }
            if (completed) {
                throw new RemoteException.Unknown(
                        "The storage ended the stream of frames while waiting for " + what, null);
            }
            try {
                nanos = changed.awaitNanos(nanos);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw give(new RemoteException.Unknown("Interrupted waiting for " + what, e));
            }
            if (events != seen) {
                seen = events;
                nanos = stallNanos;
            } else if (nanos <= 0) {
                throw give(
                        new RemoteException.Unknown(
                                "The storage was silent for "
                                        + stallNanos / 1_000_000
                                        + " ms while waiting for "
                                        + what,
                                null));
            }
        }
    }

    private RemoteException give(RemoteException reason) {
        if (failure == null) {
            failure = reason;
        }
        call.cancel(reason.getMessage(), reason);
        return reason;
    }

    private final class Callbacks extends ClientCall.Listener<PutReply> {
        @Override
        public void onMessage(PutReply reply) {
            LongConsumer told;
            lock.lock();
            try {
                events++;
                durable = Math.max(durable, Math.min(reply.getDurableSequence(), sent));
                newFrames = reply.getNewFrames();
                newBytes = reply.getNewBytes();
                for (Sent next = inFlight.peek();
                        next != null && next.sequence() <= durable;
                        next = inFlight.peek()) {
                    inFlightBytes -= next.bytes();
                    inFlight.remove();
                }
                told = listener;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            if (told != null) {
                told.accept(reply.getDurableSequence());
            }
        }

        @Override
        public void onReady() {
            lock.lock();
            try {
                events++;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            lock.lock();
            try {
                completed = true;
                if (!status.isOk() && failure == null) {
                    failure = Errors.of(status, trailers, status.getCause());
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
