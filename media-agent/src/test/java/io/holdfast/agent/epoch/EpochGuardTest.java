package io.holdfast.agent.epoch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpochGuardTest {
    private static final Epoch ONE = new Epoch(1, Site.LOCAL);
    private static final Epoch TWO = new Epoch(2, Site.DR);
    private static final Epoch THREE = new Epoch(3, Site.LOCAL);

    @TempDir Path folder;

    @Test
    void obeysHigherRefusesLowerAndRemembers() throws Exception {
        Path file = folder.resolve("data/epoch");
        EpochGuard guard = EpochGuard.create(file, ONE);
        guard.observe(ONE);
        guard.observe(TWO);
        assertThat(guard.max()).isEqualTo(TWO);
        assertThatThrownBy(() -> guard.observe(ONE))
                .isInstanceOf(StaleEpochException.class)
                .hasMessageContaining("1.local")
                .hasMessageContaining("2.dr");

        EpochGuard again = EpochGuard.open(file);
        assertThat(again.max()).isEqualTo(TWO);
        again.promise(THREE);
        again.promise(THREE);
        assertThat(EpochGuard.open(file).max()).isEqualTo(THREE);
    }

    @Test
    void sameNumberOfTheOtherSiteIsAnotherEpoch() throws Exception {
        EpochGuard guard = EpochGuard.create(folder.resolve("epoch"), ONE);
        guard.observe(new Epoch(1, Site.DR));
        assertThatThrownBy(() -> guard.observe(ONE)).isInstanceOf(StaleEpochException.class);
    }

    @Test
    void missingIsNotEpochZero() throws Exception {
        Path file = folder.resolve("epoch");
        assertThatThrownBy(() -> EpochGuard.open(file))
                .isInstanceOf(UnadmittedException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("Admit it again");
        EpochGuard.openOrCreate(file, ONE).observe(TWO);
        assertThat(EpochGuard.openOrCreate(file, ONE).max()).isEqualTo(TWO);
        assertThatThrownBy(() -> EpochGuard.create(file, ONE))
                .isInstanceOf(UnadmittedException.class);
    }

    @Test
    void truncatedAnywhereIsUnadmitted() throws Exception {
        Path file = folder.resolve("epoch");
        EpochGuard.create(file, new Epoch(17, Site.DR));
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> EpochGuard.openOrCreate(file, ONE))
                    .as("truncated to %d bytes", length)
                    .isInstanceOf(UnadmittedException.class);
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertThatThrownBy(() -> EpochGuard.open(file)).isInstanceOf(UnadmittedException.class);
    }

    @Test
    void everyFlippedBitIsUnadmitted() throws Exception {
        Path file = folder.resolve("epoch");
        EpochGuard.create(file, new Epoch(17, Site.DR));
        byte[] whole = Files.readAllBytes(file);
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file, damaged);
            assertThatThrownBy(() -> EpochGuard.open(file))
                    .as("bit %d flipped", bit)
                    .isInstanceOf(UnadmittedException.class);
        }
        Files.writeString(file, "holdfast-epoch 2\nwhatever\n");
        assertThatThrownBy(() -> EpochGuard.open(file))
                .isInstanceOf(UnadmittedException.class)
                .hasMessageContaining("version");
    }

    @Test
    void leftOverTemporaryFileIsHarmless() throws Exception {
        Path file = folder.resolve("epoch");
        EpochGuard guard = EpochGuard.create(file, ONE);
        Files.writeString(folder.resolve("epoch.tmp"), "holdfast-epoch 1\nmax 9");
        assertThat(EpochGuard.open(file).max()).isEqualTo(ONE);
        guard.observe(TWO);
        assertThat(EpochGuard.open(file).max()).isEqualTo(TWO);
    }

    @Test
    void whatCannotBeMadeDurableIsNotObeyed() throws Exception {
        Path file = folder.resolve("sub/epoch");
        EpochGuard guard = EpochGuard.create(file, ONE);
        Files.createDirectory(folder.resolve("sub/epoch.tmp")); // no temporary file can be made
        assertThatThrownBy(() -> guard.observe(TWO)).isInstanceOf(java.io.IOException.class);
        assertThat(guard.max()).isEqualTo(ONE);
        guard.observe(ONE);
        Files.delete(folder.resolve("sub/epoch.tmp"));
        guard.observe(TWO);
        assertThat(EpochGuard.open(file).max()).isEqualTo(TWO);
    }

    @Test
    void threadsNeverMakeItFall() throws Exception {
        Path file = folder.resolve("epoch");
        EpochGuard guard = EpochGuard.create(file, new Epoch(0, Site.LOCAL));
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int start = t;
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                for (int n = start; n < 40; n += 4) {
                                    try {
                                        guard.observe(new Epoch(n, Site.LOCAL));
                                        assertThat(guard.max().n()).isGreaterThanOrEqualTo(n);
                                    } catch (StaleEpochException e) {
                                        assertThat(e.max().n()).isGreaterThan(n);
                                    } catch (java.io.IOException e) {
                                        throw new AssertionError(e);
                                    }
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(EpochGuard.open(file).max().n()).isEqualTo(39);
    }
}
