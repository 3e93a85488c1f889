package io.holdfast.catalog;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;

/** A row of table {@code piece_tombstone}. */
@MappedEntity("piece_tombstone")
record TombstoneEntity(@Id String pieceId, String reason, long epoch) {}
