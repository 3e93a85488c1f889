package io.holdfast.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An embedded database whose disk fails says so, and is whole when it is opened again. */
class DiskErrorTest {
    @TempDir Path folder;

    @Test
    void aDatabaseThatHasClosedItselfSaysSoAndIsWholeWhenOpenedAgain() throws Exception {
        PowerLossDisk.register();
        CatalogDatabaseConfig config = CatalogDatabaseConfig.embedded(folder);
        AtomicBoolean failing = new AtomicBoolean();
        List<String> broken = new CopyOnWriteArrayList<>();
        try (CatalogDatabase catalog =
                CatalogDatabase.open(
                        config,
                        new CatalogDatabase.Seams(PowerLossDisk.SCHEME + ":", step -> {}))) {
            catalog.onBroken(broken::add);
            PowerLossDisk.disk(config.file().orElseThrow() + ".mv.db")
                    .listen((then, synced) -> {
                        if (failing.get()) {
                            throw new IOException("No space left on device");
                        }
                    });
            catalog.record(Rows.FIRST, Rows.row(1));
            assertThat(broken).isEmpty();
            failing.set(true);
            assertThatThrownBy(() -> catalog.record(Rows.FIRST, Rows.row(2)))
                    .isInstanceOf(CatalogException.class);
            assertThat(broken).isNotEmpty();
            failing.set(false);
            // H2 does not come back by itself: whoever runs it must open it again.
            assertThatThrownBy(() -> catalog.record(Rows.FIRST, Rows.row(3)))
                    .isInstanceOf(CatalogException.class);
        }
        try (CatalogDatabase again = CatalogDatabase.open(config)) {
            assertThat(again.get(Rows.piece(1))).isPresent();
            assertThat(again.record(Rows.FIRST, Rows.row(4))).isGreaterThan(1);
        }
    }
}
