package io.holdfast.catalog;

import java.util.UUID;

/** The contract on the embedded database in memory. */
final class H2MemoryCatalogTest extends CatalogContractTest {
    private final String name = UUID.randomUUID().toString();

    @Override
    CatalogDatabaseConfig config(int number) {
        return CatalogDatabaseConfig.memory(name + "-" + number);
    }

    @Override
    boolean lasting() {
        return false;
    }
}
