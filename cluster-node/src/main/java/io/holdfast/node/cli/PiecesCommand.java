package io.holdfast.node.cli;

import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Requests;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows the catalog. */
@Command(
        name = "pieces",
        description = "Show the catalog: data pieces that can be restored, newest first.",
        footer = {"", "Example: holdfast pieces --client crit"})
final class PiecesCommand extends ApiCommand {
    @Option(names = "--client", paramLabel = "CLIENT", description = "Only this client's.")
    private @Nullable String client;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "50",
            description = "Newest so many. Default: ${DEFAULT-VALUE}.")
    private int limit;

    @Override
    int run(ClusterClient cluster, Output output) {
        List<PieceView> pieces =
                cluster.read(api -> api.pieces(new Requests.PieceFilter(client, limit)));
        Text.Table table =
                new Text.Table(
                        "PIECE",
                        "CLIENT",
                        "TYPE",
                        "BACKED UP",
                        "EXPIRES",
                        ">SIZE",
                        "SAFETY",
                        "CATALOG",
                        "WHAT");
        for (PieceView piece : pieces) {
            table.row(
                    piece.piece().toString(),
                    piece.clientName(),
                    piece.type(),
                    Text.time(piece.backupTime()),
                    piece.expiry() == null ? "never" : Text.time(piece.expiry()),
                    Text.bytes(piece.sizeBytes()),
                    Jobs.protection(piece.protection())
                            + (piece.state().equals("NORMAL") ? "" : " " + piece.state())
                            + (piece.keptAt().size() == 1
                                    ? ", only at " + piece.keptAt().getFirst()
                                    : ""),
                    piece.originCatalog(),
                    piece.dataPiece());
        }
        output.result(
                pieces,
                table.isEmpty()
                        ? "No data pieces"
                                + (client == null ? "" : " of " + client)
                                + " yet. Make one: holdfast backup CLIENT"
                        : table.toString());
        return ExitCode.DONE;
    }
}
