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
 *   <li>its storage has passed its barrier: it has everything that the leader's log held when the leader
 *       first heard of it. Without the barrier a promotion could read it instead of a member that holds
 *       a protected entry (DR-PROTOCOL 3.7, 3.11);
 *   <li>no other storage of the same member may be the living one. A member that shows up with another
 *       incarnation has lost its storage, or its lost one is heard late: incarnations have no order.
 *       Neither counts, at once, until one acknowledges an entry that was appended after that moment,
 *       which no lost storage can. The others are then retired. Where nobody writes, the leader has to
 *       append something: {@link #waitsForEntry};
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
    private final Map<String, Member> members = new HashMap<>();

    /** One member: its storages that may be alive, by incarnation, and those that are not. */
    private static final class Member {
        final Map<UUID, Storage> storages = new HashMap<>(2);
        final Set<UUID> retired = new HashSet<>(0);

        /** The newest one heard of for the first time; what screens show. */
        Storage last;

        Member(Storage first) {
            last = first;
            storages.put(first.incarnation, first);
        }

        /** Whether it is known which of its storages lives. */
        boolean isSettled() {
            return storages.size() == 1;
        }
    }

    private static final class Storage {
        final UUID incarnation;
        long barrier;
        boolean admitted;
        long index = -1;
        @Nullable Epoch promise;

        Storage(UUID incarnation, long barrier, boolean admitted) {
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
            members.put(node, new Member(new Storage(incarnation, -1, true)));
        }
    }

    /**
     * Enters an acknowledgement; repeated and reordered ones are harmless.
     *
     * @param leaderLastIndex last entry in the leader's log now, committed or not: the barrier, when
     *     the member's incarnation is new
     * @return whether the member counts now, with this storage
     */
    public synchronized boolean enter(SiteAck ack, long leaderLastIndex) {
        if (!ack.lineage().equals(lineage) || !concerns(ack.node())) {
            return false;
        }
        Member member = members.get(ack.node());
        if (member != null && member.retired.contains(ack.incarnation())) {
            return false;
        }
        Storage storage;
        if (member == null) {
            storage = new Storage(ack.incarnation(), leaderLastIndex, false);
            member = new Member(storage);
            members.put(ack.node(), member);
        } else {
            storage = storage(member, ack.incarnation(), leaderLastIndex);
        }
        Epoch known = storage.promise;
        if (known == null || ack.promise().compareTo(known) > 0) {
            storage.promise = ack.promise();
        }
        if (ack.promise().compareTo(epoch) <= 0 || !rules.has(Rule.SEAL)) {
            storage.index = Math.max(storage.index, ack.index());
        }
        if (storage.index >= storage.barrier || !rules.has(Rule.READMISSION_BARRIER)) {
            storage.admitted = true;
            settle(member, storage);
        }
        return counts(storage);
    }

    private Storage storage(Member member, UUID incarnation, long leaderLastIndex) {
        Storage known = member.storages.get(incarnation);
        if (known != null) {
            return known;
        }
        if (!rules.has(Rule.INCARNATION)) {
            return member.last;
        }
        if (!rules.has(Rule.LIVING_STORAGE)) {
            return newest(member, incarnation, leaderLastIndex);
        }
        Storage other = new Storage(incarnation, leaderLastIndex + 1, false);
        if (!rules.has(Rule.RESET_MATCH)) {
            other.index = member.last.index;
            other.admitted = member.last.admitted;
        }
        for (Storage storage : member.storages.values()) {
            storage.barrier = leaderLastIndex + 1;
            storage.admitted = false;
        }
        member.storages.put(incarnation, other);
        member.last = other;
        return other;
    }

    /** What is heard of last is taken for the newest; without {@link Rule#LIVING_STORAGE} only. */
    private static Storage newest(Member member, UUID incarnation, long leaderLastIndex) {
        Storage other = new Storage(incarnation, leaderLastIndex, false);
        member.retired.addAll(member.storages.keySet());
        member.storages.clear();
        member.storages.put(incarnation, other);
        member.last = other;
        return other;
    }

    /** Only a storage that is alive can have what was appended after the others were last heard of. */
    private static void settle(Member member, Storage alive) {
        if (!member.isSettled()) {
            member.storages.remove(alive.incarnation);
            member.retired.addAll(member.storages.keySet());
            member.storages.clear();
            member.storages.put(alive.incarnation, alive);
            member.last = alive;
        }
    }

    private boolean counts(Storage storage) {
        Epoch promise = storage.promise;
        return storage.admitted
                && promise != null
                && (promise.compareTo(epoch) <= 0 || !rules.has(Rule.SEAL));
    }

    /**
     * Whether the leader should append an entry, of no consequence: a member has shown two storages, and
     * only an entry above the leader's last one can tell which of them lives.
     */
    public synchronized boolean waitsForEntry(long leaderLastIndex) {
        for (Member member : members.values()) {
            if (!member.isSettled() && member.last.barrier > leaderLastIndex) {
                return true;
            }
        }
        return false;
    }

    /** Everything up to here survives; -1 for nothing. Falls when a member is wiped. */
    public synchronized long protectedIndex() {
        if (!rules.has(Rule.ACK_OF_OTHER_SITE)) {
            return Long.MAX_VALUE;
        }
        return Math.min(reached(nodes, quorum), reached(own, ownQuorum));
    }

    /** Up to here a quorum of the other site has it; -1 for nothing. */
    public synchronized long otherSiteIndex() {
        return reached(nodes, quorum);
    }

    /** Up to here enough other members of the own site have it; no limit where none is needed. */
    public synchronized long ownSiteIndex() {
        return reached(own, ownQuorum);
    }

    /** The largest index that {@code needed} of these members have acknowledged. */
    private long reached(Set<String> of, int needed) {
        if (needed == 0) {
            return Long.MAX_VALUE;
        }
        long[] indexes = new long[of.size()];
        int count = 0;
        for (String node : of) {
            Member member = members.get(node);
            if (member != null && counts(member.last)) {
                int at = count++;
                while (at > 0 && indexes[at - 1] < member.last.index) {
                    indexes[at] = indexes[at - 1];
                    at--;
                }
                indexes[at] = member.last.index;
            }
        }
        return count < needed ? -1 : indexes[needed - 1];
    }

    /** The storage of a member that lives, as far as known; null when it was not heard of. */
    synchronized @Nullable UUID incarnationOf(String node) {
        Member member = members.get(node);
        return member == null ? null : member.last.incarnation;
    }

    /** Every member that was heard of or admitted, by name. */
    public synchronized List<Standing> standings() {
        return members.entrySet().stream()
                .map(e -> {
                    Storage last = e.getValue().last;
                    return new Standing(
                            e.getKey(), last.incarnation, last.index, last.admitted, counts(last));
                })
                .sorted(Comparator.comparing(Standing::node))
                .toList();
    }
}
