package io.holdfast.replication.state;

import io.holdfast.standard.FormatException;

/** How far a job has come. */
public enum JobState {
    /** Started; its outcome is not known. */
    OPEN,
    /** Everything was done. */
    COMPLETE,
    /** Done, but some files vanished or could not be read. */
    COMPLETE_WITH_WARNINGS,
    /** Not done; the message says why. */
    FAILED,
    /** Stopped on request, or by a change of the active site. */
    CANCELLED,
    /**
     * Stopped by a planned move of the active site, because it would have taken too long to wait for. A
     * backup goes on as another job, see {@link JobRecord#awaitsSuccessor}.
     */
    CHECKPOINTED;

    /** Whether it made what it should make: a piece, or restored files. */
    public boolean isComplete() {
        return this == COMPLETE || this == COMPLETE_WITH_WARNINGS;
    }

    static JobState ofWord(String word) {
        for (JobState state : values()) {
            if (state.name().equals(word)) {
                return state;
            }
        }
        throw new FormatException("job state", word, 0, "OPEN, COMPLETE, FAILED, ...");
    }
}
