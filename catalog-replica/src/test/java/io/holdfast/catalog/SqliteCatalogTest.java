package io.holdfast.catalog;

import static io.holdfast.catalog.Rows.FIRST;
import static io.holdfast.catalog.Rows.piece;
import static io.holdfast.catalog.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract on the embedded database, and what only an embedded one can meet. */
final class SqliteCatalogTest extends CatalogContractTest {
    @TempDir Path folder;

    @Override
    CatalogDatabaseConfig config(int number) throws IOException {
        return CatalogDatabaseConfig.embedded(
                Files.createDirectories(folder.resolve("catalog-" + number)));
    }

    @Test
    void isOpenOnceOnly() throws Exception {
        assertThatThrownBy(() -> CatalogDatabase.open(config(0)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is open already");
        try (CatalogDatabase second = CatalogDatabase.open(config(7))) {
            assertThat(second.lastSeq()).isZero();
        }
        try (CatalogDatabase again = CatalogDatabase.open(config(7))) {
            assertThat(again.lastSeq()).isZero();
        }
    }

    @Test
    void aFullDiskRefusesTheRowAndKeepsTheOthers() throws Exception {
        int written = 0;
        List<String> broken = new CopyOnWriteArrayList<>();
        try (CatalogDatabase full =
                CatalogDatabase.open(
                        config(8), new CatalogDatabase.Seams("&max_page_count=45", step -> {}))) {
            full.onBroken(broken::add);
            CatalogException refused = null;
            while (refused == null) {
                try {
                    full.record(FIRST, row(written + 1));
                    written++;
                } catch (CatalogException e) {
                    refused = e;
                }
            }
            assertThat(refused)
                    .isInstanceOf(CatalogException.Unavailable.class)
                    .hasStackTraceContaining("database or disk is full");
            assertThat(full.lastSeq()).isEqualTo(written);
            assertThat(full.get(piece(written))).isPresent();
            assertThat(broken).isEmpty();
        }
        assertThat(written).isPositive();
        try (CatalogDatabase roomy = CatalogDatabase.open(config(8))) {
            assertThat(roomy.get(piece(written + 1))).isEmpty();
            assertThat(roomy.record(FIRST, row(written + 1))).isEqualTo(written + 1);
        }
    }

    @Test
    void aDamagedFileIsNamedAndNotTouched() throws Exception {
        CatalogDatabaseConfig config = config(9);
        try (CatalogDatabase catalog = CatalogDatabase.open(config)) {
            catalog.record(FIRST, row(1));
        }
        try (FileChannel file = FileChannel.open(config.file(), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[100]), 0);
        }
        assertThatThrownBy(() -> CatalogDatabase.open(config))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(config.file().toString());
    }

    @Test
    void damageFoundLaterIsReported() throws Exception {
        CatalogDatabaseConfig config = config(10);
        try (CatalogDatabase catalog = CatalogDatabase.open(config)) {
            for (int n = 1; n <= 300; n++) {
                catalog.record(FIRST, row(n));
            }
        }
        try (FileChannel file = FileChannel.open(config.file(), StandardOpenOption.WRITE)) {
            long size = file.size();
            for (long at = 40 * 4096; at < size; at += 4096) {
                file.write(ByteBuffer.wrap(new byte[64]), at);
            }
        }
        List<String> broken = new CopyOnWriteArrayList<>();
        try (CatalogDatabase catalog = CatalogDatabase.open(config)) {
            catalog.onBroken(broken::add);
            assertThatThrownBy(
                            () -> {
                                for (int n = 1; n <= 300; n++) {
                                    catalog.get(piece(n));
                                }
                            })
                    .isInstanceOf(CatalogException.Unavailable.class);
        }
        assertThat(broken).isNotEmpty();
    }
}
