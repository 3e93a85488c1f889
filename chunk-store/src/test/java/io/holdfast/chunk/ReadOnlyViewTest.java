package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chunk.memory.MemoryChunkStore;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ReadOnlyViewTest {
    private static final UUID SESSION = UUID.randomUUID();

    private static ChunkId put(ChunkStore store, DomainKey key, String text) throws Exception {
        byte[] plain = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        try (Sealer sealer = new Sealer(key, 0)) {
            ChunkId id = sealer.id(plain, 0, plain.length);
            byte[] frame = sealer.seal(FrameKind.DATA, id, plain, 0, plain.length, List.of());
            assertThat(store.append(SESSION, frame, 0, frame.length)).isTrue();
            store.sync();
            return id;
        }
    }

    @Test
    void showsTheStoreAsItWasAndTakesNothing() throws Exception {
        DomainKey key = DomainKey.generate(UUID.randomUUID(), 1, new java.security.SecureRandom());
        try (ChunkStore store = new MemoryChunkStore(UUID.randomUUID())) {
            ChunkId before = put(store, key, "before");
            ReadOnlyView view = new ReadOnlyView(store);
            ChunkId later = put(store, key, "later");

            assertThat(view.incarnation()).isEqualTo(store.incarnation());
            assertThat(view.inventory()).extracting(ChunkStore.Tailed::id).containsExactly(before);
            assertThat(view.durableEnd()).isLessThan(store.durableEnd());
            assertThat(view.read(before)).isEqualTo(store.read(before));
            assertThat(view.holds(later)).isTrue();
            ChunkId none = ChunkId.of(new byte[32]);
            assertThat(view.pin(List.of(before, none)).stream().boxed()).containsExactly(1);

            byte[] frame = store.read(before);
            assertThatThrownBy(() -> view.append(SESSION, frame, 0, frame.length))
                    .isInstanceOf(StoreException.ReadOnly.class);
            assertThatThrownBy(view::sync).isInstanceOf(StoreException.ReadOnly.class);
            assertThatThrownBy(() -> view.commitPiece(SESSION, frame))
                    .isInstanceOf(StoreException.ReadOnly.class);
            view.close();
            assertThat(store.read(before)).isEqualTo(frame);
        }
    }
}
