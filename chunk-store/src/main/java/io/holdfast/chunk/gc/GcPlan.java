package io.holdfast.chunk.gc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.IntToLongFunction;

/**
 * Why every byte of a store stays or goes. Pure; reads nodes by the graph.
 *
 * @param frames frames whose bytes the store has
 * @param bytes of all groups: the lengths of all files of the store, holes included
 * @param groups every byte in exactly one of them, by what is to become of it and why
 * @param pieces every data piece, with the bytes that it alone, or it first, accounts for
 */
public record GcPlan(long frames, long bytes, List<Group> groups, List<PieceLine> pieces) {
    /** Copies the lists. */
    public GcPlan {
        groups = List.copyOf(groups);
        pieces = List.copyOf(pieces);
    }

    /** What is to become of a group of frames. */
    public enum Outcome {
        /** A piece that stays needs it, or the store itself does. */
        STAYS,
        /** Nothing that stays needs it; it waits for something. */
        WAITS,
        /** The next sweep deletes it. */
        GOES,
        /** It is deleted; its bytes are a hole of their pack, or wait to become one. */
        DELETED
    }

    /**
     * Bytes with the same outcome and reason.
     *
     * @param frames how many frames they are; 0 for what the store holds beside its frames
     * @param bytes of them, with the record header of every frame
     */
    public record Group(Outcome outcome, String reason, long frames, long bytes) {}

    /**
     * A data piece.
     *
     * @param piece its identity
     * @param stays whether it holds what it refers to
     * @param reason why
     * @param bytes of all that it refers to
     * @param ownBytes of what no piece listed before it refers to; pieces that stay come first, oldest first
     */
    public record PieceLine(UUID piece, boolean stays, String reason, long bytes, long ownBytes) {}

    /**
     * What is to become of a PIECE frame.
     *
     * @param stays whether it is a root
     * @param reason why, in words that many pieces share
     */
    public record Fate(boolean stays, String reason) {}

    /**
     * A data piece as a root.
     *
     * @param piece its identity
     * @param frame number of its PIECE frame
     * @param stays whether it is a root
     * @param reason why
     */
    public record Root(UUID piece, int frame, boolean stays, String reason) {}

    /**
     * The plan for a store.
     *
     * @param roots every PIECE frame that is held
     * @param end number of frames
     * @param size bytes of a frame; 0 for one that has none any more
     * @param graph what frames name
     * @param damaged frames whose bytes are not what was appended
     * @param fossils what every frame is
     * @param state what the collector knows
     * @param order the order that a sweep would be given now
     * @param standing of the store's site
     * @throws IOException when a node cannot be read
     */
    public static GcPlan of(
            List<Root> roots,
            int end,
            IntToLongFunction size,
            Reach.Graph graph,
            BitSet damaged,
            Fossils fossils,
            GcState state,
            GcEvent.Order order,
            GcEvent.Standing standing)
            throws IOException {
        Totals totals = new Totals(size);
        List<PieceLine> lines = new ArrayList<>();
        List<Root> sorted = new ArrayList<>(roots);
        sorted.sort(Comparator.comparing(Root::stays).reversed().thenComparingInt(Root::frame));
        BitSet before = new BitSet();
        BitSet needed = new BitSet();
        for (Root root : sorted) {
            BitSet reached = new BitSet();
            Reach.from(only(root.frame()), graph, reached);
            BitSet own = (BitSet) reached.clone();
            own.andNot(before);
            before.or(reached);
            if (root.stays()) {
                needed.or(reached);
                totals.add(Outcome.STAYS, "a piece refers to it: " + root.reason(), own);
            }
            lines.add(
                    new PieceLine(
                            root.piece(),
                            root.stays(),
                            root.reason(),
                            totals.bytes(reached),
                            totals.bytes(own)));
        }
        BitSet left = new BitSet();
        left.set(0, end);
        left.andNot(needed);
        take(
                left,
                fossils.deleted(),
                totals,
                Outcome.DELETED,
                "waits for its pack to be written anew");
        take(
                left,
                damaged,
                totals,
                Outcome.STAYS,
                "damaged; whether somebody needs it is for the repair to say");
        take(left, fossils.pinned(), totals, Outcome.STAYS, "a session at work pins it");
        for (Map.Entry<Long, BitSet> run : fossils.fossils().entrySet()) {
            List<String> why = GcMachine.obstacles(state, run.getKey(), order, standing);
            take(
                    left,
                    run.getValue(),
                    totals,
                    why.isEmpty() ? Outcome.GOES : Outcome.WAITS,
                    why.isEmpty() ? "unreferenced in two marks" : String.join("; ", why));
        }
        BitSet expired = (BitSet) before.clone();
        take(
                left,
                expired,
                totals,
                Outcome.WAITS,
                "its pieces have expired; no mark has found it yet");
        totals.add(
                Outcome.WAITS,
                "no piece refers to it, from a job at work or ended early; no mark has found it yet",
                left);
        return new GcPlan(totals.frames, totals.allBytes, totals.groups(), lines);
    }

    /** This plan, and what a store has beside its frames. */
    public GcPlan and(List<Group> around) {
        List<Group> all = new ArrayList<>(groups);
        all.addAll(around);
        all.sort(BY_OUTCOME);
        long more = around.stream().mapToLong(Group::bytes).sum();
        return new GcPlan(frames, bytes + more, all, pieces);
    }

    private static final Comparator<Group> BY_OUTCOME =
            Comparator.comparing(Group::outcome)
                    .thenComparing(Comparator.comparingLong(Group::bytes).reversed());

    /** Bytes with this outcome. */
    public long bytes(Outcome outcome) {
        return groups.stream().filter(g -> g.outcome() == outcome).mapToLong(Group::bytes).sum();
    }

    private static void take(
            BitSet left, BitSet some, Totals totals, Outcome outcome, String reason) {
        BitSet taken = (BitSet) some.clone();
        taken.and(left);
        left.andNot(taken);
        totals.add(outcome, reason, taken);
    }

    private static BitSet only(int frame) {
        BitSet one = new BitSet();
        one.set(frame);
        return one;
    }

    private static final class Totals {
        private record Key(Outcome outcome, String reason) {}

        private final IntToLongFunction size;
        private final Map<Key, long[]> sums = new java.util.LinkedHashMap<>();
        private long frames;
        private long allBytes;

        Totals(IntToLongFunction size) {
            this.size = size;
        }

        long bytes(BitSet of) {
            return of.stream().mapToLong(size).sum();
        }

        void add(Outcome outcome, String reason, BitSet of) {
            long count = of.stream().filter(f -> size.applyAsLong(f) > 0).count();
            if (count == 0) {
                return;
            }
            long sum = bytes(of);
            frames += count;
            allBytes += sum;
            long[] into = sums.computeIfAbsent(new Key(outcome, reason), k -> new long[2]);
            into[0] += count;
            into[1] += sum;
        }

        List<Group> groups() {
            List<Group> groups = new ArrayList<>();
            sums.forEach((k, v) -> groups.add(new Group(k.outcome(), k.reason(), v[0], v[1])));
            groups.sort(BY_OUTCOME);
            return groups;
        }
    }
}
