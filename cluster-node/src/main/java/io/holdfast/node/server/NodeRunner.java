package io.holdfast.node.server;

import io.holdfast.node.cli.ServerRunner;
import io.holdfast.node.config.NodeConfig;

/** Runs a node in this process until it is told to end: what {@code holdfast server} does. */
public final class NodeRunner implements ServerRunner {
    /** For the service loader. */
    public NodeRunner() {}

    @Override
    public int run(NodeConfig config) throws Exception {
        // Whoever supervises the process starts it again: it must not linger half dead.
        NodeServer server =
                NodeServer.start(
                        config,
                        why -> {
                            System.err.println(
                                    "holdfast server " + config.node() + " ends: " + why);
                            Runtime.getRuntime().halt(70);
                        });
        Thread hook = Thread.ofPlatform().unstarted(server::close);
        Runtime.getRuntime().addShutdownHook(hook);
        System.out.println(
                "holdfast server "
                        + config.node()
                        + " ("
                        + config.site().word()
                        + ") listens on "
                        + config.listen().at(config.listen().rest()));
        System.out.flush();
        return server.join();
    }
}
