package io.holdfast.chaos.sim;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.FrameKind;
import java.util.ArrayList;
import java.util.List;

/**
 * The small universe of frames: 6 DATA, 6 inner NODEs of two DATA each, 36 root NODEs of two inner ones, and
 * 16 PIECEs, so that a set of them is a {@code long}.
 */
final class Frames {
    static final int DATA = 6;
    static final int PIECES = 16;
    static final int FIRST_ROOT = 2 * DATA;
    static final int FIRST_PIECE = FIRST_ROOT + DATA * DATA;
    private static final ChunkId[] IDS = new ChunkId[64];
    private static final long[] NODE_CLOSURES = new long[64];

    static {
        for (int i = 0; i < IDS.length; i++) {
            byte[] bytes = new byte[32];
            bytes[7] = (byte) i;
            IDS[i] = ChunkId.of(bytes);
        }
        for (int i = 0; i < FIRST_PIECE; i++) {
            long closure = 1L << i;
            for (int child : nodeChildren(i)) {
                closure |= NODE_CLOSURES[child];
            }
            NODE_CLOSURES[i] = closure;
        }
    }

    private Frames() {}

    static ChunkId id(int frame) {
        return IDS[frame];
    }

    static int frame(ChunkId id) {
        return (int) id.prefix();
    }

    static int piece(int p) {
        return FIRST_PIECE + p;
    }

    static FrameKind kind(int frame) {
        return frame < DATA
                ? FrameKind.DATA
                : frame < FIRST_PIECE ? FrameKind.NODE : FrameKind.PIECE;
    }

    /** Children of a DATA or NODE. */
    static int[] nodeChildren(int frame) {
        if (frame < DATA) {
            return new int[0];
        }
        if (frame < FIRST_ROOT) {
            return new int[] {frame - DATA, (frame - DATA + 1) % DATA};
        }
        int pair = frame - FIRST_ROOT;
        return new int[] {DATA + pair / DATA, DATA + pair % DATA};
    }

    /** All below a DATA or NODE, itself included. */
    static long closure(int frame) {
        return NODE_CLOSURES[frame];
    }

    static List<Integer> list(long set) {
        List<Integer> list = new ArrayList<>();
        for (long left = set; left != 0; left &= left - 1) {
            list.add(Long.numberOfTrailingZeros(left));
        }
        return list;
    }
}
