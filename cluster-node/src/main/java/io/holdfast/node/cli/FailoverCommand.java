package io.holdfast.node.cli;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.Requests;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Takes over at the other site. */
@Command(
        name = "failover",
        description = {
            "Take over at the DR site because the active one is lost. No passphrase is needed.",
            "What had not reached the DR site is listed in the loss ledger."
        },
        footer = {
            "",
            "Example: holdfast failover --dry-run",
            "         holdfast failover --yes --json"
        })
final class FailoverCommand extends ApiCommand {
    @Option(names = "--force", description = "Although the active site was seen alive.")
    private boolean force;

    @Option(names = "--dry-run", description = "Show the pre-flight only; change nothing.")
    private boolean dryRun;

    @Mixin private Confirmation confirmation = new Confirmation();

    @Option(
            names = "--site",
            paramLabel = "SITE",
            defaultValue = "dr",
            description = "The site that takes over. Default: ${DEFAULT-VALUE}.")
    private String site = "";

    @Override
    int run(ClusterClient cluster, Output output) {
        Site to = Site.ofWord(site);
        List<ClusterClient.Seen> nodes = cluster.standby(to);
        ClusterClient.Seen node = nodes.get(0);
        PreflightView preflight = node.api().failoverPreflight();
        if (dryRun) {
            output.result(preflight, Failovers.show(preflight));
            return ExitCode.DONE;
        }
        for (String line : Failovers.show(preflight).split("\n", -1)) {
            output.note(line);
        }
        if (preflight.verdict() == PreflightView.Verdict.REFUSED
                || preflight.verdict() == PreflightView.Verdict.NEEDS_FORCE && !force) {
            throw new ApiException(
                    ApiException.Kind.REFUSED,
                    "Failover at "
                            + preflight.node()
                            + " refused: "
                            + String.join("; ", preflight.refusals()),
                    preflight.verdict() == PreflightView.Verdict.NEEDS_FORCE
                            ? "Use holdfast switchover --to "
                                    + to.word()
                                    + " while both sites live; --force only when you know that the"
                                    + " active site is lost."
                            : "See holdfast status.",
                    preflight.epoch(),
                    preflight.role(),
                    null);
        }
        confirmation.require(
                cluster.context().name(),
                "Site " + to.word() + " takes over in epoch " + preflight.nextEpoch() + ".",
                output);
        UUID operation = Jobs.newId();
        Requests.Failover request =
                new Requests.Failover(
                        force, cluster.context().operator(), confirmation.reason(), operation);
        FailoverView view =
                new MoveSteps(operation, output)
                        .tellDuring(
                                node.api(),
                                () -> node.api().failover(request),
                                FailoverView::steps);
        output.result(view, Failovers.show(view));
        return ExitCode.DONE;
    }
}
