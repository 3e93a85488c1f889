package io.holdfast.chunk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Proves that everything below a root is held, by the clear headers of NODE frames: no key needed.
 * Iterative; memory is one bit per frame of the store and four bytes per node waiting. What was
 * proven stays proven until {@link #forget}, across pieces and sessions, so that the next backup of
 * a mostly unchanged tree reads only its new nodes. Thread-safe.
 */
public final class ClosureProof {
    /** Most missing ids that one proof tells. */
    public static final int MAX_MISSING = 10_000;

    /** A store, as a proof sees it: durable, undamaged frames with numbers. */
    public interface Held {
        /** Number of the frame that holds {@code id}, or -1. The same one until {@code forget}. */
        int number(ChunkId id);

        /** Id of the frame with this number. */
        ChunkId id(int number);

        /** Kind of the frame with this number. */
        FrameKind kind(int number);

        /** Child ids in the header of a NODE, after its bytes were verified. */
        List<ChunkId> children(ChunkId node) throws IOException;
    }

    private final BitSet proven = new BitSet();
    private long generation;

    /**
     * Which ids below {@code root}, itself included, are not held; at most {@link #MAX_MISSING}.
     *
     * @throws StoreException.Corrupt when a PIECE is below it, the root is no NODE, or a NODE's bytes
     *     are damaged
     */
    public List<ChunkId> missing(ChunkId root, Held held) throws IOException {
        BitSet known;
        long began;
        synchronized (proven) {
            known = (BitSet) proven.clone();
            began = generation;
        }
        Set<ChunkId> missing = new LinkedHashSet<>();
        BitSet seen = new BitSet();
        IntStack waiting = new IntStack();
        int rootNumber = held.number(root);
        if (rootNumber < 0) {
            return List.of(root);
        }
        if (held.kind(rootNumber) != FrameKind.NODE) {
            throw new StoreException.Corrupt(
                    "Root " + root + " of a piece is a " + held.kind(rootNumber) + ", not a NODE");
        }
        visit(rootNumber, root, held, known, seen, waiting);
        while (!waiting.isEmpty() && missing.size() < MAX_MISSING) {
            for (ChunkId child : held.children(held.id(waiting.pop()))) {
                int number = held.number(child);
                if (number < 0) {
                    missing.add(child);
                } else {
                    visit(number, child, held, known, seen, waiting);
                }
            }
        }
        if (missing.isEmpty()) {
            synchronized (proven) {
                if (generation == began) {
                    proven.or(seen);
                }
            }
        }
        return new ArrayList<>(missing).subList(0, Math.min(missing.size(), MAX_MISSING));
    }

    private static void visit(
            int number, ChunkId id, Held held, BitSet known, BitSet seen, IntStack waiting)
            throws StoreException.Corrupt {
        switch (held.kind(number)) {
            case DATA -> {}
            case NODE -> {
                if (!known.get(number) && !seen.get(number)) {
                    seen.set(number);
                    waiting.push(number);
                }
            }
            case PIECE -> throw new StoreException.Corrupt("A manifest refers to PIECE " + id);
        }
    }

    /** Forgets all proofs: a frame turned out to be damaged, or frames were removed. */
    public void forget() {
        synchronized (proven) {
            proven.clear();
            generation++;
        }
    }

    private static final class IntStack {
        private int[] values = new int[64];
        private int size;

        void push(int value) {
            if (size == values.length) {
                values = java.util.Arrays.copyOf(values, 2 * size);
            }
            values[size++] = value;
        }

        int pop() {
            return values[--size];
        }

        boolean isEmpty() {
            return size == 0;
        }
    }
}
