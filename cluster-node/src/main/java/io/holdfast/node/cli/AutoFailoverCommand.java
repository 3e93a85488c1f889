package io.holdfast.node.cli;

import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Switches automatic failover, in a cluster with a witness. */
@Command(
        name = "auto-failover",
        description = {
            "Whether DR takes over by itself when it and the witness have lost the active site.",
            "Holds for the whole cluster; 'holdfast status' shows it.",
            "What it waits for besides (auto-failover-requires): 'metadata', the record alone, which",
            "DR always has; or 'protected-backups': replication is in SYNC, and DR has the data of",
            "every completed backup. Then a failover that would leave backups behind is yours to",
            "decide: holdfast failover."
        },
        footer = {
            "",
            "Example: holdfast auto-failover on --requires protected-backups",
            "Example: holdfast auto-failover off --reason maintenance"
        })
final class AutoFailoverCommand extends ApiCommand {
    /** The two positions of the switch. */
    enum Position {
        on,
        off
    }

    @Parameters(index = "0", paramLabel = "on|off", description = "The position of the switch.")
    private Position position = Position.on;

    @Option(
            names = "--requires",
            paramLabel = "WHAT",
            description = "metadata or protected-backups; as it is, unless given.")
    private @Nullable String requires;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
    private String reason = "";

    /** The switch in words. */
    static String text(StatusView view) {
        return view.autoFailover() + ", requires " + view.autoFailoverRequires();
    }

    @Override
    int run(ClusterClient cluster, Output output) {
        Saved<StatusView> saved =
                cluster.write(api ->
                        api.autoFailover(
                                new Requests.AutoFailover(
                                        position == Position.on,
                                        requires,
                                        cluster.context().operator(),
                                        reason)));
        output.saved(saved, "Automatic failover is " + text(saved.result()));
        return ExitCode.DONE;
    }
}
