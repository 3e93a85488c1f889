package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;

/**
 * How a promotion orders the tails that it reads; the greatest is the seed of the new lineage. A log
 * counts only when it is whole: when the EpochChange that opened its lineage is applied in it. A newer
 * lineage then wins over a longer log of an older one, because its seed held everything protected
 * before, and what was protected since is in no other.
 *
 * @param lineage epoch at which the log's lineage was opened
 * @param term of its last entry
 * @param index of its last entry
 */
public record TailKey(Epoch lineage, long term, long index) implements Comparable<TailKey> {
    @Override
    public int compareTo(TailKey other) {
        int byLineage = lineage.compareTo(other.lineage);
        int byTerm = byLineage != 0 ? byLineage : Long.compare(term, other.term);
        return byTerm != 0 ? byTerm : Long.compare(index, other.index);
    }
}
