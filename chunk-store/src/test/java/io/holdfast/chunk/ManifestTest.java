package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.holdfast.chunk.proto.v1.Directory;
import io.holdfast.chunk.proto.v1.Entry;
import io.holdfast.chunk.proto.v1.Node;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestTest {
    private static final ManifestWriter.Limits TINY =
            new ManifestWriter.Limits(4, 3, 7, 20, 2000, 5);

    /** Nodes by id, as a sealer names them; checks what a sink is promised. */
    private static final class Nodes implements ManifestWriter.NodeSink, ManifestReader.NodeSource {
        final Map<ChunkId, byte[]> plain = new LinkedHashMap<>();
        final Map<ChunkId, List<ChunkId>> children = new LinkedHashMap<>();
        final Set<ChunkId> data = new HashSet<>();
        int opened;

        @Override
        public ChunkId put(FrameKind kind, byte[] bytes, List<ChunkId> children) {
            assertThat(kind).isEqualTo(FrameKind.NODE);
            assertThat(children).doesNotHaveDuplicates();
            assertThat(children.size()).isLessThanOrEqualTo(Frame.MAX_CHILDREN);
            for (ChunkId child : children) {
                assertThat(plain.containsKey(child) || data.contains(child)).isTrue();
            }
            try (Sealer sealer = Samples.sealer(0)) {
                ChunkId id = sealer.id(kind, bytes, 0, bytes.length, children);
                plain.put(id, bytes);
                this.children.put(id, children);
                return id;
            }
        }

        @Override
        public byte[] open(ChunkId id) throws IOException {
            opened++;
            byte[] bytes = plain.get(id);
            if (bytes == null) {
                throw new StoreException.Corrupt("no node " + id);
            }
            return bytes;
        }

        ChunkId chunk(long n) {
            ChunkId id = ChunkId.of(Samples.bytes(n, 32));
            data.add(id);
            return id;
        }
    }

    private final Nodes nodes = new Nodes();

    private List<ManifestEntry> read(ChunkId directory) throws IOException {
        List<ManifestEntry> entries = new ArrayList<>();
        new ManifestReader(nodes).entries(directory).forEach(entries::add);
        return entries;
    }

    private static byte[] name(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private List<ManifestEntry> oneOfEach(ChunkId subtree) {
        TreeMap<String, byte[]> xattrs = new TreeMap<>();
        xattrs.put("user.b", new byte[] {0, 1, -1});
        xattrs.put("user.a", new byte[0]);
        Optional<ChunkId> none = Optional.empty();
        return List.of(
                Samples.directory("dir", subtree),
                Samples.file("empty", List.of(), 0),
                new ManifestEntry(
                        new byte[] {'f', (byte) 0xff, '\n'},
                        ManifestEntry.Type.FILE,
                        07777,
                        -2,
                        0,
                        "",
                        "",
                        -5,
                        Long.MAX_VALUE,
                        new byte[0],
                        9,
                        0,
                        xattrs,
                        List.of(nodes.chunk(1), nodes.chunk(2), nodes.chunk(1)),
                        none),
                special("g-fifo", ManifestEntry.Type.FIFO, 0, ""),
                special("h-socket", ManifestEntry.Type.SOCKET, 0, ""),
                special("i-char", ManifestEntry.Type.CHARACTER_DEVICE, 0x103, ""),
                special("j-block", ManifestEntry.Type.BLOCK_DEVICE, -1, ""),
                special("k-link", ManifestEntry.Type.SYMLINK, 0, "../a/./b"));
    }

    private static ManifestEntry special(
            String name, ManifestEntry.Type type, long device, String target) {
        return new ManifestEntry(
                name(name),
                type,
                0600,
                1,
                2,
                "u",
                "g",
                0,
                0,
                name(target),
                0,
                device,
                new TreeMap<>(),
                List.of(),
                Optional.empty());
    }

    @Test
    void goldenNodes() throws Exception {
        ManifestWriter writer = new ManifestWriter(nodes, TINY);
        ChunkId empty = writer.directory(List.of());
        ChunkId node = writer.directory(oneOfEach(empty).subList(0, 3));
        Golden.assertMatches("manifest-directory.hex", nodes.plain.get(node));
        List<ChunkId> many = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            many.add(nodes.chunk(i));
        }
        ChunkId split = writer.directory(List.of(Samples.file("large", many, 30)));
        StringBuilder tree = new StringBuilder();
        nodes.children.forEach((id, children) ->
                tree.append(id)
                        .append(' ')
                        .append(nodes.plain.get(id).length)
                        .append(" bytes -> ")
                        .append(children)
                        .append('\n'));
        Golden.assertTextMatches("manifest-tree.txt", tree.toString());
        assertThat(read(split).getFirst().content()).isEqualTo(many);
    }

    @Test
    void everyTypeComesBackAsItWas() throws Exception {
        ManifestWriter writer = new ManifestWriter(nodes);
        ChunkId subtree = writer.directory(List.of());
        assertThat(read(subtree)).isEmpty();
        List<ManifestEntry> entries = oneOfEach(subtree);
        ChunkId node = writer.directory(entries);
        assertThat(read(node)).isEqualTo(entries);
        assertThat(nodes.children.get(node))
                .containsExactly(subtree, nodes.chunk(1), nodes.chunk(2));
        for (ManifestEntry entry : entries) {
            assertThat(new ManifestReader(nodes).find(node, entry.name())).contains(entry);
        }
        assertThat(new ManifestReader(nodes).find(node, name("nowhere"))).isEmpty();
    }

    @Test
    void rootKeepsTheAttributesOfTheTop() throws Exception {
        ManifestWriter writer = new ManifestWriter(nodes);
        ManifestEntry top = Samples.directory("", writer.directory(List.of()));
        ChunkId root = writer.root(top);
        assertThat(new ManifestReader(nodes).root(root)).isEqualTo(top);
        assertThatThrownBy(() -> writer.root(Samples.directory("x", root)))
                .isInstanceOf(IllegalArgumentException.class);
        ChunkId directory =
                writer.directory(List.of(Samples.directory("x", writer.directory(List.of()))));
        assertThatThrownBy(() -> new ManifestReader(nodes).root(directory))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("no root");
    }

    @Test
    void unsortedEntriesAreRefused() {
        ManifestWriter writer = new ManifestWriter(nodes);
        ManifestEntry a = Samples.file("a", List.of(), 0);
        ManifestEntry b = Samples.file("b", List.of(), 0);
        ManifestEntry high =
                special("\u00e9", ManifestEntry.Type.FIFO, 0, ""); // 0xc3: above ASCII, unsigned
        for (List<ManifestEntry> wrong :
                List.of(
                        List.of(b, a),
                        List.of(a, a),
                        List.of(high, a),
                        List.of(Samples.file("", List.of(), 0)))) {
            assertThatThrownBy(() -> writer.directory(wrong))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void namesThatCouldEscapeAreRefused() throws Exception {
        for (String bad : List.of(".", "..", "a/b", "/", "a\0b")) {
            assertThatThrownBy(() -> Samples.file(bad, List.of(), 0))
                    .as(bad)
                    .isInstanceOf(FormatException.class);
            Node hostile =
                    Node.newBuilder()
                            .setVersion(1)
                            .setDirectory(
                                    Directory.newBuilder()
                                            .addEntries(
                                                    Entry.newBuilder()
                                                            .setName(ByteString.copyFromUtf8(bad))
                                                            .setType(Entry.Type.FILE)))
                            .build();
            ChunkId id = nodes.put(FrameKind.NODE, hostile.toByteArray(), List.of());
            assertThatThrownBy(() -> read(id))
                    .hasRootCauseInstanceOf(StoreException.Corrupt.class)
                    .hasStackTraceContaining("manifest entry");
        }
    }

    @Test
    void unknownVersionIsRefused() {
        ChunkId id =
                nodes.put(
                        FrameKind.NODE,
                        Node.newBuilder()
                                .setVersion(2)
                                .setDirectory(Directory.getDefaultInstance())
                                .build()
                                .toByteArray(),
                        List.of());
        assertThatThrownBy(() -> read(id))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("version 2 is unknown here");
    }

    @Test
    void largeDirectoriesAndFilesAreSplitWithinTheBounds() throws Exception {
        List<ManifestEntry> entries = new ArrayList<>();
        for (int i = 0; i < 30_000; i++) {
            entries.add(Samples.file("file-%08d".formatted(i), List.of(nodes.chunk(i)), 1000));
        }
        List<ChunkId> many = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            many.add(nodes.chunk(i % 30_000));
        }
        entries.add(Samples.file("z-large", many, 50_000L << 20));
        ManifestWriter writer = new ManifestWriter(nodes);
        ChunkId root = writer.directory(entries);
        assertThat(nodes.plain.values()).allMatch(bytes -> bytes.length <= 1 << 20);
        assertThat(nodes.children.values()).allMatch(ids -> ids.size() <= 8000);
        assertThat(nodes.plain.size()).isBetween(20, 80);
        List<ManifestEntry> back = read(root);
        assertThat(back.subList(0, 30_000)).isEqualTo(entries.subList(0, 30_000));
        nodes.opened = 0;
        assertThat(back.getLast().content()).hasSize(50_000);
        assertThat(new ArrayList<>(back.getLast().content())).isEqualTo(many);
        assertThat(nodes.opened).isLessThan(60);
        nodes.opened = 0;
        assertThat(new ManifestReader(nodes).find(root, name("file-00012345"))).isPresent();
        assertThat(nodes.opened).isEqualTo(2);

        // What does not change is not written again.
        int before = nodes.plain.size();
        entries.remove(17_000);
        List<ChunkId> shifted = new ArrayList<>(many);
        shifted.add(25_000, nodes.chunk(1_000_000));
        entries.set(entries.size() - 1, Samples.file("z-large", shifted, 50_001L << 20));
        writer.directory(entries);
        assertThat(nodes.plain.size() - before).isLessThanOrEqualTo(6);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void treesOfAnyShapeComeBackAndAreDeterministic(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        TreeMap<String, ManifestEntry> byName = new TreeMap<>();
        ManifestWriter writer = new ManifestWriter(nodes, TINY);
        for (int i = random.nextInt(400); i > 0; i--) {
            String name = Long.toString(random.nextLong(1L << 40), 36);
            List<ChunkId> content = new ArrayList<>();
            int chunks = random.nextInt(5) == 0 ? random.nextInt(300) : random.nextInt(6);
            for (int c = 0; c < chunks; c++) {
                content.add(nodes.chunk(random.nextInt(40)));
            }
            byName.put(name, Samples.file(name, content, chunks));
        }
        List<ManifestEntry> entries = List.copyOf(byName.values());
        ChunkId root = writer.directory(entries);
        assertThat(read(root)).isEqualTo(entries);
        // What was read back writes the same nodes again, split lists included.
        assertThat(writer.directory(read(root))).isEqualTo(root);
        for (ManifestEntry entry : entries) {
            assertThat(new ManifestReader(nodes).find(root, entry.name())).contains(entry);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void readerTakesAnyBytesWithoutHarm(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        ManifestWriter writer = new ManifestWriter(nodes, TINY);
        List<ManifestEntry> entries = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            List<ChunkId> content = new ArrayList<>();
            for (int c = 0; c < i; c++) {
                content.add(nodes.chunk(c));
            }
            entries.add(Samples.file("f%03d".formatted(i), content, i));
        }
        ChunkId root = writer.directory(entries);
        List<ChunkId> all = List.copyOf(nodes.plain.keySet());
        for (int i = 0; i < 3000; i++) {
            ChunkId victim = all.get(random.nextInt(all.size()));
            byte[] whole = nodes.plain.get(victim);
            nodes.plain.put(victim, FrameTest.mutate(whole, random));
            FrameTest.onlyCorrupt(() -> {
                try {
                    for (ManifestEntry entry : read(root)) {
                        if (entry.content().size() < 1000) {
                            entry.content().forEach(id -> {});
                        }
                    }
                    new ManifestReader(nodes).find(root, name("f030"));
                } catch (java.io.UncheckedIOException e) {
                    throw e.getCause();
                }
            });
            nodes.plain.put(victim, whole);
        }
    }

    @Test
    void hugeAttributesAreRefusedByName() {
        TreeMap<String, byte[]> xattrs = new TreeMap<>();
        xattrs.put("user.huge", new byte[3 << 20]);
        ManifestEntry entry =
                new ManifestEntry(
                        name("big"),
                        ManifestEntry.Type.FIFO,
                        0,
                        0,
                        0,
                        "",
                        "",
                        0,
                        0,
                        new byte[0],
                        0,
                        0,
                        xattrs,
                        List.of(),
                        Optional.empty());
        assertThatThrownBy(() -> new ManifestWriter(nodes).directory(List.of(entry)))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("big");
    }
}
