package io.holdfast.node.cli;

import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StatusView;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows or chooses what becomes of writes that cannot be PROTECTED. */
@Command(
        name = "ack-policy",
        description = {
            "What becomes of a write that the other site does not acknowledge; without an argument,"
                    + " show it.",
            "availability: it is done, and says UNPROTECTED. protection: it is refused, and so are"
                    + " backups whose policy needs the other site; a write that was under way"
                    + " ends with an unknown outcome.",
            "Holds for the whole cluster. What deals with the loss of a site is never refused; after"
                    + " a failover protection waits until both sites are level again."
        },
        footer = {
            "",
            "Example: holdfast ack-policy",
            "         holdfast ack-policy protection --reason 'audit season'"
        })
final class AckPolicyCommand extends ApiCommand {
    /** The two policies. */
    enum Policy {
        availability,
        protection
    }

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "availability|protection",
            description = "The policy from now on.")
    private @Nullable Policy policy;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
    private String reason = "";

    @Override
    int run(ClusterClient cluster, Output output) {
        Policy chosen = policy;
        if (chosen == null) {
            StatusView now = cluster.read(api -> api.status());
            output.result(now, StatusCommand.acknowledgements(now));
            return ExitCode.DONE;
        }
        Saved<StatusView> saved =
                cluster.write(api ->
                        api.ackPolicy(
                                new Requests.ChooseAckPolicy(
                                        chosen.name(), cluster.context().operator(), reason)));
        output.saved(saved, StatusCommand.acknowledgements(saved.result()));
        return ExitCode.DONE;
    }
}
