package io.holdfast.agent.files;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.ManifestEntry;
import io.holdfast.chunk.Sealer;
import io.holdfast.chunk.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Brings a data piece, or some paths of it, back into a folder. One thread walks the manifest, makes
 * folders and special files and gathers files; others read chunks in batches, verify and write them.
 * Hard links come when all files are there, modes and times of folders last, deepest first.
 *
 * <p>The target folder stands for the folder that was backed up and takes its attributes (not when
 * only some paths are restored). Everything is reached from the target's descriptor, step by step,
 * and no symlink below it is ever followed, also none that somebody plants meanwhile. Names that are
 * no names ({@code ..}, a slash) are refused.
 *
 * <p>A file with a chunk that is missing or damaged is named as an error; what came before that
 * chunk is kept as {@code NAME.holdfast-damaged}, and never under the file's own name. The other
 * files go on, and the job fails at the end. With {@code overwrite} a file is written beside the one
 * that exists and takes its place when it is whole.
 *
 * <p>Runs of zeros become holes. When {@link #run} returns, everything is on disk ({@code syncfs}).
 * Owners and devices need root; otherwise that is told once.
 */
public final class RestoreJob {
    private static final String DAMAGED = ".holdfast-damaged";
    private static final int BATCH_CHUNKS = 256;
    private static final long BATCH_BYTES = 16L << 20;
    private static final int SLICE_CHUNKS = 1024;
    private static final int BATCHES_AHEAD = 4;
    private static final int HOLE_BYTES = 64 << 10;
    private static final byte[] ZEROS = new byte[1 << 20];
    private static final byte[] HERE = {};

    private final Spec spec;
    private final DomainKey key;
    private final JobStorage storage;
    private final JobMonitor monitor;
    private final long startNanos;
    private final boolean root = Posix.isRoot();
    private final AtomicBoolean ownersTold = new AtomicBoolean();
    private final AtomicLong firstByteNanos = new AtomicLong(-1);
    private final AtomicLong temporaryNumber = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Set<Integer> failedInodes = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<Batch> batches = new ArrayBlockingQueue<>(BATCHES_AHEAD);

    /**
     * What to restore, and where to.
     *
     * @param piece expected id of the piece
     * @param pieceHeader id of its PIECE frame
     * @param target absolute path, as bytes; made when it is missing
     * @param include paths below the piece's root; empty for everything
     * @param overwrite whether the target may hold something
     * @param workers threads that write; each holds about 10 MB
     */
    @SuppressWarnings("ArrayRecordComponent") // paths are bytes
    public record Spec(
            UUID job,
            UUID piece,
            ChunkId pieceHeader,
            byte[] target,
            List<String> include,
            boolean overwrite,
            int workers) {
        /** Copies the list. */
        public Spec {
            include = List.copyOf(include);
        }
    }

    /** What was done. {@code errors} files are not restored, or not whole: each has its log line. */
    public record Result(long files, long bytes, int errors, int warnings, long firstByteMillis) {}

    /** A job that has not begun; its time to the first byte counts from here. */
    public RestoreJob(Spec spec, DomainKey key, JobStorage storage, JobMonitor monitor) {
        this.spec = spec;
        this.key = key;
        this.storage = storage;
        this.monitor = monitor;
        this.startNanos = System.nanoTime();
    }

    @SuppressWarnings("ArrayRecordComponent")
    private record Link(byte[] path, int inode) {}

    @SuppressWarnings("ArrayRecordComponent")
    private record Made(byte[] path, ManifestEntry entry) {}

    /** A file to write; compared by identity. */
    private static final class FileTask {
        private final byte[] path;
        private final ManifestEntry entry;

        FileTask(byte[] path, ManifestEntry entry) {
            this.path = path;
            this.entry = entry;
        }

        byte[] path() {
            return path;
        }

        ManifestEntry entry() {
            return entry;
        }
    }

    /** Files for one worker; compared by identity. */
    private static final class Batch {
        static final Batch END = new Batch(List.of());

        private final List<FileTask> files;

        Batch(List<FileTask> files) {
            this.files = files;
        }

        List<FileTask> files() {
            return files;
        }
    }

    /**
     * Does it.
     *
     * @throws BackupJob.Failed when the target cannot be used or the key does not fit; nothing was
     *     written
     * @throws CancellationException when the monitor was told to cancel; what was written stays
     * @throws IOException when the storage failed, or the target is full; what was written stays
     */
    public Result run() throws IOException {
        monitor.session(storage);
        monitor.phase("restore");
        try (PieceReader piece = PieceReader.open(storage, key, spec.pieceHeader())) {
            UUID found = piece.header().record().piece();
            if (!found.equals(spec.piece())) {
                throw new BackupJob.Failed(
                        "Header "
                                + spec.pieceHeader()
                                + " is that of piece "
                                + found
                                + ", not of "
                                + spec.piece()
                                + "; nothing was restored");
            }
            ManifestEntry top = piece.root();
            byte[] target = prepareTarget();
            int fd = Posix.openat(Posix.AT_FDCWD, target, Posix.O_DIRECTORY, 0);
            try {
                new Walk(piece, fd).run(top);
                Posix.syncfs(fd, target);
            } finally {
                Posix.close(fd);
            }
        }
        long first = firstByteNanos.get();
        return new Result(
                monitor.files.sum(),
                monitor.bytesRead.sum(),
                monitor.errors(),
                monitor.warnings(),
                first < 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(first));
    }

    private byte[] prepareTarget() throws IOException {
        Path target = PathBytes.path(spec.target());
        try {
            if (!Files.isDirectory(target)) {
                Files.createDirectories(target);
            }
            Path real = target.toRealPath();
            if (!spec.overwrite()) {
                try (DirectoryStream<Path> stream = Files.newDirectoryStream(real)) {
                    if (stream.iterator().hasNext()) {
                        throw new BackupJob.Failed(
                                "Target "
                                        + target
                                        + " is not empty; nothing was restored. Name an empty"
                                        + " folder, or allow to overwrite");
                    }
                }
            }
            return PathBytes.of(real);
        } catch (FileAlreadyExistsException e) {
            throw new BackupJob.Failed(
                    "Target "
                            + target
                            + " cannot be made: "
                            + e.getFile()
                            + " is not a folder; nothing was restored");
        } catch (AccessDeniedException e) {
            throw new BackupJob.Failed(
                    "Target "
                            + target
                            + " may not be written by this agent; nothing was restored. Run the"
                            + " agent as a user who may");
        }
    }

    /** Which paths of the tree are wanted. */
    private final class Include {
        private final List<byte[]> wanted = new ArrayList<>();
        private final Set<Integer> found = new HashSet<>();

        Include() {
            for (String path : spec.include()) {
                wanted.add(TargetFolders.utf8(path.replaceAll("^/+|/+$", "")));
            }
            wanted.removeIf(path -> path.length == 0);
        }

        boolean everything() {
            return wanted.isEmpty();
        }

        /** It, or something above it, is wanted. */
        boolean wants(byte[] path) {
            boolean wants = everything();
            for (int i = 0; i < wanted.size(); i++) {
                if (isAtOrBelow(path, wanted.get(i))) {
                    found.add(i);
                    wants = true;
                }
            }
            return wants;
        }

        /** Something below it is wanted. */
        boolean leadsTo(byte[] path) {
            return wanted.stream().anyMatch(want -> isAtOrBelow(want, path));
        }

        void tellWhatWasNotFound() {
            for (int i = 0; i < wanted.size(); i++) {
                if (!found.contains(i)) {
                    monitor.error(wanted.get(i), "is not in the piece");
                }
            }
        }

        private static boolean isAtOrBelow(byte[] path, byte[] above) {
            return path.length >= above.length
                    && Arrays.equals(path, 0, above.length, above, 0, above.length)
                    && (path.length == above.length || path[above.length] == '/');
        }
    }

    /** One restore, from the walking thread's side. */
    private final class Walk {
        private final PieceReader piece;
        private final int target;
        private final TargetFolders folders;
        private final Include include = new Include();
        private final Map<Integer, byte[]> firstNames = new HashMap<>();
        private final List<Link> links = new ArrayList<>();
        private final List<Made> made = new ArrayList<>();
        private List<FileTask> gathered = new ArrayList<>();
        private int gatheredChunks;
        private long gatheredBytes;

        Walk(PieceReader piece, int target) {
            this.piece = piece;
            this.target = target;
            this.folders = new TargetFolders(target);
        }

        void run(ManifestEntry top) throws IOException {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < Math.max(1, spec.workers()); i++) {
                threads.add(
                        Thread.ofPlatform()
                                .name("restore-" + spec.job() + "-" + i)
                                .daemon()
                                .start(this::work));
            }
            try (folders) {
                try {
                    if (top.type() == ManifestEntry.Type.DIRECTORY) {
                        folder(HERE, top);
                        if (include.everything()) {
                            made.addFirst(new Made(HERE, top));
                        }
                    } else {
                        single(top);
                    }
                    hand();
                    include.tellWhatWasNotFound();
                } catch (UncheckedIOException e) {
                    fail(cause(e));
                } catch (IOException | RuntimeException e) {
                    fail(e);
                }
                end(threads);
                makeLinks();
                finishFolders();
            }
        }

        private void end(List<Thread> threads) throws IOException {
            for (int i = 0; i < threads.size(); i++) {
                offer(Batch.END);
            }
            boolean interrupted = false;
            for (Thread thread : threads) {
                while (thread.isAlive()) {
                    try {
                        thread.join();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            Throwable failed = failure.get();
            switch (failed) {
                case null -> {}
                case CancellationException e -> throw e;
                case IOException e -> throw e;
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(failed);
            }
        }

        /** A piece of a single file: below the target, under its own name. */
        private void single(ManifestEntry top) throws IOException {
            byte[] source = TargetFolders.utf8(piece.header().record().dataPiece());
            byte[] name = TargetFolders.last(source);
            byte[] path = PathBytes.isSafeName(name) ? name : TargetFolders.utf8("restored");
            if (include.wants(path)) {
                other(path, top);
            }
        }

        private void folder(byte[] path, ManifestEntry folder) throws IOException {
            List<ManifestEntry> below = new ArrayList<>();
            try {
                for (ManifestEntry entry : piece.entries(folder)) {
                    checkRunning();
                    if (!PathBytes.isSafeName(entry.name())) {
                        monitor.error(
                                PathBytes.join(path, entry.name()),
                                "refused: this is not the name of a file");
                        continue;
                    }
                    byte[] name = PathBytes.join(path, entry.name());
                    boolean wanted = include.wants(name);
                    if (entry.type() == ManifestEntry.Type.DIRECTORY) {
                        if ((wanted || include.leadsTo(name)) && makeFolder(name)) {
                            made.add(new Made(name, entry));
                            below.add(entry);
                        }
                    } else if (wanted) {
                        other(name, entry);
                    }
                }
            } catch (UncheckedIOException e) {
                damagedFolder(path, cause(e));
            } catch (IOException e) {
                damagedFolder(path, e);
            }
            for (int i = 0; i < below.size(); i++) {
                piece.fetchAhead(below.subList(i, Math.min(below.size(), i + 32)));
                folder(PathBytes.join(path, below.get(i).name()), below.get(i));
            }
        }

        private void damagedFolder(byte[] path, IOException e) throws IOException {
            String damage = PieceReader.damage(e);
            if (damage == null) {
                throw e;
            }
            monitor.error(path, "the list of this folder is damaged, rest left out: " + damage);
        }

        private boolean makeFolder(byte[] path) {
            byte[] name = TargetFolders.last(path);
            try {
                int parent = folders.open(TargetFolders.parent(path));
                try {
                    Posix.mkdirat(parent, name, 0700);
                } catch (Posix.Failure e) {
                    if (e.errno() != Posix.EEXIST || !spec.overwrite()) {
                        throw e;
                    }
                }
                folders.open(path);
                return true;
            } catch (Posix.Failure e) {
                monitor.error(path, "folder not restored, nor what is in it: " + e.getMessage());
                return false;
            }
        }

        private void other(byte[] path, ManifestEntry entry) throws IOException {
            if (entry.hardlink() != 0) {
                if (firstNames.putIfAbsent(entry.hardlink(), path) != null) {
                    links.add(new Link(path, entry.hardlink()));
                    return;
                }
            }
            if (entry.type() == ManifestEntry.Type.FILE) {
                gather(new FileTask(path, entry));
            } else {
                special(path, entry);
            }
        }

        private void special(byte[] path, ManifestEntry entry) {
            byte[] name = TargetFolders.last(path);
            try {
                int folder = folders.open(TargetFolders.parent(path));
                if (spec.overwrite()) {
                    removeOld(folder, name);
                }
                switch (entry.type()) {
                    case SYMLINK -> Posix.symlinkat(entry.linkTarget(), folder, name);
                    case FIFO -> Posix.mknodat(folder, name, Posix.S_IFIFO | 0600, 0);
                    case CHARACTER_DEVICE ->
                            Posix.mknodat(folder, name, Posix.S_IFCHR | 0600, entry.device());
                    case BLOCK_DEVICE ->
                            Posix.mknodat(folder, name, Posix.S_IFBLK | 0600, entry.device());
                    case SOCKET, FILE, DIRECTORY -> {
                        return;
                    }
                }
                if (root) {
                    Posix.lchownat(folder, name, entry.uid(), entry.gid());
                } else {
                    tellOwners();
                }
                if (entry.type() != ManifestEntry.Type.SYMLINK) {
                    Posix.chmodat(folder, name, entry.mode());
                }
                Posix.lutimensat(folder, name, entry.mtimeNanos());
                monitor.files.increment();
            } catch (Posix.Failure e) {
                failed(entry);
                boolean privileged =
                        e.errno() == Posix.EPERM
                                && (entry.type() == ManifestEntry.Type.CHARACTER_DEVICE
                                        || entry.type() == ManifestEntry.Type.BLOCK_DEVICE);
                if (privileged) {
                    monitor.warning(path, "device not restored, it needs root: " + e.getMessage());
                } else {
                    monitor.error(path, "not restored: " + e.getMessage());
                }
            }
        }

        private void gather(FileTask file) throws IOException {
            int chunks = file.entry().content().size();
            if (!gathered.isEmpty()
                    && (gatheredChunks + chunks > BATCH_CHUNKS
                            || gatheredBytes + file.entry().size() > BATCH_BYTES)) {
                hand();
            }
            gathered.add(file);
            gatheredChunks += chunks;
            gatheredBytes += file.entry().size();
            if (firstByteNanos.get() < 0 || gathered.size() >= BATCH_CHUNKS) {
                hand(); // the first bytes soon; many empty files not too many
            }
        }

        private void hand() {
            if (!gathered.isEmpty()) {
                offer(new Batch(gathered));
                gathered = new ArrayList<>();
                gatheredChunks = 0;
                gatheredBytes = 0;
            }
        }

        private void offer(Batch batch) {
            try {
                while (!batches.offer(batch, 100, TimeUnit.MILLISECONDS)) {
                    if (failure.get() != null) {
                        return;
                    }
                    if (monitor.isCancelled()) {
                        fail(new CancellationException("cancelled"));
                        return;
                    }
                }
            } catch (InterruptedException e) {
                fail(new CancellationException("interrupted"));
                Thread.currentThread().interrupt();
            }
        }

        private void checkRunning() {
            monitor.checkCancelled();
            if (failure.get() != null) {
                throw new CancellationException("another thread of the restore failed");
            }
        }

        private void work() {
            try (Writer writer = new Writer(target)) {
                while (failure.get() == null) {
                    Batch batch = batches.poll(100, TimeUnit.MILLISECONDS);
                    if (batch == Batch.END) {
                        return;
                    }
                    if (batch != null) {
                        writer.batch(batch.files());
                    }
                }
            } catch (Throwable e) {
                fail(e);
            }
        }

        private void makeLinks() {
            try (TargetFolders from = new TargetFolders(target)) {
                for (Link link : links) {
                    monitor.checkCancelled();
                    byte[] first = firstNames.get(link.inode());
                    if (first == null || failedInodes.contains(link.inode())) {
                        monitor.error(
                                link.path(), "not restored: the file it is a hard link to is not");
                        continue;
                    }
                    try {
                        int source = from.open(TargetFolders.parent(first));
                        int folder = folders.open(TargetFolders.parent(link.path()));
                        byte[] name = TargetFolders.last(link.path());
                        if (spec.overwrite()) {
                            removeOld(folder, name);
                        }
                        Posix.linkat(source, TargetFolders.last(first), folder, name);
                        monitor.files.increment();
                    } catch (Posix.Failure e) {
                        monitor.error(link.path(), "hard link not restored: " + e.getMessage());
                    }
                }
            }
        }

        private void finishFolders() {
            for (Made folder : made.reversed()) {
                try {
                    int fd = folders.open(folder.path());
                    attributes(fd, folder.path(), folder.entry());
                } catch (Posix.Failure e) {
                    monitor.error(folder.path(), "attributes not restored: " + e.getMessage());
                }
            }
        }
    }

    private static IOException cause(UncheckedIOException e) {
        return Objects.requireNonNull(e.getCause());
    }

    private void fail(Throwable e) {
        failure.compareAndSet(null, e);
    }

    private void failed(ManifestEntry entry) {
        if (entry.hardlink() != 0) {
            failedInodes.add(entry.hardlink());
        }
    }

    private void tellOwners() {
        if (ownersTold.compareAndSet(false, true)) {
            monitor.warning(HERE, "owners are not restored: the agent does not run as root");
        }
    }

    private static void removeOld(int folder, byte[] name) throws Posix.Failure {
        try {
            Posix.unlinkat(folder, name, false);
        } catch (Posix.Failure e) {
            if (e.errno() != Posix.ENOENT) {
                throw e;
            }
        }
    }

    /** Owner, attributes, mode and time of an open file or folder, in the order that keeps them. */
    private void attributes(int fd, byte[] path, ManifestEntry entry) throws Posix.Failure {
        if (root) {
            Posix.fchown(fd, entry.uid(), entry.gid(), path); // clears setuid and capabilities
        } else {
            tellOwners();
        }
        xattrs(fd, path, entry, true); // needs permission to write, which the mode may take away
        Posix.fchmod(fd, entry.mode(), path);
        xattrs(fd, path, entry, false); // access control lists change with the mode
        Posix.futimens(fd, entry.mtimeNanos(), path);
    }

    private void xattrs(int fd, byte[] path, ManifestEntry entry, boolean ofUsers) {
        entry.xattrs()
                .forEach((name, value) -> {
                    if (name.startsWith("user.") != ofUsers) {
                        return;
                    }
                    if (!FileScanner.isKept(name)) {
                        monitor.warning(path, "attribute " + name + " refused");
                        return;
                    }
                    try {
                        Posix.fsetxattr(fd, name, value, path);
                    } catch (Posix.Failure e) {
                        monitor.warning(path, "attribute not restored: " + e.getMessage());
                    }
                });
    }

    /** Writes files; one per thread. */
    private final class Writer implements AutoCloseable {
        private final TargetFolders folders;
        private final Sealer sealer = new Sealer(key, 0);
        private @Nullable Open open;

        Writer(int target) {
            this.folders = new TargetFolders(target);
        }

        /** A file being written. */
        private static final class Open {
            final FileTask task;
            final int fd;
            final byte[] name;
            final FileChannel channel;
            long position;
            boolean hole;

            Open(FileTask task, int fd, byte[] name) throws IOException {
                this.task = task;
                this.fd = fd;
                this.name = name;
                this.channel =
                        FileChannel.open(TargetFolders.byDescriptor(fd), StandardOpenOption.WRITE);
            }
        }

        void batch(List<FileTask> files) throws IOException {
            // Positions of the batch: every chunk of every file, in order.
            List<FileTask> withContent = new ArrayList<>();
            for (FileTask file : files) {
                if (file.entry().content().isEmpty()) {
                    if (begin(file)) {
                        finish();
                    }
                } else {
                    withContent.add(file);
                }
            }
            int fileAt = 0;
            int chunkAt = 0;
            while (fileAt < withContent.size()) {
                List<ChunkId> ids = new ArrayList<>();
                List<int[]> places = new ArrayList<>();
                int f = fileAt;
                int c = chunkAt;
                while (f < withContent.size() && ids.size() < SLICE_CHUNKS) {
                    List<ChunkId> content = withContent.get(f).entry().content();
                    try {
                        ids.add(content.get(c));
                    } catch (UncheckedIOException e) {
                        if (ids.isEmpty()) {
                            throughDamagedList(withContent.get(f), c, cause(e));
                            f++;
                            c = 0;
                            continue;
                        }
                        break; // first what comes before
                    }
                    places.add(new int[] {f, c});
                    c++;
                    if (c == content.size()) {
                        f++;
                        c = 0;
                    }
                }
                int[] done = {0};
                try {
                    storage.read(
                            ids,
                            (id, frame) -> {
                                int[] place = places.get(done[0]);
                                done[0]++;
                                chunk(withContent.get(place[0]), place[1], id, frame);
                            });
                    fileAt = f;
                    chunkAt = c;
                } catch (IOException e) {
                    monitor.checkCancelled();
                    String damage = PieceReader.damage(e);
                    if (damage == null || done[0] >= places.size()) {
                        throw e;
                    }
                    int[] place = places.get(done[0]);
                    FileTask file = withContent.get(place[0]);
                    if (place[1] == 0) {
                        begin(file);
                    }
                    damaged(file, damage);
                    fileAt = place[0] + 1;
                    chunkAt = 0;
                }
            }
        }

        /** The list of a file's chunks is damaged from {@code chunk} on. */
        private void throughDamagedList(FileTask file, int chunk, IOException e)
                throws IOException {
            String damage = PieceReader.damage(e);
            if (damage == null) {
                throw e;
            }
            if (chunk == 0) {
                begin(file);
            }
            damaged(file, damage);
        }

        /** One chunk of a file; a failure that concerns the file alone is told and does not throw. */
        private void chunk(FileTask file, int index, ChunkId id, byte[] frame) throws IOException {
            monitor.checkCancelled();
            if (index == 0 && !begin(file)) {
                return;
            }
            Open at = open;
            if (at == null || at.task != file) {
                return; // failed before, which was told
            }
            byte[] plain;
            try {
                plain = PieceReader.open(sealer, id, frame);
            } catch (StoreException.Corrupt e) {
                damaged(file, String.valueOf(e.getMessage()));
                return;
            }
            try {
                write(at, plain);
                if (index == file.entry().content().size() - 1) {
                    finish();
                }
            } catch (IOException e) {
                if (String.valueOf(e.getMessage()).contains("No space left")) {
                    throw new BackupJob.Failed(
                            "The target is full at "
                                    + PathBytes.text(file.path())
                                    + "; what was restored stays. Free space, then restore again");
                }
                drop(file, "not restored: " + BackupJob.reason(e));
            }
        }

        private boolean begin(FileTask file) throws IOException {
            abandon();
            byte[] last = TargetFolders.last(file.path());
            byte[] name =
                    spec.overwrite()
                            ? TargetFolders.utf8(
                                    ".holdfast-"
                                            + spec.job()
                                            + "-"
                                            + temporaryNumber.incrementAndGet())
                            : last;
            try {
                int folder = folders.open(TargetFolders.parent(file.path()));
                int fd =
                        Posix.openat(
                                folder,
                                name,
                                Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW,
                                0600);
                try {
                    open = new Open(file, fd, name);
                    return true;
                } catch (IOException e) {
                    Posix.close(fd);
                    throw e;
                }
            } catch (IOException e) {
                failed(file.entry());
                monitor.error(file.path(), "not restored: " + BackupJob.reason(e));
                return false;
            }
        }

        private void write(Open at, byte[] plain) throws IOException {
            if (plain.length >= HOLE_BYTES && isZero(plain)) {
                at.position += plain.length;
                at.hole = true;
            } else {
                ByteBuffer buffer = ByteBuffer.wrap(plain);
                while (buffer.hasRemaining()) {
                    at.position += at.channel.write(buffer, at.position);
                }
                at.hole = false;
            }
            monitor.bytesRead.add(plain.length);
            if (firstByteNanos.get() < 0) {
                firstByteNanos.compareAndSet(-1, System.nanoTime() - startNanos);
            }
        }

        /** The file is whole: attributes, and its name. */
        private void finish() throws IOException {
            Open at = open;
            if (at == null) {
                return;
            }
            FileTask file = at.task;
            if (at.position != file.entry().size()) {
                damaged(
                        file,
                        "its chunks hold "
                                + at.position
                                + " bytes instead of "
                                + file.entry().size());
                return;
            }
            try {
                if (at.hole) {
                    at.channel.write(ByteBuffer.wrap(new byte[1]), at.position - 1);
                }
                at.channel.close();
                attributes(at.fd, file.path(), file.entry());
                if (spec.overwrite()) {
                    int folder = folders.open(TargetFolders.parent(file.path()));
                    Posix.renameat(folder, at.name, TargetFolders.last(file.path()));
                }
                Posix.close(at.fd);
                open = null;
                monitor.files.increment();
            } catch (IOException e) {
                drop(file, "not restored: " + BackupJob.reason(e));
            }
        }

        /** Keeps what came before the damaged chunk beside the file's name. */
        private void damaged(FileTask file, String why) {
            failed(file.entry());
            Open at = open;
            String kept = "nothing of it is kept";
            if (at != null && at.task == file) {
                byte[] aside = concat(TargetFolders.last(file.path()), TargetFolders.utf8(DAMAGED));
                try {
                    int folder = folders.open(TargetFolders.parent(file.path()));
                    if (at.position > 0 && PathBytes.isSafeName(aside)) {
                        Posix.renameat(folder, at.name, aside);
                        kept = "its first " + at.position + " bytes are in " + text(aside);
                    } else {
                        Posix.unlinkat(folder, at.name, false);
                    }
                } catch (Posix.Failure e) {
                    kept = "its rest could not be set aside: " + e.getMessage();
                }
                close(at);
            }
            monitor.error(file.path(), "damaged: " + why + "; " + kept);
        }

        private void drop(FileTask file, String why) {
            failed(file.entry());
            monitor.error(file.path(), why);
            abandon();
        }

        /** Removes a file that is not whole. */
        private void abandon() {
            Open at = open;
            if (at != null) {
                try {
                    int folder = folders.open(TargetFolders.parent(at.task.path()));
                    Posix.unlinkat(folder, at.name, false);
                } catch (Posix.Failure e) {
                    monitor.warning(at.task.path(), "an incomplete file stays: " + e.getMessage());
                }
                close(at);
            }
        }

        private void close(Open at) {
            try {
                at.channel.close();
            } catch (IOException e) {
                monitor.warning(at.task.path(), BackupJob.reason(e));
            }
            Posix.close(at.fd);
            open = null;
        }

        @Override
        public void close() {
            abandon();
            folders.close();
            sealer.close();
        }
    }

    private static String text(byte[] name) {
        return PathBytes.text(name);
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private static boolean isZero(byte[] bytes) {
        for (int at = 0; at < bytes.length; at += ZEROS.length) {
            int length = Math.min(ZEROS.length, bytes.length - at);
            if (!Arrays.equals(bytes, at, at + length, ZEROS, 0, length)) {
                return false;
            }
        }
        return true;
    }
}
