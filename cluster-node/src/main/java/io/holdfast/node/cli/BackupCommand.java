package io.holdfast.node.cli;

import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Requests;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Backs up a client now. */
@Command(
        name = "backup",
        description = "Back up a client now and wait for the outcome.",
        footer = {
            "",
            "Example: holdfast backup crit --full",
            "         holdfast backup crit --no-wait --json"
        })
final class BackupCommand extends ApiCommand {
    @Parameters(index = "0", paramLabel = "CLIENT", description = "Name or id of the client.")
    private String client = "";

    @Option(
            names = "--full",
            description = "Read every file. Default: incremental, unchanged files are not read.")
    private boolean full;

    @Option(
            names = "--source",
            paramLabel = "PATH",
            description = "Another path than the client's.")
    private @Nullable String source;

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
                                api.startBackup(
                                        new Requests.Backup(
                                                client,
                                                source,
                                                full ? "full" : "incremental",
                                                id)));
        if (waits) {
            job = Jobs.await(cluster, job, output);
        }
        output.result(job, Jobs.show(job));
        return Jobs.exitCode(job);
    }
}
