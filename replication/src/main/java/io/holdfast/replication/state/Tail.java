package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.modeswitch.TailKey;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * All that one member holds of a lineage: its state, and every log entry after it, whether committed
 * or not. A pure value; a promotion reads one from each member that promised, and goes on from the
 * {@linkplain #newest newest} (DR-PROTOCOL T6, 3.7).
 *
 * @param lineage which one
 * @param appliedTerm term of the last entry in {@code state}
 * @param appliedIndex index of the last entry in {@code state}; -1 when nothing was applied
 * @param state bytes of the {@link ClusterState}
 * @param entries the entries after it, without gaps
 * @param lastTerm term of the last entry
 * @param lastIndex index of the last entry
 * @param joined newest epoch in which this member stands in the lineage; n = 0 when it has left it, or is
 *     not asked: then what is applied counts
 */
public record Tail(
        UUID lineage,
        long appliedTerm,
        long appliedIndex,
        ByteString state,
        List<LogEntry> entries,
        long lastTerm,
        long lastIndex,
        Epoch joined) {

    /** Of a member that is not asked in which epoch it stands in the lineage. */
    public Tail(
            UUID lineage,
            long appliedTerm,
            long appliedIndex,
            ByteString state,
            List<LogEntry> entries,
            long lastTerm,
            long lastIndex) {
        this(
                lineage,
                appliedTerm,
                appliedIndex,
                state,
                entries,
                lastTerm,
                lastIndex,
                ClusterState.NO_EPOCH);
    }

    /** The same, of a member that stands in the lineage in this epoch. */
    public Tail joinedIn(Epoch epoch) {
        return new Tail(
                lineage, appliedTerm, appliedIndex, state, entries, lastTerm, lastIndex, epoch);
    }

    /** Copies the list; checks that it has no gap. */
    public Tail {
        entries = List.copyOf(entries);
        long expected = appliedIndex;
        long term = appliedTerm;
        for (LogEntry entry : entries) {
            expected++;
            if (entry.index() != expected) {
                throw new FormatException(
                        "log tail of " + lineage, "entry " + entry.index(), 0, "entry " + expected);
            }
            term = entry.term();
        }
        if (lastIndex != expected || lastTerm != term) {
            throw new FormatException(
                    "log tail of " + lineage,
                    "last entry " + lastTerm + ":" + lastIndex,
                    0,
                    term + ":" + expected);
        }
    }

    /**
     * One entry of the log.
     *
     * @param data an {@link Entry}; empty for entries of Raft itself
     */
    public record LogEntry(long term, long index, ByteString data) {}

    /**
     * How it stands to other tails; empty when it is not whole: the entry that opened its lineage is not
     * in it. A member that has just started may have applied nothing yet.
     */
    public Optional<TailKey> key() {
        List<Epoch> all = epochs(materialize());
        if (all.isEmpty()) {
            return Optional.empty();
        }
        List<Epoch> applied = epochs(ClusterState.parse(state));
        Epoch known = applied.isEmpty() ? all.getFirst() : applied.getLast();
        return Optional.of(
                new TailKey(
                        all.getFirst(),
                        joined.compareTo(known) > 0 ? joined : known,
                        lastTerm,
                        lastIndex));
    }

    private List<Epoch> epochs(ClusterState of) {
        return of.epochs().stream()
                .map(EpochRecord::change)
                .filter(c -> c.lineage().equals(lineage))
                .map(Command.EpochChange::epoch)
                .toList();
    }

    /** The one that a promotion goes on from, see {@link TailKey}; empty when none is whole. */
    public static Optional<Tail> newest(List<Tail> tails) {
        record Keyed(TailKey key, Tail tail) {}
        List<Keyed> whole =
                tails.stream().flatMap(t -> t.key().map(k -> new Keyed(k, t)).stream()).toList();
        return TailKey.newest(whole, Keyed::key).map(Keyed::tail);
    }

    /**
     * The state with every entry applied, committed or not.
     *
     * @throws UnknownVersionException when a newer program wrote an entry
     */
    public ClusterState materialize() {
        ClusterState result = ClusterState.parse(state);
        for (LogEntry entry : entries) {
            if (!entry.data().isEmpty()) {
                result = result.apply(Entry.parse(entry.data()), entry.index()).state();
            }
        }
        return result;
    }

    /** The change of epoch that forks a new lineage off the end of this tail. */
    public Command.EpochChange fork(Epoch epoch, UUID newLineage, String reason, String operator) {
        return new Command.EpochChange(
                epoch,
                newLineage,
                Optional.of(lineage),
                lastTerm,
                lastIndex,
                materialize().hash(),
                reason,
                operator);
    }

    /** Which and how long; not what. */
    @Override
    public String toString() {
        return "Tail{"
                + lineage
                + ", state at "
                + appliedTerm
                + ":"
                + appliedIndex
                + ", "
                + entries.size()
                + " entries to "
                + lastTerm
                + ":"
                + lastIndex
                + "}";
    }
}
