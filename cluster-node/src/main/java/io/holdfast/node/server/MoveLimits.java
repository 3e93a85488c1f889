package io.holdfast.node.server;

import io.holdfast.node.api.Requests;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long the parts of a planned move may take.
 *
 * @param drain running jobs are waited for; then they are asked to stop
 * @param barrier the other site may take to draw level
 */
record MoveLimits(Duration drain, Duration barrier) {
    /** What an operator gets who asks for nothing else. */
    static final MoveLimits DEFAULT =
            new MoveLimits(Duration.ofSeconds(60), Duration.ofSeconds(90));

    /** A job that was asked to stop has ended by then, or the move is given up. */
    static final Duration STOP = Duration.ofSeconds(30);

    /** What else a move does: promises, an entry or two, an election. */
    static final Duration REST = Duration.ofMinutes(2);

    /** Those of a request; what it leaves out is as in {@link #DEFAULT}. */
    static MoveLimits of(Requests.Switchover request) {
        return new MoveLimits(
                of(request.drainSeconds(), DEFAULT.drain),
                of(request.barrierSeconds(), DEFAULT.barrier));
    }

    private static Duration of(@Nullable Integer seconds, Duration otherwise) {
        return seconds == null ? otherwise : Duration.ofSeconds(seconds);
    }

    /** When a move has ended, one way or the other. */
    Duration whole() {
        return drain.plus(STOP).plus(barrier).plus(REST);
    }
}
