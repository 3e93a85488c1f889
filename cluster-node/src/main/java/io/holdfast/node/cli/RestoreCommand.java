package io.holdfast.node.cli;

import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Requests;
import java.util.List;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Restores a data piece. */
@Command(
        name = "restore",
        description = "Restore a data piece onto any client and wait for the outcome.",
        footer = {
            "",
            "Example: holdfast restore 0192... --to crit --target /home/restored \\",
            "             --include docs --include mail/inbox"
        })
final class RestoreCommand extends ApiCommand {
    @Parameters(index = "0", paramLabel = "PIECE", description = "See: holdfast pieces.")
    private UUID piece = new UUID(0, 0);

    @Option(
            names = "--to",
            required = true,
            paramLabel = "CLIENT",
            description = "Name or id of the client that receives it.")
    private String client = "";

    @Option(
            names = "--target",
            required = true,
            paramLabel = "DIR",
            description = "Folder on that client; paths are created below it.")
    private String target = "";

    @Option(
            names = "--include",
            paramLabel = "PATH",
            description = "Only this path of the piece; may be repeated.")
    private List<String> include = List.of();

    @Option(
            names = "--overwrite",
            description = "Replace files that exist. Default: a folder with content is refused.")
    private boolean overwrite;

    @Option(
            names = "--wait",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Wait for the outcome. Default: yes.")
    private boolean waits;

    @Override
    int run(ClusterClient cluster, Output output) {
        UUID id = Jobs.newId();
        JobView job =
                Jobs.start(
                        cluster,
                        id,
                        api ->
                                api.startRestore(
                                        new Requests.Restore(
                                                piece, client, target, include, overwrite, id)));
        if (waits) {
            job = Jobs.await(cluster, job, output);
        }
        output.result(job, Jobs.show(job));
        return Jobs.exitCode(job);
    }
}
