package io.holdfast.agent.epoch;

import java.io.IOException;

/**
 * The durable epoch is missing or unreadable, so this process cannot know whom it may obey. It must
 * not serve until an operator admits it again with the cluster's present epoch; it never starts over
 * at epoch 0 (DECISIONS 14).
 */
public final class UnadmittedException extends IOException {
    /** With a message that names the file, what is wrong with it and what to do. */
    public UnadmittedException(String message) {
        super(message);
    }
}
