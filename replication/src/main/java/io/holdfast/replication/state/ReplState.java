package io.holdfast.replication.state;

import io.holdfast.standard.FormatException;

/**
 * How replication to the other site stands (DR-PROTOCOL 3.4).
 *
 * @param mode SYNC, or why not
 * @param sinceMicros leader's time of the change, epoch microseconds
 * @param lastProtectedIndex of this lineage, when the mode changed
 */
public record ReplState(Mode mode, long sinceMicros, long lastProtectedIndex) {
    /** The modes. */
    public enum Mode {
        /** Writes are acknowledged PROTECTED. */
        SYNC,
        /** The other site is silent; still waiting for it. */
        ASYNC_WAIT,
        /** Writes are acknowledged UNPROTECTED: RPO at risk. */
        ASYNC,
        /** The other site is back and receives what it lacks. */
        CATCHUP;

        static Mode ofWord(String word) {
            for (Mode mode : values()) {
                if (mode.name().equals(word)) {
                    return mode;
                }
            }
            throw new FormatException(
                    "replication state", word, 0, "SYNC, ASYNC_WAIT, ASYNC or CATCHUP");
        }
    }
}
