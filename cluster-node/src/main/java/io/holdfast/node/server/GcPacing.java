package io.holdfast.node.server;

import io.holdfast.chunk.gc.GcState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Decides when the leader orders what of a store. Pure. The store decides whether it obeys. */
final class GcPacing {
    private GcPacing() {}

    /** What to order now. */
    enum Step {
        /** Nothing yet. */
        NOTHING,
        /** A mark. */
        MARK,
        /** A sweep. */
        SWEEP
    }

    /**
     * A mark of the store that has fossils.
     *
     * @param madeMicros leader's time when they were made
     * @param sessions of then that are open still
     * @param confirmed whether a second mark has found them too
     */
    record Fossils(long madeMicros, int sessions, boolean confirmed) {}

    /**
     * The first line that fits:
     *
     * <pre>
     * work is under way                                       nothing
     * a mark is confirmed, no sweep was tried within a period,
     *   and sweeps are not frozen                             SWEEP
     * a mark is due for its second, and none was tried since  MARK
     * no mark was tried within a period                       MARK
     * anything else                                           nothing
     * </pre>
     *
     * @param working whether the store works
     * @param frozen whether a sweep would be refused, and marks are to go on meanwhile
     * @param marks those of the present epoch
     * @param grace of the store
     * @param every the period
     * @param lastMark leader's time of the newest mark that was tried
     * @param lastSweep leader's time of the newest sweep that was tried and deleted nothing
     */
    static Step next(
            long nowMicros,
            boolean working,
            boolean frozen,
            List<Fossils> marks,
            Duration grace,
            Duration every,
            Optional<Long> lastMark,
            Optional<Long> lastSweep) {
        if (working) {
            return Step.NOTHING;
        }
        boolean triedSweep = lastSweep.filter(at -> nowMicros - at < micros(every)).isPresent();
        if (!frozen && !triedSweep && marks.stream().anyMatch(Fossils::confirmed)) {
            return Step.SWEEP;
        }
        for (Fossils mark : marks) {
            long due = mark.madeMicros() + micros(grace);
            boolean tried = lastMark.filter(at -> at >= due).isPresent();
            if (!mark.confirmed() && mark.sessions() == 0 && nowMicros >= due && !tried) {
                return Step.MARK;
            }
        }
        boolean triedMark = lastMark.filter(at -> nowMicros - at < micros(every)).isPresent();
        return triedMark ? Step.NOTHING : Step.MARK;
    }

    /**
     * Whether a frozen store may be marked once more: a store keeps {@link GcState#MAX_RUNS} marks, and the
     * last of them is for the mark that proves its sweep.
     */
    static boolean leavesRoom(int marks) {
        return marks < GcState.MAX_RUNS - 1;
    }

    private static long micros(Duration duration) {
        return duration.toMillis() * 1_000;
    }
}
