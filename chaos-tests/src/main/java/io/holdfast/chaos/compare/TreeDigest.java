package io.holdfast.chaos.compare;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A photograph of a tree: every path below a root (the root itself is {@code .}) with its digest and
 * attributes. Immutable. Taken while nobody changes the tree, or it may be blurred.
 *
 * @param entries by printable path, sorted
 */
public record TreeDigest(SortedMap<String, TreeEntry> entries) {
    private static final int BUFFER_BYTES = 1 << 18;

    /** Copies the map. */
    public TreeDigest {
        entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
    }

    /** Regular files. */
    public long files() {
        return entries.values().stream().filter(e -> e.type() == TreeEntry.Type.FILE).count();
    }

    /** Bytes of content; a file with several names counts once. */
    public long bytes() {
        return entries.entrySet().stream()
                .filter(e ->
                        e.getValue().linkedWith().isEmpty()
                                || e.getValue().linkedWith().equals(e.getKey()))
                .mapToLong(e -> e.getValue().size())
                .sum();
    }

    /**
     * Photographs a tree, with as many threads as there are processors.
     *
     * @throws IOException when the root cannot be listed; anything below it that cannot be read is
     *     an entry with {@link TreeEntry#unread()}
     */
    public static TreeDigest of(Path root) throws IOException {
        Path absolute = root.toAbsolutePath().normalize();
        if (!Files.isDirectory(absolute)) {
            throw new java.nio.file.NotDirectoryException(absolute.toString());
        }
        int threads = Math.max(2, Runtime.getRuntime().availableProcessors());
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            return new Camera(absolute, pool).photograph();
        }
    }

    /** One photograph being taken: the walk is one thread, digests are many. */
    private static final class Camera {
        private final Path root;
        private final byte[] rootBytes;
        private final ExecutorService pool;
        private final Map<String, TreeEntry> entries = new HashMap<>();
        private final Map<String, Future<TreeEntry>> pending = new HashMap<>();
        private final Map<Inode, List<String>> links = new HashMap<>();

        private record Inode(long device, long number) {}

        Camera(Path root, ExecutorService pool) {
            this.root = root;
            this.rootBytes = PathKey.bytes(root);
            this.pool = pool;
        }

        TreeDigest photograph() throws IOException {
            Deque<Path> folders = new ArrayDeque<>();
            look(root, folders);
            while (!folders.isEmpty()) {
                Path folder = folders.removeLast();
                try (DirectoryStream<Path> children = Files.newDirectoryStream(folder)) {
                    for (Path child : children) {
                        look(child, folders);
                    }
                } catch (IOException | java.nio.file.DirectoryIteratorException e) {
                    String key = PathKey.key(rootBytes, PathKey.bytes(folder));
                    entries.put(key, unread(entries.get(key), e));
                }
            }
            for (Map.Entry<String, Future<TreeEntry>> one : pending.entrySet()) {
                entries.put(one.getKey(), get(one.getValue()));
            }
            joinLinks();
            return new TreeDigest(new TreeMap<>(entries));
        }

        private void look(Path path, Deque<Path> folders) throws IOException {
            byte[] bytes = PathKey.bytes(path);
            String key = PathKey.key(rootBytes, bytes);
            Map<String, Object> attributes;
            try {
                attributes = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
            } catch (IOException e) {
                if (path.equals(root)) {
                    throw e;
                }
                entries.put(key, unread(null, e));
                return;
            }
            TreeEntry plain = plain(path, bytes, attributes);
            switch (plain.type()) {
                case DIRECTORY -> {
                    folders.addLast(path);
                    entries.put(key, plain);
                }
                case FILE -> pending.put(key, pool.submit(() -> withContent(path, plain)));
                case SYMLINK, FIFO, SOCKET, BLOCK_DEVICE, CHARACTER_DEVICE, OTHER ->
                        entries.put(key, plain);
            }
            if (plain.type() != TreeEntry.Type.DIRECTORY && (int) number(attributes, "nlink") > 1) {
                Inode inode = new Inode(number(attributes, "dev"), number(attributes, "ino"));
                links.computeIfAbsent(inode, _ -> new ArrayList<>()).add(key);
            }
        }

        private static TreeEntry plain(Path path, byte[] bytes, Map<String, Object> attributes) {
            int mode = (int) number(attributes, "mode");
            TreeEntry.Type type = TreeEntry.Type.ofMode(mode);
            Optional<String> unread = Optional.empty();
            String target = "";
            SortedMap<String, String> extended = Collections.emptySortedMap();
            try {
                if (type == TreeEntry.Type.SYMLINK) {
                    target = linkTarget(path);
                }
                extended = TreeEntry.hex(ExtendedAttributes.read(bytes));
            } catch (IOException e) {
                unread = Optional.of(String.valueOf(e.getMessage()));
            }
            boolean device =
                    type == TreeEntry.Type.BLOCK_DEVICE || type == TreeEntry.Type.CHARACTER_DEVICE;
            return new TreeEntry(
                    type,
                    mode & 07777,
                    number(attributes, "uid"),
                    number(attributes, "gid"),
                    nanos(attributes.get("lastModifiedTime")),
                    0,
                    "",
                    target,
                    device ? number(attributes, "rdev") : 0,
                    "",
                    extended,
                    unread);
        }

        private static String linkTarget(Path link) throws IOException {
            Path target = Files.readSymbolicLink(link);
            String shown = target.toString();
            if (shown.indexOf('\ufffd') < 0) {
                byte[] utf8 = shown.getBytes(java.nio.charset.StandardCharsets.UTF_8);
                return PathKey.printable(utf8, 0, utf8.length);
            }
            // Bytes that are no text: only the URI form still has them all. A relative target is
            // made absolute against a folder whose name is known.
            byte[] absolute = PathKey.bytes(Path.of("/").resolve(target));
            int from = target.isAbsolute() ? 0 : 1;
            return PathKey.printable(absolute, from, absolute.length);
        }

        private static TreeEntry withContent(Path path, TreeEntry plain) {
            MessageDigest sha256;
            try {
                sha256 = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-256", e);
            }
            long size = 0;
            Optional<String> unread = plain.unread();
            byte[] buffer = new byte[BUFFER_BYTES];
            try (InputStream in = Files.newInputStream(path, LinkOption.NOFOLLOW_LINKS)) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    sha256.update(buffer, 0, n);
                    size += n;
                }
            } catch (IOException e) {
                unread = Optional.of(String.valueOf(e.getMessage()));
            }
            return new TreeEntry(
                    plain.type(),
                    plain.mode(),
                    plain.uid(),
                    plain.gid(),
                    plain.mtimeNanos(),
                    size,
                    HexFormat.of().formatHex(sha256.digest()),
                    plain.target(),
                    plain.device(),
                    plain.linkedWith(),
                    plain.attributes(),
                    unread);
        }

        private static TreeEntry unread(@Nullable TreeEntry seen, Exception why) {
            TreeEntry.Type type = seen == null ? TreeEntry.Type.OTHER : seen.type();
            return new TreeEntry(
                    type,
                    seen == null ? 0 : seen.mode(),
                    seen == null ? 0 : seen.uid(),
                    seen == null ? 0 : seen.gid(),
                    seen == null ? 0 : seen.mtimeNanos(),
                    0,
                    "",
                    "",
                    0,
                    "",
                    seen == null ? Collections.emptySortedMap() : seen.attributes(),
                    Optional.of(String.valueOf(why.getMessage())));
        }

        private void joinLinks() {
            for (List<String> group : links.values()) {
                if (group.size() > 1) {
                    String first = Collections.min(group);
                    group.forEach(
                            key -> entries.computeIfPresent(key, (_, e) -> e.linkedWith(first)));
                }
            }
        }

        private static long number(Map<String, Object> attributes, String name) {
            if (attributes.get(name) instanceof Number number) {
                return number.longValue();
            }
            throw new IllegalStateException("the file system shows no " + name);
        }

        private static long nanos(@Nullable Object attribute) {
            if (!(attribute instanceof FileTime time)) {
                throw new IllegalStateException("the file system shows no modification time");
            }
            java.time.Instant instant = time.toInstant();
            return TimeUnit.SECONDS.toNanos(instant.getEpochSecond()) + instant.getNano();
        }

        private static TreeEntry get(Future<TreeEntry> future) throws IOException {
            try {
                return future.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new java.io.InterruptedIOException("interrupted while digesting");
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case UncheckedIOException io -> throw new IOException(io);
                    case null, default -> throw new IOException(e);
                }
            }
        }
    }
}
