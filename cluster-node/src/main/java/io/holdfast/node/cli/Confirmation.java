package io.holdfast.node.cli;

import java.io.Console;

/** A typed confirmation of what cannot be undone. */
final class Confirmation {
    private Confirmation() {}

    /** Returns when {@code yes}, or when the cluster's name was typed. @throws Problem otherwise */
    static void require(boolean yes, String cluster, String what, Output output) {
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
