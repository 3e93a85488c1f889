package io.holdfast.node.api;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a write: what was done, and how safe it is (DR-PROTOCOL 3.3). The level is that of this
 * very entry of the log, and not of the cluster at the time.
 *
 * @param level PROTECTED or UNPROTECTED
 * @param rpoAtRisk when UNPROTECTED: what is at this site only
 * @param epoch in which it was written, as in {@code 3.dr}
 * @param lineage whose log it is in
 * @param index of its entry; of the newest, where several were written
 * @param result what is so now
 */
public record Saved<T>(
        Level level,
        @Nullable RpoAtRisk rpoAtRisk,
        String epoch,
        UUID lineage,
        long index,
        T result) {
    /** The same with another result. */
    public <R> Saved<R> with(R other) {
        return new Saved<>(level, rpoAtRisk, epoch, lineage, index, other);
    }
}
