package io.holdfast.chunk;

import com.google.protobuf.ByteString;
import io.holdfast.chunk.proto.v1.Content;
import io.holdfast.chunk.proto.v1.Directory;
import io.holdfast.chunk.proto.v1.Entry;
import io.holdfast.chunk.proto.v1.Node;
import io.holdfast.chunk.proto.v1.NodeIndex;
import io.holdfast.chunk.proto.v1.Part;
import io.holdfast.chunk.proto.v1.Xattr;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes the manifest of a data piece as NODE chunks, bottom-up: a directory's children first, then
 * the directory, so that children always reach the store before what refers to them. The bytes are
 * those of {@code manifest.proto}; an unchanged directory gives the same ones and deduplicates.
 *
 * <p>Large lists become trees. A list is cut after an element whose hash has its low 11 bits zero,
 * once a part has 512 elements, so that a change in the middle of a million names or chunks changes
 * one part and the index above it, not all that follows; and where a part would outgrow 1 MiB, 8,000
 * child ids or 8,000 chunks. Parts are listed in index nodes of up to 4,096. The hash of a chunk is
 * the first 8 bytes of its id, that of an entry FNV-1a of its name, mixed. Where a list is cut is the
 * writer's choice: a reader takes any.
 *
 * <p>Thread-safe as far as its sink is: it has no state of its own.
 */
public final class ManifestWriter {
    /** Where nodes go: named, sealed and sent by the caller. */
    public interface NodeSink {
        /**
         * Takes a node and answers its id, which must depend on all three arguments alone.
         *
         * @param kind always {@link FrameKind#NODE}
         * @param plain its bytes, now the sink's
         * @param children ids it refers to, each once; they were put before
         */
        ChunkId put(FrameKind kind, byte[] plain, List<ChunkId> children) throws IOException;
    }

    /** Bounds of nodes; only tests use others. */
    record Limits(
            int inlineChunks,
            int partMin,
            long partMask,
            int partMax,
            int nodeBytes,
            int indexParts) {
        static final Limits DEFAULT = new Limits(64, 512, 2047, 8000, 1 << 20, 4096);
    }

    /** An entry alone may have twice the size of a node: names and attributes are bounded by Linux. */
    private static final int MAX_ENTRY_BYTES = 2 << 20;

    static final int VERSION = 1;

    private final NodeSink sink;
    private final Limits limits;

    /** A writer into {@code sink}. */
    public ManifestWriter(NodeSink sink) {
        this(sink, Limits.DEFAULT);
    }

    ManifestWriter(NodeSink sink, Limits limits) {
        this.sink = sink;
        this.limits = limits;
    }

    /**
     * Writes a directory: the id of its node, for {@link ManifestEntry#subtree}. Long content lists
     * and large directories are split into several nodes.
     *
     * @param sortedEntries sorted by name as unsigned bytes, no name twice, none empty
     * @throws IllegalArgumentException when they are not
     * @throws FormatException when an entry has more than 2 MiB of extended attributes
     */
    public ChunkId directory(List<ManifestEntry> sortedEntries) throws IOException {
        byte[] previous = {};
        for (ManifestEntry entry : sortedEntries) {
            if (Arrays.compareUnsigned(previous, entry.name()) >= 0) {
                throw new IllegalArgumentException(
                        "Entries are not sorted by unsigned bytes of names: " + entry);
            }
            previous = entry.name();
        }
        return entries(sortedEntries);
    }

    /**
     * Writes the root of a piece: a node with the one entry of what was backed up, its own
     * attributes included, under the empty name.
     *
     * @param top a directory (or a file); its name must be empty
     */
    public ChunkId root(ManifestEntry top) throws IOException {
        if (top.name().length != 0) {
            throw new IllegalArgumentException("The root of a piece has an empty name, not " + top);
        }
        return entries(List.of(top));
    }

    private ChunkId entries(List<ManifestEntry> entries) throws IOException {
        List<Part> parts = new ArrayList<>();
        Directory.Builder part = Directory.newBuilder();
        Set<ChunkId> children = new LinkedHashSet<>();
        long bytes = 0;
        for (ManifestEntry entry : entries) {
            Entry stored = stored(entry);
            int entryBytes = stored.getSerializedSize() + 8;
            List<ChunkId> named = named(stored);
            if (part.getEntriesCount() > 0
                    && (bytes + entryBytes > limits.nodeBytes
                            || children.size() + named.size() > limits.partMax)) {
                parts.add(flush(part, children));
                bytes = 0;
            }
            part.addEntries(stored);
            children.addAll(named);
            bytes += entryBytes;
            if (part.getEntriesCount() >= limits.partMin
                    && (hash(entry.name()) & limits.partMask) == 0) {
                parts.add(flush(part, children));
                bytes = 0;
            }
        }
        if (parts.isEmpty() || part.getEntriesCount() > 0) {
            parts.add(flush(part, children));
        }
        return index(parts, true);
    }

    /** Puts a part of a directory and empties the builders. */
    private Part flush(Directory.Builder part, Set<ChunkId> children) throws IOException {
        ChunkId id = put(Node.newBuilder().setDirectory(part), children);
        Part written = part(id, part.getEntriesCount(), firstName(part));
        part.clear();
        children.clear();
        return written;
    }

    private static ByteString firstName(Directory.Builder part) {
        return part.getEntriesCount() == 0 ? ByteString.EMPTY : part.getEntries(0).getName();
    }

    private Part content(List<ChunkId> ids) throws IOException {
        List<Part> parts = new ArrayList<>();
        List<ChunkId> part = new ArrayList<>();
        for (ChunkId id : ids) {
            part.add(id);
            if (part.size() >= limits.partMax
                    || part.size() >= limits.partMin && (id.prefix() & limits.partMask) == 0) {
                parts.add(flushContent(part));
            }
        }
        if (!part.isEmpty()) {
            parts.add(flushContent(part));
        }
        return part(index(parts, false), ids.size(), ByteString.EMPTY);
    }

    private Part flushContent(List<ChunkId> part) throws IOException {
        Content content = Content.newBuilder().setIds(packed(part)).build();
        ChunkId id = put(Node.newBuilder().setContent(content), new LinkedHashSet<>(part));
        Part written = part(id, part.size(), ByteString.EMPTY);
        part.clear();
        return written;
    }

    /** Puts index nodes until one node stands above all parts; answers its id. */
    private ChunkId index(List<Part> parts, boolean ofDirectory) throws IOException {
        List<Part> level = parts;
        while (level.size() > 1) {
            List<Part> above = new ArrayList<>();
            for (int from = 0; from < level.size(); from += limits.indexParts) {
                List<Part> group =
                        level.subList(from, Math.min(level.size(), from + limits.indexParts));
                above.add(indexNode(group, ofDirectory));
            }
            level = above;
        }
        return ChunkId.of(level.get(0).getNode().toByteArray());
    }

    private Part indexNode(List<Part> group, boolean ofDirectory) throws IOException {
        NodeIndex index = NodeIndex.newBuilder().addAllParts(group).build();
        Set<ChunkId> children = new LinkedHashSet<>();
        long count = 0;
        for (Part part : group) {
            children.add(ChunkId.of(part.getNode().toByteArray()));
            count += part.getCount();
        }
        Node.Builder node = Node.newBuilder();
        ChunkId id =
                put(
                        ofDirectory ? node.setDirectoryIndex(index) : node.setContentIndex(index),
                        children);
        return part(id, count, group.get(0).getFirstName());
    }

    private ChunkId put(Node.Builder node, Set<ChunkId> children) throws IOException {
        byte[] plain = node.setVersion(VERSION).build().toByteArray();
        return sink.put(FrameKind.NODE, plain, List.copyOf(children));
    }

    private Entry stored(ManifestEntry entry) throws IOException {
        Entry.Builder stored =
                Entry.newBuilder()
                        .setName(ByteString.copyFrom(entry.name()))
                        .setType(storedType(entry.type()))
                        .setMode(entry.mode())
                        .setUid(entry.uid())
                        .setGid(entry.gid())
                        .setUser(entry.user())
                        .setGroup(entry.group())
                        .setMtimeNanos(entry.mtimeNanos())
                        .setSize(entry.size())
                        .setLinkTarget(ByteString.copyFrom(entry.linkTarget()))
                        .setHardlink(entry.hardlink())
                        .setDevice(entry.device());
        entry.xattrs().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Utf8.ORDER))
                .forEach(xattr ->
                        stored.addXattrs(
                                Xattr.newBuilder()
                                        .setName(xattr.getKey())
                                        .setValue(ByteString.copyFrom(xattr.getValue()))));
        if (stored.build().getSerializedSize() > MAX_ENTRY_BYTES) {
            throw new FormatException(
                    "manifest entry", entry.toString(), 0, "at most 2 MiB of attributes");
        }
        if (entry.content().size() > limits.inlineChunks) {
            Part content = content(entry.content());
            stored.setSubtree(content.getNode()).setChunks(content.getCount());
        } else {
            stored.setContent(packed(entry.content()));
        }
        entry.subtree().ifPresent(node -> stored.setSubtree(ByteString.copyFrom(node.bytes())));
        return stored.build();
    }

    /** Ids that an entry names: its chunks, its subtree. */
    private static List<ChunkId> named(Entry stored) {
        List<ChunkId> named = new ArrayList<>(new ChunkIdList.Packed(stored.getContent()));
        if (!stored.getSubtree().isEmpty()) {
            named.add(ChunkId.of(stored.getSubtree().toByteArray()));
        }
        return named;
    }

    private static Entry.Type storedType(ManifestEntry.Type type) {
        return switch (type) {
            case FILE -> Entry.Type.FILE;
            case DIRECTORY -> Entry.Type.DIRECTORY;
            case SYMLINK -> Entry.Type.SYMLINK;
            case FIFO -> Entry.Type.FIFO;
            case SOCKET -> Entry.Type.SOCKET;
            case CHARACTER_DEVICE -> Entry.Type.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> Entry.Type.BLOCK_DEVICE;
        };
    }

    private static Part part(ChunkId node, long count, ByteString firstName) {
        return part(ByteString.copyFrom(node.bytes()), count, firstName);
    }

    private static Part part(ByteString node, long count, ByteString firstName) {
        return Part.newBuilder().setNode(node).setCount(count).setFirstName(firstName).build();
    }

    private static ByteString packed(List<ChunkId> ids) {
        byte[] bytes = new byte[ChunkId.BYTES * ids.size()];
        int at = 0;
        for (ChunkId id : ids) {
            id.copyTo(bytes, at);
            at += ChunkId.BYTES;
        }
        return com.google.protobuf.UnsafeByteOperations.unsafeWrap(bytes);
    }

    /** FNV-1a, then the finaliser of MurmurHash3, so that the low bits are good. */
    private static long hash(byte[] name) {
        long h = 0xcbf29ce484222325L;
        for (byte b : name) {
            h = (h ^ (b & 0xff)) * 0x100000001b3L;
        }
        h = (h ^ h >>> 33) * 0xff51afd7ed558ccdL;
        h = (h ^ h >>> 33) * 0xc4ceb9fe1a85ec53L;
        return h ^ h >>> 33;
    }
}
