package io.holdfast.chaos.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How the cluster's programs are started: servers with the class path of this JVM, agents from their
 * own small jar where it has been built.
 */
public final class Launch {
    private static final String SERVER_HEAP = "-Xmx512m";
    private static final String AGENT_HEAP = "-Xmx256m";
    private static final List<String> JVM =
            List.of(
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-XX:+ExitOnOutOfMemoryError");

    private final ClusterProcesses processes;
    private final Path cluster;
    private final String java;
    private final String classPath;
    private final Optional<Path> agentJar;

    /**
     * Launches what {@code init} has laid out.
     *
     * @param cluster the folder that {@code init} made
     */
    public Launch(ClusterProcesses processes, Path cluster) {
        this.processes = processes;
        this.cluster = cluster;
        this.java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        this.classPath = System.getProperty("java.class.path");
        this.agentJar = findAgentJar();
    }

    /** The agent's own small jar, where the launcher says that the build is. */
    private static Optional<Path> findAgentJar() {
        String home = System.getProperty("holdfast.home", "");
        Path jar = Path.of(home, "media-agent", "target", "holdfast-agent.jar");
        return !home.isBlank() && Files.isRegularFile(jar) ? Optional.of(jar) : Optional.empty();
    }

    /**
     * Starts a server.
     *
     * @return the command as a person would type it
     */
    public String server(String node) throws IOException {
        processes.start(node, serverCommand(node), cluster);
        return "holdfast server --config " + serverConfig(node) + " &";
    }

    /** The command line of a server. */
    public List<String> serverCommand(String node) {
        List<String> command = new ArrayList<>(List.of(java, SERVER_HEAP));
        command.addAll(JVM);
        command.addAll(
                List.of(
                        "-cp",
                        classPath,
                        "io.holdfast.node.cli.HoldfastCommand",
                        "server",
                        "--config",
                        serverConfig(node).toString()));
        return command;
    }

    /**
     * Starts a media agent.
     *
     * @return the command as a person would type it
     */
    public String agent(String name) throws IOException {
        processes.start("agent-" + name, agentCommand(name), cluster);
        return "holdfast agent --config " + agentConfig(name) + " &";
    }

    /** The command line of a media agent. */
    public List<String> agentCommand(String name) {
        List<String> command = new ArrayList<>(List.of(java, AGENT_HEAP));
        command.addAll(JVM);
        if (agentJar.isPresent()) {
            command.addAll(List.of("-jar", agentJar.get().toString()));
        } else {
            command.addAll(List.of("-cp", classPath, "io.holdfast.agent.AgentMain"));
        }
        command.addAll(List.of("--config", agentConfig(name).toString()));
        return command;
    }

    private Path serverConfig(String node) {
        return home(node).resolve("node.yml");
    }

    private Path agentConfig(String name) {
        return cluster.resolve("agents").resolve(name).resolve("agent.json");
    }

    /** The folder of a node: its configuration, and its data below. */
    public Path home(String node) {
        return cluster.resolve("nodes").resolve(node);
    }

    /** The folder of a node's chunk store. */
    public Path store(String node) {
        return home(node).resolve("data").resolve("store");
    }
}
