package io.holdfast.catalog;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;

/** Table {@code fence}. */
@JdbcRepository(dialect = Dialect.MYSQL)
interface FenceRepository extends CrudRepository<FenceEntity, Integer> {
    /** Locks the row until the transaction ends, and makes it one that writes. Rows changed: 1. */
    @Query("UPDATE fence SET transactions = transactions + 1 WHERE id = 1")
    long lock();

    /** Raises the epoch. */
    @Query("UPDATE fence SET epoch = :epoch WHERE id = 1")
    void epoch(long epoch);

    /** Moves the outbox's end. */
    @Query("UPDATE fence SET last_seq = :lastSeq WHERE id = 1")
    void lastSeq(long lastSeq);
}
