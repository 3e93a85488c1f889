package io.holdfast.chaos.sim;

import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.ClosureProof;
import io.holdfast.chunk.FrameKind;
import io.holdfast.chunk.gc.Fossils;
import io.holdfast.chunk.gc.GcDecision;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcState;
import io.holdfast.chunk.gc.Reach;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiFunction;

/**
 * One site's store: frames in a log, durable up to a point, under the product's own {@code Fossils}, {@code
 * GcMachine}, {@code Reach} and {@code ClosureProof}. A crash takes what was not durable.
 */
final class SimStore {
    static final GcState.Config CONFIG =
            new GcState.Config(Duration.ofSeconds(600), Duration.ofSeconds(60));

    /** What a sweep is about to delete, before it is done. */
    interface Sweeping {
        void deletes(SimStore store, long frames, Epoch order);
    }

    final Site site;
    private final Mutation mutation;
    private final BiFunction<GcState, GcEvent, GcDecision> machine;
    private final Sweeping sweeping;
    private final List<Integer> log = new ArrayList<>();
    private final int[] numbers = new int[64];
    private final int[] pieceRoot;
    private int durable;
    private long present;
    private ClosureProof proof = new ClosureProof();
    final Fossils fossils = new Fossils();
    private GcState gc;
    private GcState savedGc;
    private SortedMap<Long, BitSet> savedFossils = new TreeMap<>();
    private BitSet savedDeleted = new BitSet();

    /** What sessions were told is held: the truth, kept apart from the product's own pins. */
    final Map<UUID, Long> told = new HashMap<>();

    private final Map<Long, Epoch> markedIn = new HashMap<>();

    /** Highest epoch that it has obeyed: the truth, kept apart from the product's own fence. */
    Epoch obeyed = new Epoch(1, Site.LOCAL);

    private final BitSet walkReached = new BitSet();
    private int walkEnd;
    long walking;
    int deletedFrames;
    int resurrections;

    SimStore(
            Site site,
            Mutation mutation,
            BiFunction<GcState, GcEvent, GcDecision> machine,
            int[] pieceRoot,
            Sweeping sweeping) {
        this.site = site;
        this.mutation = mutation;
        this.machine = machine;
        this.pieceRoot = pieceRoot;
        this.sweeping = sweeping;
        java.util.Arrays.fill(numbers, -1);
        gc = GcState.fresh(CONFIG, new Epoch(1, Site.LOCAL));
        savedGc = gc;
    }

    // ---- frames

    /** Frames that are held durably; fossils count. */
    long present() {
        return present;
    }

    boolean holds(int frame) {
        return (present >> frame & 1) != 0;
    }

    private void look() {
        present = 0;
        for (int frame = 0; frame < numbers.length; frame++) {
            if (numbers[frame] >= 0 && numbers[frame] < durable) {
                present |= 1L << frame;
            }
        }
    }

    Epoch fence() {
        return gc.fence();
    }

    GcState state() {
        return gc;
    }

    int durableEnd() {
        return durable;
    }

    /** The frame at this place of the log; -1 when it is deleted. */
    int at(int number) {
        int frame = log.get(number);
        return numbers[frame] == number ? frame : -1;
    }

    void open(UUID session) {
        told.put(session, 0L);
        step(new GcEvent.SessionOpened(session));
    }

    boolean isOpen(UUID session) {
        return told.containsKey(session);
    }

    void close(UUID session) {
        if (told.remove(session) != null) {
            fossils.release(session);
            step(new GcEvent.SessionEnded(session));
        }
    }

    /** Whether a frame is held; if so it is pinned for the session. */
    boolean have(UUID session, int frame) {
        if (!holds(frame)) {
            return false;
        }
        touch(session, frame);
        return true;
    }

    private void touch(UUID session, int frame) {
        int number = numbers[frame];
        boolean fossil = fossils.fate(number) == Fossils.Fate.FOSSIL;
        if (mutation == Mutation.G2_FOSSIL_NOT_RESURRECTED && fossil) {
            // told, but nothing is done
        } else if (mutation == Mutation.G2_HAVE_IS_NO_PIN) {
            fossils.resurrect(number);
        } else {
            fossils.pin(session, number);
        }
        if (fossil) {
            resurrections++;
        }
        told.merge(session, 1L << frame, (a, b) -> a | b);
    }

    /** Appends a DATA or NODE that is not there; not durable yet. */
    void put(UUID session, int frame) {
        if (numbers[frame] < 0) {
            numbers[frame] = log.size();
            log.add(frame);
        }
        touch(session, frame);
    }

    void sync() {
        if (durable < log.size()) {
            durable = log.size();
            look();
        }
    }

    /** What is missing below a piece, proved as the product does it; visited fossils are resurrected. */
    boolean prove(UUID session, int piece) {
        sync();
        try {
            return proof.missing(Frames.id(pieceRoot[piece]), new View(session)).isEmpty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void appendPiece(UUID session, int piece) {
        put(session, Frames.piece(piece));
        sync();
    }

    /** What the process knew is gone; what was durable comes back. */
    void crash() {
        while (log.size() > durable) {
            int frame = log.removeLast();
            if (numbers[frame] == log.size()) {
                numbers[frame] = -1;
            }
        }
        look();
        proof = new ClosureProof();
        told.clear();
        fossils.open(savedDeleted);
        if (mutation == Mutation.G3_FOSSILS_SURVIVE_CRASH) {
            BitSet all = new BitSet();
            all.set(0, durable);
            savedFossils.forEach((run, some) -> {
                BitSet others = (BitSet) all.clone();
                others.andNot(some);
                fossils.fossilise(run, Set.of(), others, durable);
            });
        }
        gc = savedGc;
        walking = 0;
        step(new GcEvent.Opened());
        List.copyOf(gc.runs())
                .forEach(run -> run.sessions().forEach(s -> step(new GcEvent.SessionEnded(s))));
    }

    private final class View implements ClosureProof.Held {
        private final UUID session;

        View(UUID session) {
            this.session = session;
        }

        @Override
        public int number(ChunkId id) {
            int frame = Frames.frame(id);
            if (!holds(frame)) {
                return -1;
            }
            if (mutation != Mutation.G2_FOSSIL_NOT_RESURRECTED) {
                fossils.resurrect(numbers[frame]);
            }
            return numbers[frame];
        }

        @Override
        public ChunkId id(int number) {
            return Frames.id(log.get(number));
        }

        @Override
        public FrameKind kind(int number) {
            return Frames.kind(log.get(number));
        }

        @Override
        public List<ChunkId> children(ChunkId node) {
            List<ChunkId> ids = new ArrayList<>();
            for (int child : Frames.nodeChildren(Frames.frame(node))) {
                ids.add(Frames.id(child));
            }
            return ids;
        }

        @Override
        public String toString() {
            return site + " for " + session;
        }
    }

    // ---- collecting

    /** Gives an order to the collector; the pieces in {@code roots} are those that stay. */
    List<GcEffect> order(GcEvent order, long roots) {
        GcDecision decision = machine.apply(gc, order);
        gc = decision.state();
        switch (order) {
            case GcEvent.MarkOrdered(GcEvent.Order o) -> accepted(o, decision);
            case GcEvent.SweepOrdered(GcEvent.Order o, GcEvent.Standing s) -> accepted(o, decision);
            default -> {}
        }
        for (GcEffect effect : decision.effects()) {
            switch (effect) {
                case GcEffect.PersistFence e -> savedGc = durablePart();
                case GcEffect.Walk e -> beginWalk(e.run(), roots);
                case GcEffect.Fossilise e -> {
                    markedIn.put(e.run(), gc.runs().getLast().epoch());
                    fossils.fossilise(e.run(), e.adopts(), walkReached, walkEnd);
                    proof.forget();
                    persist();
                    emptied(gc.numbers());
                }
                case GcEffect.Delete e -> delete(e.runs(), order);
                case GcEffect.Refuse e -> {}
                case GcEffect.Wait e -> {}
            }
        }
        return decision.effects();
    }

    /** Obeys an epoch that came with another call. @return false when it is stale */
    boolean obey(Epoch epoch) {
        if (epoch.compareTo(gc.fence()) < 0 && mutation != Mutation.G7_NO_FENCE) {
            return false;
        }
        obeys(epoch);
        if (epoch.compareTo(gc.fence()) > 0) {
            gc = new GcState(gc.config(), epoch, gc.lastRun(), gc.runs(), gc.walk(), gc.sessions());
            savedGc =
                    new GcState(
                            savedGc.config(),
                            epoch,
                            savedGc.lastRun(),
                            savedGc.runs(),
                            savedGc.walk(),
                            savedGc.sessions());
        }
        return true;
    }

    private void accepted(GcEvent.Order order, GcDecision decision) {
        if (!(decision.effects().getLast() instanceof GcEffect.Refuse)) {
            obeys(order.epoch());
        }
    }

    private void obeys(Epoch epoch) {
        if (epoch.compareTo(obeyed) < 0) {
            throw new DataSimulation.Violation(
                    "G7: the store of " + site + " obeys " + epoch + " after " + obeyed);
        }
        obeyed = epoch;
    }

    private void beginWalk(long run, long roots) {
        walking = run;
        walkEnd = durable;
        walkReached.clear();
        BitSet from = new BitSet();
        for (int number = 0; number < durable; number++) {
            int frame = at(number);
            if (frame >= Frames.FIRST_PIECE && (roots >> frame & 1) != 0) {
                from.set(number);
            }
        }
        from.or(fossils.pinned());
        try {
            Reach.from(from, this::children, walkReached);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int[] children(int number) {
        int frame = log.get(number);
        int[] children =
                frame >= Frames.FIRST_PIECE
                        ? new int[] {pieceRoot[frame - Frames.FIRST_PIECE]}
                        : Frames.nodeChildren(frame);
        return java.util.Arrays.stream(children)
                .map(child -> numbers[child])
                .filter(child -> child >= 0)
                .toArray();
    }

    /** The walk that was begun has come to its end. */
    void endWalk(long storeMicros) {
        long run = walking;
        walking = 0;
        fossils.resurrectAll(walkReached);
        order(new GcEvent.Walked(run, storeMicros), 0);
    }

    /** Frames that are fossils although an open session was told that they are held. */
    long fossilsTold() {
        long fossil = 0;
        for (long frames : told.values()) {
            for (int frame : Frames.list(frames)) {
                if (numbers[frame] >= 0 && fossils.fate(numbers[frame]) == Fossils.Fate.FOSSIL) {
                    fossil |= 1L << frame;
                }
            }
        }
        return fossil;
    }

    private void delete(Set<Long> runs, GcEvent order) {
        long gone = 0;
        for (long run : runs) {
            BitSet some = fossils.fossils().get(run);
            if (some != null) {
                for (int n = some.nextSetBit(0); n >= 0; n = some.nextSetBit(n + 1)) {
                    gone |= 1L << log.get(n);
                }
            }
        }
        Epoch epoch = ((GcEvent.SweepOrdered) order).order().epoch();
        for (long run : runs) {
            Epoch marked = markedIn.get(run);
            if (gone != 0 && !epoch.equals(marked)) {
                throw new DataSimulation.Violation(
                        "G3: fossils of epoch " + marked + " deleted at " + site + " in " + epoch);
            }
        }
        sweeping.deletes(this, gone, epoch);
        BitSet deleted = fossils.delete(runs);
        for (int n = deleted.nextSetBit(0); n >= 0; n = deleted.nextSetBit(n + 1)) {
            if (numbers[log.get(n)] == n) {
                numbers[log.get(n)] = -1;
            }
            deletedFrames++;
        }
        look();
        proof.forget();
        persist();
        emptied(runs);
    }

    /** What the mutation that lets deletions cross sites does. */
    void deleteHereToo(long frames, Epoch order) {
        sweeping.deletes(this, frames & present(), order);
    }

    private void emptied(Set<Long> runs) {
        Set<Long> empty = fossils.empty(runs);
        if (!empty.isEmpty()) {
            step(new GcEvent.Emptied(empty));
            persist();
        }
    }

    private void persist() {
        savedFossils = fossils.fossils();
        savedDeleted = fossils.deleted();
        savedGc = durablePart();
    }

    private GcState durablePart() {
        return new GcState(
                gc.config(),
                gc.fence(),
                gc.lastRun(),
                gc.runs(),
                java.util.Optional.empty(),
                Set.of());
    }

    private void step(GcEvent event) {
        gc = machine.apply(gc, event).state();
    }
}
