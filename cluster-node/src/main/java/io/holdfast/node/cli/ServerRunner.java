package io.holdfast.node.cli;

import io.holdfast.node.config.NodeConfig;

/** What {@code holdfast server} runs. Found by {@link java.util.ServiceLoader}. */
public interface ServerRunner {
    /**
     * Runs a node until it is told to end.
     *
     * @param config complete and valid
     * @return exit code of the process
     * @throws Exception when it could not start: the message says what, to which thing, what next
     */
    int run(NodeConfig config) throws Exception;
}
