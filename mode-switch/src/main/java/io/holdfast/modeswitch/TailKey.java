package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * How a promotion orders the tails that it reads; the {@linkplain #newest newest} is the seed of the new
 * lineage. A log counts only when it is whole: when the EpochChange that opened its lineage is in it, on
 * disk. The lineage with the newest epoch that any of its readers knows to be committed wins, whatever the
 * logs of others hold: what was protected before that epoch is in it, and what was protected since is in
 * no other. In P3 that may be an older lineage, which went on while a fork of it failed. Within a lineage
 * the highest term, then the longest log wins, as in Raft.
 *
 * @param lineage epoch at which the log's lineage was opened
 * @param known newest epoch of that lineage that its member has applied, or has joined
 * @param term of its last entry
 * @param index of its last entry
 */
public record TailKey(Epoch lineage, Epoch known, long term, long index) {
    private static final Comparator<TailKey> IN_A_LINEAGE =
            Comparator.comparingLong(TailKey::term).thenComparingLong(TailKey::index);

    /** The one to go on from; empty when there is none. */
    public static <T> Optional<T> newest(Collection<T> tails, Function<T, TailKey> key) {
        Map<Epoch, Epoch> known = new HashMap<>();
        for (T tail : tails) {
            known.merge(key.apply(tail).lineage(), key.apply(tail).known(), Draft::max);
        }
        return known.entrySet().stream()
                .max(
                        Map.Entry.<Epoch, Epoch>comparingByValue()
                                .thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getKey)
                .flatMap(lineage ->
                        tails.stream()
                                .filter(t -> key.apply(t).lineage().equals(lineage))
                                .max(Comparator.comparing(key, IN_A_LINEAGE)));
    }
}
