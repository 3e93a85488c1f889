package io.holdfast.chaos.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The JVM's AOT caches of this build (JEP 483, 514, 515): classes that are loaded and linked already,
 * and what a training run has learned of the methods. A server that has one starts with less than half of
 * the processor time. A cache fits the jars that it was made with; an older one is not used.
 * {@code ./holdfast} uses the same files by the same rule.
 *
 * @param home the checkout, built
 */
public record FastStart(Path home) {
    /** What has a cache: a process that is started often and lives long. */
    public enum Program {
        SERVER,
        AGENT;

        private String file() {
            return lowerCase() + "-" + System.getProperty("java.runtime.version") + ".aot";
        }

        private String lowerCase() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Of the checkout that property {@code holdfast.home} names, if it is built. */
    public static Optional<FastStart> here() {
        String home = System.getProperty("holdfast.home", "");
        if (home.isBlank()) {
            return Optional.empty();
        }
        FastStart here = new FastStart(Path.of(home));
        return Files.isRegularFile(here.nodeJar())
                        && Files.isRegularFile(here.drillJar())
                        && Files.isRegularFile(here.agentJar())
                        && Files.isDirectory(here.lib())
                ? Optional.of(here)
                : Optional.empty();
    }

    /** The class path of a server, as {@code ./holdfast} writes it. */
    String serverClassPath() {
        return String.join(":", serverJars().stream().map(Path::toString).toList());
    }

    /** The agent's own jar. */
    Path agentJar() {
        return home.resolve("media-agent/target/holdfast-agent.jar");
    }

    /** Where the cache of a program lies, whether it is there or not. */
    Path cache(Program program) {
        return folder().resolve(program.file());
    }

    /** Options for the JVM of a program: those of its file in {@code ops/jvm}, and a cache that fits. */
    List<String> options(Program program) {
        String file = "@" + home.resolve("ops/jvm").resolve(program.lowerCase() + ".options");
        try {
            return isFresh(program)
                    ? List.of(file, "-XX:AOTCache=" + cache(program))
                    : List.of(file);
        } catch (IOException e) {
            return List.of(file); // a cache is never needed
        }
    }

    /** Whether the cache is newer than every jar that it stands for. */
    boolean isFresh(Program program) throws IOException {
        Path cache = cache(program);
        if (!Files.isRegularFile(cache)) {
            return false;
        }
        for (Path jar : program == Program.SERVER ? serverJars() : List.of(agentJar())) {
            if (Files.getLastModifiedTime(jar).compareTo(Files.getLastModifiedTime(cache)) >= 0) {
                return false;
            }
        }
        return true;
    }

    Path folder() {
        return home.resolve("cluster-node/target/dist/aot");
    }

    private List<Path> serverJars() {
        try (Stream<Path> files = Files.list(lib())) {
            return Stream.concat(
                            Stream.of(nodeJar(), drillJar()),
                            files.filter(file -> file.toString().endsWith(".jar")).sorted())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path nodeJar() {
        return home.resolve("cluster-node/target/cluster-node-0.1.0-SNAPSHOT.jar");
    }

    private Path drillJar() {
        return home.resolve("chaos-tests/target/chaos-tests-0.1.0-SNAPSHOT.jar");
    }

    private Path lib() {
        return home.resolve("cluster-node/target/dist/lib");
    }
}
