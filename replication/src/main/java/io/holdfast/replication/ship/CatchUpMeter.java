package io.holdfast.replication.ship;

import io.holdfast.chunk.LogPosition;

/**
 * Measures a catch-up: what a peer lacked when it was reached, and what was sent because of it. A peer
 * may hold frames that stand behind the cursor; they are taken off as it says so. Thread-safe.
 */
final class CatchUpMeter {
    private LogPosition end = LogPosition.START;
    private LogPosition walked = LogPosition.START;
    private ShipStatus.CatchUp now = ShipStatus.CatchUp.NONE;

    /** A peer was reached; one that is still catching up goes on. */
    synchronized void begin(LogPosition from, LogPosition upTo, long frames, long bytes) {
        if (!now.done() || frames == 0) {
            return;
        }
        end = upTo;
        walked = from;
        now = new ShipStatus.CatchUp(false, frames, bytes, 0, 0);
    }

    /** Forgets all: the peer's store is another one. */
    synchronized void forget() {
        now = ShipStatus.CatchUp.NONE;
    }

    /** The peer has this frame already, if it was not sent before the connection broke. */
    synchronized void had(LogPosition after, long bytes) {
        if (counts(after) && after.compareTo(walked) > 0) {
            walked = after;
            now =
                    new ShipStatus.CatchUp(
                            false,
                            now.framesMissing() - 1,
                            now.bytesMissing() - bytes,
                            now.framesMoved(),
                            now.bytesMoved());
        }
    }

    /** This frame was sent. */
    synchronized void moved(LogPosition after, long bytes) {
        if (counts(after)) {
            walked = after.compareTo(walked) > 0 ? after : walked;
            now =
                    new ShipStatus.CatchUp(
                            false,
                            now.framesMissing(),
                            now.bytesMissing(),
                            now.framesMoved() + 1,
                            now.bytesMoved() + bytes);
        }
    }

    private boolean counts(LogPosition after) {
        return !now.done() && after.compareTo(end) <= 0;
    }

    /** Everything up to here is durable at the peer, or cannot be shipped. */
    synchronized void reached(LogPosition position) {
        if (!now.done() && position.compareTo(end) >= 0) {
            now =
                    new ShipStatus.CatchUp(
                            true,
                            now.framesMissing(),
                            now.bytesMissing(),
                            now.framesMoved(),
                            now.bytesMoved());
        }
    }

    synchronized ShipStatus.CatchUp now() {
        return now;
    }
}
