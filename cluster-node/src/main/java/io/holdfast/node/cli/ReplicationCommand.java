package io.holdfast.node.cli;

import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Uuid7;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The Replication resource: which endpoint stands for which at DR. */
@Command(
        name = "replication",
        description = "The Replication rows: which DR endpoint stands for which local one.",
        subcommands = {ReplicationCommand.Add.class, ReplicationCommand.Listing.class},
        footer = {"", "Example: holdfast replication list"})
final class ReplicationCommand {
    /** Adds a row. */
    @Command(
            name = "add",
            description = "Add a row. Without ports it holds for every port of the host.",
            footer = {
                "",
                "Example: holdfast replication add 10.10.11.44:6543 10.50.4.4:3456",
                "         holdfast replication add 10.10.11.45 10.50.4.4"
            })
    static final class Add extends ApiCommand {
        @Parameters(index = "0", paramLabel = "LOCAL[:PORT]", description = "At the local site.")
        private String local = "";

        @Parameters(index = "1", paramLabel = "REMOTE[:PORT]", description = "At the DR site.")
        private String remote = "";

        @Option(names = "--replace", description = "Replace the row of the same local endpoint.")
        private boolean replace;

        @Override
        int run(ClusterClient cluster, Output output) {
            ReplicationResource row =
                    new ReplicationResource(Endpoint.parse(local), Endpoint.parse(remote));
            Optional<ResourceView> old =
                    cluster.read(api -> api.resources(Resource.Type.REPLICATION.word())).stream()
                            .filter(r -> r.name().equals(row.local().toString()))
                            .findFirst();
            if (old.isPresent()
                    && !ReplicationResource.of(old.get().toResource()).equals(row)
                    && !replace) {
                throw new Problem(
                        ExitCode.FAILED,
                        "Row "
                                + show(ReplicationResource.of(old.get().toResource()))
                                + " exists already; nothing was changed.",
                        "Repeat with --replace if this one is right.");
            }
            UUID id =
                    old.map(ResourceView::id)
                            .orElseGet(() ->
                                    Uuid7.of(InstantSource.system().millis(), new SecureRandom()));
            long version = old.map(ResourceView::version).orElse(-1L);
            Saved<ResourceView> stored =
                    cluster.write(
                            api -> api.putResource(ResourceView.of(row.toResource(id), version)));
            output.saved(stored, "Replication row " + show(row) + " is in the resource DB.");
            return ExitCode.DONE;
        }
    }

    /** Lists rows. */
    @Command(
            name = "list",
            description = "List the rows.",
            footer = {"", "Example: holdfast replication list"})
    static final class Listing extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            List<ResourceView> rows =
                    cluster.read(api -> api.resources(Resource.Type.REPLICATION.word()));
            Text.Table table = new Text.Table("LOCAL", "REMOTE");
            for (ResourceView view : rows) {
                ReplicationResource row = ReplicationResource.of(view.toResource());
                table.row(row.local().toString(), row.remote().toString());
            }
            output.result(
                    rows,
                    table.isEmpty()
                            ? "No rows: at DR nothing could be dialled. Add one: holdfast"
                                    + " replication add --help"
                            : table.toString());
            return ExitCode.DONE;
        }
    }

    static String show(ReplicationResource row) {
        return row.local() + " -> " + row.remote();
    }
}
