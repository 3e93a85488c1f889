package io.holdfast.replication.ship;

import io.grpc.Channel;
import io.grpc.Context;
import io.holdfast.agent.proto.v1.OpenSessionRequest.Purpose;
import io.holdfast.agent.storage.CommitResult;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.storage.StorageSession;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a peer's storage hold the frames of a local store, in log order, while jobs still run.
 *
 * <p>A thread of its own follows the durable end of the local log. It offers ids in batches, sends
 * what the peer lacks, and at each PIECE frame waits until all before it is durable there and commits
 * the piece: children always stand earlier in the log, and the peer proves the manifest itself. What
 * the peer says it lacks is the truth; the cursor only spares offers. A peer store of another
 * incarnation is begun from the start.
 *
 * <p>Every frame is verified when it is read. A damaged one is named in {@link #status}, does not hold
 * up others, and keeps the pieces that need it unshipped; both are tried again later, because a store
 * may be healed. After a failure the shipper reconnects, with bounded pauses; a higher epoch at the
 * peer stops it until {@code epoch} has reached that.
 *
 * <p>All methods are thread-safe.
 */
public final class Shipper implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Shipper.class);
    private static final int COMMIT_ROUNDS = 1_000;
    private static final int LAG_BATCH = 4_096;
    private static final Duration SAVE_EVERY = Duration.ofSeconds(1);

    /** How long a growing log is let grow before its end is offered, unless it has grown by so much. */
    private static final Duration GATHER = Duration.ofMillis(20);

    private static final long GATHER_BYTES = 2 << 20;
    private static final int RETRY_GROWTH = 60;

    private final ChunkStore local;
    private final String peerName;
    private final Supplier<Epoch> epoch;
    private final Path cursorFolder;
    private final ShipOptions options;
    private final InstantSource clock;
    private final StorageClient client;
    private final ShipBook book = new ShipBook();
    private final CatchUpMeter meter = new CatchUpMeter();
    private final List<Consumer<ChunkId>> pieceListeners = new CopyOnWriteArrayList<>();
    private final Context.CancellableContext calls = Context.ROOT.withCancellation();
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wake = lock.newCondition();
    private boolean closed;
    private boolean paused;
    private boolean nudged;
    private long signals;
    private boolean connected;
    private String lastError = "";
    private @Nullable Epoch staleBelow;
    private @Nullable UUID peerIncarnation;
    private @Nullable Instant lastContact;

    // Of the shipping thread alone.
    private @Nullable ShipCursor cursor;
    private LogPosition saved = LogPosition.START;
    private long savedAt = System.nanoTime();
    private long backoffMillis;
    private long retryMillis;
    private long retryAt;
    private int problemsBefore;

    /**
     * A shipper, not started.
     *
     * @param local the store to follow
     * @param peerName the peer's address, for people
     * @param peer a channel to it, which stays the caller's
     * @param cluster of both
     * @param epoch this site's epoch, asked for every call
     * @param cursorFolder where the cursor is kept
     * @param clock for the time of the last contact
     */
    public Shipper(
            ChunkStore local,
            String peerName,
            Channel peer,
            UUID cluster,
            Supplier<Epoch> epoch,
            Path cursorFolder,
            ShipOptions options,
            InstantSource clock) {
        this.local = local;
        this.peerName = peerName;
        this.epoch = epoch;
        this.cursorFolder = cursorFolder;
        this.options = options;
        this.clock = clock;
        this.client =
                new StorageClient(
                        peer,
                        Wire.contexts(cluster, epoch),
                        new StorageClient.Options(
                                options.callTimeout(),
                                options.callTimeout(),
                                options.inFlightBytes()));
        this.thread =
                Thread.ofPlatform()
                        .daemon()
                        .name("ship-to-" + peerName)
                        .unstarted(() -> calls.run(this::run));
    }

    /** Starts; returns this. */
    public Shipper start() {
        thread.start();
        return this;
    }

    /** Stops sending after the frames under way. */
    public void pause() {
        change(() -> paused = true);
    }

    /** Goes on after {@link #pause}. */
    public void resume() {
        change(() -> paused = false);
    }

    /** Says that the local log has grown: looked at now instead of at the next poll. */
    public void nudge() {
        change(() -> nudged = true);
    }

    /** Tells of every piece that is now whole at the peer, in the shipper's thread; do not block. */
    public void onPieceCommitted(Consumer<ChunkId> listener) {
        pieceListeners.add(listener);
    }

    /** True when this shipper knows that the peer has this piece, whole; it remembers 100,000. */
    public boolean isCommitted(ChunkId piece) {
        return book.isCommitted(piece);
    }

    /** How far the peer is. Costs a walk over the part of the log's index that is not yet shipped. */
    public ShipStatus status() {
        LogPosition position = book.position();
        LogPosition end = local.durableEnd();
        Lag lag = lag(position, end);
        lock.lock();
        try {
            return new ShipStatus(
                    state(lag.frames()),
                    peerName,
                    local.incarnation(),
                    Optional.ofNullable(peerIncarnation),
                    position,
                    end,
                    lag.frames(),
                    lag.bytes(),
                    book.framesMoved(),
                    book.bytesMoved(),
                    book.piecesCommitted(),
                    meter.now(),
                    Optional.ofNullable(lastContact),
                    lastError,
                    book.damageList(),
                    book.unshippedList());
        } finally {
            lock.unlock();
        }
    }

    /** What other nodes are told. Costs the same however much is not yet shipped. */
    public ShipReport report() {
        return ShipReport.of(meter.now(), book.damageList());
    }

    private record Lag(long frames, long bytes) {}

    private Lag lag(LogPosition from, LogPosition end) {
        long frames = 0;
        long bytes = 0;
        LogPosition at = from;
        try {
            while (at.compareTo(end) < 0) {
                List<ChunkStore.Tailed> batch = local.tail(at, LAG_BATCH);
                for (ChunkStore.Tailed frame : batch) {
                    if (frame.after().compareTo(end) > 0) {
                        return new Lag(frames, bytes);
                    }
                    frames++;
                    bytes += frame.frameBytes();
                }
                if (batch.isEmpty()) {
                    break;
                }
                at = batch.get(batch.size() - 1).after();
            }
        } catch (IOException e) {
            log.warn("The lag to {} is not known: {}", peerName, e.getMessage());
        }
        return new Lag(frames, bytes);
    }

    private ShipStatus.State state(long lagFrames) {
        if (closed) {
            return ShipStatus.State.CLOSED;
        }
        if (paused) {
            return ShipStatus.State.PAUSED;
        }
        if (staleBelow != null) {
            return ShipStatus.State.STALE_EPOCH;
        }
        if (!connected) {
            return ShipStatus.State.CONNECTING;
        }
        return lagFrames == 0 ? ShipStatus.State.CAUGHT_UP : ShipStatus.State.SHIPPING;
    }

    /** Stops; calls under way are cut. The local store and the channel stay the caller's. */
    @Override
    public void close() {
        change(() -> closed = true);
        calls.cancel(null);
        if (thread.isAlive() && !thread.equals(Thread.currentThread())) {
            try {
                thread.join(Duration.ofSeconds(10));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void change(Runnable what) {
        lock.lock();
        try {
            what.run();
            signals++;
            wake.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ------------------------------------------------------------ the thread

    private void run() {
        while (!isClosed()) {
            try {
                if (mayShip()) {
                    ship();
                }
            } catch (RemoteException.Refused e) {
                failed(e);
                if (e.stale()) {
                    Epoch max = e.maxEpoch().orElse(epoch.get());
                    change(() -> staleBelow = max);
                }
            } catch (IOException | RuntimeException e) {
                failed(e);
            }
        }
        saveCursor(true);
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Waits a moment, and says no, when shipping is paused or this site's epoch is stale. */
    private boolean mayShip() {
        Epoch now = epoch.get();
        lock.lock();
        try {
            if (closed || paused) {
                rest(options.poll());
                return false;
            }
            if (staleBelow != null) {
                if (now.compareTo(staleBelow) < 0) {
                    rest(options.poll());
                    return false;
                }
                staleBelow = null;
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void failed(Exception e) {
        if (isClosed()) {
            return;
        }
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        lock.lock();
        try {
            connected = false;
            boolean news = !message.equals(lastError);
            lastError = message;
            if (news) {
                log.warn("Shipping to {} failed, it will go on: {}", peerName, message);
            }
            backoffMillis =
                    Math.min(
                            Math.max(options.backoffFirst().toMillis(), backoffMillis * 2),
                            options.backoffMost().toMillis());
            long until = System.nanoTime() + Duration.ofMillis(backoffMillis).toNanos();
            for (long left = until - System.nanoTime();
                    left > 0 && !closed;
                    left = until - System.nanoTime()) {
                rest(Duration.ofNanos(left));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a signal; holds the lock. The thread is never interrupted: files would close. */
    private void rest(Duration atMost) {
        try {
            long seen = signals;
            for (long nanos = atMost.toNanos(); signals == seen && nanos > 0; ) {
                nanos = wake.awaitNanos(nanos);
            }
        } catch (InterruptedException e) {
            closed = true;
            Thread.currentThread().interrupt();
        }
    }

    /** One connection: until it fails, or the shipper is paused or closed. */
    private void ship() throws IOException {
        StorageSession session = client.openSession(UUID.randomUUID(), "", Purpose.REPLICATE);
        contacted(session.storeIncarnation());
        book.reconnect();
        LogPosition end = local.durableEnd();
        Lag lag = lag(book.floor(), end);
        meter.begin(book.floor(), end, lag.frames(), lag.bytes());
        try (StorageClient.PutStream put = client.put(session)) {
            Run run = new Run(session, put);
            run.loop();
            put.finish();
            book.durable(put.durableSequence());
        } finally {
            saveCursor(true);
            release(session);
        }
    }

    /** A peer bounds its sessions: one that failed must not keep its place until it expires. */
    private void release(StorageSession session) {
        try {
            client.closeSession(session);
        } catch (IOException e) {
            log.debug("Session {} stays open at {}: {}", session, peerName, e.getMessage());
        }
    }

    /** Notes an answer of the peer; another incarnation is begun from its own cursor. */
    private void contacted(UUID incarnation) {
        boolean other;
        lock.lock();
        try {
            other = !incarnation.equals(peerIncarnation);
            peerIncarnation = incarnation;
            lastContact = clock.instant();
            connected = true;
        } finally {
            lock.unlock();
        }
        if (other) {
            cursor = ShipCursor.of(cursorFolder, local.incarnation(), incarnation);
            LogPosition from = cursor.load();
            if (from.compareTo(local.durableEnd()) > 0) {
                log.warn(
                        "The cursor to {} is at {}, behind the end {} of the local log; beginning"
                                + " from the start",
                        peerName,
                        from,
                        local.durableEnd());
                from = LogPosition.START;
            }
            saved = from;
            book.begin(from);
            meter.forget();
            problemsBefore = 0;
            log.info("Shipping to {}, store {}, from {}", peerName, incarnation, from);
        }
    }

    /** Something has become durable there, or nothing is left: only now an error is over. */
    private void advanced() {
        lock.lock();
        try {
            lastError = "";
            backoffMillis = 0;
        } finally {
            lock.unlock();
        }
    }

    private void saveCursor(boolean now) {
        ShipCursor to = cursor;
        LogPosition floor = book.floor();
        if (to == null
                || floor.equals(saved)
                || !now && System.nanoTime() - savedAt < SAVE_EVERY.toNanos()) {
            return;
        }
        try {
            to.save(floor);
            saved = floor;
        } catch (IOException e) {
            log.warn("The cursor to {} could not be saved: {}", peerName, e.getMessage());
        }
        savedAt = System.nanoTime();
    }

    /** The state of one connection. */
    private final class Run {
        private final StorageSession session;
        private final StorageClient.PutStream put;
        private LogPosition next = book.floor();
        private long sent;
        private long heardAt = System.nanoTime();
        private final long openedAt = heardAt;

        Run(StorageSession session, StorageClient.PutStream put) {
            this.session = session;
            this.put = put;
        }

        void loop() throws IOException {
            long before = 0;
            boolean waited = false;
            while (goOn() && System.nanoTime() - openedAt < options.sessionAge().toNanos()) {
                List<ChunkStore.Tailed> batch = local.tail(next, options.batchFrames());
                if (batch.isEmpty()) {
                    idle();
                } else if (waited || isWorthARound(batch)) {
                    waited = false;
                    ship(batch);
                } else {
                    waited = true;
                    gather();
                }
                long durable = put.durableSequence();
                if (durable > before) {
                    advanced();
                    before = durable;
                }
                book.durable(durable);
                meter.reached(book.position());
                saveCursor(false);
            }
        }

        /** A round costs both sites a call: a job's last frames and a full hand are worth one at once. */
        private boolean isWorthARound(List<ChunkStore.Tailed> batch) {
            return batch.size() == options.batchFrames()
                    || batch.getLast().kind() == FrameKind.PIECE
                    || batch.stream().mapToLong(ChunkStore.Tailed::frameBytes).sum()
                            >= GATHER_BYTES;
        }

        private void gather() {
            lock.lock();
            try {
                restUnlessNudged(GATHER);
            } finally {
                lock.unlock();
            }
        }

        private void restUnlessNudged(Duration atMost) {
            if (!nudged && !closed && !paused) {
                rest(atMost);
            }
        }

        private boolean goOn() {
            lock.lock();
            try {
                return !closed && !paused;
            } finally {
                lock.unlock();
            }
        }

        /** All has been sent: wait for acknowledgements, growth, or the time to look after things. */
        private void idle() throws IOException {
            put.awaitDurable(sent);
            book.durable(sent);
            advanced();
            meter.reached(book.position());
            long now = System.nanoTime();
            if (now - heardAt >= options.heartbeat().toNanos()) {
                UUID incarnation = client.status().incarnation();
                heardAt = now;
                if (!incarnation.equals(session.storeIncarnation())) {
                    throw new RemoteException.Unavailable(
                            "The peer's store is another one now, " + incarnation, null);
                }
                contacted(incarnation);
            }
            int problems = book.problems();
            if (problems == 0) {
                retryMillis = 0;
            } else if (problems != problemsBefore || retryMillis == 0) {
                retryMillis = options.retryDamage().toMillis();
                retryAt = now + Duration.ofMillis(retryMillis).toNanos();
            } else if (now - retryAt >= 0) {
                retryMillis =
                        Math.min(retryMillis * 2, options.retryDamage().toMillis() * RETRY_GROWTH);
                retryAt = now + Duration.ofMillis(retryMillis).toNanos();
                next = book.floor();
                book.forgetUnshipped(Run.this::isSwept);
                return;
            }
            problemsBefore = problems;
            saveCursor(true);
            lock.lock();
            try {
                if (local.durableEnd().compareTo(next) <= 0) {
                    restUnlessNudged(options.poll());
                }
                nudged = false;
            } finally {
                lock.unlock();
            }
        }

        /** Whether the local store has let go of a frame: it is no loss then that it is not there. */
        private boolean isSwept(ChunkId id) {
            try {
                local.read(id);
                return false;
            } catch (StoreException.Missing e) {
                return true;
            } catch (IOException e) {
                return false;
            }
        }

        private void ship(List<ChunkStore.Tailed> batch) throws IOException {
            List<ChunkId> ids = new ArrayList<>(batch.size());
            batch.forEach(frame -> ids.add(frame.id()));
            BitSet missing = client.missing(session, ids);
            heard();
            for (int i = 0; i < batch.size() && goOn(); i++) {
                ChunkStore.Tailed frame = batch.get(i);
                if (frame.kind() == FrameKind.PIECE) {
                    piece(frame, missing.get(i));
                } else if (missing.get(i)) {
                    send(frame);
                } else {
                    book.held(frame.id());
                    meter.had(frame.after(), frame.frameBytes());
                }
                next = frame.after();
                book.mark(sent, next);
            }
            put.flush();
        }

        private void heard() {
            heardAt = System.nanoTime();
            contacted(session.storeIncarnation());
        }

        /** Sends a DATA or NODE frame; a damaged one is noted instead. */
        private void send(ChunkStore.Tailed frame) throws IOException {
            Optional<String> damage = send(frame.id());
            if (damage.isPresent() && isSwept(frame.id())) {
                book.held(frame.id());
            } else if (damage.isPresent()) {
                log.warn("Not shipped to {}: {}", peerName, damage.get());
                book.damaged(next, new ShipStatus.Damage(frame.id(), frame.after(), damage.get()));
            } else {
                meter.moved(frame.after(), frame.frameBytes());
            }
        }

        /** Sends a frame; says why not when its bytes are not what was stored. */
        private Optional<String> send(ChunkId id) throws IOException {
            byte[] bytes;
            try {
                bytes = local.read(id);
            } catch (StoreException.Corrupt | StoreException.Missing e) {
                return Optional.of(String.valueOf(e.getMessage()));
            }
            sent = put.put(bytes);
            book.moved(bytes.length);
            book.held(id);
            return Optional.empty();
        }

        /** Commits a piece at the peer, giving it whatever it still lacks. */
        private void piece(ChunkStore.Tailed frame, boolean missing) throws IOException {
            ChunkId id = frame.id();
            if (!missing) {
                committed(id);
                meter.had(frame.after(), frame.frameBytes());
                return;
            }
            byte[] bytes;
            try {
                bytes = local.read(id);
            } catch (StoreException.Missing e) {
                return; // swept since the log was read
            } catch (StoreException.Corrupt e) {
                book.damaged(
                        next,
                        new ShipStatus.Damage(id, frame.after(), String.valueOf(e.getMessage())));
                return;
            }
            Set<ChunkId> tried = new HashSet<>();
            for (int round = 0; ; round++) {
                put.awaitDurable(sent);
                CommitResult result = client.commitPiece(session, bytes);
                heard();
                if (result.committed()) {
                    book.moved(bytes.length);
                    meter.moved(frame.after(), frame.frameBytes());
                    committed(id);
                    return;
                }
                boolean progress = false;
                for (ChunkId lacking : result.missing()) {
                    if (tried.add(lacking) && send(lacking).isEmpty()) {
                        progress = true;
                    }
                }
                if (!progress || round == COMMIT_ROUNDS) {
                    log.warn(
                            "Piece {} stays unshipped to {}: {} frames are missing there",
                            id,
                            peerName,
                            result.missing().size());
                    book.stuck(
                            next,
                            new ShipStatus.Unshipped(
                                    id,
                                    frame.after(),
                                    result.missing()
                                            .subList(0, Math.min(100, result.missing().size()))));
                    return;
                }
            }
        }

        private void committed(ChunkId piece) {
            if (book.committed(piece)) {
                pieceListeners.forEach(listener -> listener.accept(piece));
            }
        }
    }

    /** For people. */
    @Override
    public String toString() {
        return "Shipper[to " + peerName + " at " + book.position() + "]";
    }
}
