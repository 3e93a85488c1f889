package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.modeswitch.TailKey;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * All that one member holds of a lineage: its state, and every log entry after it, whether committed
 * or not. An immutable value; a promotion reads one from each member that promised, and goes on from the
 * {@linkplain #newest newest} (DR-PROTOCOL T6, 3.7). The state is bytes where it came by wire or from a
 * file, and a value where it was read here; either is made of the other at most once, when it is asked for.
 */
public final class Tail {
    private final UUID lineage;
    private final long appliedTerm;
    private final long appliedIndex;
    private final List<LogEntry> entries;
    private final long lastTerm;
    private final long lastIndex;
    private final Epoch joined;
    private final Base base;

    /** A state as bytes, as a value, or both; with the entries applied. */
    private static final class Base {
        private volatile @Nullable ByteString bytes;
        private volatile @Nullable ClusterState state;
        private volatile @Nullable ClusterState whole;

        Base(@Nullable ByteString bytes, @Nullable ClusterState state) {
            this.bytes = bytes;
            this.state = state;
        }

        ByteString bytes() {
            ByteString known = bytes;
            if (known == null) {
                known = state().toBytes();
                bytes = known;
            }
            return known;
        }

        ClusterState state() {
            ClusterState known = state;
            if (known == null) {
                known = ClusterState.parse(bytes());
                state = known;
            }
            return known;
        }

        ClusterState with(List<LogEntry> entries) {
            ClusterState known = whole;
            if (known == null) {
                known = state();
                for (LogEntry entry : entries) {
                    if (!entry.data().isEmpty()) {
                        known = known.apply(Entry.parse(entry.data()), entry.index()).state();
                    }
                }
                whole = known;
            }
            return known;
        }
    }

    private Tail(
            UUID lineage,
            long appliedTerm,
            long appliedIndex,
            Base base,
            List<LogEntry> entries,
            long lastTerm,
            long lastIndex,
            Epoch joined) {
        this.lineage = lineage;
        this.appliedTerm = appliedTerm;
        this.appliedIndex = appliedIndex;
        this.base = base;
        this.entries = List.copyOf(entries);
        this.lastTerm = lastTerm;
        this.lastIndex = lastIndex;
        this.joined = joined;
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
     * Of a member that is not asked in which epoch it stands in the lineage.
     *
     * @param lineage which one
     * @param appliedTerm term of the last entry in {@code state}
     * @param appliedIndex index of the last entry in {@code state}; -1 when nothing was applied
     * @param state bytes of the {@link ClusterState}
     * @param entries the entries after it, without gaps
     * @param lastTerm term of the last entry
     * @param lastIndex index of the last entry
     * @throws FormatException when there is a gap
     */
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
                new Base(state, null),
                entries,
                lastTerm,
                lastIndex,
                ClusterState.NO_EPOCH);
    }

    /** The same, read where the state is at hand; the last entry is that of {@code entries}. */
    public static Tail of(
            UUID lineage,
            long appliedTerm,
            long appliedIndex,
            ClusterState state,
            List<LogEntry> entries) {
        return new Tail(
                lineage,
                appliedTerm,
                appliedIndex,
                new Base(null, state),
                entries,
                entries.isEmpty() ? appliedTerm : entries.getLast().term(),
                entries.isEmpty() ? appliedIndex : entries.getLast().index(),
                ClusterState.NO_EPOCH);
    }

    /** The same, of a member that stands in the lineage in this epoch. */
    public Tail joinedIn(Epoch epoch) {
        return new Tail(
                lineage, appliedTerm, appliedIndex, base, entries, lastTerm, lastIndex, epoch);
    }

    /** Of which lineage. */
    public UUID lineage() {
        return lineage;
    }

    /** Term of the last entry in {@link #state}. */
    public long appliedTerm() {
        return appliedTerm;
    }

    /** Index of the last entry in {@link #state}; -1 when nothing was applied. */
    public long appliedIndex() {
        return appliedIndex;
    }

    /** Bytes of the {@link ClusterState} before the entries. */
    public ByteString state() {
        return base.bytes();
    }

    /** The entries after the state, without gaps. */
    public List<LogEntry> entries() {
        return entries;
    }

    /** Term of the last entry. */
    public long lastTerm() {
        return lastTerm;
    }

    /** Index of the last entry. */
    public long lastIndex() {
        return lastIndex;
    }

    /**
     * Newest epoch in which this member stands in the lineage; n = 0 when it has left it, or is not asked:
     * then what is applied counts.
     */
    public Epoch joined() {
        return joined;
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
        List<Epoch> applied = epochs(base.state());
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
        return base.with(entries);
    }

    /** The change of epoch that forks a new lineage off the end of this tail. */
    public Command.EpochChange fork(Epoch epoch, UUID newLineage, String reason, String operator) {
        return fork(epoch, newLineage, reason, operator, 0);
    }

    /** The same, for a site that was heard last at this time, epoch microseconds; 0 for none. */
    public Command.EpochChange fork(
            Epoch epoch, UUID newLineage, String reason, String operator, long lastContactMicros) {
        return new Command.EpochChange(
                epoch,
                newLineage,
                Optional.of(lineage),
                lastTerm,
                lastIndex,
                materialize().hash(),
                reason,
                operator,
                lastContactMicros);
    }

    /** What the new lineage begins with: this tail, and the {@link #fork} off its end. */
    public Seed seed(
            Epoch epoch, UUID newLineage, String reason, String operator, long lastContactMicros) {
        ClusterState state = materialize();
        ByteString bytes = state.toBytes();
        return new Seed(state, bytes, fork(epoch, newLineage, reason, operator, lastContactMicros));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tail tail
                && lineage.equals(tail.lineage)
                && appliedTerm == tail.appliedTerm
                && appliedIndex == tail.appliedIndex
                && lastTerm == tail.lastTerm
                && lastIndex == tail.lastIndex
                && joined.equals(tail.joined)
                && entries.equals(tail.entries)
                && state().equals(tail.state());
    }

    @Override
    public int hashCode() {
        return Objects.hash(lineage, appliedTerm, appliedIndex, lastTerm, lastIndex, joined);
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
