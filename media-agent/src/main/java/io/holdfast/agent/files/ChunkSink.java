package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.Sealer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where one worker's chunks go. It names them at once, gathers them, asks the storage which of a
 * whole batch it lacks (so that a thousand small files cost one round trip), and seals and sends only
 * those. One per worker, not thread-safe; the sinks of a job share a {@link Shared}.
 *
 * <p>In a store's log a frame's children always stand before it. Chunks of files go through their
 * worker's batch; manifest nodes go through one queue of the job, in the order in which they were
 * finished, and a batch of them is sent only when every worker has flushed what it had gathered at
 * the time the batch was closed. Nobody waits for that: whoever flushes looks whether one is ready.
 */
final class ChunkSink implements AutoCloseable {
    private static final int BATCH_CHUNKS = 1024;
    private static final int BATCH_BYTES = 8 << 20;
    private static final int NODE_BATCH_BYTES = 2 << 20;

    private final Shared job;
    private final Sealer sealer;
    private final byte[] arena = new byte[BATCH_BYTES];
    private final List<Waiting> batch = new ArrayList<>();
    private int used;

    /** Even while the batch is empty, odd while it holds something. */
    private final AtomicLong flushes = new AtomicLong();

    ChunkSink(Shared job, Sealer sealer) {
        this.job = job;
        this.sealer = sealer;
        job.sinks.add(this);
    }

    /** What the sinks of one pass of a job share. Thread-safe. */
    static final class Shared {
        final JobStorage storage;
        final JobMonitor monitor;
        final ChunkIdSet dealtWith = new ChunkIdSet();
        final List<ChunkSink> sinks = new CopyOnWriteArrayList<>();

        private final ReentrantLock sending = new ReentrantLock();
        private final Deque<NodeBatch> closed = new ArrayDeque<>();
        private List<Waiting> open = new ArrayList<>();
        private int openBytes;

        Shared(JobStorage storage, JobMonitor monitor) {
            this.storage = storage;
            this.monitor = monitor;
        }

        private synchronized boolean add(Waiting node) {
            open.add(node);
            openBytes += node.length();
            if (openBytes >= NODE_BATCH_BYTES || open.size() == BATCH_CHUNKS) {
                close();
                return true;
            }
            return false;
        }

        private synchronized void close() {
            if (!open.isEmpty()) {
                long[] flushes = new long[sinks.size()];
                for (int i = 0; i < flushes.length; i++) {
                    flushes[i] = sinks.get(i).flushes.get();
                }
                closed.add(new NodeBatch(open, flushes));
                open = new ArrayList<>();
                openBytes = 0;
            }
        }

        private synchronized boolean isReady() {
            NodeBatch first = closed.peek();
            if (first == null) {
                return false;
            }
            for (int i = 0; i < first.flushes().length; i++) {
                long then = first.flushes()[i];
                if ((then & 1) == 1 && sinks.get(i).flushes.get() == then) {
                    return false;
                }
            }
            return true;
        }

        private synchronized List<Waiting> next() {
            return closed.remove().nodes();
        }
    }

    @SuppressWarnings("ArrayRecordComponent")
    private record Waiting(
            FrameKind kind,
            ChunkId id,
            byte[] plain,
            int offset,
            int length,
            List<ChunkId> children) {}

    @SuppressWarnings("ArrayRecordComponent")
    private record NodeBatch(List<Waiting> nodes, long[] flushes) {}

    /** The storage failed, not the file that was being read. */
    static final class Failed extends UncheckedIOException {
        private static final long serialVersionUID = 1;

        Failed(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** Takes a chunk of a file, copied. */
    ChunkId data(byte[] plain, int offset, int length) {
        job.monitor.checkCancelled();
        ChunkId id = sealer.id(plain, offset, length);
        if (used + length > arena.length || batch.size() == BATCH_CHUNKS) {
            flush();
        }
        if (batch.isEmpty()) {
            flushes.incrementAndGet(); // before the id is claimed: see isReady
        }
        if (job.dealtWith.add(id)) {
            System.arraycopy(plain, offset, arena, used, length);
            batch.add(new Waiting(FrameKind.DATA, id, arena, used, length, List.of()));
            used += length;
        } else if (batch.isEmpty()) {
            flushes.incrementAndGet();
        }
        return id;
    }

    /** Takes a manifest node, as {@code ManifestWriter.NodeSink}; the array is kept. */
    ChunkId node(FrameKind kind, byte[] plain, List<ChunkId> children) {
        job.monitor.checkCancelled();
        ChunkId id = sealer.id(kind, plain, 0, plain.length, children);
        if (job.dealtWith.add(id)
                && job.add(new Waiting(kind, id, plain, 0, plain.length, List.copyOf(children)))) {
            sendReadyNodes();
        }
        return id;
    }

    /** Asks and sends what was gathered, and node batches that became ready. */
    void flush() {
        if (!batch.isEmpty()) {
            send(batch);
            batch.clear();
            used = 0;
            flushes.incrementAndGet();
        }
        sendReadyNodes();
    }

    /** Sends all nodes: when every sink of the job was flushed. */
    void finish() {
        job.close();
        flush();
    }

    private void sendReadyNodes() {
        while (job.isReady() && job.sending.tryLock()) {
            try {
                if (job.isReady()) {
                    send(job.next());
                }
            } finally {
                job.sending.unlock();
            }
        }
    }

    private void send(List<Waiting> chunks) {
        try {
            BitSet missing = job.storage.missing(chunks.stream().map(Waiting::id).toList());
            for (int i = missing.nextSetBit(0); i >= 0; i = missing.nextSetBit(i + 1)) {
                job.monitor.checkCancelled();
                Waiting chunk = chunks.get(i);
                byte[] frame =
                        sealer.seal(
                                chunk.kind(),
                                chunk.id(),
                                chunk.plain(),
                                chunk.offset(),
                                chunk.length(),
                                chunk.children());
                job.storage.put(frame);
                job.monitor.bytesNew.add(chunk.length());
                job.monitor.bytesStored.add(frame.length);
            }
            if (!missing.isEmpty()) {
                job.storage.flush();
            }
        } catch (IOException e) {
            throw new Failed(e);
        }
    }

    @Override
    public void close() {
        sealer.close();
    }
}
