package io.holdfast.catalog;

import io.micronaut.data.annotation.Embeddable;
import io.micronaut.data.annotation.EmbeddedId;
import io.micronaut.data.annotation.MappedEntity;
import io.micronaut.data.annotation.MappedProperty;

/** A row of table {@code piece_optional}. */
@MappedEntity("piece_optional")
record OptionalField(@EmbeddedId Key key, String fieldValue) {
    /** Which field of which piece. */
    @Embeddable
    record Key(
            @MappedProperty("piece_id") String pieceId,
            @MappedProperty("field_name") String fieldName) {}
}
