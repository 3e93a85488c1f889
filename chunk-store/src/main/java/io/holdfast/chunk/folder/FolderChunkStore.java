package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ClosureProof;
import io.holdfast.chunk.CollectedStore;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.LogPosition;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.StoreException;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcPlan;
import io.holdfast.chunk.gc.GcState;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The chunk store in a folder: one append log of frames, kept in packs.
 *
 * <pre>
 * STORE                     which incarnation this is ({@link StoreFile})
 * LOCK                      held while a process has the store open
 * packs/0000000001.pack     header, then frames ({@link PackFormat})
 * packs/0000000001.idx      what is in it ({@link PackIndexFile}); written when the pack is sealed
 * </pre>
 *
 * <p><b>Appending.</b> {@link #append} hashes and checks a frame outside the lock and writes it to the
 * tail pack under it; the file's page cache is the buffer. {@link #sync} lets one of all waiting
 * callers fsync for them, then publishes the frames: readers, {@link #missing}, {@link #tail} and
 * acknowledgements see only what is published. An id that is being written by another session is not
 * written again: the second append answers false, and its sync covers the first one's frame. A pack
 * that would outgrow {@link Options#packBytes} is rolled: the next sync fsyncs it, writes its index,
 * and only then fsyncs the new pack, so that frames become durable in the order of the log.
 *
 * <p><b>Disk full.</b> The part of the frame that was written is cut off again and {@link
 * StoreException.Full} thrown; frames appended before stay, and the store works on when there is space.
 *
 * <p><b>Other errors.</b> After a failed fsync the kernel may have dropped the pages and call them
 * clean, so the file cannot be believed any more. The store then cuts the tail back to what was durable
 * (best effort) and refuses every append, sync and commit with {@link StoreException.Failed} until it
 * is opened again; reads go on. It does not go on with a new pack by itself: frames of other sessions,
 * appended and not yet synced, are gone, and their next sync must not succeed.
 *
 * <p><b>Opening</b> reads the indexes, and scans packs that have none: the last one, and those of a
 * crash. What was appended after the last sync and is whole is kept and fsynced; a torn tail is cut
 * off; damage before whole frames is kept, named ({@link #findings}) and counts as missing. So children
 * stand before their parents in the log, except where damage or a power loss took a child whose parent
 * no piece refers to, or that was repaired later.
 *
 * <p><b>Damage</b> found by {@link #read} makes a frame count as missing, so that sending it again,
 * from an agent or the other site, repairs the store: the log then holds the id twice, and the later
 * one counts.
 *
 * <p><b>Sweeping.</b> {@link #missing}, {@link #append} and {@link #commitPiece} pin what they find for
 * their session and resurrect it if it is a fossil, under the collector's monitor, as a sweep deletes.
 * A removed frame leaves its pack's index, and its bytes may become a hole of the file; no other
 * frame moves, so positions keep their meaning and readers are not disturbed. Which operations may run beside each other: all; the table is in {@code FORMAT.md}.
 */
public final class FolderChunkStore implements CollectedStore {
    static final String PACKS = "packs";

    /**
     * How a store is kept; may change between two openings.
     *
     * @param packBytes a pack that would grow beyond it is sealed and a new one begun; a larger frame
     *     gets a pack of its own. 4 KiB to 1 GiB
     * @param collection how patient its collector is
     */
    public record Options(int packBytes, GcState.Config collection) {
        /** Packs of 256 MiB. */
        public static final Options DEFAULT = new Options(256 << 20);

        /** The usual patience. */
        public Options(int packBytes) {
            this(packBytes, GcState.Config.DEFAULT);
        }

        /** Checks the range. */
        public Options {
            if (packBytes < 4096 || packBytes > 1 << 30) {
                throw new IllegalArgumentException(
                        "packBytes " + packBytes + "; expected 4096 to 1073741824");
            }
        }
    }

    /** A pack that is being written, or waits for its index. Guarded by {@link #lock}. */
    private static final class OpenPack {
        final int sequence;
        final Path path;
        final Disk.Appender file;
        final List<PackIndexFile.Entry> entries;
        long end;
        long durableEnd;

        OpenPack(
                int sequence,
                Path path,
                Disk.Appender file,
                List<PackIndexFile.Entry> entries,
                long end,
                long durableEnd) {
            this.sequence = sequence;
            this.path = path;
            this.file = file;
            this.entries = new ArrayList<>(entries);
            this.end = end;
            this.durableEnd = durableEnd;
        }
    }

    private final Path folder;
    private final Path packs;
    private final Options options;
    private final Disk disk;
    private final StoreLock storeLock;
    private final UUID incarnation;
    private final List<Finding> findings;
    private final ChunkIndex index;
    private final PackReaders readers;
    private final FileStore fileStore;
    private final ClosureProof proof = new ClosureProof();
    private final FolderCollector collector;

    /** Guards everything below, and the tail file's writes. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition synced = lock.newCondition();
    private final byte[] recordHeader = new byte[PackFormat.RECORD_BYTES];
    private @Nullable OpenPack tail;
    private final List<OpenPack> rolled = new ArrayList<>();
    private int lastSequence;
    private int packCount;
    private int durableNames;
    private boolean syncing;
    private boolean closed;
    private @Nullable IOException failure;
    private volatile LogPosition durableEnd;

    /**
     * Opens the store in {@code folder}, or makes one when the folder is absent or empty.
     *
     * @throws StoreException.Corrupt when it is no store of a version known here, or holds packs of
     *     another store
     * @throws StoreException.Failed when another process has it open
     */
    public static FolderChunkStore open(Path folder, Options options) throws IOException {
        return open(folder, options, Disk.REAL);
    }

    static FolderChunkStore open(Path folder, Options options, Disk disk) throws IOException {
        createFolders(folder.resolve(PACKS).toAbsolutePath(), disk);
        StoreLock storeLock = StoreLock.take(folder);
        try {
            removeTemporary(folder);
            return new FolderChunkStore(folder, options, disk, storeLock);
        } catch (IOException | RuntimeException e) {
            storeLock.close();
            throw e;
        }
    }

    /** What a process that died was about to put in the place of a file; nobody else writes here now. */
    private static void removeTemporary(Path folder) throws IOException {
        List<Path> left = new ArrayList<>(List.of(folder.resolve(StoreFile.NAME + Disk.TEMPORARY)));
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(folder.resolve(PACKS), "*" + Disk.TEMPORARY)) {
            for (Path file : files) {
                if (PackFormat.sequence(file, ".pack" + Disk.TEMPORARY).isPresent()
                        || PackFormat.sequence(file, ".idx" + Disk.TEMPORARY).isPresent()) {
                    left.add(file);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        for (Path file : left) {
            Files.deleteIfExists(file);
        }
    }

    /** Makes what is absent, each name durable before anything is put below it. */
    private static void createFolders(Path path, Disk disk) throws IOException {
        Path parent = path.getParent();
        if (!Files.isDirectory(path) && parent != null) {
            createFolders(parent, disk);
            Files.createDirectory(path);
            disk.syncFolder(parent);
        }
    }

    /**
     * The frames in a store's folder, read from the pack indexes without opening the store: for
     * comparing stores whose processes are gone, or are running. Nothing is changed. A running
     * store's frames that are not yet durable may be listed.
     */
    public static List<Tailed> readInventory(Path folder) throws IOException {
        List<Tailed> inventory = new ArrayList<>();
        for (FolderLoader.Pack pack : FolderLoader.load(folder).packs()) {
            for (PackIndexFile.Entry entry : pack.entries()) {
                inventory.add(
                        tailed(
                                new ChunkIndex.Located(
                                        0,
                                        entry.id(),
                                        entry.kind(),
                                        pack.sequence(),
                                        entry.offset(),
                                        entry.frameBytes(),
                                        entry.damaged()),
                                pack.path()));
            }
        }
        return inventory;
    }

    private FolderChunkStore(Path folder, Options options, Disk disk, StoreLock storeLock)
            throws IOException {
        this.folder = folder;
        this.packs = folder.resolve(PACKS);
        this.options = options;
        this.disk = disk;
        this.storeLock = storeLock;
        this.fileStore = Files.getFileStore(folder);
        SecureRandom random = new SecureRandom();
        this.index = new ChunkIndex(random.nextLong());
        this.readers = new PackReaders(packs);
        this.collector =
                new FolderCollector(
                        index, proof, this::read, folder, disk, readers, options.collection());
        FolderLoader.Loaded loaded = FolderLoader.load(folder);
        this.findings = List.copyOf(loaded.findings());
        this.incarnation = loaded.incarnation().orElseGet(UUID::randomUUID);
        if (!loaded.storeFile()) {
            StoreFile.write(disk, folder, incarnation);
        }
        this.lastSequence = loaded.lastSequence();
        for (FolderLoader.Pack pack : loaded.packs()) {
            adopt(pack, pack.sequence() == lastSequence);
        }
        disk.syncFolder(packs);
        this.durableNames = lastSequence;
        index.publish(index.size());
        this.durableEnd =
                index.size() == 0 ? LogPosition.START : index.get(index.size() - 1).after();
    }

    /** Takes a pack that was found into the index; makes it durable and gives it an index file. */
    private void adopt(FolderLoader.Pack pack, boolean last) throws IOException {
        if (pack.end() < PackFormat.HEADER_BYTES) {
            // Never finished, holds nothing: the next append makes a pack of this number.
            Files.delete(pack.path());
            if (last) {
                lastSequence = pack.sequence() - 1;
            }
            return;
        }
        packCount++;
        for (PackIndexFile.Entry entry : pack.entries()) {
            index.add(
                    entry.id(),
                    entry.kind(),
                    pack.sequence(),
                    entry.offset(),
                    entry.frameBytes(),
                    entry.damaged());
        }
        if (pack.indexed()) {
            return;
        }
        // The page cache may hold what a killed process wrote and never synced.
        Disk.Appender file = disk.append(pack.path(), pack.end());
        OpenPack open =
                new OpenPack(
                        pack.sequence(), pack.path(), file, pack.entries(), pack.end(), pack.end());
        boolean keep = last && pack.appendable() && pack.end() < options.packBytes();
        try {
            file.sync();
        } catch (IOException e) {
            file.close();
            throw e;
        }
        if (keep) {
            tail = open;
        } else {
            file.close();
            tryIndex(open); // a full disk must not keep anyone from reading
        }
    }

    /** What opening found and dealt with, oldest pack first; empty after a clean close. */
    public List<Finding> findings() {
        return findings;
    }

    @Override
    public UUID incarnation() {
        return incarnation;
    }

    @Override
    public BitSet missing(UUID session, List<ChunkId> ids) {
        BitSet missing = new BitSet(ids.size());
        for (int i = 0; i < ids.size(); i++) {
            int number = index.held(ids.get(i));
            missing.set(i, number < 0 || !collector.pin(session, number));
        }
        return missing;
    }

    @Override
    public boolean append(UUID session, byte[] frame, int offset, int length) throws IOException {
        Frame.Header header = Frame.parse(frame, offset, length);
        if (header.kind() == FrameKind.PIECE) {
            throw new IllegalArgumentException(
                    "PIECE " + header.id() + " enters by commitPiece, not by append");
        }
        return append(session, header, frame, offset, length);
    }

    private boolean append(UUID session, Frame.Header header, byte[] frame, int offset, int length)
            throws IOException {
        if (collector.pin(session, header.id())) {
            requireWritable();
            return false;
        }
        MessageDigest sha256 = PackFormat.sha256();
        sha256.update(frame, offset, length);
        byte[] digest = sha256.digest();
        lock.lock();
        try {
            requireWritable();
            if (collector.pin(session, header.id())) {
                return false;
            }
            OpenPack pack = tailFor(length);
            write(pack, header.id(), frame, offset, length, digest);
            int at = (int) pack.end + PackFormat.RECORD_BYTES;
            pack.end = at + (long) length;
            pack.entries.add(
                    new PackIndexFile.Entry(header.id(), header.kind(), at, length, digest, false));
            index.add(header.id(), header.kind(), pack.sequence, at, length, false);
            collector.pin(session, header.id());
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** The pack for a frame of so many bytes: the tail, or a new one. */
    private OpenPack tailFor(int frameBytes) throws IOException {
        OpenPack current = tail;
        if (current != null
                && (current.entries.isEmpty()
                        || current.end + PackFormat.RECORD_BYTES + frameBytes
                                <= options.packBytes())) {
            return current;
        }
        int sequence = lastSequence + 1;
        Path path = packs.resolve(PackFormat.packName(sequence));
        Disk.Appender file = null;
        try {
            file = disk.append(path, 0);
            byte[] header = PackFormat.header(incarnation, sequence);
            file.write(header, 0, header.length);
        } catch (IOException e) {
            // No frame is in it: removing it leaves the store as it was.
            closeQuietly(file);
            try {
                Files.deleteIfExists(path);
            } catch (IOException left) {
                e.addSuppressed(left); // opening again removes it
            }
            throw refused("begin pack " + path, e);
        }
        if (current != null) {
            rolled.add(current);
        }
        lastSequence = sequence;
        packCount++;
        OpenPack begun = new OpenPack(sequence, path, file, List.of(), PackFormat.HEADER_BYTES, 0);
        tail = begun;
        return begun;
    }

    private void write(
            OpenPack pack, ChunkId id, byte[] frame, int offset, int length, byte[] digest)
            throws IOException {
        PackFormat.writeRecord(recordHeader, length, digest);
        try {
            pack.file.write(recordHeader, 0, recordHeader.length);
            pack.file.write(frame, offset, length);
        } catch (IOException e) {
            try {
                pack.file.truncate(pack.end);
            } catch (IOException cut) {
                e.addSuppressed(cut);
                throw fail("cut off a frame that was written in part to " + pack.path, e);
            }
            throw refused("append chunk " + id + " (" + length + " bytes) to " + pack.path, e);
        }
    }

    /** Full leaves the store at work; anything else stops it. */
    private StoreException refused(String what, IOException e) {
        if (Disk.isFull(e)) {
            return new StoreException.Full(
                    "Refused to "
                            + what
                            + ": no space left in "
                            + folder
                            + ". Nothing acknowledged is lost; free space and send again",
                    e);
        }
        return fail(what, e);
    }

    @Override
    public LogPosition sync() throws IOException {
        lock.lock();
        try {
            int target = index.size();
            while (true) {
                requireWritable();
                if (index.durable() >= target) {
                    return durableEnd;
                }
                if (!syncing) {
                    return lead();
                }
                synced.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Syncs for all who wait. Called and left with the lock held; releases it for the fsyncs. */
    private LogPosition lead() throws IOException {
        syncing = true;
        int target = index.size();
        int names = lastSequence;
        boolean newNames = names > durableNames;
        List<OpenPack> sealing = List.copyOf(rolled);
        List<OpenPack> indexed = new ArrayList<>();
        OpenPack current = tail;
        long currentEnd = current == null ? 0 : current.end;
        IOException problem = null;
        lock.unlock();
        try {
            for (OpenPack pack : sealing) {
                if (pack.durableEnd < pack.end) {
                    pack.file.sync();
                }
            }
            if (current != null) {
                current.file.sync();
            }
            if (newNames) {
                disk.syncFolder(packs);
            }
            for (OpenPack pack : sealing) {
                if (tryIndex(pack)) {
                    indexed.add(pack);
                }
            }
        } catch (IOException e) {
            problem = e;
        } finally {
            lock.lock();
            syncing = false;
            synced.signalAll();
        }
        if (problem != null) {
            throw fail("fsync packs in " + packs, problem);
        }
        // An append may have failed meanwhile, and cut off what was just synced.
        requireWritable();
        durableNames = names;
        for (OpenPack pack : sealing) {
            pack.durableEnd = pack.end;
        }
        for (OpenPack pack : indexed) {
            rolled.remove(pack);
            closeQuietly(pack.file);
        }
        if (current != null) {
            current.durableEnd = currentEnd;
        }
        index.publish(target);
        durableEnd = target == 0 ? LogPosition.START : index.get(target - 1).after();
        return durableEnd;
    }

    /** Writes a sealed pack's index. Without it nothing is lost: it is tried again, or rebuilt. */
    private boolean tryIndex(OpenPack pack) {
        try {
            writeIndex(pack);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void writeIndex(OpenPack pack) throws IOException {
        disk.replace(
                packs.resolve(PackFormat.indexName(pack.sequence)),
                PackIndexFile.write(incarnation, pack.sequence, pack.end, pack.entries));
    }

    /** Stops all writing, and cuts off what the failed file may pretend to hold. Lock held. */
    private StoreException.Failed fail(String what, IOException e) {
        if (failure == null) {
            failure = e;
            for (OpenPack pack : rolled) {
                cutBack(pack);
            }
            if (tail != null) {
                cutBack(tail);
            }
        }
        return new StoreException.Failed(
                "Could not "
                        + what
                        + ": "
                        + e.getMessage()
                        + ". What was not acknowledged is lost; the store "
                        + folder
                        + " takes no more frames until it is opened again",
                e);
    }

    private static void cutBack(OpenPack pack) {
        try {
            if (pack.durableEnd < pack.end) {
                pack.file.truncate(pack.durableEnd);
            }
        } catch (IOException e) {
            // The disk takes nothing any more; opening again checks every frame of this pack.
        }
    }

    private void requireWritable() throws StoreException {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("Store " + folder + " is closed");
            }
            if (failure != null) {
                throw new StoreException.Failed(
                        "Refused to write to store "
                                + folder
                                + ": writing failed before ("
                                + failure.getMessage()
                                + "). Check the disk and open the store again",
                        failure);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<ChunkId> commitPiece(UUID session, byte[] pieceFrame) throws IOException {
        PieceHeader piece = PieceHeader.parse(pieceFrame);
        sync();
        List<ChunkId> missing = proof.missing(piece.root(), new View(session));
        if (missing.isEmpty()) {
            Frame.Header header = Frame.parse(pieceFrame, 0, pieceFrame.length);
            append(session, header, pieceFrame, 0, pieceFrame.length);
            sync();
        }
        return missing;
    }

    @Override
    public void begin(UUID session) {
        collector.begin(session);
    }

    @Override
    public void release(UUID session) {
        collector.release(session);
    }

    @Override
    public List<GcEffect> mark(GcEvent.Order order, Set<ChunkId> expired) throws IOException {
        return collector.mark(order, expired);
    }

    /** Seals the tail first, and works on later packs before earlier ones. */
    @Override
    public List<GcEffect> sweep(GcEvent.Order order, GcEvent.Standing standing) throws IOException {
        if (collector.ready(order, standing)) {
            seal();
        }
        return collector.sweep(order, standing);
    }

    @Override
    public Collected collected() {
        return collector.collected();
    }

    @Override
    public GcPlan explain(
            GcEvent.Order order, GcEvent.Standing standing, Function<ChunkId, GcPlan.Fate> fates)
            throws IOException {
        return collector.explain(order, standing, fates);
    }

    /** Ends the tail pack; every pack then has its index, or this throws. */
    private void seal() throws IOException {
        lock.lock();
        try {
            requireWritable();
            while (syncing) {
                synced.awaitUninterruptibly();
            }
            if (tail != null && !tail.entries.isEmpty()) {
                rolled.add(tail);
                tail = null;
            }
            if (!rolled.isEmpty()) {
                lead();
            }
            if (!rolled.isEmpty()) {
                throw new StoreException.Full(
                        "Refused to sweep "
                                + folder
                                + ": the index of "
                                + rolled.getFirst().path
                                + " could not be written. Free some space and sweep again",
                        new IOException("no index for pack " + rolled.getFirst().sequence));
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public byte[] read(ChunkId id) throws IOException {
        ChunkIndex.Located at = index.locate(id);
        if (at == null) {
            throw new StoreException.Missing("Chunk " + id + " is not in store " + folder);
        }
        if (at.damaged()) {
            throw damaged(at, "its bytes were found damaged before");
        }
        byte[] record = new byte[PackFormat.RECORD_BYTES];
        byte[] frame = new byte[at.frameBytes()];
        try {
            readers.read(at.pack(), at.offset() - PackFormat.RECORD_BYTES, record);
            readers.read(at.pack(), at.offset(), frame);
        } catch (EOFException | java.nio.file.NoSuchFileException e) {
            throw damaged(at, "the pack " + e.getMessage());
        } catch (IOException e) {
            throw new StoreException.Failed(
                    "Could not read chunk %s from %s at offset %d: %s"
                            .formatted(id, readers.path(at.pack()), at.offset(), e.getMessage()),
                    e);
        }
        if (PackFormat.frameBytes(record, 0) != frame.length) {
            throw damaged(at, "the record header before it is damaged");
        }
        if (!PackFormat.digestMatches(record, PackFormat.sha256().digest(frame))) {
            throw damaged(at, "its SHA-256 is not the one that was stored");
        }
        if (!Frame.parse(frame, 0, frame.length).id().equals(id)) {
            throw damaged(at, "another chunk stands there");
        }
        return frame;
    }

    private StoreException.Corrupt damaged(ChunkIndex.Located at, String why) {
        index.markDamaged(at.number());
        proof.forget();
        return new StoreException.Corrupt(
                "Chunk %s in %s at offset %d is damaged: %s. Send it again or repair it from the other site"
                        .formatted(at.id(), readers.path(at.pack()), at.offset(), why));
    }

    @Override
    public boolean holds(ChunkId id) {
        return index.held(id) >= 0;
    }

    @Override
    public LogPosition durableEnd() {
        return durableEnd;
    }

    @Override
    public List<Tailed> tail(LogPosition from, int maxFrames) {
        List<Tailed> tail = new ArrayList<>();
        int end = index.durable();
        for (int i = index.firstAfter(from); i < end && tail.size() < maxFrames; i++) {
            ChunkIndex.Located at = index.get(i);
            if (!index.gone(i)) {
                tail.add(tailed(at, readers.path(at.pack())));
            }
        }
        return tail;
    }

    private static Tailed tailed(ChunkIndex.Located at, Path pack) {
        return new Tailed(
                at.id(),
                at.kind(),
                at.frameBytes(),
                at.after(),
                at.damaged()
                        ? Optional.of("damaged in " + pack + " at offset " + at.offset())
                        : Optional.empty());
    }

    @Override
    public List<Tailed> pieces() {
        List<Tailed> pieces = new ArrayList<>();
        int end = index.durable();
        for (int i = 0; i < end; i++) {
            if (index.kind(i) == FrameKind.PIECE && !index.gone(i)) {
                ChunkIndex.Located at = index.get(i);
                pieces.add(tailed(at, readers.path(at.pack())));
            }
        }
        return pieces;
    }

    @Override
    public Usage usage() {
        long free;
        try {
            free = fileStore.getUsableSpace();
        } catch (IOException e) {
            free = 0; // a disk that cannot say has none to offer
        }
        lock.lock();
        try {
            return new Usage(index.durable() - index.gone(), index.durableBytes(), packCount, free);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Syncs, and lets go of the folder. The tail pack stays open for the next opening to append to.
     * What was not synced before a failure is not waited for.
     */
    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            try {
                if (failure == null) {
                    sync();
                }
            } finally {
                letGo();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of all files as they are, without a sync: what the end of a process does. */
    void abandon() throws IOException {
        lock.lock();
        try {
            letGo();
        } finally {
            lock.unlock();
        }
    }

    private void letGo() throws IOException {
        while (syncing) {
            synced.awaitUninterruptibly();
        }
        closed = true;
        rolled.forEach(pack -> closeQuietly(pack.file));
        if (tail != null) {
            closeQuietly(tail.file);
        }
        readers.close();
        storeLock.close();
    }

    private static void closeQuietly(java.io.@Nullable Closeable file) {
        if (file != null) {
            try {
                file.close();
            } catch (IOException e) {
                // What it held is synced, or already told to be lost.
            }
        }
    }

    /** The durable, undamaged frames. */
    private final class View implements ClosureProof.Held {
        private final UUID session;

        View(UUID session) {
            this.session = session;
        }

        @Override
        public int number(ChunkId id) {
            int number = index.held(id);
            return number >= 0 && collector.pin(session, number) ? number : -1;
        }

        @Override
        public ChunkId id(int number) {
            return index.get(number).id();
        }

        @Override
        public FrameKind kind(int number) {
            return index.kind(number);
        }

        @Override
        public List<ChunkId> children(ChunkId node) throws IOException {
            byte[] frame = read(node);
            return Frame.parse(frame, 0, frame.length).children();
        }
    }
}
