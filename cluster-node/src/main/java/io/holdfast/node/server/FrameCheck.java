package io.holdfast.node.server;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.ReadOnlyView;
import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Checks a data piece without any key: every frame below its PIECE frame is there, by the clear
 * headers, and its sealed bytes hash to what was stored. Each frame is pinned before it is read.
 */
final class FrameCheck {
    private static final int MAX_PROBLEMS = 20;

    private final Sandbox sandbox;
    private final ReadOnlyView view;
    private final List<String> problems = new ArrayList<>();
    private long frames;
    private long bytes;

    private FrameCheck(Sandbox sandbox) {
        this.sandbox = sandbox;
        this.view = sandbox.view();
    }

    /**
     * What was found. {@code frames} were right; the problems name the others, at most 20. Not {@code
     * whole} when time ran out before all were read.
     */
    record Result(long frames, long bytes, boolean whole, List<String> problems) {
        Result {
            problems = List.copyOf(problems);
        }
    }

    /** Checks a piece. @throws InterruptedException when the rehearsal is stopped */
    static Result of(Sandbox sandbox, ChunkId pieceHeader, long deadlineNanos)
            throws IOException, InterruptedException {
        FrameCheck check = new FrameCheck(sandbox);
        boolean whole = check.walk(pieceHeader, deadlineNanos);
        return new Result(check.frames, check.bytes, whole, check.problems);
    }

    private boolean walk(ChunkId pieceHeader, long deadlineNanos)
            throws IOException, InterruptedException {
        Set<ChunkId> seen = new HashSet<>();
        Deque<ChunkId> waiting = new ArrayDeque<>();
        add(List.of(pieceHeader), seen, waiting);
        while (!waiting.isEmpty() && problems.size() < MAX_PROBLEMS) {
            sandbox.requireGoingOn();
            if (System.nanoTime() - deadlineNanos > 0) {
                return false;
            }
            ChunkId id = waiting.pop();
            try {
                byte[] frame = view.read(id);
                Frame.Header header = Frame.parse(frame, 0, frame.length);
                if (!header.id().equals(id)) {
                    throw new StoreException.Corrupt("Frame " + id + " is frame " + header.id());
                }
                frames++;
                bytes += frame.length;
                add(header.children(), seen, waiting);
            } catch (StoreException.Missing | StoreException.Corrupt e) {
                problems.add(String.valueOf(e.getMessage()));
            }
        }
        return true;
    }

    private void add(List<ChunkId> ids, Set<ChunkId> seen, Deque<ChunkId> waiting)
            throws IOException {
        List<ChunkId> fresh = ids.stream().filter(seen::add).toList();
        BitSet missing = view.pin(fresh);
        for (int i = 0; i < fresh.size(); i++) {
            if (!missing.get(i)) {
                waiting.push(fresh.get(i));
            } else if (problems.size() < MAX_PROBLEMS) {
                problems.add("Frame " + fresh.get(i) + " is missing");
            }
        }
    }
}
