package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Power loss at the embedded database: at random moments of a run of writes, the file as a disk could
 * hold it then is set aside; each such file must open, and hold all that was acknowledged before. Replay
 * with {@code -Dholdfast.seed=N}.
 */
final class PowerLossSimulation {
    private static final int PIECES = 40;
    private static final int LOSSES = 16;

    @TempDir Path folder;

    private record Image(Path folder, int acknowledged) {}

    @Test
    void acknowledgedRowsSurviveEveryMomentOfPowerLoss() throws Exception {
        long seed = Long.getLong("holdfast.seed", System.nanoTime());
        Random random = new Random(seed);
        PowerLossDisk.register();
        Path home = Files.createDirectories(folder.resolve("home"));
        CatalogDatabaseConfig config = CatalogDatabaseConfig.embedded(home);
        PowerLossDisk.Disk disk = PowerLossDisk.disk(config.file().orElseThrow() + ".mv.db");
        AtomicInteger acknowledged = new AtomicInteger();
        AtomicInteger syncs = new AtomicInteger();
        List<Image> images = new ArrayList<>();
        try (CatalogDatabase catalog =
                CatalogDatabase.open(
                        config,
                        new CatalogDatabase.Seams(PowerLossDisk.SCHEME + ":", step -> {}))) {
            disk.listen((then, synced) -> {
                if (synced) {
                    syncs.incrementAndGet();
                }
                if (images.size() < LOSSES && random.nextInt(6) == 0) {
                    images.add(image(then, images.size(), acknowledged.get(), random));
                }
            });
            for (int n = 1; n <= PIECES; n++) {
                int before = syncs.get();
                catalog.record(Rows.FIRST, Rows.row(n));
                assertThat(syncs.get())
                        .as("fsyncs before an acknowledgement")
                        .isGreaterThan(before);
                acknowledged.set(n);
                if (random.nextInt(15) == 0 && images.size() < LOSSES) {
                    synchronized (disk) {
                        images.add(image(disk, images.size(), n, random));
                    }
                }
            }
        }
        assertThat(images).as("seed %d", seed).isNotEmpty();
        for (Image image : images) {
            try (CatalogDatabase found =
                    CatalogDatabase.open(CatalogDatabaseConfig.embedded(image.folder()))) {
                assertThat(found.lastSeq())
                        .as("seed %d, %s", seed, image)
                        .isGreaterThanOrEqualTo(image.acknowledged());
                List<OutboxEntry> entries = found.readOutbox(0, CatalogDatabase.MAX_BATCH);
                assertThat(entries).hasSize((int) found.lastSeq());
                for (int n = 1; n <= found.lastSeq(); n++) {
                    assertThat(found.get(Rows.piece(n)).orElseThrow().row()).isEqualTo(Rows.row(n));
                }
                assertThat(found.record(Rows.FIRST, Rows.row(100))).isEqualTo(entries.size() + 1);
            }
        }
    }

    private Image image(PowerLossDisk.Disk disk, int number, int acknowledged, Random random)
            throws IOException {
        Path copy = Files.createDirectories(folder.resolve("loss-" + number));
        disk.lose(copy.resolve("catalog.mv.db"), random);
        return new Image(copy, acknowledged);
    }
}
