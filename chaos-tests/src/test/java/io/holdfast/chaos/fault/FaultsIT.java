package io.holdfast.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The faults do what they say: a test bed that breaks nothing would prove nothing. */
class FaultsIT {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void powerLossKeepsWhatWasSyncedAndLosesTheRest(PowerLoss.FileSystem type) throws Exception {
        try (PowerLoss disk = Required.orSkip(() -> PowerLoss.mount(folder, type, 320))) {
            Path synced = disk.folder().resolve("synced");
            Path forgotten = disk.folder().resolve("forgotten");
            try (FileChannel file = open(synced);
                    FileChannel directory = FileChannel.open(disk.folder())) {
                file.write(ByteBuffer.wrap(new byte[1000]));
                file.force(true);
                directory.force(true);
                file.write(ByteBuffer.wrap(new byte[500]));
                Files.write(forgotten, new byte[700]);
                disk.cut();
                assertThatThrownBy(() -> file.force(true)).isInstanceOf(IOException.class);
            }
            disk.restore();
            assertThat(synced).hasSize(1000);
            assertThat(forgotten).doesNotExist();
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    @Test
    void aFullDiskRefusesAndRecovers() throws Exception {
        Path mount = folder.resolve("small");
        try (DiskFull disk = Required.orSkip(() -> DiskFull.mount(mount, 1 << 20))) {
            disk.fill(0);
            assertThatThrownBy(() -> Files.write(mount.resolve("more"), new byte[100_000]))
                    .hasMessageContaining("No space left");
            disk.free();
            Files.write(mount.resolve("more"), new byte[100_000]);
        }
    }

    @Test
    void aFlippedBitIsOneBit() throws Exception {
        Path file = folder.resolve("pack");
        Files.write(file, new byte[] {0, 0, 0, 0});
        BitFlip.flip(file, -1, 3);
        assertThat(Files.readAllBytes(file)).containsExactly(0, 0, 0, 8);
        BitFlip.flip(file, 3, 3);
        assertThat(Files.readAllBytes(file)).containsExactly(0, 0, 0, 0);
        BitFlip.tear(file, 3);
        assertThat(file).hasSize(1);
    }

    @Test
    void signalsStopContinueAndKill() throws Exception {
        Process sleep = new ProcessBuilder("sleep", "600").start();
        try {
            Signals.pause(sleep.pid());
            assertThat(state(sleep)).isEqualTo('T');
            Signals.resume(sleep.pid());
            assertThat(state(sleep)).isNotEqualTo('T');
            Signals.kill(sleep.pid());
            assertThat(sleep.waitFor()).isEqualTo(128 + 9);
        } finally {
            sleep.destroyForcibly();
        }
    }

    /** The letter in /proc/PID/stat, once it has stopped changing. */
    private static char state(Process process) throws Exception {
        char last = '?';
        for (int i = 0; i < 50; i++) {
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
            char now = stat.charAt(stat.lastIndexOf(')') + 2);
            if (now == last && now != 'R') {
                return now;
            }
            last = now;
            Thread.sleep(5);
        }
        return last;
    }
}
