package io.holdfast.node.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    /** Why, for the audit; maybe empty. */
    String reason() {
        return reason;
    }

    /** Returns when {@code --yes} was given or the cluster's name typed. @throws Problem otherwise */
    void require(String cluster, String what, Output output) {
        if (yes) {
            return;
        }
        Terminal terminal =
                HoldfastCommand.terminal(command)
                        .orElseThrow(() ->
                                new Problem(
                                        ExitCode.USAGE,
                                        what
                                                + " This needs a confirmation, and there is"
                                                + " no terminal to ask at.",
                                        "Repeat with --yes."));
        output.note(what);
        String typed = terminal.readLine("Type the cluster's name, " + cluster + ", to go on: ");
        if (typed == null || !typed.strip().equals(cluster)) {
            throw new Problem(
                    ExitCode.FAILED,
                    "Not confirmed; nothing was done.",
                    "Repeat when you are sure.");
        }
    }
}
