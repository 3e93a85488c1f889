package io.holdfast.replication.state;

import io.holdfast.standard.FormatException;
import java.util.Optional;
import java.util.UUID;

/**
 * A legal hold: what it names does not expire, neither by a policy nor by name, until it is released.
 *
 * @param id its own
 * @param piece the data piece that it names
 * @param client all data pieces of this client, present and future; exactly one of the two is there
 * @param timeMicros leader's time, epoch microseconds
 * @param who the operator
 * @param reason in the operator's words
 */
public record Hold(
        UUID id,
        Optional<UUID> piece,
        Optional<UUID> client,
        long timeMicros,
        String who,
        String reason) {
    /** Checks that it names one thing. */
    public Hold {
        if (piece.isPresent() == client.isPresent()) {
            throw new FormatException("hold", id.toString(), 0, "a piece or a client");
        }
    }

    /** Whether it names this piece. */
    public boolean holds(UUID ofPiece, UUID ofClient) {
        return piece.equals(Optional.of(ofPiece)) || client.equals(Optional.of(ofClient));
    }
}
