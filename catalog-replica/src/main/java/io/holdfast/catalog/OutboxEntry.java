package io.holdfast.catalog;

import io.holdfast.standard.Epoch;

/**
 * A change of one database, in its place in the order of commits.
 *
 * @param seq 1, 2, 3, ... without gaps
 * @param epoch in which it was committed; never falls along the sequence
 * @param change what was done
 */
public record OutboxEntry(long seq, Epoch epoch, CatalogChange change) {
    /** Checks the sequence number. */
    public OutboxEntry {
        if (seq < 1) {
            throw new IllegalArgumentException(
                    "Outbox sequence number " + seq + "; expected 1 or more");
        }
    }
}
