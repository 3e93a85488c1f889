package io.holdfast.node.cli;

import io.holdfast.node.api.Requests;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.standard.Site;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Hands the cluster over to the other site. */
@Command(
        name = "switchover",
        description = "Hand the cluster over to the other site, losing nothing. Both must be well.",
        footer = {"", "Example: holdfast switchover --to local"})
final class SwitchoverCommand extends ApiCommand {
    @Option(names = "--to", required = true, paramLabel = "SITE", description = "local or dr.")
    private String to = "";

    @Mixin private Confirmation confirmation = new Confirmation();

    @Override
    int run(ClusterClient cluster, Output output) {
        Site site = Site.ofWord(to);
        if (site == Site.WITNESS) {
            throw new Problem(
                    ExitCode.USAGE, "The witness cannot be active.", "Use --to local or --to dr.");
        }
        confirmation.require(
                cluster.context().name(),
                "Site " + site.word() + " becomes the active one; running jobs end first.",
                output);
        UUID operation = Jobs.newId();
        Requests.Switchover request =
                new Requests.Switchover(
                        site.word(),
                        cluster.context().operator(),
                        confirmation.reason(),
                        operation);
        MoveSteps steps = new MoveSteps(operation, output);
        SwitchoverView view =
                cluster.write(api ->
                        steps.tellDuring(
                                api, () -> api.switchover(request), SwitchoverView::steps));
        output.result(view, Failovers.show(view));
        return ExitCode.DONE;
    }
}
