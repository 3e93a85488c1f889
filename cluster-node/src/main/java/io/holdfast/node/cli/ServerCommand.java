package io.holdfast.node.cli;

import io.holdfast.node.config.NodeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a node. */
@Command(
        name = "server",
        description = "Run a node until it is told to stop (SIGTERM). Logs go to stderr.",
        footer = {"", "Example: holdfast server --config /srv/holdfast/nodes/l1/node.yml"})
final class ServerCommand implements Callable<Integer> {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "The node's node.yml.")
    private Path config = Path.of("");

    @Override
    public Integer call() throws Exception {
        if (!Files.isRegularFile(config)) {
            throw new Problem(
                    ExitCode.USAGE,
                    "There is no configuration " + config + ".",
                    "Name the node.yml of the node: DIR/nodes/ID/node.yml.");
        }
        NodeConfig complete = NodeConfig.load(config);
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
