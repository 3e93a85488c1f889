package io.holdfast.replication.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.replication.state.ClusterState;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotFileTest {
    @TempDir Path folder;

    @Test
    void everyFlippedBitIsNoticed() throws IOException {
        Path file = folder.resolve("snapshot.3_17");
        SnapshotFile.write(file, new SnapshotFile.Content(ClusterState.empty(), 3, 17));
        SnapshotFile.Content back = SnapshotFile.read(file);
        assertThat(back.term()).isEqualTo(3);
        assertThat(back.index()).isEqualTo(17);
        assertThat(back.state()).isEqualTo(ClusterState.empty());
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            Files.write(file, bad);
            assertThatThrownBy(() -> SnapshotFile.read(file))
                    .as("byte %d", i)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(file.toString());
        }
        Files.write(file, java.util.Arrays.copyOf(good, good.length - 1));
        assertThatThrownBy(() -> SnapshotFile.read(file)).hasMessageContaining("damaged");
        Files.write(file, new byte[0]);
        assertThatThrownBy(() -> SnapshotFile.read(file)).hasMessageContaining("damaged");
    }

    @Test
    void lineageIdIsTheSameEverywhere() {
        UUID cluster = UUID.fromString("0190a000-0000-7000-8000-000000000001");
        UUID first = LineageSpec.idOf(cluster, new Epoch(1, Site.LOCAL));
        assertThat(first).isEqualTo(LineageSpec.idOf(cluster, new Epoch(1, Site.LOCAL)));
        assertThat(first).isNotEqualTo(LineageSpec.idOf(cluster, new Epoch(1, Site.DR)));
        assertThat(first.version()).isEqualTo(5);
        assertThat(first.variant()).isEqualTo(2);
    }
}
