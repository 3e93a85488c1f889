package io.holdfast.catalog;

import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.CrudRepository;

/** Table {@code repl_applied}. */
@JdbcRepository(dialect = Dialect.MYSQL)
interface AppliedRepository extends CrudRepository<AppliedEntity, String> {}
