package io.holdfast.node.cli;

import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Requests;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows jobs, or one with its log. */
@Command(
        name = "jobs",
        description = "Show jobs, newest first, or one of them with its log.",
        footer = {
            "",
            "Example: holdfast jobs --client crit --limit 5",
            "         holdfast jobs 0192... --json"
        })
final class JobsCommand extends ApiCommand {
    @Parameters(index = "0", arity = "0..1", paramLabel = "ID", description = "One job.")
    private @Nullable UUID id;

    @Option(names = "--client", paramLabel = "CLIENT", description = "Only this client's.")
    private @Nullable String client;

    @Option(names = "--state", paramLabel = "STATE", description = "${COMPLETION-CANDIDATES}.")
    private JobView.@Nullable State state;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "20",
            description = "Newest so many. Default: ${DEFAULT-VALUE}.")
    private int limit;

    @Option(names = "--cancel", description = "With ID: ask the job to stop.")
    private boolean cancel;

    @Override
    int run(ClusterClient cluster, Output output) {
        UUID one = id;
        if (one != null) {
            JobView job =
                    cancel
                            ? cluster.write(api -> api.cancelJob(one))
                            : cluster.read(api -> api.job(one));
            output.result(job, Jobs.show(job));
            return ExitCode.DONE;
        }
        if (cancel) {
            throw new Problem(ExitCode.USAGE, "--cancel needs the id of a job.", "See: jobs.");
        }
        List<JobView> jobs =
                cluster.read(api -> api.jobs(new Requests.JobFilter(client, state, limit)));
        Text.Table table =
                new Text.Table(
                        "JOB", "KIND", "CLIENT", "STATE", "STARTED", ">TIME", ">READ", ">STORED",
                        "SAFETY", "RECORD");
        for (JobView job : jobs) {
            String level = job.level();
            table.row(
                    job.id().toString(),
                    level == null ? job.kind() : job.kind() + "/" + level,
                    job.clientName(),
                    job.state().name() + Jobs.green(job) + Jobs.successor(job),
                    Text.time(job.started()),
                    Text.seconds(job.progress().seconds()),
                    Text.bytes(job.progress().bytesRead()),
                    Text.bytes(job.progress().bytesStored()),
                    Jobs.protection(job.protection()),
                    job.safety().level().name());
        }
        output.result(
                jobs,
                table.isEmpty()
                        ? "No jobs yet. Start one: holdfast backup CLIENT"
                        : table.toString());
        return ExitCode.DONE;
    }
}
