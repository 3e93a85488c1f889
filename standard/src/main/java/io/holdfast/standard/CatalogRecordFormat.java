package io.holdfast.standard;

/** Catalog records as JSON. */
public final class CatalogRecordFormat {
    private CatalogRecordFormat() {}

    /** The JSON form. */
    public static Json toJson(CatalogRecord row) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Reads the JSON form. @throws FormatException naming the key path */
    public static CatalogRecord fromJson(Json json) {
        throw new UnsupportedOperationException("not built yet");
    }
}
