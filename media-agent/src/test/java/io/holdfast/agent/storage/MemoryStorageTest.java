package io.holdfast.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.chunk.ChunkStore;
import io.holdfast.chunk.memory.MemoryChunkStore;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MemoryStorageTest extends StorageContract {
    private final MemoryChunkStore memory = new MemoryChunkStore(UUID.randomUUID());

    @Override
    ChunkStore newStore(Path below) {
        return memory;
    }

    @Test
    void flippedBitIsRefusedByNameAndHealedBySendingAgain() throws Exception {
        TestFrames.Piece piece = TestFrames.piece(6, 3, 500);
        StorageClient client = agent();
        StorageSession session = backup(client);
        putAll(client, session, piece.below());
        memory.damage(TestFrames.id(piece.node()), 999);
        assertThat(
                        refused(
                                () -> client.read(session, TestFrames.id(piece.node())),
                                ErrorDetail.Code.CORRUPT))
                .hasMessageContaining(TestFrames.id(piece.node()).toString());
        assertThat(client.commitPiece(session, piece.header()).missing())
                .containsExactly(TestFrames.id(piece.node()));
        putAll(client, session, List.of(piece.node()));
        assertThat(client.commitPiece(session, piece.header()).committed()).isTrue();
    }

    @Test
    void nodeFoundDamagedWhileProvingIsAskedFor() throws Exception {
        TestFrames.Piece piece = TestFrames.piece(7, 3, 500);
        StorageClient client = agent();
        StorageSession session = backup(client);
        putAll(client, session, piece.below());
        memory.damage(TestFrames.id(piece.node()), 999);
        assertThat(client.commitPiece(session, piece.header()).missing())
                .containsExactly(TestFrames.id(piece.node()));
    }
}
