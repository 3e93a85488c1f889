package io.holdfast.catalog;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;
import java.util.List;
import java.util.Optional;

/** Table {@code outbox}. */
@JdbcRepository(dialect = Dialect.MYSQL)
interface OutboxRepository extends CrudRepository<OutboxEntity, Long> {
    /** Entries in {@code (after, upTo]}, in order. */
    @Query(
            "SELECT seq, epoch, piece_id, change_kind, payload FROM outbox"
                    + " WHERE seq > :after AND seq <= :upTo ORDER BY seq")
    List<OutboxEntity> between(long after, long upTo);

    /** The newest entry of one kind about a piece. */
    @Query("SELECT MAX(seq) FROM outbox WHERE piece_id = :piece AND change_kind = :kind")
    Optional<Long> lastSeqOf(String piece, String kind);
}
