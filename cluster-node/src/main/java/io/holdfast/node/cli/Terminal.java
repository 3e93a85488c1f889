package io.holdfast.node.cli;

import java.io.Console;
import java.util.Optional;

/** The terminal of this process, if it has one. */
final class Terminal {
    private Terminal() {}

    /** The terminal, when a person can be asked at it. */
    @SuppressWarnings("SystemConsoleNull") // JDK 25 answers null again when there is no terminal.
    static Optional<Console> find() {
        Console console = System.console();
        return console != null && console.isTerminal() ? Optional.of(console) : Optional.empty();
    }
}
