package io.holdfast.node.cli;

import io.holdfast.node.config.MbrBoot;
import io.holdfast.node.config.NodeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a node. */
@Command(
        name = "server",
        description = {
            "Run a node until it is told to stop (SIGTERM). Logs go to stderr.",
            "",
            "With --mbr this machine is the node of the MBR whose address it can bind; its node.yml is"
                    + " looked for beside the MBR, then in nodes/ID beside it. The MBR must be signed"
                    + " by the node's own cluster, and becomes the node's copy."
        },
        footer = {
            "",
            "Example: holdfast server --config /srv/holdfast/nodes/l1/node.yml",
            "         holdfast server --mbr /srv/holdfast/mbr.json",
            "         holdfast server --mbr /mnt/usb/mbr.json --config /srv/holdfast/nodes/d1/node.yml"
        })
final class ServerCommand implements Callable<Integer> {
    @Option(names = "--config", paramLabel = "FILE", description = "The node's node.yml.")
    private @Nullable Path config;

    @Option(
            names = "--mbr",
            paramLabel = "PATH",
            description = "A copy of the MBR to boot from, instead of the one node.yml names.")
    private @Nullable Path mbr;

    @Override
    public Integer call() throws Exception {
        Path yml = config;
        if (yml == null && mbr == null) {
            throw new Problem(
                    ExitCode.USAGE,
                    "Which node? Name its configuration with --config, or an MBR" + " with --mbr.",
                    "See: holdfast server --help");
        }
        if (yml != null && !Files.isRegularFile(yml)) {
            throw new Problem(
                    ExitCode.USAGE,
                    "There is no configuration " + yml + ".",
                    "Name the node.yml of the node: DIR/nodes/ID/node.yml.");
        }
        Path record = mbr;
        NodeConfig complete =
                record != null
                        ? new MbrBoot().load(record, Optional.ofNullable(yml))
                        : NodeConfig.load(java.util.Objects.requireNonNull(yml));
        ServerRunner runner =
                ServiceLoader.load(ServerRunner.class)
                        .findFirst()
                        .orElseThrow(() ->
                                new Problem(
                                        ExitCode.FAILED,
                                        "This build of holdfast has no server in it.",
                                        "Use the distribution folder of cluster-node."));
        return runner.run(complete);
    }
}
