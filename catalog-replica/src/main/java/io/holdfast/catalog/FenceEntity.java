package io.holdfast.catalog;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;

/** The one row of table {@code fence}. */
@MappedEntity("fence")
record FenceEntity(@Id int id, String databaseId, long epoch, long lastSeq, long transactions) {
    static final int ID = 1;
}
