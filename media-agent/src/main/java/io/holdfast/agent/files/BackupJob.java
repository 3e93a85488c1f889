package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.Chunker;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.ManifestEntry;
import io.holdfast.chunk.ManifestWriter;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.Sealer;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one data piece of one folder (or one file). A few equal workers share two lists: folders to
 * look at, last in first out, so that few are half done at once; and files to read, which go first
 * once there are many of them. Both are bounded by what a folder holds. A worker reads, cuts, names
 * and hands chunks to its {@link ChunkSink}; whoever finishes the last entry of a folder writes the
 * folder's manifest node and goes on with its parent.
 *
 * <p>What happens to a file that
 *
 * <table>
 * <caption>Files that do not hold still</caption>
 * <tr><td>vanishes after it was listed</td><td>warning, not in the piece</td></tr>
 * <tr><td>cannot be read</td><td>warning, not in the piece</td></tr>
 * <tr><td>changes while it is read</td><td>read once more; changes again: warning, kept as read</td></tr>
 * <tr><td>is a socket</td><td>log line, not in the piece</td></tr>
 * <tr><td>has several names</td><td>read once; every name refers to the same number</td></tr>
 * </table>
 *
 * <p>A file is not read when the {@link FileCache} knows it with the same size, times, inode and
 * device. A file whose inode changed less than two seconds before it was looked at is never put into
 * the cache: a second change within the granularity of its time stamps would not show.
 *
 * <p>When the storage answers a commit with ids that it lacks (it lost chunks that the cache, or an
 * earlier answer, said it had), the tree is walked again with the cache's entries for those ids left
 * out; in the last of {@value #MAX_PASSES} passes without any cache.
 */
public final class BackupJob {
    private static final Logger log = LoggerFactory.getLogger(BackupJob.class);

    static final int MAX_PASSES = 4;
    private static final int ENOUGH_FILES = 256;
    private static final int READ_BYTES = 256 << 10;
    private static final long RACY_NANOS = 2_000_000_000L;
    private static final byte[] TOP = {};
    private static final OpenOption[] READ = {StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS};

    private final Spec spec;
    private final DomainKey key;
    private final JobStorage storage;
    private final JobMonitor monitor;
    private final InstantSource clock;
    private final Hook hook;
    private final FileScanner scanner;

    /**
     * What to back up, and how.
     *
     * @param job UUIDv7
     * @param epoch encoded epoch of the order: part of the cache's key
     * @param record the catalog's fields; the size and {@code optional} are completed by the job
     * @param source absolute path, as bytes
     * @param incremental whether unchanged files may be taken from the cache
     * @param compressionLevel zstd, 0 for none
     * @param exclude see {@link FileScanner}
     * @param cacheFolder where file caches are kept; it must exist
     * @param workers threads that read; each holds about 20 MB
     */
    @SuppressWarnings("ArrayRecordComponent") // paths are bytes
    public record Spec(
            UUID job,
            long epoch,
            CatalogRecord record,
            byte[] source,
            boolean incremental,
            Chunking chunking,
            int compressionLevel,
            List<String> exclude,
            boolean oneFileSystem,
            Path cacheFolder,
            int workers) {
        /** Copies the list. */
        public Spec {
            exclude = List.copyOf(exclude);
        }
    }

    /** What was made. Bytes and files are those that the piece represents, changed or not. */
    public record Result(
            ChunkId pieceHeader,
            ChunkId root,
            long sourceBytes,
            long files,
            long unchanged,
            int warnings,
            UUID incarnation,
            LogPosition end) {}

    /** The job cannot be done; the message says what, to which thing, what next. */
    public static final class Failed extends IOException {
        private static final long serialVersionUID = 1;

        Failed(String message) {
            super(message);
        }
    }

    /** Lets a test act between two steps. */
    interface Hook {
        Hook NONE = path -> {};

        /** A file was listed and is about to be read. */
        void beforeRead(Path path) throws IOException;

        /** A file was read, and is about to be looked at again. */
        default void afterRead(Path path) throws IOException {}

        /** The piece is about to be committed. */
        default void beforeCommit() throws IOException {}
    }

    /** A job that has not begun. @throws IllegalArgumentException when an exclude pattern is wrong */
    public BackupJob(
            Spec spec, DomainKey key, JobStorage storage, JobMonitor monitor, InstantSource clock) {
        this(spec, key, storage, monitor, clock, Hook.NONE);
    }

    BackupJob(
            Spec spec,
            DomainKey key,
            JobStorage storage,
            JobMonitor monitor,
            InstantSource clock,
            Hook hook) {
        this.spec = spec;
        this.key = key;
        this.storage = storage;
        this.monitor = monitor;
        this.clock = clock;
        this.hook = hook;
        this.scanner = new FileScanner(spec.exclude(), spec.oneFileSystem());
    }

    /**
     * Does it, in the calling thread and {@code workers - 1} more.
     *
     * @throws Failed when the source is not there or cannot be read
     * @throws CancellationException when the monitor was told to cancel
     * @throws IOException when the storage failed; nothing was committed, or, when the answer to the
     *     commit was lost, perhaps it was
     */
    public Result run() throws IOException {
        monitor.session(storage);
        Path source = source();
        FileCache.Key cacheKey =
                new FileCache.Key(
                        storage.incarnation(),
                        spec.epoch(),
                        key.domain(),
                        key.keyEpoch(),
                        spec.chunking(),
                        PathBytes.of(source));
        Path cacheFile = spec.cacheFolder().resolve(cacheName(cacheKey));
        Set<ChunkId> lacking = new HashSet<>();
        for (int pass = 1; pass <= MAX_PASSES; pass++) {
            boolean trusting = spec.incremental() && pass < MAX_PASSES;
            try (FileCache cache = trusting ? openCache(cacheFile, cacheKey) : null;
                    FileCache.Writer next = new FileCache.Writer(cacheFile, cacheKey)) {
                Pass done = new Pass(source, cache, next, lacking);
                Optional<Result> result = done.run();
                if (result.isPresent()) {
                    commitCache(next, cacheFile);
                    return result.get();
                }
            }
            log.warn("job {}: the storage lacks chunks; pass {}", spec.job(), pass + 1);
        }
        throw new Failed(
                "The storage still lacks chunks of piece "
                        + spec.record().piece()
                        + " after "
                        + MAX_PASSES
                        + " passes; check the store of the output, then run the job again");
    }

    private static void commitCache(FileCache.Writer next, Path cacheFile) {
        try {
            next.commit();
        } catch (IOException e) {
            // The piece is committed; the next incremental reads more than it must.
            log.warn("file cache {} not written: {}", cacheFile, e.getMessage());
        }
    }

    private static @Nullable FileCache openCache(Path file, FileCache.Key key) throws IOException {
        try {
            return FileCache.open(file, key);
        } catch (NoSuchFileException e) {
            return null;
        } catch (FileCache.Unusable e) {
            log.info("{}", e.getMessage());
            return null;
        }
    }

    /** One file for a source, key domain and chunking; a new store or epoch replaces it. */
    private static String cacheName(FileCache.Key key) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(
                    ByteBuffer.allocate(16)
                            .putLong(key.domain().getMostSignificantBits())
                            .putLong(key.domain().getLeastSignificantBits())
                            .array());
            digest.update(key.source());
            return HexFormat.of().formatHex(digest.digest(), 0, 16) + ".files";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private Path source() throws IOException {
        Path named = PathBytes.path(spec.source());
        try {
            Path real = Files.isSymbolicLink(named) ? named.toRealPath() : named.normalize();
            if (!real.equals(named)) {
                monitor.info(spec.source(), "stands for " + real + ", which is backed up");
            }
            scanner.stat(real);
            return real;
        } catch (NoSuchFileException e) {
            throw new Failed(
                    "Source "
                            + PathBytes.text(spec.source())
                            + " does not exist on this system; nothing was backed up. Correct the"
                            + " client's source path, or mount what should be there");
        } catch (AccessDeniedException e) {
            throw new Failed(
                    "Source "
                            + PathBytes.text(spec.source())
                            + " may not be read by this agent; nothing was backed up. Run the agent"
                            + " as a user who may");
        }
    }

    /** A folder being looked at, until all its entries are known. */
    private static final class Folder {
        final @Nullable Folder parent;
        final Path path;
        final byte[] relative;
        final FileScanner.Stat stat;
        final AtomicInteger pending = new AtomicInteger(1);
        final List<ManifestEntry> entries = new ArrayList<>();
        final List<FileCache.Known> known = new ArrayList<>();

        Folder(@Nullable Folder parent, Path path, byte[] relative, FileScanner.Stat stat) {
            this.parent = parent;
            this.path = path;
            this.relative = relative;
            this.stat = stat;
        }

        synchronized void add(ManifestEntry entry) {
            entries.add(entry);
        }

        synchronized void remember(FileCache.Known file) {
            known.add(file);
        }
    }

    /** A file that must be read. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Unread(
            Folder folder, Path path, byte[] name, FileScanner.Stat stat, @Nullable Inode inode) {}

    /** A file with several names: one of them reads it, the others wait for that. */
    private static final class Inode {
        final int number;
        private @Nullable Content content;
        private boolean claimed;
        private final List<Unread> waiting = new ArrayList<>();

        Inode(int number) {
            this.number = number;
        }

        /** Takes what was read or known; false when it was there already. */
        synchronized boolean offer(Content found) {
            boolean first = content == null;
            content = found;
            return first;
        }

        /** What is known; else null, and {@code task} either waits or has become the reader. */
        synchronized @Nullable Content claim(Unread task, Runnable waits) {
            if (content == null && claimed) {
                waiting.add(task);
                waits.run();
            }
            claimed = true;
            return content;
        }

        /** Ends a claim; the tasks that waited for it. */
        synchronized List<Unread> release() {
            claimed = false;
            List<Unread> released = List.copyOf(waiting);
            waiting.clear();
            return released;
        }
    }

    /** What was read from a file, and when its attributes were true. */
    private record Content(
            FileScanner.Stat stat, long size, List<ChunkId> chunks, boolean cacheable) {}

    private record InodeKey(long device, long inode) {}

    /** One walk of the tree. */
    private final class Pass {
        private final Path source;
        private final @Nullable FileCache cache;
        private final FileCache.Writer next;
        private final Set<ChunkId> lacking;
        private final ChunkSink.Shared shared = new ChunkSink.Shared(storage, monitor);

        private final Object lists = new Object();
        private final Deque<Folder> folders = new ArrayDeque<>();
        private final Deque<Unread> files = new ArrayDeque<>();
        private boolean ended;
        private @Nullable Throwable failure;
        private @Nullable ManifestEntry top;

        private final Map<InodeKey, Inode> inodes = new ConcurrentHashMap<>();
        private final Map<Integer, InodeKey> inodeNumbers = new HashMap<>();
        private final LongAdder sourceBytes = new LongAdder();
        private final LongAdder fileCount = new LongAdder();
        private final LongAdder unchangedCount = new LongAdder();

        Pass(Path source, @Nullable FileCache cache, FileCache.Writer next, Set<ChunkId> lacking) {
            this.source = source;
            this.cache = cache;
            this.next = next;
            this.lacking = lacking;
        }

        Optional<Result> run() throws IOException {
            monitor.phase("send");
            List<Worker> workers = new ArrayList<>();
            try {
                for (int i = 0; i < Math.max(1, spec.workers()); i++) {
                    workers.add(new Worker());
                }
                begin(workers.getFirst());
                work(workers);
                for (Worker worker : workers) {
                    worker.sink.flush();
                }
                Worker last = workers.getFirst();
                ManifestEntry entry = top;
                if (entry == null) {
                    throw new Failed(
                            "Source " + source + " could not be read; nothing was backed up");
                }
                ChunkId root = last.manifest.root(entry);
                last.sink.finish();
                return commit(root);
            } catch (ChunkSink.Failed e) {
                throw Objects.requireNonNull(e.getCause());
            } finally {
                workers.forEach(worker -> worker.sink.close());
            }
        }

        private Optional<Result> commit(ChunkId root) throws IOException {
            monitor.phase("commit");
            storage.awaitDurable();
            monitor.checkCancelled();
            hook.beforeCommit();
            CatalogRecord record = spec.record();
            SortedMap<String, String> optional = new TreeMap<>(record.optional());
            optional.putIfAbsent("job", spec.job().toString());
            optional.putIfAbsent("files", Long.toString(fileCount.sum()));
            optional.putIfAbsent("root", root.toString());
            PieceHeader header =
                    new PieceHeader(
                            new CatalogRecord(
                                    record.piece(),
                                    record.client(),
                                    record.clientName(),
                                    record.dataPiece(),
                                    record.type(),
                                    record.owner(),
                                    record.location(),
                                    record.backupTimeMicros(),
                                    record.expiryMicros(),
                                    sourceBytes.sum(),
                                    record.originCatalog(),
                                    optional),
                            spec.job(),
                            key.domain(),
                            key.keyEpoch(),
                            root,
                            spec.chunking());
            JobStorage.Committed answer = storage.commit(header.frame());
            if (!answer.missing().isEmpty()) {
                lacking.addAll(answer.missing());
                return Optional.empty();
            }
            return Optional.of(
                    new Result(
                            header.id(),
                            root,
                            sourceBytes.sum(),
                            fileCount.sum(),
                            unchangedCount.sum(),
                            monitor.warnings(),
                            storage.incarnation(),
                            answer.end()));
        }

        private void begin(Worker worker) throws IOException {
            FileScanner.Stat stat = scanner.stat(source);
            if (stat.type() == ManifestEntry.Type.DIRECTORY) {
                folders.add(new Folder(null, source, TOP, stat));
                return;
            }
            if (stat.type() != ManifestEntry.Type.FILE) {
                throw new Failed(
                        "Source " + source + " is neither a folder nor a file; back up its folder");
            }
            // A single file: a folder that is not written, of which only its entry is kept.
            Folder holder = new Folder(null, source, TOP, stat);
            Optional<Content> content = worker.read(source, new byte[0], stat);
            content.ifPresent(c -> worker.file(holder, source, new byte[0], 0, c));
            top = holder.entries.isEmpty() ? null : holder.entries.getFirst();
            ended = true;
        }

        private void work(List<Worker> workers) throws IOException {
            List<Thread> threads = new ArrayList<>();
            for (Worker worker : workers.subList(1, workers.size())) {
                threads.add(
                        Thread.ofPlatform()
                                .name("backup-" + spec.job() + "-" + threads.size())
                                .daemon()
                                .start(() -> loop(worker)));
            }
            loop(workers.getFirst());
            for (Thread thread : threads) {
                joinUninterruptibly(thread);
            }
            Throwable failed = failure;
            switch (failed) {
                case null -> {}
                case CancellationException e -> throw e;
                case IOException e -> throw e;
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(failed);
            }
        }

        private void loop(Worker worker) {
            try {
                while (true) {
                    monitor.checkCancelled();
                    Object task = take(worker);
                    if (task == null) {
                        return;
                    }
                    if (task instanceof Folder folder) {
                        worker.folder(folder);
                    } else {
                        worker.unread((Unread) task);
                    }
                }
            } catch (Throwable e) {
                synchronized (lists) {
                    if (failure == null) {
                        failure = e;
                    }
                    ended = true;
                    lists.notifyAll();
                }
            }
        }

        /** The next task; null when the walk has ended. Flushes before it waits. */
        private @Nullable Object take(Worker worker) throws InterruptedException {
            boolean flushed = false;
            while (true) {
                synchronized (lists) {
                    while (!ended) {
                        if (files.size() < ENOUGH_FILES && !folders.isEmpty()) {
                            return folders.pollLast();
                        }
                        if (!files.isEmpty()) {
                            return files.poll();
                        }
                        if (!flushed) {
                            break;
                        }
                        lists.wait(200);
                        monitor.checkCancelled();
                    }
                    if (ended) {
                        return null;
                    }
                }
                worker.sink.flush();
                flushed = true;
            }
        }

        private void offer(Folder folder) {
            synchronized (lists) {
                folders.addLast(folder);
                lists.notify();
            }
        }

        private void offer(Unread file) {
            synchronized (lists) {
                files.addLast(file);
                lists.notify();
            }
        }

        private Inode inode(FileScanner.Stat stat) {
            return inodes.computeIfAbsent(
                    new InodeKey(stat.device(), stat.inode()),
                    wanted -> {
                        synchronized (inodeNumbers) {
                            // From the inode, so that unchanged folders keep their nodes.
                            int number = (int) (wanted.inode() & Integer.MAX_VALUE);
                            while (number == 0
                                    || inodeNumbers.putIfAbsent(number, wanted) != null) {
                                number = number + 1 & Integer.MAX_VALUE;
                            }
                            return new Inode(number);
                        }
                    });
        }

        /** One of the threads of a pass, with what it needs for itself. */
        private final class Worker {
            private final ChunkSink sink =
                    new ChunkSink(shared, new Sealer(key, spec.compressionLevel()));
            private final ManifestWriter manifest = new ManifestWriter(sink::node);
            private final byte[] small = new byte[spec.chunking().minBytes() + 1];
            private @Nullable Chunker chunker;

            void folder(Folder folder) throws IOException {
                List<Path> found;
                try {
                    found = scanner.list(folder.path);
                } catch (NoSuchFileException | NotDirectoryException e) {
                    if (folder.parent == null) {
                        throw new Failed("Source " + folder.path + " vanished during the backup");
                    }
                    monitor.warning(folder.relative, "vanished before it was read");
                    completed(folder.parent);
                    return;
                } catch (FileSystemException e) {
                    if (folder.parent == null) {
                        throw new Failed(
                                "Source "
                                        + folder.path
                                        + " cannot be read ("
                                        + reason(e)
                                        + "); nothing was backed up");
                    }
                    monitor.warning(
                            folder.relative, "cannot be read, kept as empty folder: " + reason(e));
                    found = List.of();
                }
                Map<FileCache.Name, FileCache.Known> known = known(folder);
                for (Path path : found) {
                    monitor.checkCancelled();
                    entry(folder, path, known);
                }
                completed(folder);
            }

            private Map<FileCache.Name, FileCache.Known> known(Folder folder) {
                if (cache == null) {
                    return Map.of();
                }
                try {
                    return cache.folder(folder.relative);
                } catch (IOException e) {
                    log.info("{}; {} is read again", e.getMessage(), folder.path);
                    return Map.of();
                }
            }

            private void entry(Folder folder, Path path, Map<FileCache.Name, FileCache.Known> known)
                    throws IOException {
                if (scanner.excludesAnything() && scanner.excluded(source.relativize(path))) {
                    return;
                }
                byte[] name = PathBytes.name(path);
                byte[] relative = PathBytes.join(folder.relative, name);
                try {
                    FileScanner.Stat stat = scanner.stat(path);
                    switch (stat.type()) {
                        case DIRECTORY -> subfolder(folder, path, relative, stat);
                        case FILE -> plainFile(folder, path, name, stat, known);
                        case SOCKET -> monitor.info(relative, "a socket, skipped");
                        case SYMLINK, FIFO, CHARACTER_DEVICE, BLOCK_DEVICE ->
                                special(folder, path, name, stat);
                    }
                } catch (NoSuchFileException e) {
                    monitor.warning(relative, "vanished before it was read");
                } catch (FileSystemException | Posix.Failure e) {
                    monitor.warning(relative, "cannot be read, left out: " + reason(e));
                }
            }

            private void subfolder(Folder folder, Path path, byte[] relative, FileScanner.Stat stat)
                    throws IOException {
                Folder below = new Folder(folder, path, relative, stat);
                folder.pending.incrementAndGet();
                if (stat.device() != folder.stat.device()) {
                    String barrier = scanner.barrier(path);
                    if (!barrier.isEmpty()) {
                        monitor.info(relative, barrier);
                        completed(below);
                        return;
                    }
                }
                offer(below);
            }

            private void special(Folder folder, Path path, byte[] name, FileScanner.Stat stat)
                    throws IOException {
                ManifestEntry.Type type = stat.type();
                byte[] target = type == ManifestEntry.Type.SYMLINK ? scanner.linkTarget(path) : TOP;
                boolean device =
                        type == ManifestEntry.Type.CHARACTER_DEVICE
                                || type == ManifestEntry.Type.BLOCK_DEVICE;
                folder.add(
                        new ManifestEntry(
                                name,
                                type,
                                stat.mode() & 07777,
                                stat.uid(),
                                stat.gid(),
                                scanner.user(stat.uid(), path),
                                scanner.group(stat.gid(), path),
                                stat.mtimeNanos(),
                                0,
                                target,
                                stat.links() > 1 ? inode(stat).number : 0,
                                device ? stat.special() : 0,
                                Collections.emptySortedMap(),
                                List.of(),
                                Optional.empty()));
                fileCount.increment();
                monitor.files.increment();
            }

            private void plainFile(
                    Folder folder,
                    Path path,
                    byte[] name,
                    FileScanner.Stat stat,
                    Map<FileCache.Name, FileCache.Known> known) {
                FileCache.Known before =
                        known.isEmpty() ? null : known.get(new FileCache.Name(name));
                if (before != null
                        && before.same(
                                stat.size(),
                                stat.mtimeNanos(),
                                stat.ctimeNanos(),
                                stat.inode(),
                                stat.device())
                        && (lacking.isEmpty() || Collections.disjoint(lacking, before.content()))) {
                    Inode inode = stat.links() > 1 ? inode(stat) : null;
                    Content content = new Content(stat, stat.size(), before.content(), true);
                    if (inode == null || inode.offer(content)) {
                        sourceBytes.add(stat.size());
                    }
                    unchangedCount.increment();
                    monitor.unchanged.increment();
                    file(folder, path, name, inode == null ? 0 : inode.number, content);
                    return;
                }
                folder.pending.incrementAndGet();
                offer(new Unread(folder, path, name, stat, stat.links() > 1 ? inode(stat) : null));
            }

            void unread(Unread task) throws IOException {
                Inode inode = task.inode();
                Content content = null;
                if (inode != null) {
                    boolean[] waits = {false};
                    content = inode.claim(task, () -> waits[0] = true);
                    if (waits[0]) {
                        return;
                    }
                }
                if (content == null) {
                    byte[] relative = PathBytes.join(task.folder().relative, task.name());
                    content = read(task.path(), relative, task.stat()).orElse(null);
                    if (content != null && (inode == null || inode.offer(content))) {
                        sourceBytes.add(content.size());
                    }
                }
                known(task, content);
                if (inode != null) {
                    for (Unread other : inode.release()) {
                        if (content != null) {
                            known(other, content);
                        } else {
                            offer(other); // perhaps only this name of it vanished
                        }
                    }
                }
            }

            private void known(Unread task, @Nullable Content content) throws IOException {
                Inode inode = task.inode();
                if (content != null) {
                    file(
                            task.folder(),
                            task.path(),
                            task.name(),
                            inode == null ? 0 : inode.number,
                            content);
                }
                completed(task.folder());
            }

            /** Adds a file's entry; xattrs are read now. */
            void file(Folder folder, Path path, byte[] name, int inode, Content content) {
                FileScanner.Stat stat = content.stat();
                SortedMap<String, byte[]> xattrs = Collections.emptySortedMap();
                try {
                    xattrs = scanner.xattrs(path);
                } catch (IOException e) {
                    monitor.warning(
                            PathBytes.join(folder.relative, name),
                            "extended attributes cannot be read, left out: " + e.getMessage());
                }
                folder.add(
                        new ManifestEntry(
                                name,
                                ManifestEntry.Type.FILE,
                                stat.mode() & 07777,
                                stat.uid(),
                                stat.gid(),
                                scanner.user(stat.uid(), path),
                                scanner.group(stat.gid(), path),
                                stat.mtimeNanos(),
                                content.size(),
                                TOP,
                                inode,
                                0,
                                xattrs,
                                content.chunks(),
                                Optional.empty()));
                fileCount.increment();
                monitor.files.increment();
                if (content.cacheable()) {
                    folder.remember(
                            new FileCache.Known(
                                    name,
                                    stat.size(),
                                    stat.mtimeNanos(),
                                    stat.ctimeNanos(),
                                    stat.inode(),
                                    stat.device(),
                                    content.chunks()));
                }
            }

            /** Reads a file; empty when it vanished or cannot be read, which was told. */
            Optional<Content> read(Path path, byte[] relative, FileScanner.Stat listed)
                    throws IOException {
                FileScanner.Stat before = listed;
                for (int attempt = 1; ; attempt++) {
                    long nowNanos = clock.millis() * 1_000_000L;
                    try {
                        hook.beforeRead(path);
                        List<ChunkId> chunks = new ArrayList<>(1);
                        long size = content(path, before.size(), chunks);
                        hook.afterRead(path);
                        FileScanner.Stat after = scanner.stat(path);
                        boolean still = before.same(after) && size == after.size();
                        if (still) {
                            boolean settled = before.ctimeNanos() < nowNanos - RACY_NANOS;
                            return Optional.of(new Content(after, size, chunks, settled));
                        }
                        if (after.type() != ManifestEntry.Type.FILE) {
                            monitor.warning(
                                    relative, "is no longer a file since it was listed, left out");
                            return Optional.empty();
                        }
                        if (attempt == 2) {
                            monitor.warning(
                                    relative,
                                    "changed while it was read, twice; kept as it was read");
                            return Optional.of(new Content(after, size, chunks, false));
                        }
                        before = after;
                    } catch (NoSuchFileException e) {
                        monitor.warning(relative, "vanished before it was read");
                        return Optional.empty();
                    } catch (CancellationException | ChunkSink.Failed e) {
                        throw e;
                    } catch (IOException e) {
                        monitor.checkCancelled();
                        monitor.warning(relative, "cannot be read, left out: " + reason(e));
                        return Optional.empty();
                    }
                }
            }

            private long content(Path path, long expected, List<ChunkId> chunks)
                    throws IOException {
                try (FileChannel file = FileChannel.open(path, READ)) {
                    if (expected < small.length) {
                        int size = fill(file, small);
                        if (size < small.length) {
                            if (size > 0) {
                                chunks.add(sink.data(small, 0, size));
                            }
                            return size;
                        }
                        file.position(0);
                    }
                    Source in = new Source(file);
                    Chunker cutter = chunker;
                    if (cutter == null) {
                        cutter = new Chunker(spec.chunking(), in);
                        chunker = cutter;
                    } else {
                        cutter.reset(in);
                    }
                    long size = 0;
                    while (cutter.next()) {
                        chunks.add(sink.data(cutter.buffer(), cutter.offset(), cutter.length()));
                        size += cutter.length();
                    }
                    return size;
                }
            }

            private int fill(FileChannel file, byte[] into) throws IOException {
                ByteBuffer buffer = ByteBuffer.wrap(into);
                int count = 0;
                while (count >= 0 && buffer.hasRemaining()) {
                    count = file.read(buffer);
                }
                monitor.bytesRead.add(buffer.position());
                return buffer.position();
            }

            /** One entry of the folder is known; when it was the last, so is the folder. */
            private void completed(Folder folder) throws IOException {
                Folder at = folder;
                while (at != null && at.pending.decrementAndGet() == 0) {
                    ManifestEntry entry = write(at);
                    Folder parent = at.parent;
                    if (parent == null) {
                        synchronized (lists) {
                            top = entry;
                            ended = true;
                            lists.notifyAll();
                        }
                        return;
                    }
                    parent.add(entry);
                    at = parent;
                }
            }

            private ManifestEntry write(Folder folder) throws IOException {
                List<ManifestEntry> entries;
                List<FileCache.Known> known;
                synchronized (folder) {
                    entries = folder.entries;
                    known = folder.known;
                }
                entries.sort(Comparator.comparing(ManifestEntry::name, Arrays::compareUnsigned));
                ChunkId node = manifest.directory(entries);
                if (!known.isEmpty()) {
                    next.folder(folder.relative, known);
                }
                SortedMap<String, byte[]> xattrs = Collections.emptySortedMap();
                try {
                    xattrs = scanner.xattrs(folder.path);
                } catch (IOException e) {
                    monitor.warning(
                            folder.relative,
                            "extended attributes cannot be read, left out: " + e.getMessage());
                }
                FileScanner.Stat stat = folder.stat;
                return new ManifestEntry(
                        folder.parent == null ? TOP : PathBytes.name(folder.path),
                        ManifestEntry.Type.DIRECTORY,
                        stat.mode() & 07777,
                        stat.uid(),
                        stat.gid(),
                        scanner.user(stat.uid(), folder.path),
                        scanner.group(stat.gid(), folder.path),
                        stat.mtimeNanos(),
                        0,
                        TOP,
                        0,
                        0,
                        xattrs,
                        List.of(),
                        Optional.of(node));
            }
        }
    }

    /** A file as a stream, counted, in slices that keep the JDK's direct buffers small. */
    private final class Source extends InputStream {
        private final FileChannel file;

        Source(FileChannel file) {
            this.file = file;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            monitor.checkCancelled();
            int count = file.read(ByteBuffer.wrap(into, offset, Math.min(length, READ_BYTES)));
            if (count > 0) {
                monitor.bytesRead.add(count);
            }
            return count;
        }
    }

    static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof FileSystemException f && f.getReason() != null) {
            return f.getReason();
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
