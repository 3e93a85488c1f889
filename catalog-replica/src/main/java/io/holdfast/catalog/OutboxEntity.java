package io.holdfast.catalog;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;

/** A row of table {@code outbox}. */
@MappedEntity("outbox")
@SuppressWarnings("ArrayRecordComponent") // Only carried between the database and OutboxEntries.
record OutboxEntity(@Id long seq, long epoch, String pieceId, String changeKind, byte[] payload) {}
