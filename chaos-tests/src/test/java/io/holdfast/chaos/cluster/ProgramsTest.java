package io.holdfast.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Command lines where nothing is built. */
class ProgramsTest {
    private final String home = System.getProperty("holdfast.home", "");
    @TempDir Path cluster;

    @BeforeEach
    void nothingIsBuilt() {
        System.setProperty("holdfast.home", "");
    }

    @AfterEach
    void asItWas() {
        System.setProperty("holdfast.home", home);
    }

    @Test
    void withoutABuildTheHeapsAreThoseOfTheOptionsFiles() throws Exception {
        Programs programs = new Programs(cluster);
        assertThat(heap(programs.server("l1"))).isEqualTo(heap(file("server"))).isEqualTo("512m");
        assertThat(heap(programs.agent("c"))).isEqualTo(heap(file("agent"))).isEqualTo("256m");
    }

    private static List<String> file(String program) throws Exception {
        return Files.readAllLines(Path.of("../ops/jvm", program + ".options"));
    }

    private static String heap(List<String> options) {
        return options.stream()
                .filter(option -> option.startsWith("-Xmx"))
                .map(option -> option.substring("-Xmx".length()))
                .reduce("", (before, next) -> before + next);
    }

    @Test
    void temporaryFilesOfAProgramLieInTheClustersFolder() {
        Programs programs = new Programs(Path.of("/somewhere/cluster"));
        assertThat(programs.server("l1")).contains("-Djava.io.tmpdir=/somewhere/cluster");
        assertThat(programs.agent("crit-local")).contains("-Djava.io.tmpdir=/somewhere/cluster");
    }
}
