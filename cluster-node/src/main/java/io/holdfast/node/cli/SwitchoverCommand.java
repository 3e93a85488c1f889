package io.holdfast.node.cli;

import io.holdfast.node.api.Requests;
import io.holdfast.node.api.SwitchoverView;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Hands the cluster over to the other site. */
@Command(
        name = "switchover",
        description = "Hand the cluster over to the other site, losing nothing. Both must be well.",
        footer = {
            "",
            "A backup that runs longer than --drain is checkpointed: what it has stored is kept, and",
            "another job goes on with it as soon as a site is active at which its client is backed up",
            "(here again, if the switchover is taken back). A restore is ended, and has to be ordered",
            "again. See: holdfast jobs",
            "",
            "Example: holdfast switchover --to local",
            "         holdfast switchover --to dr --drain 10s --barrier 5m"
        })
final class SwitchoverCommand extends ApiCommand {
    @Option(names = "--to", required = true, paramLabel = "SITE", description = "local or dr.")
    private String to = "";

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            defaultValue = "60s",
            converter = Times.class,
            description = {
                "How long running jobs are waited for before they are checkpointed, 0s to 15m.",
                "Default: ${DEFAULT-VALUE}."
            })
    private Duration drain = Duration.ZERO;

    @Option(
            names = "--barrier",
            paramLabel = "TIME",
            defaultValue = "90s",
            converter = Times.class,
            description = {
                "How long the other site may take to draw level, 1s to 10m; then the switchover is",
                "taken back. Default: ${DEFAULT-VALUE}."
            })
    private Duration barrier = Duration.ZERO;

    @Mixin private Confirmation confirmation = new Confirmation();

    @Override
    int run(ClusterClient cluster, Output output) {
        Site site = Site.ofWord(to);
        if (site == Site.WITNESS) {
            throw new Problem(
                    ExitCode.USAGE, "The witness cannot be active.", "Use --to local or --to dr.");
        }
        UUID operation = Jobs.newId();
        int drainSeconds = Math.toIntExact(drain.toSeconds());
        int barrierSeconds = Math.toIntExact(barrier.toSeconds());
        // Says what is wrong before anybody is asked to confirm it.
        var _ =
                new Requests.Switchover(
                        site.word(), "", "", operation, drainSeconds, barrierSeconds);
        confirmation.require(
                cluster.context().name(),
                "Site "
                        + site.word()
                        + " becomes the active one; jobs that run longer than "
                        + drainSeconds
                        + " s are checkpointed.",
                output);
        Requests.Switchover request =
                new Requests.Switchover(
                        site.word(),
                        cluster.context().operator(),
                        confirmation.reason(),
                        operation,
                        drainSeconds,
                        barrierSeconds);
        MoveSteps steps = new MoveSteps(operation, output);
        SwitchoverView view =
                cluster.write(api ->
                        steps.tellDuring(
                                api, () -> api.switchover(request), SwitchoverView::steps));
        output.result(view, Failovers.show(view));
        return ExitCode.DONE;
    }
}
