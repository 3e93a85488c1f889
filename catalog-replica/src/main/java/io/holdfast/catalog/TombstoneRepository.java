package io.holdfast.catalog;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;
import java.util.Collection;
import java.util.List;

/** Table {@code piece_tombstone}. */
@JdbcRepository(dialect = Dialect.MYSQL)
interface TombstoneRepository extends CrudRepository<TombstoneEntity, String> {
    /** Those of some pieces, in no order. */
    @Query("SELECT piece_id, reason, epoch FROM piece_tombstone WHERE piece_id IN (:pieces)")
    List<TombstoneEntity> ofPieces(Collection<String> pieces);

    /** Rows that have no tombstone. */
    @Query(
            "SELECT COUNT(*) FROM piece p WHERE NOT EXISTS"
                    + " (SELECT 1 FROM piece_tombstone t WHERE t.piece_id = p.piece_id)")
    long countLivePieces();
}
