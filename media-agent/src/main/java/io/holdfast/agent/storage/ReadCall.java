package io.holdfast.agent.storage;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.holdfast.agent.proto.v1.ReadRequest;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One read of many frames. The caller's thread asks ahead, takes frames in order and hands them on;
 * at most {@value #PREFETCH} frames wait for it.
 */
final class ReadCall {
    /** Frames on their way or waiting, at most. */
    static final int PREFETCH = 8;

    /** Ids asked for and not yet answered, at most; ids are cheap, frames are not. */
    private static final int ASKED = 512;

    private static final int BATCH = 128;

    private sealed interface Event {
        /** No record: its value is an array. */
        final class Frame implements Event {
            private final byte[] bytes;

            private Frame(byte[] bytes) {
                this.bytes = bytes;
            }
        }

        record Closed(Status status, Metadata trailers) implements Event {}
    }

    private final ClientCall<ReadRequest, byte[]> call;
    private final Supplier<RequestContext> contexts;
    private final StorageSession session;
    private final long stallNanos;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>(); // by request(n)

    ReadCall(
            ClientCall<ReadRequest, byte[]> call,
            Supplier<RequestContext> contexts,
            StorageSession session,
            long stallNanos) {
        this.call = call;
        this.contexts = contexts;
        this.session = session;
        this.stallNanos = stallNanos;
    }

    void run(Iterator<ChunkId> ids, FrameSink sink) throws IOException {
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(byte[] frame) {
                        events.add(new Event.Frame(frame));
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        events.add(new Event.Closed(status, trailers));
                    }
                },
                new Metadata());
        call.request(PREFETCH);
        boolean done = false;
        try {
            pump(ids, sink);
            done = true;
        } finally {
            if (!done) {
                call.cancel("The reader gave up", null);
            }
        }
    }

    private void pump(Iterator<ChunkId> ids, FrameSink sink) throws IOException {
        ArrayDeque<ChunkId> asked = new ArrayDeque<>();
        boolean first = true;
        boolean halfClosed = false;
        while (true) {
            while (!halfClosed && asked.size() <= ASKED - BATCH) {
                List<ChunkId> batch = new ArrayList<>(BATCH);
                while (batch.size() < BATCH && ids.hasNext()) {
                    batch.add(ids.next());
                }
                if (!batch.isEmpty()) {
                    ReadRequest.Builder request =
                            ReadRequest.newBuilder().setIds(Wire.bytes(batch));
                    if (first) {
                        request.setContext(contexts.get()).setSession(Wire.bytes(session.id()));
                        first = false;
                    }
                    call.sendMessage(request.build());
                    asked.addAll(batch);
                }
                if (batch.size() < BATCH) {
                    call.halfClose();
                    halfClosed = true;
                }
            }
            switch (next()) {
                case Event.Frame frame -> {
                    ChunkId id = asked.poll();
                    if (id == null) {
                        throw new RemoteException.Unknown(
                                "The storage sent a frame that nobody asked for", null);
                    }
                    sink.accept(id, frame.bytes);
                    call.request(1);
                }
                case Event.Closed closed -> {
                    if (!closed.status().isOk()) {
                        throw Errors.of(
                                closed.status(), closed.trailers(), closed.status().getCause());
                    }
                    if (!asked.isEmpty()) {
                        throw new RemoteException.Unknown(
                                "The storage ended the read "
                                        + asked.size()
                                        + " frames too early, before "
                                        + asked.peek(),
                                null);
                    }
                    return;
                }
            }
        }
    }

    private Event next() throws RemoteException {
        try {
            Event event = events.poll(stallNanos, TimeUnit.NANOSECONDS);
            if (event == null) {
                throw new RemoteException.Unavailable(
                        "The storage was silent for " + stallNanos / 1_000_000 + " ms in a read",
                        null);
            }
            return event;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RemoteException.Unavailable("Interrupted in a read", e);
        }
    }
}
