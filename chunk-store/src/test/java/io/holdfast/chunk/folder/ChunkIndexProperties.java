package io.holdfast.chunk.folder;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkIndexProperties {
    /** Hostile ids share their first 28 bytes. */
    private static ChunkId id(SplittableRandom random, boolean hostile) {
        byte[] bytes = new byte[ChunkId.BYTES];
        random.nextBytes(bytes);
        if (hostile) {
            java.util.Arrays.fill(bytes, 0, 28, (byte) 7);
        }
        return ChunkId.of(bytes);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void findsWhatAMapFinds(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ChunkIndex index = new ChunkIndex(random.nextLong());
        Map<ChunkId, Integer> model = new HashMap<>();
        List<ChunkId> ids = new ArrayList<>();
        int count = 60_000; // several blocks, several growths of every shard
        int published = 0;
        for (int i = 0; i < count; i++) {
            boolean again = !ids.isEmpty() && random.nextInt(10) == 0;
            ChunkId id = again ? ids.get(random.nextInt(ids.size())) : id(random, i % 2 == 0);
            FrameKind kind = FrameKind.values()[random.nextInt(3)];
            boolean damaged = random.nextInt(100) == 0;
            index.add(id, kind, 1 + i / 1000, i % 1000 * 100, 100 + i % 50, damaged);
            if (!damaged) {
                model.put(id, i);
                ids.add(id);
            }
            assertThat(index.added(id)).isEqualTo(model.containsKey(id));
            if (random.nextInt(100) == 0) {
                index.publish(i + 1);
                published = i + 1;
            }
        }
        for (Map.Entry<ChunkId, Integer> entry : model.entrySet()) {
            boolean durable = entry.getValue() < published;
            assertThat(index.held(entry.getKey())).isEqualTo(durable ? entry.getValue() : -1);
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(index.held(id(random, i % 2 == 0))).isEqualTo(-1);
        }
        int marked = model.get(ids.getFirst());
        index.markDamaged(marked);
        assertThat(index.held(ids.getFirst())).isEqualTo(-1);
        assertThat(index.get(marked).damaged()).isTrue();
        assertThat(index.get(marked).id()).isEqualTo(ids.getFirst());
        for (int i = 0; i < count; i += 77) {
            assertThat(index.firstAfter(index.get(i).after())).isEqualTo(i + 1);
            assertThat(index.get(i).pack()).isEqualTo(1 + i / 1000);
            assertThat(index.get(i).frameBytes()).isEqualTo(100 + i % 50);
        }
        assertThat(index.firstAfter(LogPosition.START)).isZero();
        assertThat(index.size()).isEqualTo(count);
    }

    @Test
    void aFrameCostsAtMostSixtyFourBytes() {
        Runtime runtime = Runtime.getRuntime();
        SplittableRandom random = new SplittableRandom(1);
        int count = 1_000_000;
        long before = used(runtime);
        ChunkIndex index = new ChunkIndex(1);
        for (int i = 0; i < count; i++) {
            index.add(id(random, false), FrameKind.DATA, 1, i, 1, false);
        }
        long each = (used(runtime) - before) / count;
        assertThat(each).isLessThanOrEqualTo(64); // 55, and what else moved in the heap
        assertThat(index.size()).isEqualTo(count);
    }

    private static long used(Runtime runtime) {
        for (int i = 0; i < 3; i++) {
            runtime.gc();
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
