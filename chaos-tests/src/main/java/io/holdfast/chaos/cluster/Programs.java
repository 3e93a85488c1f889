package io.holdfast.chaos.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The command lines of a cluster's programs, and where they keep what. From the jars of the build where
 * there is one, with its {@link FastStart}; else with the class path of this JVM.
 */
public final class Programs {
    private final Path cluster;
    private final String java;
    private final String classPath;
    private final Optional<FastStart> built;

    /**
     * The programs of what {@code init} has laid out.
     *
     * @param cluster the folder that {@code init} made
     */
    public Programs(Path cluster) {
        this.cluster = cluster;
        this.java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        this.built = FastStart.here();
        this.classPath = System.getProperty("java.class.path");
    }

    /** The folder of the cluster. */
    public Path cluster() {
        return cluster;
    }

    /**
     * The command line of a server.
     *
     * @param more further options of its JVM
     */
    public List<String> server(String node, String... more) {
        List<String> command = begin(FastStart.Program.SERVER);
        command.addAll(List.of(more));
        command.addAll(
                List.of(
                        "-cp",
                        built.map(FastStart::serverClassPath).orElse(classPath),
                        "io.holdfast.node.cli.HoldfastCommand",
                        "server",
                        "--config",
                        serverConfig(node).toString()));
        return command;
    }

    /** The command line of a media agent. */
    public List<String> agent(String name) {
        List<String> command = begin(FastStart.Program.AGENT);
        if (built.isPresent()) {
            command.addAll(List.of("-jar", built.get().agentJar().toString()));
        } else {
            command.addAll(List.of("-cp", classPath, "io.holdfast.agent.AgentMain"));
        }
        command.addAll(List.of("--config", agentConfig(name).toString()));
        return command;
    }

    private List<String> begin(FastStart.Program program) {
        List<String> command = new ArrayList<>(List.of(java));
        command.addAll(built.map(made -> made.options(program)).orElseGet(() -> plain(program)));
        // Native libraries are unpacked there, and stay when the process is killed.
        command.add("-Djava.io.tmpdir=" + cluster);
        return command;
    }

    /** Where there is no build to read the options from: no more heap than those allow. */
    private static List<String> plain(FastStart.Program program) {
        String heap =
                switch (program) {
                    case SERVER -> "-Xmx512m";
                    case AGENT -> "-Xmx256m";
                };
        return List.of(
                heap,
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+ExitOnOutOfMemoryError");
    }

    /** A node's configuration. */
    public Path serverConfig(String node) {
        return cluster.resolve("nodes").resolve(node).resolve("node.yml");
    }

    /** An agent's configuration. */
    public Path agentConfig(String name) {
        return cluster.resolve("agents").resolve(name).resolve("agent.json");
    }

    /** The folder of everything that a node writes. */
    public Path data(String node) {
        return cluster.resolve("nodes").resolve(node).resolve("data");
    }
}
