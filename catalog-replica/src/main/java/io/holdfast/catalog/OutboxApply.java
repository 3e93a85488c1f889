package io.holdfast.catalog;

import java.util.List;

/**
 * Decides what of a batch of another database's outbox is to be applied. Pure.
 *
 * <p>The cursor {@code applied} says that every entry up to it has been applied. For a batch {@code
 * first..last}:
 *
 * <table>
 * <caption>Plans</caption>
 * <tr><th>batch</th><th>plan</th></tr>
 * <tr><td>empty</td><td>{@link Apply} of nothing</td></tr>
 * <tr><td>not consecutive, or its epochs fall</td><td>{@link Refuse}</td></tr>
 * <tr><td>first &gt; applied + 1</td><td>{@link Refuse}: a gap would be lost for ever</td></tr>
 * <tr><td>last &lt;= applied</td><td>{@link Apply} of nothing: a repetition</td></tr>
 * <tr><td>otherwise</td><td>{@link Apply} of {@code applied+1..last}</td></tr>
 * </table>
 */
public final class OutboxApply {
    private OutboxApply() {}

    /** What to do with a batch. */
    public sealed interface Plan {}

    /**
     * Apply these, in one transaction with the cursor.
     *
     * @param entries consecutive from the cursor; may be empty
     * @param cursor the cursor afterwards
     */
    public record Apply(List<OutboxEntry> entries, long cursor) implements Plan {
        /** Copies the list. */
        public Apply {
            entries = List.copyOf(entries);
        }
    }

    /**
     * Apply nothing.
     *
     * @param message what is wrong with the batch
     */
    public record Refuse(String message) implements Plan {}

    /** The plan for a batch. */
    public static Plan plan(long applied, List<OutboxEntry> batch) {
        if (batch.isEmpty()) {
            return new Apply(List.of(), applied);
        }
        for (int i = 1; i < batch.size(); i++) {
            OutboxEntry before = batch.get(i - 1);
            OutboxEntry entry = batch.get(i);
            if (entry.seq() != before.seq() + 1) {
                return new Refuse("entry " + before.seq() + " is followed by entry " + entry.seq());
            }
            if (entry.epoch().compareTo(before.epoch()) < 0) {
                return new Refuse(
                        "entry "
                                + entry.seq()
                                + " of epoch "
                                + entry.epoch()
                                + " follows one of epoch "
                                + before.epoch());
            }
        }
        long first = batch.getFirst().seq();
        long last = batch.getLast().seq();
        if (first > applied + 1) {
            return new Refuse("the batch starts at " + first + ", applied is " + applied);
        }
        if (last <= applied) {
            return new Apply(List.of(), applied);
        }
        return new Apply(batch.subList((int) (applied + 1 - first), batch.size()), last);
    }
}
