package io.holdfast.node.cli;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import io.holdfast.node.api.StorageView;
import java.util.List;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The storages, and the loss of one whose site lives. */
@Command(
        name = "storage",
        description = {
            "The storages, and the loss of one whose site lives.",
            "failover: jobs go on over the other site's store, at the same identifiers. Then replace the",
            "disk and start its node: what it lacks flows home. failback: it takes over again."
        },
        subcommands = {
            StorageCommand.Listing.class,
            StorageCommand.Failover.class,
            StorageCommand.Failback.class
        },
        footer = {"", "Example: holdfast storage list"})
final class StorageCommand {
    /** Lists storages. */
    @Command(
            name = "list",
            description = "List the storages: which site's store is used, and what home lacks.",
            footer = {"", "Example: holdfast storage list"})
    static final class Listing extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            List<StorageView> storages = cluster.write(api -> api.storages());
            output.result(storages, show(storages));
            return ExitCode.DONE;
        }
    }

    /** Uses the other site's store. */
    @Command(
            name = "failover",
            description = "Use the other site's store in place of one that is lost.",
            footer = {"", "Example: holdfast storage failover disk --reason 'array burnt'"})
    static final class Failover extends ApiCommand {
        @Parameters(index = "0", paramLabel = "STORAGE", description = "Device name or address.")
        private String device = "";

        @Option(names = "--force", description = "Although its own store still answers.")
        private boolean force;

        @Mixin private Confirmation confirmation = new Confirmation();

        @Override
        int run(ClusterClient cluster, Output output) {
            confirmation.require(
                    cluster.context().name(),
                    "Jobs of storage " + device + " use the other site's store from now on.",
                    output);
            Saved<StorageView> saved =
                    cluster.write(api ->
                            api.storageFailover(
                                    new Requests.StorageMove(
                                            device,
                                            force,
                                            cluster.context().operator(),
                                            confirmation.reason())));
            output.saved(saved, show(List.of(saved.result())));
            return ExitCode.DONE;
        }
    }

    /** Brings a storage home. */
    @Command(
            name = "failback",
            description = "Use a storage's own store again, once it lacks nothing.",
            footer = {"", "Example: holdfast storage failback disk --wait 3600"})
    static final class Failback extends ApiCommand {
        @Parameters(index = "0", paramLabel = "STORAGE", description = "Device name or address.")
        private String device = "";

        @Option(
                names = "--wait",
                paramLabel = "SECONDS",
                defaultValue = "0",
                description = "Wait so long until it is whole. Default: ${DEFAULT-VALUE}.")
        private long waitSeconds;

        @Override
        int run(ClusterClient cluster, Output output) throws InterruptedException {
            Requests.StorageMove request =
                    new Requests.StorageMove(device, false, cluster.context().operator(), "");
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(waitSeconds);
            while (true) {
                try {
                    Saved<StorageView> saved = cluster.write(api -> api.storageFailback(request));
                    output.saved(saved, show(List.of(saved.result())));
                    return ExitCode.DONE;
                } catch (ApiException e) {
                    boolean later =
                            e.kind() == ApiException.Kind.REFUSED
                                    || e.kind() == ApiException.Kind.UNAVAILABLE;
                    if (!later || System.nanoTime() - deadline >= 0) {
                        throw e;
                    }
                    Thread.sleep(1_000);
                }
            }
        }
    }

    static String show(List<StorageView> storages) {
        Text.Table table =
                new Text.Table("STORAGE", "ADDRESS", "USES", "SITE", "STORE", ">CHUNKS", ">BYTES");
        StringBuilder notes = new StringBuilder();
        for (StorageView s : storages) {
            row(table, s, s.home());
            if (s.other() != null) {
                row(table, s, s.other());
            }
            if (s.since() != null) {
                notes.append(s.device()).append(" is lost since ").append(Text.time(s.since()));
                notes.append(": ").append(s.reason()).append('\n');
            }
            if (s.piecesMissing() > 0) {
                notes.append(s.device()).append(" lacks ").append(s.piecesMissing());
                notes.append(" of ").append(s.pieces()).append(" pieces at home\n");
            }
            s.lost()
                    .forEach(job ->
                            notes.append("lost with ")
                                    .append(s.device())
                                    .append(": the piece of job ")
                                    .append(job)
                                    .append('\n'));
        }
        return table.toString() + notes;
    }

    private static void row(Text.Table table, StorageView s, StorageView.Store store) {
        table.row(
                s.device(),
                s.storage(),
                store.site().equals(s.servedAt()) ? "this" : "",
                store.site(),
                store.reachable() ? store.endpoint() : store.endpoint() + " no answer",
                Text.count(store.chunks()),
                Text.bytes(store.bytes()));
    }
}
