package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.standard.Chunking;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkerProperties {
    private static final Chunking SMALL = new Chunking(256, 1024, 4096, 2);

    /** Hands out bytes in pieces of random length, often one. */
    private static InputStream drip(byte[] bytes, SplittableRandom random) {
        return new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                int most = random.nextBoolean() ? 1 : 1 + random.nextInt(5000);
                return super.read(target, offset, Math.min(length, most));
            }
        };
    }

    private static List<ChunkId> ids(byte[] bytes, InputStream in) throws IOException {
        List<ChunkId> ids = new ArrayList<>();
        Chunker chunker = new Chunker(SMALL, in);
        int at = 0;
        try (Sealer sealer = Samples.sealer(0)) {
            while (chunker.next()) {
                int end = at + chunker.length();
                byte[] given =
                        Arrays.copyOfRange(
                                chunker.buffer(),
                                chunker.offset(),
                                chunker.offset() + chunker.length());
                assertThat(given).isEqualTo(Arrays.copyOfRange(bytes, at, end));
                assertThat(given.length).isLessThanOrEqualTo(SMALL.maxBytes());
                if (end < bytes.length) {
                    assertThat(given.length).isGreaterThanOrEqualTo(SMALL.minBytes());
                }
                ids.add(sealer.id(given, 0, given.length));
                at = end;
            }
        }
        assertThat(at).isEqualTo(bytes.length);
        return ids;
    }

    private static byte[] sample(SplittableRandom random) {
        byte[] bytes = new byte[random.nextInt(200_000)];
        random.nextBytes(bytes);
        // Runs of one byte, as real files have them.
        for (int i = random.nextInt(4); i > 0 && bytes.length > 0; i--) {
            int from = random.nextInt(bytes.length);
            Arrays.fill(bytes, from, Math.min(bytes.length, from + random.nextInt(9000)), (byte) i);
        }
        return bytes;
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void cutsDoNotDependOnReadSizes(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] bytes = sample(random);
        assertThat(ids(bytes, drip(bytes, random)))
                .isEqualTo(ids(bytes, new ByteArrayInputStream(bytes)));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void cutsAreThoseOfTheRuleWrittenNaively(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] bytes = Arrays.copyOf(sample(random), 60_000);
        for (int level = 0; level <= 3; level++) {
            Chunking chunking = new Chunking(64 + random.nextInt(400), 1024, 5000, level);
            assertThat(ChunkerTest.lengths(chunking, new ByteArrayInputStream(bytes)))
                    .isEqualTo(ChunkerTest.naive(chunking, bytes, ChunkerTest.gear()));
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {11, 12, 13, 14, 15, 16})
    void anInsertionChangesOnlyTheChunksAroundIt(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] before = new byte[300_000];
        random.nextBytes(before);
        int at = random.nextInt(before.length);
        byte[] inserted = new byte[1 + random.nextInt(100)];
        random.nextBytes(inserted);
        byte[] after = new byte[before.length + inserted.length];
        System.arraycopy(before, 0, after, 0, at);
        System.arraycopy(inserted, 0, after, at, inserted.length);
        System.arraycopy(before, at, after, at + inserted.length, before.length - at);
        Set<ChunkId> known = new HashSet<>(ids(before, new ByteArrayInputStream(before)));
        List<ChunkId> now = ids(after, new ByteArrayInputStream(after));
        long fresh = now.stream().filter(id -> !known.contains(id)).count();
        assertThat(fresh).isBetween(1L, 8L);
    }
}
