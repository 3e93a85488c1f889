package io.holdfast.catalog;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;
import java.util.Collection;
import java.util.List;

/** Table {@code piece_optional}. */
@JdbcRepository(dialect = Dialect.MYSQL)
interface OptionalFieldRepository extends CrudRepository<OptionalField, OptionalField.Key> {
    /** The fields of some pieces, in no order. */
    @Query(
            "SELECT piece_id, field_name, field_value FROM piece_optional WHERE piece_id IN (:pieces)")
    List<OptionalField> ofPieces(Collection<String> pieces);

    /** Drops a piece's fields. */
    @Query("DELETE FROM piece_optional WHERE piece_id = :piece")
    void deleteOf(String piece);
}
