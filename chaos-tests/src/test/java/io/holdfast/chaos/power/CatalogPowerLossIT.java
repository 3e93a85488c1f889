package io.holdfast.chaos.power;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.catalog.CatalogDatabase;
import io.holdfast.catalog.CatalogDatabaseConfig;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.catalog.OutboxEntry;
import io.holdfast.chaos.fault.PowerLoss;
import io.holdfast.chaos.fault.Required;
import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An acknowledged catalog row and its outbox entry survive a power loss, in their order. */
class CatalogPowerLossIT {
    private static final Epoch EPOCH = new Epoch(1, Site.LOCAL);

    @TempDir Path folder;

    static CatalogRow row(long n) {
        byte[] header = new byte[ChunkId.BYTES];
        header[0] = (byte) n;
        return new CatalogRow(
                new CatalogRecord(
                        new UUID(0x7000L, n),
                        new UUID(1, 1),
                        "crit",
                        "/srv/data",
                        "files/full",
                        "owner",
                        "127.10.11.44:6543?WRITE?/mtree/backup",
                        1_000_000L + n,
                        Long.MAX_VALUE,
                        n,
                        "main",
                        Map.of("job", "j" + n)),
                ChunkId.of(header));
    }

    /** Records one piece after the other. */
    static final class Writer {
        public static void main(String[] args) throws Exception {
            try (CatalogDatabase database =
                    CatalogDatabase.open(CatalogDatabaseConfig.embedded(Path.of(args[0])))) {
                for (long n = 1; ; n++) {
                    Acknowledging.acknowledge(n + " " + database.record(EPOCH, row(n)));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyAcknowledgedRowIsThere(PowerLoss.FileSystem type) throws Exception {
        try (PowerLoss disk = Required.orSkip(() -> PowerLoss.mount(folder, type, 320))) {
            List<String> recorded = Acknowledging.untilPowerLoss(disk, Writer.class, 60);
            try (CatalogDatabase database =
                    CatalogDatabase.open(CatalogDatabaseConfig.embedded(disk.folder()))) {
                for (String line : recorded) {
                    long n = Long.parseLong(line.substring(0, line.indexOf(' ')));
                    assertThat(database.get(new UUID(0x7000L, n)))
                            .as("row %s of %s acknowledged ones", n, recorded.size())
                            .isPresent();
                }
                List<OutboxEntry> outbox = database.readOutbox(0, CatalogDatabase.MAX_BATCH);
                assertThat(outbox).hasSizeGreaterThanOrEqualTo(recorded.size());
                long before = database.lastSeq();
                assertThat(database.record(EPOCH, row(100_000)))
                        .as("a sequence number is never used again")
                        .isGreaterThan(before);
            }
        }
    }
}
