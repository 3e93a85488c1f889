package io.holdfast.chunk.memory;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.ClosureProof;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A chunk store in memory, for tests: the contract of {@link ChunkStore}, with {@link #sync} as a
 * mark instead of a disk. Positions are those of one endless pack. {@link #damage} flips a bit.
 */
public final class MemoryChunkStore implements ChunkStore {
    @SuppressWarnings("ArrayRecordComponent") // never leaves this class
    private record Held(ChunkId id, FrameKind kind, byte[] frame, byte[] asAppended, long end) {}

    private final UUID incarnation;
    private final List<Held> log = new ArrayList<>();
    private final Map<ChunkId, Integer> numbers = new HashMap<>();
    private final BitSet damaged = new BitSet();
    private final ClosureProof proof = new ClosureProof();
    private int durable;
    private long end;
    private boolean closed;
    private @Nullable Runnable whenFull;

    /** An empty store of this incarnation. */
    public MemoryChunkStore(UUID incarnation) {
        this.incarnation = incarnation;
    }

    @Override
    public UUID incarnation() {
        return incarnation;
    }

    @Override
    public synchronized BitSet missing(UUID session, List<ChunkId> ids) {
        BitSet missing = new BitSet(ids.size());
        for (int i = 0; i < ids.size(); i++) {
            missing.set(i, number(ids.get(i)) < 0);
        }
        return missing;
    }

    @Override
    public synchronized boolean append(UUID session, byte[] frame, int offset, int length)
            throws IOException {
        requireOpen();
        Frame.Header header = Frame.parse(frame, offset, length);
        if (header.kind() == FrameKind.PIECE) {
            throw new IllegalArgumentException(
                    "PIECE " + header.id() + " enters by commitPiece, not by append");
        }
        return add(header, Arrays.copyOfRange(frame, offset, offset + length));
    }

    private boolean add(Frame.Header header, byte[] frame) throws IOException {
        Integer held = numbers.get(header.id());
        if (held != null && !damaged.get(held)) {
            return false;
        }
        if (whenFull != null) {
            whenFull.run();
            throw new StoreException.Full(
                    "No space left in this memory for chunk " + header.id(),
                    new IOException("said to be full"));
        }
        end += frame.length;
        numbers.put(header.id(), log.size());
        log.add(new Held(header.id(), header.kind(), frame, frame.clone(), end));
        return true;
    }

    @Override
    public synchronized LogPosition sync() throws IOException {
        requireOpen();
        durable = log.size();
        return durableEnd();
    }

    @Override
    public synchronized List<ChunkId> commitPiece(UUID session, byte[] pieceFrame)
            throws IOException {
        PieceHeader piece = PieceHeader.parse(pieceFrame);
        sync();
        List<ChunkId> missing = proof.missing(piece.root(), new View());
        if (missing.isEmpty()) {
            add(Frame.parse(pieceFrame, 0, pieceFrame.length), pieceFrame.clone());
            sync();
        }
        return missing;
    }

    @Override
    public void release(UUID session) {
        // Nothing is ever removed, so nothing needs a pin.
    }

    @Override
    public synchronized byte[] read(ChunkId id) throws IOException {
        Integer number = numbers.get(id);
        if (number == null || number >= durable) {
            throw new StoreException.Missing("Chunk " + id + " is not in store " + incarnation);
        }
        Held held = log.get(number);
        if (damaged.get(number) || !Arrays.equals(held.frame, held.asAppended)) {
            damaged.set(number);
            proof.forget();
            throw new StoreException.Corrupt(
                    "Chunk " + id + " in pack 1 before offset " + held.end + " is damaged");
        }
        return held.frame.clone();
    }

    @Override
    public synchronized boolean holds(ChunkId id) {
        return number(id) >= 0;
    }

    private int number(ChunkId id) {
        Integer number = numbers.get(id);
        return number == null || number >= durable || damaged.get(number) ? -1 : number;
    }

    @Override
    public synchronized LogPosition durableEnd() {
        return durable == 0 ? LogPosition.START : new LogPosition(1, log.get(durable - 1).end);
    }

    @Override
    public synchronized List<Tailed> tail(LogPosition from, int maxFrames) {
        List<Tailed> tail = new ArrayList<>();
        for (int i = 0; i < durable && tail.size() < maxFrames; i++) {
            Held held = log.get(i);
            LogPosition after = new LogPosition(1, held.end);
            if (after.compareTo(from) > 0) {
                tail.add(
                        new Tailed(
                                held.id,
                                held.kind,
                                held.frame.length,
                                after,
                                damaged.get(i)
                                        ? Optional.of("damaged before " + after)
                                        : Optional.empty()));
            }
        }
        return tail;
    }

    @Override
    public synchronized Usage usage() {
        return new Usage(durable, durableEnd().offset(), durable == 0 ? 0 : 1, Long.MAX_VALUE);
    }

    /** Flips one bit of a stored frame: the next read tells. */
    public synchronized void damage(ChunkId id, long bit) {
        Integer number = numbers.get(id);
        if (number == null) {
            throw new IllegalArgumentException("No chunk " + id + " to damage");
        }
        byte[] frame = log.get(number).frame;
        int at = (int) (bit / 8 % frame.length);
        frame[at] ^= (byte) (1 << bit % 8);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("Store " + incarnation + " is closed");
        }
    }

    /** From now on there is no space for a new frame, and this is told so; null: there is again. */
    public synchronized void onFull(@Nullable Runnable told) {
        whenFull = told;
    }

    @Override
    public synchronized void close() {
        closed = true;
    }

    private final class View implements ClosureProof.Held {
        @Override
        public int number(ChunkId id) {
            return MemoryChunkStore.this.number(id);
        }

        @Override
        public ChunkId id(int number) {
            return log.get(number).id;
        }

        @Override
        public FrameKind kind(int number) {
            return log.get(number).kind;
        }

        @Override
        public List<ChunkId> children(ChunkId node) throws IOException {
            byte[] frame = read(node);
            return Frame.parse(frame, 0, frame.length).children();
        }
    }
}
