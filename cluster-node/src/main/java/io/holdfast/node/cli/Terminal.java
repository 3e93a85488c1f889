package io.holdfast.node.cli;

import java.io.Console;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A terminal at which a person can be asked. */
interface Terminal {
    /** What is typed after the prompt; null at the end of input. */
    @Nullable String readLine(String prompt);

    /** The same, not shown; the caller wipes it. */
    char @Nullable [] readPassword(String prompt);

    /** The terminal of this process, when a person can be asked at it. */
    @SuppressWarnings("SystemConsoleNull") // JDK 25 answers null again when there is no terminal.
    static Optional<Terminal> find() {
        Console console = System.console();
        return console != null && console.isTerminal()
                ? Optional.of(new OfProcess(console))
                : Optional.empty();
    }

    /** That of this process. */
    record OfProcess(Console console) implements Terminal {
        @Override
        public @Nullable String readLine(String prompt) {
            return console.readLine("%s", prompt);
        }

        @Override
        public char @Nullable [] readPassword(String prompt) {
            return console.readPassword("%s", prompt);
        }
    }
}
