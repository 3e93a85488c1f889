package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One member's log of one lineage: entries, of which the first {@code durable} are fsynced. */
final class SimLog {
    /** What an entry is. */
    enum Kind {
        /** A leader's first entry of its term. */
        START,
        /** Of no consequence: it shows which storage of a member lives. */
        TOUCH,
        /** A change of the record. */
        WRITE,
        /** A backup is complete. */
        JOB,
        /** That backup is at the other site. */
        JOB_PROTECTED,
        /** A replication state. */
        REPLICATION,
        /** A planned move begins: the record takes no backup (SwitchPrepare). */
        PREPARE,
        /** It was given up (SwitchAbort). */
        ABORT,
        /** An EpochChange. */
        EPOCH
    }

    /** An entry; the same object in every log that has it. */
    static final class Entry {
        final int id;
        final Kind kind;
        final SimGroup group;
        final long term;
        @Nullable Epoch epoch;
        String coordinator = "";
        String reason = "";

        /** An EpochChange that opens another lineage: the last of a drained one. */
        boolean handsOver;

        @Nullable ReplicationState replication;
        boolean ackedProtected;
        boolean ackedUnprotected;

        /** Archived for the report when a member left the lineage that has it. */
        boolean reported;

        Entry(int id, Kind kind, SimGroup group, long term) {
            this.id = id;
            this.kind = kind;
            this.group = group;
            this.term = term;
        }

        boolean acked() {
            return ackedProtected || ackedUnprotected;
        }

        @Override
        public String toString() {
            return kind + "#" + id + (epoch == null ? "" : " " + epoch);
        }
    }

    /** A lineage: one Raft group. Its configuration is global, as a committed one is. */
    static final class SimGroup {
        final Epoch fork;
        final UUID uuid;
        final int[] voter;
        boolean stretched;
        long terms;

        /** Entries up to and with the EpochChange that opened it. */
        int seedLength;

        SimGroup(Epoch fork, int members) {
            this.fork = fork;
            this.uuid = new UUID(0, fork.encoded());
            this.voter = new int[members];
            Arrays.fill(voter, -1);
        }

        int majority() {
            return majority(voter);
        }

        /** What makes a majority of these voters. */
        static int majority(int[] voters) {
            int count = 0;
            for (int v : voters) {
                count += v >= 0 ? 1 : 0;
            }
            return count / 2 + 1;
        }
    }

    final SimGroup group;
    Entry[] entries = new Entry[32];
    int length;
    int durable;
    long term;

    int commit;
    int applied;

    SimLog(SimGroup group) {
        this.group = group;
    }

    void append(Entry entry) {
        if (length == entries.length) {
            entries = Arrays.copyOf(entries, length * 2);
        }
        entries[length++] = entry;
    }

    void truncate(int to) {
        length = to;
        durable = Math.min(durable, to);
    }

    long lastTerm() {
        return termAt(length);
    }

    private long termAt(int len) {
        return len == 0 || entries[len - 1].group != group ? 0 : entries[len - 1].term;
    }

    /** Whether the entry that opened the lineage is on disk here. */
    boolean whole() {
        return group.seedLength > 0 && durable >= group.seedLength;
    }

    TailKey key(Epoch known) {
        return new TailKey(group.fork, known, termAt(durable), durable);
    }

    boolean holds(Entry entry, int upTo) {
        for (int i = upTo - 1; i >= 0; i--) {
            if (entries[i] == entry) {
                return true;
            }
        }
        return false;
    }

    /** The newest epoch of this lineage that is applied. */
    Epoch known() {
        for (int i = applied - 1; i >= 0; i--) {
            Epoch epoch = entries[i].epoch;
            if (epoch != null && !entries[i].handsOver && epoch.compareTo(group.fork) > 0) {
                return epoch;
            }
        }
        return group.fork;
    }

    /** Whether the record takes no backup: a planned move was prepared, and neither done nor given up. */
    boolean draining() {
        for (int i = length - 1; i >= 0; i--) {
            Kind kind = entries[i].kind;
            if (kind == Kind.PREPARE || kind == Kind.ABORT || kind == Kind.EPOCH) {
                return kind == Kind.PREPARE;
            }
        }
        return false;
    }

    /** The newest epoch below a length. */
    @Nullable Epoch epochAt(int upTo) {
        Entry newest = newestEpoch(upTo);
        return newest == null ? null : newest.epoch;
    }

    /** The newest EpochChange below a length. */
    @Nullable Entry newestEpoch(int upTo) {
        for (int i = upTo - 1; i >= 0; i--) {
            if (entries[i].kind == Kind.EPOCH) {
                return entries[i];
            }
        }
        return null;
    }
}
