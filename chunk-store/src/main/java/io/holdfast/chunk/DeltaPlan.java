package io.holdfast.chunk;

import io.holdfast.chunk.ChunkStore.Tailed;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What one store holds and another lacks, from their inventories: what catch-up has to move, no more
 * and no less. Pure.
 *
 * @param frames what to move, in the source's log order, each id once
 * @param bytes sum of their frame bytes
 * @param damaged frames that the target lacks and the source has only in a damaged form
 */
public record DeltaPlan(List<Tailed> frames, long bytes, List<Tailed> damaged) {
    /** Copies the lists. */
    public DeltaPlan {
        frames = List.copyOf(frames);
        damaged = List.copyOf(damaged);
    }

    /** The plan from {@code source} to {@code target}. Damaged frames count as not held. */
    public static DeltaPlan of(List<Tailed> source, List<Tailed> target) {
        Set<ChunkId> done = new HashSet<>(2 * target.size());
        for (Tailed held : target) {
            if (held.damage().isEmpty()) {
                done.add(held.id());
            }
        }
        List<Tailed> frames = new ArrayList<>();
        long bytes = 0;
        for (Tailed candidate : source) {
            if (candidate.damage().isEmpty() && done.add(candidate.id())) {
                frames.add(candidate);
                bytes += candidate.frameBytes();
            }
        }
        List<Tailed> damaged = new ArrayList<>();
        for (Tailed candidate : source) {
            if (candidate.damage().isPresent() && done.add(candidate.id())) {
                damaged.add(candidate);
            }
        }
        return new DeltaPlan(frames, bytes, damaged);
    }
}
