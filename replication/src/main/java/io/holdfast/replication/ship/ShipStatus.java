package io.holdfast.replication.ship;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.LogPosition;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * How far the other site's storage is behind this one.
 *
 * @param state what the shipper is doing
 * @param peer the peer's address, for people
 * @param own incarnation of the local store, which the positions belong to
 * @param peerIncarnation of the peer's store, once it has been reached
 * @param position up to here the peer has everything durably, but for {@code damage} and {@code
 *     unshipped}
 * @param durableEnd end of the local log
 * @param lagFrames between the two
 * @param lagBytes of them, as frames; at most this much is missing at the peer
 * @param framesMoved to the peer since this shipper began
 * @param bytesMoved of them
 * @param piecesCommitted at the peer by this shipper, or found there
 * @param catchUp the newest time that the peer had to catch up
 * @param lastContact when the peer last answered
 * @param lastError why the last attempt failed; empty when it did not
 * @param damage local frames that the peer lacks and whose bytes are not what was stored
 * @param unshipped pieces that the peer could not be given, and what they wait for
 */
public record ShipStatus(
        State state,
        String peer,
        UUID own,
        Optional<UUID> peerIncarnation,
        LogPosition position,
        LogPosition durableEnd,
        long lagFrames,
        long lagBytes,
        long framesMoved,
        long bytesMoved,
        long piecesCommitted,
        CatchUp catchUp,
        Optional<Instant> lastContact,
        String lastError,
        List<Damage> damage,
        List<Unshipped> unshipped) {
    /** Copies the lists. */
    public ShipStatus {
        damage = List.copyOf(damage);
        unshipped = List.copyOf(unshipped);
    }

    /** What a shipper is doing. */
    public enum State {
        /** Not connected: trying, with pauses. */
        CONNECTING,
        /** The peer lacks something of what is durable here, and is getting it. */
        SHIPPING,
        /** The peer has all that is durable here, but for damage. */
        CAUGHT_UP,
        /** Paused by {@link Shipper#pause}. */
        PAUSED,
        /** The peer has obeyed a higher epoch: stopped until this site knows it too. */
        STALE_EPOCH,
        /** Closed. */
        CLOSED
    }

    /**
     * A catch-up, from the moment a peer that lacked something was reached.
     *
     * @param done whether the peer has all of it; before, what it already has is still counted in
     * @param framesMissing at the peer when it began
     * @param bytesMissing of them
     * @param framesMoved sent because of it, so far
     * @param bytesMoved of them
     */
    public record CatchUp(
            boolean done,
            long framesMissing,
            long bytesMissing,
            long framesMoved,
            long bytesMoved) {
        /** None yet. */
        public static final CatchUp NONE = new CatchUp(true, 0, 0, 0, 0);

        /** Of two peers together. */
        public CatchUp plus(CatchUp other) {
            return new CatchUp(
                    done && other.done,
                    framesMissing + other.framesMissing,
                    bytesMissing + other.bytesMissing,
                    framesMoved + other.framesMoved,
                    bytesMoved + other.bytesMoved);
        }
    }

    /** A frame that cannot be shipped. */
    public record Damage(ChunkId id, LogPosition after, String message) {}

    /** A piece that cannot be committed at the peer, and (some of) the ids it lacks there. */
    public record Unshipped(ChunkId piece, LogPosition after, List<ChunkId> missing) {
        /** Copies the list. */
        public Unshipped {
            missing = List.copyOf(missing);
        }
    }
}
