package io.holdfast.node.cli;

import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Legal holds: what they name does not expire. */
@Command(
        name = "hold",
        description = {"Legal holds: what a hold names expires neither by its policy nor by name."},
        subcommands = {HoldCommand.Add.class, HoldCommand.Release.class, HoldCommand.Listing.class},
        footer = {"", "Example: holdfast hold list"})
final class HoldCommand {
    /** Begins a hold. */
    @Command(
            name = "add",
            description = "Hold a data piece, or all pieces of a client, present and future.",
            footer = {"", "Example: holdfast hold add --client crit --reason 'case 4711'"})
    static final class Add extends ApiCommand {
        @ArgGroup(multiplicity = "1")
        private What what = new What();

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why, for the audit.")
        private String reason = "";

        /** A piece or a client. */
        static final class What {
            @Option(
                    names = "--piece",
                    required = true,
                    paramLabel = "PIECE",
                    description = "This data piece; see: holdfast pieces.")
            private @Nullable UUID piece;

            @Option(
                    names = "--client",
                    required = true,
                    paramLabel = "CLIENT",
                    description = "All data pieces of this client.")
            private @Nullable String client;
        }

        @Override
        int run(ClusterClient cluster, Output output) {
            UUID id = Jobs.newId();
            Saved<HoldView> saved =
                    cluster.write(api ->
                            api.hold(
                                    new Requests.Hold(
                                            what.piece,
                                            what.client,
                                            cluster.context().operator(),
                                            reason,
                                            id)));
            output.saved(saved, show(List.of(saved.result())));
            return ExitCode.DONE;
        }
    }

    /** Ends a hold. */
    @Command(
            name = "release",
            description = "End a hold: what it named may expire again.",
            footer = {
                "",
                "Example: holdfast hold release 0192f3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d --reason closed"
            })
    static final class Release extends ApiCommand {
        @Parameters(index = "0", paramLabel = "HOLD", description = "See: holdfast hold list.")
        private @Nullable UUID hold;

        @Mixin private Confirmation confirmation = new Confirmation();

        @Override
        int run(ClusterClient cluster, Output output) {
            UUID id = java.util.Objects.requireNonNull(hold);
            confirmation.require(
                    cluster.context().name(),
                    "What hold " + id + " names may expire again, at once if its policy says so.",
                    output);
            Saved<HoldView> saved =
                    cluster.write(api ->
                            api.release(
                                    new Requests.Release(
                                            id,
                                            cluster.context().operator(),
                                            confirmation.reason())));
            output.saved(saved, "Released:\n" + show(List.of(saved.result())));
            return ExitCode.DONE;
        }
    }

    /** Lists holds. */
    @Command(
            name = "list",
            description = "List the holds.",
            footer = {"", "Example: holdfast hold list --json"})
    static final class Listing extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            List<HoldView> holds = cluster.read(api -> api.holds());
            output.result(holds, holds.isEmpty() ? "Nothing is held." : show(holds));
            return ExitCode.DONE;
        }
    }

    private static String show(List<HoldView> holds) {
        Text.Table table = new Text.Table("HOLD", "NAMES", "SINCE", "BY", "REASON");
        for (HoldView hold : holds) {
            table.row(
                    hold.id().toString(),
                    hold.piece() != null
                            ? "piece " + hold.piece()
                            : "client "
                                    + (hold.clientName() != null
                                            ? hold.clientName()
                                            : String.valueOf(hold.client())),
                    Text.time(hold.since()),
                    hold.who(),
                    hold.reason());
        }
        return table.toString();
    }
}
