package io.holdfast.node.cli;

import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Requests;
import io.holdfast.standard.PolicyResource.GreenAt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Backs up a client now. */
@Command(
        name = "backup",
        description = {
            "Back up a client now, and wait until it is green: until it has reached the level that"
                    + " its policy asks for.",
            "While the other site is away it is not waited for. Exit code 4: complete, and not"
                    + " green yet; it goes on becoming so. See later: holdfast jobs ID."
        },
        footer = {
            "",
            "Example: holdfast backup crit --full",
            "         holdfast backup crit --wait-for local",
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
            description = "Wait until it is green. Default: yes.")
    private boolean waits;

    @Option(
            names = "--wait-for",
            paramLabel = "LEVEL",
            description = "local, dr-log or dr-data, whatever the policy says.")
    private @Nullable String level;

    @Override
    int run(ClusterClient cluster, Output output) {
        GreenAt wanted = level == null ? null : GreenAt.ofWord(level);
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
            job = Jobs.awaitGreen(cluster, Jobs.await(cluster, job, output), wanted, output);
        }
        output.result(job, Jobs.show(job));
        return waits ? Jobs.exitCode(job, wanted) : Jobs.exitCode(job);
    }
}
