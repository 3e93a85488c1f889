package io.holdfast.chunk;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.holdfast.chunk.proto.v1.Entry;
import io.holdfast.chunk.proto.v1.Node;
import io.holdfast.chunk.proto.v1.NodeIndex;
import io.holdfast.chunk.proto.v1.Part;
import io.holdfast.chunk.proto.v1.Xattr;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the manifest of a data piece, node by node as it is walked; at most one node of each level
 * of a large directory is in memory. What a node says is checked (names that could leave the target
 * folder, order, types, sizes of ids), because restores write where it says.
 *
 * <p>Thread-safe as far as its source is; an iterator or a content list belongs to one thread.
 */
public final class ManifestReader {
    /** Where nodes come from: fetched and opened by the caller. */
    public interface NodeSource {
        /** The plain bytes of a NODE. */
        byte[] open(ChunkId id) throws IOException;
    }

    /** Levels of index nodes that a list can have; one with 4,096 parts each needs far fewer. */
    private static final int MAX_INDEX_LEVELS = 8;

    private final NodeSource source;

    /** A reader from {@code source}. */
    public ManifestReader(NodeSource source) {
        this.source = source;
    }

    /**
     * The entries of a directory in order of names, read as the iterator moves; {@code hasNext} and
     * {@code next} may throw {@link UncheckedIOException}.
     *
     * @throws StoreException.Corrupt when the node is no directory
     */
    public Iterable<ManifestEntry> entries(ChunkId node) throws IOException {
        Node first = node(node);
        if (!first.hasDirectory() && !first.hasDirectoryIndex()) {
            throw corrupt(node, "it is " + first.getBodyCase() + ", not a directory");
        }
        return () -> new Entries(node, first);
    }

    /**
     * The one entry of a piece's root node, as {@link ManifestWriter#root} wrote it: what was backed
     * up, under the empty name.
     *
     * @throws StoreException.Corrupt when the node is no root
     */
    public ManifestEntry root(ChunkId node) throws IOException {
        Node root = node(node);
        if (root.getDirectory().getEntriesCount() != 1) {
            throw corrupt(node, "it is no root: expected one entry with an empty name");
        }
        ManifestEntry top = entry(node, root.getDirectory().getEntries(0));
        if (top.name().length != 0) {
            throw corrupt(node, "it is no root: expected an empty name, not " + top);
        }
        return top;
    }

    /** The entry of this name in a directory; reads only the nodes on the way. */
    public Optional<ManifestEntry> find(ChunkId directory, byte[] name) throws IOException {
        ByteString wanted = ByteString.copyFrom(name);
        ChunkId id = directory;
        Node node = node(id);
        for (int level = 0; node.hasDirectoryIndex(); level++) {
            Part on = node.getDirectoryIndex().getParts(0);
            for (Part part : node.getDirectoryIndex().getPartsList()) {
                if (compare(part.getFirstName(), wanted) <= 0) {
                    on = part;
                }
            }
            id = id(id, on.getNode());
            if (level == MAX_INDEX_LEVELS) {
                throw corrupt(id, "more than " + MAX_INDEX_LEVELS + " levels of index nodes");
            }
            node = node(id);
        }
        for (Entry entry : node.getDirectory().getEntriesList()) {
            if (entry.getName().equals(wanted)) {
                return Optional.of(entry(id, entry));
            }
        }
        return Optional.empty();
    }

    /** Reads the plain bytes of a NODE. @throws StoreException.Corrupt when they are none */
    private Node node(ChunkId id) throws IOException {
        Node node;
        try {
            node = Node.parseFrom(source.open(id));
        } catch (InvalidProtocolBufferException e) {
            throw corrupt(id, e.getMessage());
        }
        if (node.getVersion() != ManifestWriter.VERSION) {
            throw corrupt(
                    id, "version " + node.getVersion() + " is unknown here; expected version 1");
        }
        switch (node.getBodyCase()) {
            case DIRECTORY -> {}
            case CONTENT -> checkIds(id, node.getContent().getIds());
            case DIRECTORY_INDEX -> checkIndex(id, node.getDirectoryIndex());
            case CONTENT_INDEX -> checkIndex(id, node.getContentIndex());
            case BODY_NOT_SET -> throw corrupt(id, "it has no body");
        }
        return node;
    }

    private static void checkIndex(ChunkId id, NodeIndex index) throws StoreException.Corrupt {
        if (index.getPartsCount() == 0) {
            throw corrupt(id, "an index without parts");
        }
        for (Part part : index.getPartsList()) {
            id(id, part.getNode());
            if (part.getCount() <= 0) {
                throw corrupt(id, "an index with an empty part");
            }
        }
    }

    private static void checkIds(ChunkId id, ByteString ids) throws StoreException.Corrupt {
        if (ids.size() % ChunkId.BYTES != 0) {
            throw corrupt(id, ids.size() + " bytes of ids; expected a multiple of 32");
        }
    }

    private ManifestEntry entry(ChunkId node, Entry entry) throws StoreException.Corrupt {
        checkIds(node, entry.getContent());
        SortedMap<String, byte[]> xattrs = new TreeMap<>();
        for (Xattr xattr : entry.getXattrsList()) {
            xattrs.put(xattr.getName(), xattr.getValue().toByteArray());
        }
        ManifestEntry.Type type = type(node, entry.getType());
        boolean split = type == ManifestEntry.Type.FILE && !entry.getSubtree().isEmpty();
        try {
            return new ManifestEntry(
                    entry.getName().toByteArray(),
                    type,
                    entry.getMode(),
                    entry.getUid(),
                    entry.getGid(),
                    entry.getUser(),
                    entry.getGroup(),
                    entry.getMtimeNanos(),
                    entry.getSize(),
                    entry.getLinkTarget().toByteArray(),
                    entry.getHardlink(),
                    entry.getDevice(),
                    xattrs,
                    split ? split(node, entry) : new ChunkIdList.Packed(entry.getContent()),
                    split || entry.getSubtree().isEmpty()
                            ? Optional.empty()
                            : Optional.of(id(node, entry.getSubtree())));
        } catch (FormatException e) {
            throw corrupt(node, e.getMessage());
        }
    }

    private ChunkIdList split(ChunkId node, Entry entry) throws StoreException.Corrupt {
        if (entry.getChunks() <= 0 || entry.getChunks() > Integer.MAX_VALUE) {
            throw corrupt(node, "a file of " + entry.getChunks() + " chunks");
        }
        return new SplitContent(id(node, entry.getSubtree()), (int) entry.getChunks());
    }

    private static ManifestEntry.Type type(ChunkId node, Entry.Type type)
            throws StoreException.Corrupt {
        return switch (type) {
            case FILE -> ManifestEntry.Type.FILE;
            case DIRECTORY -> ManifestEntry.Type.DIRECTORY;
            case SYMLINK -> ManifestEntry.Type.SYMLINK;
            case FIFO -> ManifestEntry.Type.FIFO;
            case SOCKET -> ManifestEntry.Type.SOCKET;
            case CHARACTER_DEVICE -> ManifestEntry.Type.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> ManifestEntry.Type.BLOCK_DEVICE;
            case TYPE_UNSPECIFIED, UNRECOGNIZED ->
                    throw corrupt(node, "an entry of a type unknown here");
        };
    }

    private static ChunkId id(ChunkId node, ByteString bytes) throws StoreException.Corrupt {
        if (bytes.size() != ChunkId.BYTES) {
            throw corrupt(node, "an id of " + bytes.size() + " bytes");
        }
        return ChunkId.of(bytes.toByteArray());
    }

    private static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }

    private static StoreException.Corrupt corrupt(ChunkId node, @Nullable String why) {
        return new StoreException.Corrupt("Manifest node " + node + " is damaged: " + why);
    }

    /** Walks a directory, its index nodes on a stack. */
    private final class Entries implements Iterator<ManifestEntry> {
        private final Deque<Iterator<Part>> indexes = new ArrayDeque<>();
        private ChunkId leaf;
        private Iterator<Entry> entries = java.util.Collections.emptyIterator();
        private byte @Nullable [] previous;

        Entries(ChunkId id, Node first) {
            leaf = id;
            enter(id, first);
        }

        private void enter(ChunkId id, Node node) {
            if (node.hasDirectoryIndex()) {
                indexes.push(node.getDirectoryIndex().getPartsList().iterator());
            } else {
                leaf = id;
                entries = node.getDirectory().getEntriesList().iterator();
            }
        }

        @Override
        public boolean hasNext() {
            while (!entries.hasNext() && !indexes.isEmpty()) {
                if (indexes.element().hasNext()) {
                    descend(indexes.element().next());
                } else {
                    indexes.pop();
                }
            }
            return entries.hasNext();
        }

        private void descend(Part part) {
            try {
                ChunkId id = id(leaf, part.getNode());
                Node node = node(id);
                if (indexes.size() > MAX_INDEX_LEVELS
                        || !node.hasDirectory() && !node.hasDirectoryIndex()) {
                    throw corrupt(id, "part of a directory is " + node.getBodyCase());
                }
                enter(id, node);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public ManifestEntry next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            try {
                ManifestEntry entry = entry(leaf, entries.next());
                if (previous != null && Arrays.compareUnsigned(previous, entry.name()) >= 0) {
                    throw corrupt(leaf, "entries are not sorted: " + entry);
                }
                previous = entry.name();
                return entry;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** The chunks of a large file, read as the list is walked; one node of each level is kept. */
    private final class SplitContent extends ChunkIdList {
        private final ChunkId root;
        private final int size;
        private final @Nullable Loaded[] path = new Loaded[MAX_INDEX_LEVELS + 2];

        /** A node that covers chunks from {@code from}. */
        private record Loaded(ChunkId id, long from, Node node) {}

        SplitContent(ChunkId root, int size) {
            this.root = root;
            this.size = size;
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public synchronized ChunkId get(int index) {
            java.util.Objects.checkIndex(index, size);
            try {
                return find(index);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private ChunkId find(int index) throws IOException {
            ChunkId id = root;
            long from = 0;
            for (int level = 0; level < path.length; level++) {
                Node node = load(level, id, from);
                if (node.hasContent()) {
                    ByteString ids = node.getContent().getIds();
                    long at = (index - from) * ChunkId.BYTES;
                    if (at + ChunkId.BYTES > ids.size()) {
                        throw corrupt(id, "it has fewer chunks than its index says");
                    }
                    return id(id, ids.substring((int) at, (int) at + ChunkId.BYTES));
                }
                if (!node.hasContentIndex()) {
                    throw corrupt(id, "part of a file is " + node.getBodyCase());
                }
                Part on = null;
                for (Part part : node.getContentIndex().getPartsList()) {
                    if (index < from + part.getCount()) {
                        on = part;
                        break;
                    }
                    from += part.getCount();
                }
                if (on == null) {
                    throw corrupt(id, "it has fewer chunks than its file says");
                }
                id = id(id, on.getNode());
            }
            throw corrupt(root, "more than " + MAX_INDEX_LEVELS + " levels of index nodes");
        }

        private Node load(int level, ChunkId id, long from) throws IOException {
            Loaded loaded = path[level];
            if (loaded == null || loaded.from != from || !loaded.id.equals(id)) {
                loaded = new Loaded(id, from, node(id));
                path[level] = loaded;
            }
            return loaded.node;
        }
    }
}
