package io.holdfast.node.cli;

/** A command that cannot go on. Says what, to which thing, what next; carries the exit code. */
final class Problem extends RuntimeException {
    private final int exitCode;
    private final String next;

    /** With an exit code of {@link ExitCode}. */
    Problem(int exitCode, String message, String next) {
        super(message);
        this.exitCode = exitCode;
        this.next = next;
    }

    int exitCode() {
        return exitCode;
    }

    String next() {
        return next;
    }
}
