package io.holdfast.node.cli;

import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Switches automatic failover, in a cluster with a witness. */
@Command(
        name = "auto-failover",
        description = {
            "Whether DR takes over by itself when it and the witness have lost the active site.",
            "Holds for the whole cluster; 'holdfast status' shows it."
        },
        footer = {"", "Example: holdfast auto-failover off --reason maintenance"})
final class AutoFailoverCommand extends ApiCommand {
    /** The two positions of the switch. */
    enum Position {
        on,
        off
    }

    @Parameters(index = "0", paramLabel = "on|off", description = "The position of the switch.")
    private Position position = Position.on;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
    private String reason = "";

    @Override
    int run(ClusterClient cluster, Output output) {
        Saved<StatusView> saved =
                cluster.write(api ->
                        api.autoFailover(
                                new Requests.AutoFailover(
                                        position == Position.on,
                                        cluster.context().operator(),
                                        reason)));
        output.saved(saved, "Automatic failover is " + saved.result().autoFailover());
        return ExitCode.DONE;
    }
}
