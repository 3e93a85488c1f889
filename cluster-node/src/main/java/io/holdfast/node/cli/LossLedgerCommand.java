package io.holdfast.node.cli;

import io.holdfast.node.api.LossLedgerView;
import picocli.CommandLine.Command;

/** Shows what the newest failover may have lost. */
@Command(
        name = "loss-ledger",
        description = "Show what was acknowledged at a lost site and is not known to be here.",
        footer = {"", "Example: holdfast loss-ledger"})
final class LossLedgerCommand extends ApiCommand {
    @Override
    int run(ClusterClient cluster, Output output) {
        LossLedgerView view = cluster.read(api -> api.lossLedger());
        output.result(view, Failovers.show(view));
        return ExitCode.DONE;
    }
}
