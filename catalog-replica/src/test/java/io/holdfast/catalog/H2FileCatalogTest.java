package io.holdfast.catalog;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The contract on the embedded database in a file. */
final class H2FileCatalogTest extends CatalogContractTest {
    @TempDir Path folder;

    @Override
    CatalogDatabaseConfig config(int number) {
        return CatalogDatabaseConfig.embedded(folder.resolve("catalog-" + number));
    }
}
