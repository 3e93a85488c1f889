package io.holdfast.agent.storage;

import io.grpc.stub.ServerCallStreamObserver;
import io.holdfast.agent.proto.v1.InventoryEntry;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.LogPosition;
import java.io.IOException;
import java.util.ArrayDeque;

/** One inventory: walks the log in batches, only as fast as the caller reads. */
final class InventoryHandler {
    private static final int BATCH = 1024;

    private final ChunkStore store;
    private final ServerCallStreamObserver<InventoryEntry> replies;
    private final ArrayDeque<ChunkStore.Tailed> batch = new ArrayDeque<>();
    private LogPosition position;
    private boolean ended;

    InventoryHandler(
            ChunkStore store, LogPosition from, ServerCallStreamObserver<InventoryEntry> replies) {
        this.store = store;
        this.position = from;
        this.replies = replies;
        replies.setOnReadyHandler(this::pump);
        replies.setOnCancelHandler(() -> ended = true);
    }

    /** Sends while the caller takes. */
    void pump() {
        try {
            while (!ended && replies.isReady()) {
                if (batch.isEmpty()) {
                    batch.addAll(store.tail(position, BATCH));
                }
                ChunkStore.Tailed next = batch.poll();
                if (next == null) {
                    ended = true;
                    replies.onCompleted();
                    return;
                }
                position = next.after();
                replies.onNext(
                        InventoryEntry.newBuilder()
                                .setId(Wire.bytes(next.id()))
                                .setKind(next.kind().code())
                                .setFrameBytes(next.frameBytes())
                                .setAfterPack(position.pack())
                                .setAfterOffset(position.offset())
                                .setDamage(next.damage().orElse(""))
                                .build());
            }
        } catch (IOException | RuntimeException e) {
            ended = true;
            replies.onError(Errors.fromHandler(e));
        }
    }
}
