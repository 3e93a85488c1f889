package io.holdfast.replication.site;

import io.holdfast.standard.Epoch;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Decides what has reached the other site: the leader keeps one for its lineage and epoch, and enters
 * every {@link SiteAck}. No clock, no thread, no I/O; guarded by its own monitor.
 *
 * <p>An index is protected when {@code quorum} members that count have acknowledged it. A member
 * counts while
 *
 * <ul>
 *   <li>it is one of the peer site's members;
 *   <li>its storage is of the admitted incarnation. A member that shows up with another one has lost
 *       its storage: it counts no more, at once, until it has everything that the leader's log held
 *       when the leader learnt of the new incarnation (its barrier). Without the barrier a promotion
 *       could read it instead of a member that holds a protected entry (DR-PROTOCOL 3.7, 3.11);
 *   <li>it has promised no higher epoch: such a member belongs to another future.
 * </ul>
 *
 * <p>So every member begins behind a barrier, and {@link #admit} is for those known to be whole: the
 * first members of a lineage that this leader has seeded.
 */
public final class SiteAckBook {
    private final UUID lineage;
    private final Epoch epoch;
    private final Set<String> nodes;
    private final int quorum;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Map<String, Set<UUID>> retired = new HashMap<>();

    private static final class Entry {
        final UUID incarnation;
        final long barrier;
        boolean admitted;
        long index = -1;
        @Nullable Epoch promise;

        Entry(UUID incarnation, long barrier, boolean admitted) {
            this.incarnation = incarnation;
            this.barrier = barrier;
            this.admitted = admitted;
        }
    }

    /**
     * How a member stands.
     *
     * @param node the member
     * @param incarnation of its storage, as last heard
     * @param index acknowledged; -1 for nothing yet
     * @param admitted whether it has passed its barrier
     * @param counts whether it counts for protection now
     */
    public record Standing(
            String node, UUID incarnation, long index, boolean admitted, boolean counts) {}

    /**
     * An empty book.
     *
     * @param lineage whose log is acknowledged
     * @param epoch of the leader; acknowledgements from members that promised more do not count
     * @param nodes the peer site's members
     * @param quorum how many of them must have an entry: 1 of 1, or 2 of 3
     */
    public SiteAckBook(UUID lineage, Epoch epoch, Set<String> nodes, int quorum) {
        if (quorum < 1 || 2 * quorum <= nodes.size()) {
            throw new IllegalArgumentException(
                    "quorum "
                            + quorum
                            + " of "
                            + nodes.size()
                            + " members; expected more than half, so that any two quorums meet");
        }
        this.lineage = lineage;
        this.epoch = epoch;
        this.nodes = Set.copyOf(nodes);
        this.quorum = quorum;
    }

    /** Whose log. */
    public UUID lineage() {
        return lineage;
    }

    /** Of the leader. */
    public Epoch epoch() {
        return epoch;
    }

    /** Lets a member count from the start: it lost nothing of this lineage. */
    public synchronized void admit(String node, UUID incarnation) {
        if (nodes.contains(node)) {
            entries.put(node, new Entry(incarnation, -1, true));
        }
    }

    /**
     * Enters an acknowledgement; repeated and reordered ones are harmless.
     *
     * @param leaderLastIndex last entry in the leader's log now, committed or not: the barrier, when
     *     the member's incarnation is new
     * @return whether the member counts now
     */
    public synchronized boolean enter(SiteAck ack, long leaderLastIndex) {
        if (!ack.lineage().equals(lineage)
                || !nodes.contains(ack.node())
                || retired.getOrDefault(ack.node(), Set.of()).contains(ack.incarnation())) {
            return false;
        }
        Entry entry = entries.get(ack.node());
        if (entry == null || !entry.incarnation.equals(ack.incarnation())) {
            if (entry != null) {
                retired.computeIfAbsent(ack.node(), n -> new HashSet<>()).add(entry.incarnation);
            }
            entry = new Entry(ack.incarnation(), leaderLastIndex, false);
            entries.put(ack.node(), entry);
        }
        Epoch known = entry.promise;
        if (known == null || ack.promise().compareTo(known) > 0) {
            entry.promise = ack.promise();
        }
        if (ack.promise().compareTo(epoch) <= 0) {
            entry.index = Math.max(entry.index, ack.index());
        }
        if (entry.index >= entry.barrier) {
            entry.admitted = true;
        }
        return counts(entry);
    }

    private boolean counts(Entry entry) {
        Epoch promise = entry.promise;
        return entry.admitted && promise != null && promise.compareTo(epoch) <= 0;
    }

    /** Everything up to here is at the other site; -1 for nothing. Falls when a member is wiped. */
    public synchronized long protectedIndex() {
        List<Long> indexes =
                entries.values().stream()
                        .filter(this::counts)
                        .map(e -> e.index)
                        .sorted(Comparator.reverseOrder())
                        .toList();
        return indexes.size() < quorum ? -1 : indexes.get(quorum - 1);
    }

    /** Every member that was heard of or admitted, by name. */
    public synchronized List<Standing> standings() {
        return entries.entrySet().stream()
                .map(e ->
                        new Standing(
                                e.getKey(),
                                e.getValue().incarnation,
                                e.getValue().index,
                                e.getValue().admitted,
                                counts(e.getValue())))
                .sorted(Comparator.comparing(Standing::node))
                .toList();
    }
}
