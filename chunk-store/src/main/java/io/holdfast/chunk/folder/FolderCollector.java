package io.holdfast.chunk.folder;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ClosureProof;
import io.holdfast.chunk.CollectedStore;
import io.holdfast.chunk.Frame;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.PieceHeader;
import io.holdfast.chunk.StoreException;
import io.holdfast.chunk.gc.Fossils;
import io.holdfast.chunk.gc.GcDecision;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcMachine;
import io.holdfast.chunk.gc.GcPlan;
import io.holdfast.chunk.gc.GcState;
import io.holdfast.chunk.gc.Reach;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/**
 * Carries out what {@code GcMachine} decides for a folder. Its monitor guards the fates of all frames:
 * a frame is pinned or deleted, never both. Walks and files are worked on outside of it, one mark or
 * sweep at a time.
 *
 * <p><b>Durability of a sweep.</b> A deleted frame is missing from the moment of the decision. On disk it
 * leaves with the index of its pack, which is replaced as a whole; later packs first, so that a crash
 * between two packs leaves children without parents, never a PIECE without what it needs. Only then the
 * bytes of a pack with much garbage become holes: the new file is fsynced before it takes the name.
 */
final class FolderCollector {
    /** Reads a held frame. */
    interface Reader {
        byte[] read(ChunkId id) throws IOException;
    }

    private final ChunkIndex index;
    private final ClosureProof proof;
    private final Reader reader;
    private final Path folder;
    private final Path packs;
    private final Disk disk;
    private final PackReaders readers;
    private final Fossils fossils = new Fossils();
    private final Set<UUID> sessions = new HashSet<>();

    /** Deleted, and still in the index of their pack. */
    private final BitSet leaving = new BitSet();

    private GcState state;
    private boolean working;
    private long deletedFrames;
    private long deletedBytes;

    FolderCollector(
            ChunkIndex index,
            ClosureProof proof,
            Reader reader,
            Path folder,
            Disk disk,
            PackReaders readers,
            GcState.Config config) {
        this.index = index;
        this.proof = proof;
        this.reader = reader;
        this.folder = folder;
        this.packs = folder.resolve(FolderChunkStore.PACKS);
        this.disk = disk;
        this.readers = readers;
        this.state = GcState.fresh(config, new Epoch(0, Site.LOCAL));
    }

    /** Pins a frame, and resurrects it. @return false when it is not held any more */
    synchronized boolean pin(UUID session, int number) {
        if (!fossils.pin(session, number)) {
            return false;
        }
        begin(session);
        return true;
    }

    /** Pins the frame of an id, durable or not. @return false when there is none */
    synchronized boolean pin(UUID session, ChunkId id) {
        int number = index.number(id);
        return number >= 0 && pin(session, number);
    }

    synchronized void begin(UUID session) {
        if (sessions.add(session)) {
            step(new GcEvent.SessionOpened(session));
        }
    }

    synchronized void release(UUID session) {
        fossils.release(session);
        if (sessions.remove(session)) {
            step(new GcEvent.SessionEnded(session));
        }
    }

    private GcDecision step(GcEvent event) {
        GcDecision decision = GcMachine.step(state, event);
        state = decision.state();
        return decision;
    }

    /** One mark, from the order to the fossils. */
    List<GcEffect> mark(GcEvent.Order order, Set<ChunkId> expired) throws IOException {
        beginWork();
        try {
            return walk(order, expired);
        } finally {
            endWork();
        }
    }

    private List<GcEffect> walk(GcEvent.Order order, Set<ChunkId> expired) throws IOException {
        long began = System.nanoTime();
        BitSet roots = new BitSet();
        BitSet pinned = new BitSet();
        int end;
        GcDecision decision;
        synchronized (this) {
            decision = step(new GcEvent.MarkOrdered(order));
            if (!(decision.effects().getLast() instanceof GcEffect.Walk)) {
                return decision.effects();
            }
            end = index.durable();
            pinned.or(fossils.pinned());
        }
        long run = ((GcEffect.Walk) decision.effects().getLast()).run();
        BitSet reached = new BitSet();
        try {
            for (int n = 0; n < end; n++) {
                ChunkIndex.Located at = index.get(n);
                if (at.damaged()) {
                    reached.set(n); // whether somebody needs it is for the repair to say
                } else if (at.kind() == FrameKind.PIECE
                        && !expired.contains(at.id())
                        && !index.gone(n)) {
                    roots.set(n);
                }
            }
            Reach.from(roots, n -> children(n, true), reached);
            Reach.from(pinned, n -> children(n, false), reached);
        } catch (IOException | RuntimeException e) {
            synchronized (this) {
                step(new GcEvent.WalkFailed(run));
            }
            throw e;
        }
        long lasted = (System.nanoTime() - began) / 1000;
        synchronized (this) {
            fossils.resurrectAll(reached);
            GcDecision walked = step(new GcEvent.Walked(run, order.storeMicros() + lasted));
            for (GcEffect effect : walked.effects()) {
                if (effect instanceof GcEffect.Fossilise made) {
                    fossils.fossilise(run, made.adopts(), reached, end);
                    proof.forget();
                }
            }
            step(new GcEvent.Emptied(fossils.empty(state.numbers())));
            return walked.effects();
        }
    }

    /**
     * What a frame names.
     *
     * @param all whether everything must be held: below a piece that stays, what a missing node refers
     *     to is not known, and may be sent again
     */
    private int[] children(int number, boolean all) throws IOException {
        ChunkIndex.Located at = index.get(number);
        if (at.kind() == FrameKind.DATA) {
            return new int[0];
        }
        byte[] frame = reader.read(at.id());
        List<ChunkId> children =
                at.kind() == FrameKind.PIECE
                        ? List.of(PieceHeader.parse(frame).root())
                        : Frame.parse(frame, 0, frame.length).children();
        int[] numbers = new int[children.size()];
        int held = 0;
        for (ChunkId child : children) {
            int one = index.number(child);
            if (one >= 0) {
                numbers[held++] = one;
            } else if (all) {
                throw new StoreException.Corrupt(
                        "Refused to mark: chunk "
                                + child
                                + " is missing or damaged, and "
                                + at.id()
                                + " needs it. Repair it from the other site, then mark again");
            }
        }
        return java.util.Arrays.copyOf(numbers, held);
    }

    /** Whether a sweep would delete something now. */
    synchronized boolean ready(GcEvent.Order order, GcEvent.Standing standing) {
        return GcMachine.step(state, new GcEvent.SweepOrdered(order, standing)).effects().getLast()
                instanceof GcEffect.Delete;
    }

    /** Deletes what is ready, and gives its bytes back. Every pack with fossils must be sealed. */
    List<GcEffect> sweep(GcEvent.Order order, GcEvent.Standing standing) throws IOException {
        beginWork();
        try {
            List<GcEffect> effects;
            BitSet gone;
            synchronized (this) {
                effects = step(new GcEvent.SweepOrdered(order, standing)).effects();
                if (effects.getLast() instanceof GcEffect.Delete ready) {
                    BitSet deleted = fossils.delete(ready.runs());
                    deletedFrames += deleted.cardinality();
                    deletedBytes += bytes(deleted);
                    index.remove(deleted);
                    leaving.or(deleted);
                    proof.forget();
                    step(new GcEvent.Emptied(ready.runs()));
                }
                gone = (BitSet) leaving.clone();
            }
            if (effects.getLast() instanceof GcEffect.Delete) {
                leave(gone);
            }
            return effects;
        } finally {
            endWork();
        }
    }

    private void leave(BitSet gone) throws IOException {
        Map<Integer, Set<Integer>> offsets = new TreeMap<>(Collections.reverseOrder());
        Map<Integer, BitSet> numbers = new TreeMap<>();
        for (int n = gone.nextSetBit(0); n >= 0; n = gone.nextSetBit(n + 1)) {
            ChunkIndex.Located at = index.get(n);
            offsets.computeIfAbsent(at.pack(), p -> new HashSet<>()).add(at.offset());
            numbers.computeIfAbsent(at.pack(), p -> new BitSet()).set(n);
        }
        List<PackIndexFile.Content> rewritten = new ArrayList<>();
        for (Map.Entry<Integer, Set<Integer>> pack : offsets.entrySet()) {
            rewritten.add(leave(pack.getKey(), pack.getValue()));
            synchronized (this) {
                leaving.andNot(java.util.Objects.requireNonNull(numbers.get(pack.getKey())));
            }
        }
        for (PackIndexFile.Content pack : rewritten) {
            reclaim(pack);
        }
    }

    private PackIndexFile.Content leave(int pack, Set<Integer> offsets) throws IOException {
        Path file = packs.resolve(PackFormat.indexName(pack));
        PackIndexFile.Content content =
                PackIndexFile.parse(Files.readAllBytes(file), file)
                        .orElseThrow(() ->
                                new StoreException.Corrupt(
                                        "Index "
                                                + file
                                                + " is damaged; open the store again to rebuild it, then sweep"));
        List<PackIndexFile.Entry> stay =
                content.entries().stream().filter(e -> !offsets.contains(e.offset())).toList();
        disk.replace(
                file,
                PackIndexFile.write(
                        content.incarnation(), content.sequence(), content.packBytes(), stay));
        return new PackIndexFile.Content(
                content.incarnation(), content.sequence(), content.packBytes(), stay);
    }

    /** Makes holes of what no entry covers, when that is a fifth of the pack. */
    private void reclaim(PackIndexFile.Content pack) throws IOException {
        List<Disk.Stretch> stretches = new ArrayList<>();
        stretches.add(new Disk.Stretch(0, PackFormat.HEADER_BYTES));
        long kept = PackFormat.HEADER_BYTES;
        for (PackIndexFile.Entry entry : pack.entries()) {
            long from = (long) entry.offset() - PackFormat.RECORD_BYTES;
            long to = (long) entry.offset() + entry.frameBytes();
            if (entry.damaged()) {
                return; // its pack stays as it is, for whoever looks into the damage
            }
            stretches.add(new Disk.Stretch(from, to));
            kept += to - from;
        }
        if (muchGarbage(pack.packBytes() - kept, pack.packBytes())) {
            disk.keepOnly(packs.resolve(PackFormat.packName(pack.sequence())), stretches);
            readers.reopen((int) pack.sequence());
        }
    }

    /** Whether so much of a pack is garbage that its bytes are worth giving back. */
    static boolean muchGarbage(long garbage, long packBytes) {
        return 5 * garbage >= packBytes;
    }

    private long bytes(BitSet frames) {
        return frames.stream().mapToLong(n -> index.get(n).frameBytes()).sum();
    }

    synchronized CollectedStore.Collected collected() {
        TreeMap<Long, CollectedStore.Count> counts = new TreeMap<>();
        fossils.fossils()
                .forEach((run, some) ->
                        counts.put(run, new CollectedStore.Count(some.cardinality(), bytes(some))));
        return new CollectedStore.Collected(
                state, counts, deletedFrames, deletedBytes, index.unrepaired());
    }

    // ---- explaining

    GcPlan explain(
            GcEvent.Order order, GcEvent.Standing standing, Function<ChunkId, GcPlan.Fate> fates)
            throws IOException {
        Fossils fossilsNow;
        GcState stateNow;
        int end;
        synchronized (this) {
            fossilsNow = fossils.copy();
            stateNow = state;
            end = index.durable();
        }
        BitSet gone = fossilsNow.deleted();
        FolderFiles files = FolderFiles.in(folder);
        List<GcPlan.Root> roots = new ArrayList<>();
        BitSet damaged = new BitSet();
        for (int n = 0; n < end; n++) {
            if (gone.get(n)) {
                continue;
            }
            ChunkIndex.Located at = index.get(n);
            if (at.damaged()) {
                damaged.set(n);
            } else if (at.kind() == FrameKind.PIECE) {
                GcPlan.Fate fate = fates.apply(at.id());
                roots.add(
                        new GcPlan.Root(
                                PieceHeader.parse(reader.read(at.id())).record().piece(),
                                n,
                                fate.stays(),
                                fate.reason()));
            }
        }
        Map<Integer, int[]> known = new HashMap<>();
        Reach.Graph graph =
                n -> {
                    int[] children = known.get(n);
                    if (children == null) {
                        children = damaged.get(n) ? new int[0] : children(n, false);
                        if (children.length > 0) {
                            known.put(n, children);
                        }
                    }
                    return children;
                };
        GcPlan plan =
                GcPlan.of(
                        roots,
                        end,
                        n -> gone.get(n) ? 0 : files.bytes(index.get(n)),
                        graph,
                        damaged,
                        fossilsNow,
                        stateNow,
                        order,
                        standing);
        return plan.and(files.around(index, end, gone, readers));
    }

    private synchronized void beginWork() {
        if (working) {
            throw new IllegalStateException("A mark or sweep of this store is under way");
        }
        working = true;
    }

    private synchronized void endWork() {
        working = false;
    }
}
