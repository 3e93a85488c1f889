package io.holdfast.replication.state;

/**
 * An entry or a state of a version that this program does not know. Never skipped: a node that
 * skipped an entry would hold another state than its peers, so it stops instead.
 */
public final class UnknownVersionException extends RuntimeException {
    /** Tells what was met. */
    public UnknownVersionException(String what, String met, String known) {
        super(
                "Cannot read "
                        + what
                        + " of version "
                        + met
                        + "; this program knows "
                        + known
                        + ". Start a newer version of Holdfast on this node.");
    }
}
