package io.holdfast.node.api;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A legal hold.
 *
 * @param id its own
 * @param piece the data piece that it names; absent when it names a client
 * @param client the client whose pieces it names; absent when it names a piece
 * @param clientName name of that client; absent when it is none any more
 * @param since when it began
 * @param who the operator
 * @param reason in the operator's words
 */
public record HoldView(
        UUID id,
        @Nullable UUID piece,
        @Nullable UUID client,
        @Nullable String clientName,
        Moment since,
        String who,
        String reason) {}
