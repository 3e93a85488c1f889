package io.holdfast.agent.files;

import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.storage.CommitResult;
import io.holdfast.agent.storage.FrameSink;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.storage.StorageSession;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.chunk.ChunkId;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A storage behind a {@link StorageClient}: one session, and one stream of frames once needed. */
public final class RemoteStorage implements JobStorage {
    private static final Logger log = LoggerFactory.getLogger(RemoteStorage.class);

    private final StorageClient client;
    private final StorageSession session;
    private final Object opening = new Object();
    private StorageClient.@org.jspecify.annotations.Nullable PutStream stream;
    private final AtomicLong lastSequence = new AtomicLong();
    private final Map<Long, Integer> unacknowledged = new TreeMap<>();
    private long durableBytes;
    private long durableFrames;
    private long acknowledged;

    private RemoteStorage(StorageClient client, StorageSession session) {
        this.client = client;
        this.session = session;
    }

    /** Opens a session. @throws RemoteException what the storage refused, or that it is away */
    public static RemoteStorage open(
            StorageClient client, UUID job, String identifier, Purpose purpose)
            throws RemoteException {
        return new RemoteStorage(client, client.openSession(job, identifier, purpose));
    }

    @Override
    public UUID incarnation() {
        return session.storeIncarnation();
    }

    @Override
    public BitSet missing(List<ChunkId> ids) throws IOException {
        return client.missing(session, ids);
    }

    private StorageClient.PutStream stream() {
        synchronized (opening) {
            StorageClient.PutStream open = stream;
            if (open == null) {
                open = client.put(session);
                open.onDurable(this::acknowledge);
                stream = open;
            }
            return open;
        }
    }

    @Override
    public void put(byte[] frame) throws IOException {
        long sequence = stream().put(frame);
        lastSequence.accumulateAndGet(sequence, Math::max);
        synchronized (unacknowledged) {
            if (sequence <= acknowledged) {
                count(frame.length);
            } else {
                unacknowledged.put(sequence, frame.length);
            }
        }
    }

    @Override
    public void flush() throws IOException {
        stream().flush();
    }

    private void acknowledge(long sequence) {
        synchronized (unacknowledged) {
            acknowledged = Math.max(acknowledged, sequence);
            var done = unacknowledged.entrySet().iterator();
            while (done.hasNext()) {
                Map.Entry<Long, Integer> frame = done.next();
                if (frame.getKey() > sequence) {
                    break;
                }
                count(frame.getValue());
                done.remove();
            }
        }
    }

    private void count(int frameBytes) {
        durableBytes += frameBytes;
        durableFrames++;
    }

    @Override
    public void awaitDurable() throws IOException {
        long last = lastSequence.get();
        if (last > 0) {
            stream().awaitDurable(last);
        }
    }

    @Override
    public long durableBytes() {
        synchronized (unacknowledged) {
            return durableBytes;
        }
    }

    @Override
    public long durableFrames() {
        synchronized (unacknowledged) {
            return durableFrames;
        }
    }

    @Override
    public Committed commit(byte[] pieceFrame) throws IOException {
        CommitResult result = client.commitPiece(session, pieceFrame);
        return new Committed(result.missing(), result.position());
    }

    @Override
    public void read(List<ChunkId> ids, FrameSink sink) throws IOException {
        client.read(session, ids, sink);
    }

    @Override
    public void close() {
        synchronized (opening) {
            if (stream != null) {
                stream.close();
            }
        }
        try {
            client.closeSession(session);
        } catch (RemoteException e) {
            // The storage ends an idle session itself; its pins go then.
            log.info("session {} not closed: {}", session.id(), e.getMessage());
        }
    }
}
