package io.holdfast.node.cli;

import io.holdfast.node.api.EntryView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.Requests;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists what is in a data piece. */
@Command(
        name = "ls",
        description =
                "List what is in a data piece. An agent opens it: servers have no keys to names.",
        footer = {
            "",
            "Example: holdfast ls 0192... docs",
            "         holdfast ls 0192... -r --via other-client"
        })
final class LsCommand extends ApiCommand {
    @Parameters(index = "0", paramLabel = "PIECE", description = "See: holdfast pieces.")
    private UUID piece = new UUID(0, 0);

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "PATH",
            defaultValue = "",
            description = "Below the piece's root. Default: the root.")
    private String path = "";

    @Option(names = "-r", description = "Everything below, not one level.")
    private boolean recursive;

    @Option(
            names = "--via",
            paramLabel = "CLIENT",
            description = "Whose agent opens it. Default: the piece's own client.")
    private @Nullable String via;

    @Override
    int run(ClusterClient cluster, Output output) {
        List<EntryView> entries =
                cluster.read(api -> api.ls(new Requests.Listing(piece, path, recursive, via)));
        StringBuilder text = new StringBuilder();
        if (entries.isEmpty()) {
            text.append(path.isEmpty() ? "The piece is empty." : "Nothing below " + path + ".");
        } else {
            Text.Table table = new Text.Table("MODE", ">UID", ">GID", ">SIZE", "MODIFIED", "PATH");
            for (EntryView e : entries) {
                table.row(
                        Text.mode(e.type(), e.mode()),
                        Integer.toString(e.uid()),
                        Integer.toString(e.gid()),
                        Text.count(e.size()),
                        Text.time(Moment.of(Math.floorDiv(e.mtimeNanos(), 1000L))),
                        e.linkTarget() == null ? e.path() : e.path() + " -> " + e.linkTarget());
            }
            text.append(table);
        }
        output.result(entries, text.toString());
        return ExitCode.DONE;
    }
}
