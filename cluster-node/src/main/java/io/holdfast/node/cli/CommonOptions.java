package io.holdfast.node.cli;

import io.holdfast.node.init.OperatorContext;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that every command that asks a cluster has. */
final class CommonOptions {
    @Option(
            names = "--context",
            paramLabel = "FILE",
            description =
                    "The operator's context (default: $HOLDFAST_CONTEXT, then"
                            + " ~/.config/holdfast/context.json).")
    private @Nullable Path context;

    @Option(
            names = "--json",
            description = "Print one JSON value on stdout and nothing else there.")
    private boolean json;

    boolean json() {
        return json;
    }

    /** Where the context is looked for. */
    Path contextFile() {
        if (context != null) {
            return context;
        }
        String environment = System.getenv("HOLDFAST_CONTEXT");
        return environment != null && !environment.isBlank()
                ? Path.of(environment)
                : Path.of(System.getProperty("user.home", "."), ".config/holdfast/context.json");
    }

    /** Whether there is one. */
    boolean hasContext() {
        return Files.isRegularFile(contextFile());
    }

    /** Reads the context. @throws Problem when there is none or it cannot be used */
    OperatorContext context() throws IOException {
        Path file = contextFile();
        if (!hasContext()) {
            throw new Problem(
                    ExitCode.USAGE,
                    "There is no operator's context at " + file + ".",
                    "Name the one that init wrote: --context DIR/operator/context.json.");
        }
        try {
            return OperatorContext.read(file);
        } catch (FormatException e) {
            throw new Problem(
                    ExitCode.USAGE, "Context " + file + ": " + e.getMessage(), "Correct the file.");
        }
    }
}
