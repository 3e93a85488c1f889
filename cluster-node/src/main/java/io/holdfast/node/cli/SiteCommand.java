package io.holdfast.node.cli;

import io.holdfast.node.api.GcView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import io.holdfast.standard.Site;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** What can be said of a site. */
@Command(
        name = "site",
        description = "A site that is lost for good.",
        subcommands = {SiteCommand.Abandon.class},
        footer = {"", "Example: holdfast site abandon local --reason 'burnt down'"})
final class SiteCommand {
    /** Declares a site lost. */
    @Command(
            name = "abandon",
            description = {
                "Declare the other site lost for good: the collection of garbage waits for it no more.",
                "Refused while it answers. It ends by itself when the site is heard again."
            },
            footer = {"", "Example: holdfast site abandon local --reason 'burnt down'"})
    static final class Abandon extends ApiCommand {
        @Parameters(index = "0", paramLabel = "SITE", description = "local or dr.")
        private String site = "";

        @Mixin private Confirmation confirmation = new Confirmation();

        @Override
        int run(ClusterClient cluster, Output output) {
            Site lost = Site.ofWord(site);
            confirmation.require(
                    cluster.context().name(),
                    "What site "
                            + lost.word()
                            + " alone may still refer to is not kept for its sake any more.",
                    output);
            Saved<GcView> saved =
                    cluster.write(api ->
                            api.abandonSite(
                                    new Requests.Abandon(
                                            lost.word(),
                                            cluster.context().operator(),
                                            confirmation.reason())));
            output.saved(saved, GcCommand.show(saved.result()));
            return ExitCode.DONE;
        }
    }
}
