package io.holdfast.chaos.power;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.chaos.fault.PowerLoss;
import io.holdfast.chaos.fault.Required;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A promise that was given is still known after a power loss (I13 of DR-PROTOCOL 3.10). */
class EpochGuardPowerLossIT {
    @TempDir Path folder;

    /** Promises one epoch after the other. */
    static final class Writer {
        public static void main(String[] args) throws Exception {
            EpochGuard guard =
                    EpochGuard.create(Path.of(args[0], "node", "epoch"), new Epoch(1, Site.LOCAL));
            for (long n = 2; ; n++) {
                Epoch epoch = new Epoch(n, n % 2 == 0 ? Site.DR : Site.LOCAL);
                guard.promise(epoch);
                Acknowledging.acknowledge(epoch);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void thePromiseIsKept(PowerLoss.FileSystem type) throws Exception {
        try (PowerLoss disk = Required.orSkip(() -> PowerLoss.mount(folder, type, 320))) {
            List<String> promised = Acknowledging.untilPowerLoss(disk, Writer.class, 50);
            EpochGuard found = EpochGuard.open(disk.folder().resolve("node").resolve("epoch"));
            assertThat(found.max()).isGreaterThanOrEqualTo(Epoch.parse(promised.getLast()));
        }
    }
}
