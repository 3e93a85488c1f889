package io.holdfast.node.cli;

/** What the exit code of {@code holdfast} says. */
public final class ExitCode {
    /** Done. */
    public static final int DONE = 0;

    /** Failed: the message says how. */
    public static final int FAILED = 1;

    /** The command line, a file it names, or the request is malformed. Nothing was done. */
    public static final int USAGE = 2;

    /** Refused by mode, epoch or ack policy: certainly not done. */
    public static final int REFUSED = 3;

    /** May have been done: look first, then repeat. Or complete, and not green yet. */
    public static final int UNKNOWN = 4;

    private ExitCode() {}
}
