package io.holdfast.agent.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.agent.TestTree;
import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.Chunking;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileCacheTest {
    @TempDir Path dir;

    private final FileCache.Key key =
            new FileCache.Key(
                    new UUID(1, 2), 0x101, new UUID(3, 4), 1, Chunking.DEFAULT, bytes("/source"));

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static FileCache.Known known(int seed) {
        List<ChunkId> content = new ArrayList<>();
        for (int i = 0; i < seed % 4; i++) {
            content.add(ChunkId.of(TestTree.random(seed * 10L + i, 32)));
        }
        return new FileCache.Known(
                bytes("name" + seed), seed * 1000L, seed, -seed, seed + 7, 5, content);
    }

    private Path write() throws IOException {
        Path file = dir.resolve("cache");
        try (FileCache.Writer writer = new FileCache.Writer(file, key)) {
            writer.folder(bytes(""), List.of(known(1), known(2)));
            writer.folder(bytes("a/b"), List.of(known(3)));
            List<FileCache.Known> many = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                many.add(known(i));
            }
            writer.folder(bytes("many"), many);
            writer.commit();
        }
        return file;
    }

    @Test
    void whatWasWrittenIsFoundAgain() throws Exception {
        Path file = write();
        assertThat(dir.resolve("cache.new")).doesNotExist();
        try (FileCache cache = FileCache.open(file, key)) {
            assertThat(cache.folder(bytes("nowhere"))).isEmpty();
            Map<FileCache.Name, FileCache.Known> root = cache.folder(bytes(""));
            assertThat(root).hasSize(2);
            FileCache.Known two = root.get(new FileCache.Name(bytes("name2")));
            assertThat(two.content()).isEqualTo(known(2).content());
            assertThat(two.same(2000, 2, -2, 9, 5)).isTrue();
            assertThat(two.same(2000, 2, -2, 10, 5)).isFalse();
            assertThat(cache.folder(bytes("many"))).hasSize(10_000);
        }
    }

    @Test
    void whatWasNotCommittedLeavesTheOldOne() throws Exception {
        Path file = write();
        try (FileCache.Writer writer = new FileCache.Writer(file, key)) {
            writer.folder(bytes("other"), List.of(known(1)));
        }
        try (FileCache cache = FileCache.open(file, key)) {
            assertThat(cache.folder(bytes("a/b"))).hasSize(1);
            assertThat(cache.folder(bytes("other"))).isEmpty();
        }
        assertThat(dir.resolve("cache.new")).doesNotExist();
    }

    @Test
    void anotherKeyIsNotUsed() throws Exception {
        Path file = write();
        for (FileCache.Key other :
                List.of(
                        new FileCache.Key(
                                new UUID(9, 2),
                                0x101,
                                new UUID(3, 4),
                                1,
                                Chunking.DEFAULT,
                                bytes("/source")),
                        new FileCache.Key(
                                new UUID(1, 2),
                                0x102,
                                new UUID(3, 4),
                                1,
                                Chunking.DEFAULT,
                                bytes("/source")),
                        new FileCache.Key(
                                new UUID(1, 2),
                                0x101,
                                new UUID(3, 4),
                                2,
                                Chunking.DEFAULT,
                                bytes("/source")),
                        new FileCache.Key(
                                new UUID(1, 2),
                                0x101,
                                new UUID(3, 4),
                                1,
                                new Chunking(1 << 10, 1 << 14, 1 << 16, 2),
                                bytes("/source")))) {
            assertThatThrownBy(() -> FileCache.open(file, other))
                    .isInstanceOf(FileCache.Unusable.class)
                    .hasMessageContaining("belongs to another");
        }
        assertThatThrownBy(() -> FileCache.open(dir.resolve("none"), key))
                .isInstanceOf(NoSuchFileException.class);
    }

    /** Whatever the bytes: it opens and tells the truth, or it is not used. */
    @Test
    void damageIsNoticed() throws Exception {
        byte[] whole = Files.readAllBytes(write());
        Map<FileCache.Name, FileCache.Known> truth;
        try (FileCache cache = FileCache.open(dir.resolve("cache"), key)) {
            truth = cache.folder(bytes(""));
        }
        Random random = new Random(20261121);
        Path file = dir.resolve("damaged");
        for (int round = 0; round < 600; round++) {
            byte[] bytes = whole.clone();
            switch (round % 4) {
                case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
                case 1 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[random.nextInt(300)] ^= (byte) (1 + random.nextInt(255));
                default -> bytes[bytes.length - 1 - random.nextInt(100)] ^= (byte) 0x55;
            }
            Files.write(file, bytes);
            try (FileCache cache = FileCache.open(file, key)) {
                Map<FileCache.Name, FileCache.Known> found = cache.folder(bytes(""));
                assertThat(found.keySet()).isEqualTo(truth.keySet());
                cache.folder(bytes("many"));
            } catch (IOException expected) {
                assertThat(expected.getMessage()).isNotEmpty();
            }
        }
        for (int round = 0; round < 200; round++) {
            Files.write(file, TestTree.random(round, random.nextInt(200)));
            assertThatThrownBy(() -> FileCache.open(file, key))
                    .isInstanceOf(FileCache.Unusable.class);
        }
    }
}
