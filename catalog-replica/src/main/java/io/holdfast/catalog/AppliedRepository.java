package io.holdfast.catalog;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;

/** Table {@code repl_applied}. */
@JdbcRepository(dialect = Dialect.MYSQL)
interface AppliedRepository extends CrudRepository<AppliedEntity, String> {
    /** Moves an origin's cursor, or makes it. */
    @Query(
            "INSERT INTO repl_applied (origin_database, seq, epoch) VALUES (:origin, :seq, :epoch)"
                    + " ON DUPLICATE KEY UPDATE seq = VALUES(seq), epoch = VALUES(epoch)")
    void put(String origin, long seq, long epoch);
}
