package io.holdfast.node.cli;

import io.holdfast.node.api.ReconcileView;
import picocli.CommandLine.Command;

/** Shows what became of a site that returned. */
@Command(
        name = "reconcile",
        description =
                "Show what became of a site that returned: merged pieces, settings, catch-up.",
        footer = {"", "Example: holdfast reconcile"})
final class ReconcileCommand extends ApiCommand {
    @Override
    int run(ClusterClient cluster, Output output) {
        ReconcileView view = cluster.read(api -> api.reconcileReport());
        output.result(view, Failovers.show(view));
        return ExitCode.DONE;
    }
}
