package io.holdfast.node.cli;

import io.holdfast.node.api.ExpiryView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import java.util.List;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Expires data pieces by name. */
@Command(
        name = "expire",
        description = {
            "Expire data pieces now, whatever their policy says. All of them or none: refused when a"
                    + " legal hold names one.",
            "They can be restored no more; what they alone needed goes with the collections that"
                    + " follow, at each site for itself."
        },
        footer = {
            "",
            "Example: holdfast expire 0192f3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d --reason 'wrong folder'"
        })
final class ExpireCommand extends ApiCommand {
    @Parameters(arity = "1..*", paramLabel = "PIECE", description = "See: holdfast pieces.")
    private List<UUID> pieces = List.of();

    @Mixin private Confirmation confirmation = new Confirmation();

    @Override
    int run(ClusterClient cluster, Output output) {
        confirmation.require(
                cluster.context().name(),
                pieces.size()
                        + (pieces.size() == 1 ? " data piece expires" : " data pieces expire")
                        + " for good.",
                output);
        Saved<List<ExpiryView>> saved =
                cluster.write(api ->
                        api.expire(
                                new Requests.Expire(
                                        pieces,
                                        cluster.context().operator(),
                                        confirmation.reason())));
        Text.Table table = new Text.Table("PIECE", "EXPIRED", "BY", "REASON");
        for (ExpiryView one : saved.result()) {
            table.row(one.piece().toString(), Text.time(one.expired()), one.who(), one.reason());
        }
        output.saved(saved, table + "Its bytes go with the collection; see: holdfast gc status");
        return ExitCode.DONE;
    }
}
