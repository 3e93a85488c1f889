package io.holdfast.chaos.cluster;

import java.io.IOException;
import java.nio.file.Path;

/** Starts a cluster's programs on this machine. */
public final class Launch {
    private final ClusterProcesses processes;
    private final Programs programs;

    /**
     * Launches what {@code init} has laid out.
     *
     * @param cluster the folder that {@code init} made
     */
    public Launch(ClusterProcesses processes, Path cluster) {
        this.processes = processes;
        this.programs = new Programs(cluster);
    }

    /**
     * Starts a server.
     *
     * @return the command as a person would type it
     */
    public String server(String node) throws IOException {
        processes.start(node, programs.server(node), programs.cluster());
        return "holdfast server --config " + programs.serverConfig(node) + " &";
    }

    /**
     * Starts a media agent.
     *
     * @return the command as a person would type it
     */
    public String agent(String name) throws IOException {
        processes.start("agent-" + name, programs.agent(name), programs.cluster());
        return "holdfast agent --config " + programs.agentConfig(name) + " &";
    }

    /** The folder of a node's chunk store. */
    public Path store(String node) {
        return programs.data(node).resolve("store");
    }
}
