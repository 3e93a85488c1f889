package io.holdfast.node.cli;

import java.io.Console;
import picocli.CommandLine.Option;

/** What a command that cannot be undone takes: a typed confirmation or {@code --yes}, and a reason. */
final class Confirmation {
    @Option(names = "--yes", description = "Do not ask for confirmation.")
    private boolean yes;

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "Why, for the audit.")
    private String reason = "";

    /** Why, for the audit; maybe empty. */
    String reason() {
        return reason;
    }

    /** Returns when {@code --yes} was given or the cluster's name typed. @throws Problem otherwise */
    void require(String cluster, String what, Output output) {
        if (yes) {
            return;
        }
        Console console =
                Terminal.find()
                        .orElseThrow(() ->
                                new Problem(
                                        ExitCode.USAGE,
                                        what
                                                + " This needs a confirmation, and there is"
                                                + " no terminal to ask at.",
                                        "Repeat with --yes."));
        output.note(what);
        String typed = console.readLine("Type the cluster's name, %s, to go on: ", cluster);
        if (typed == null || !typed.strip().equals(cluster)) {
            throw new Problem(
                    ExitCode.FAILED,
                    "Not confirmed; nothing was done.",
                    "Repeat when you are sure.");
        }
    }
}
