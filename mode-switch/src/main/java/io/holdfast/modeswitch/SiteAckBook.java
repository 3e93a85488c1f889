package io.holdfast.modeswitch;

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
 * Decides what survives the loss of either site: the leader keeps one for its lineage and epoch, and
 * enters every {@link SiteAck}. No clock, no thread, no I/O; guarded by its own monitor.
 *
 * <p>An index is protected when {@code quorum} members of the other site, and with the leader a quorum
 * of its own, have acknowledged it. The own quorum matters when the other site is silent and the
 * operator promotes the own site again, from a quorum of its logs: Raft may have committed the entry
 * with one own member, and two of the other site. A member counts while
 *
 * <ul>
 *   <li>it is one of those sites' members;
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
    private final Set<String> own;
    private final int ownQuorum;
    private final Rules rules;
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
     * An empty book that asks the other site only, for a site of one member.
     *
     * @param lineage whose log is acknowledged
     * @param epoch of the leader; acknowledgements from members that promised more do not count
     * @param nodes the peer site's members
     * @param quorum how many of them must have an entry: 1 of 1, 2 of 2 or 2 of 3
     */
    public SiteAckBook(UUID lineage, Epoch epoch, Set<String> nodes, int quorum) {
        this(lineage, epoch, nodes, quorum, Set.of(), 0, Rules.ALL);
    }

    /**
     * An empty book.
     *
     * @param own the other members of the leader's own site
     * @param ownQuorum how many of them must have an entry: one less than the site's quorum, since
     *     the leader has what it commits
     */
    public SiteAckBook(
            UUID lineage,
            Epoch epoch,
            Set<String> nodes,
            int quorum,
            Set<String> own,
            int ownQuorum) {
        this(lineage, epoch, nodes, quorum, own, ownQuorum, Rules.ALL);
    }

    SiteAckBook(
            UUID lineage,
            Epoch epoch,
            Set<String> nodes,
            int quorum,
            Set<String> own,
            int ownQuorum,
            Rules rules) {
        if (quorum < 1 || 2 * quorum <= nodes.size()) {
            throw new IllegalArgumentException(
                    "quorum "
                            + quorum
                            + " of "
                            + nodes.size()
                            + " members; expected more than half, so that any two quorums meet");
        }
        if (ownQuorum < 0 || ownQuorum > own.size()) {
            throw new IllegalArgumentException(
                    "own quorum " + ownQuorum + " of " + own.size() + " other members");
        }
        this.lineage = lineage;
        this.epoch = epoch;
        this.nodes = Set.copyOf(nodes);
        this.quorum = rules.has(Rule.ACK_QUORUM) ? quorum : 1;
        this.own = Set.copyOf(own);
        this.ownQuorum = rules.has(Rule.ACK_OF_OWN_QUORUM) ? ownQuorum : 0;
        this.rules = rules;
    }

    /** Whose log. */
    public UUID lineage() {
        return lineage;
    }

    /** Of the leader. */
    public Epoch epoch() {
        return epoch;
    }

    private boolean concerns(String node) {
        return nodes.contains(node) || own.contains(node);
    }

    /** Lets a member count from the start: it lost nothing of this lineage. */
    public synchronized void admit(String node, UUID incarnation) {
        if (concerns(node)) {
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
                || !concerns(ack.node())
                || retired.getOrDefault(ack.node(), Set.of()).contains(ack.incarnation())) {
            return false;
        }
        Entry entry = entries.get(ack.node());
        boolean other = entry == null || !entry.incarnation.equals(ack.incarnation());
        if (entry == null || (other && rules.has(Rule.INCARNATION))) {
            entry = renewed(ack, entry, leaderLastIndex);
            entries.put(ack.node(), entry);
        }
        Epoch known = entry.promise;
        if (known == null || ack.promise().compareTo(known) > 0) {
            entry.promise = ack.promise();
        }
        if (ack.promise().compareTo(epoch) <= 0 || !rules.has(Rule.SEAL)) {
            entry.index = Math.max(entry.index, ack.index());
        }
        if (entry.index >= entry.barrier || !rules.has(Rule.READMISSION_BARRIER)) {
            entry.admitted = true;
        }
        return counts(entry);
    }

    private Entry renewed(SiteAck ack, @Nullable Entry old, long leaderLastIndex) {
        Entry entry = new Entry(ack.incarnation(), leaderLastIndex, false);
        if (old != null) {
            retired.computeIfAbsent(ack.node(), n -> new HashSet<>()).add(old.incarnation);
            if (!rules.has(Rule.RESET_MATCH)) {
                entry.index = old.index;
            }
        }
        return entry;
    }

    private boolean counts(Entry entry) {
        Epoch promise = entry.promise;
        return entry.admitted
                && promise != null
                && (promise.compareTo(epoch) <= 0 || !rules.has(Rule.SEAL));
    }

    /** Everything up to here survives; -1 for nothing. Falls when a member is wiped. */
    public synchronized long protectedIndex() {
        if (!rules.has(Rule.ACK_OF_OTHER_SITE)) {
            return Long.MAX_VALUE;
        }
        return Math.min(reached(nodes, quorum), reached(own, ownQuorum));
    }

    /** The largest index that {@code needed} of these members have acknowledged. */
    private long reached(Set<String> members, int needed) {
        if (needed == 0) {
            return Long.MAX_VALUE;
        }
        long[] indexes = new long[members.size()];
        int count = 0;
        for (String member : members) {
            Entry entry = entries.get(member);
            if (entry != null && counts(entry)) {
                int at = count++;
                while (at > 0 && indexes[at - 1] < entry.index) {
                    indexes[at] = indexes[at - 1];
                    at--;
                }
                indexes[at] = entry.index;
            }
        }
        return count < needed ? -1 : indexes[needed - 1];
    }

    /** The storage of a member, as last heard; null when it was not heard of. */
    synchronized @Nullable UUID incarnationOf(String node) {
        Entry entry = entries.get(node);
        return entry == null ? null : entry.incarnation;
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
