package io.holdfast.chunk.gc;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.BitSet;

/**
 * What a mark finds: every frame that the roots reach. One bit per frame, and four bytes per node
 * waiting; every node is read once.
 */
public final class Reach {
    private Reach() {}

    /** A store's frames by number. */
    @FunctionalInterface
    public interface Graph {
        /**
         * Numbers of the frames that this one names: a PIECE its root, a NODE its children, a DATA none.
         * Children that the store does not hold are left out.
         *
         * @throws IOException when it cannot be read: what it names is unknown, and the mark must fail
         */
        int[] children(int frame) throws IOException;
    }

    /** Adds to {@code reached} all that {@code roots} reach, themselves included. */
    public static void from(BitSet roots, Graph graph, BitSet reached) throws IOException {
        ArrayDeque<Integer> waiting = new ArrayDeque<>();
        for (int root = roots.nextSetBit(0); root >= 0; root = roots.nextSetBit(root + 1)) {
            visit(root, reached, waiting);
        }
        while (!waiting.isEmpty()) {
            for (int child : graph.children(waiting.removeLast())) {
                visit(child, reached, waiting);
            }
        }
    }

    private static void visit(int frame, BitSet reached, ArrayDeque<Integer> waiting) {
        if (!reached.get(frame)) {
            reached.set(frame);
            waiting.addLast(frame);
        }
    }
}
