package io.holdfast.catalog;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;

/** A row of table {@code repl_applied}. */
@MappedEntity("repl_applied")
record AppliedEntity(@Id String originDatabase, long seq, long epoch) {}
