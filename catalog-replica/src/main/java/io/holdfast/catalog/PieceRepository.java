package io.holdfast.catalog;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.jdbc.runtime.JdbcOperations;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Table {@code piece}. */
@JdbcRepository(dialect = Dialect.MYSQL)
abstract class PieceRepository implements CrudRepository<PieceEntity, String> {
    private final JdbcOperations operations;

    PieceRepository(JdbcOperations operations) {
        this.operations = operations;
    }

    /** Those of some ids that are there. */
    @Query("SELECT piece_id FROM piece WHERE piece_id IN (:ids)")
    abstract List<String> known(Collection<String> ids);

    /** At most {@code limit} rows after {@code after}, by backup time and piece id, descending. */
    List<PieceEntity> page(CatalogFilter filter, Optional<PageToken> after, int limit) {
        List<Object> values = new ArrayList<>();
        StringBuilder sql = new StringBuilder("SELECT p.* FROM piece p WHERE 1 = 1");
        filter.client()
                .ifPresent(id -> {
                    sql.append(" AND p.client_id = ?");
                    values.add(id.toString());
                });
        filter.dataPiece()
                .ifPresent(source -> {
                    sql.append(" AND p.data_piece_hash = ?");
                    values.add(CatalogCodec.hash(source));
                });
        filter.fromMicros()
                .ifPresent(from -> {
                    sql.append(" AND p.backup_time >= ?");
                    values.add(from);
                });
        filter.toMicros()
                .ifPresent(to -> {
                    sql.append(" AND p.backup_time < ?");
                    values.add(to);
                });
        filter.originCatalog()
                .ifPresent(origin -> {
                    sql.append(" AND p.origin_catalog = ?");
                    values.add(origin);
                });
        after.ifPresent(token -> {
            sql.append(" AND p.backup_time <= ? AND (p.backup_time < ? OR p.piece_id < ?)");
            values.add(token.backupTimeMicros());
            values.add(token.backupTimeMicros());
            values.add(token.piece().toString());
        });
        if (!filter.includeForgotten()) {
            sql.append(
                    " AND NOT EXISTS (SELECT 1 FROM piece_tombstone t"
                            + " WHERE t.piece_id = p.piece_id)");
        }
        sql.append(" ORDER BY p.backup_time DESC, p.piece_id DESC LIMIT ").append(limit);
        return operations.prepareStatement(
                sql.toString(),
                statement -> {
                    for (int i = 0; i < values.size(); i++) {
                        statement.setObject(i + 1, values.get(i));
                    }
                    return operations
                            .entityStream(statement.executeQuery(), PieceEntity.class)
                            .toList();
                });
    }
}
