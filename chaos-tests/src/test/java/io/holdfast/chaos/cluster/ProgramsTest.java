package io.holdfast.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ProgramsTest {
    private final Programs programs = new Programs(Path.of("/somewhere/cluster"));

    @Test
    void temporaryFilesOfAProgramLieInTheClustersFolder() {
        assertThat(programs.server("l1")).contains("-Djava.io.tmpdir=/somewhere/cluster");
        assertThat(programs.agent("crit-local")).contains("-Djava.io.tmpdir=/somewhere/cluster");
    }
}
