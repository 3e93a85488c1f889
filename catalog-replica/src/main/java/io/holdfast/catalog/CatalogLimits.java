package io.holdfast.catalog;

import io.holdfast.standard.CatalogRecord;

/** What fits into the columns of SCHEMA.md, in characters. Pure. */
final class CatalogLimits {
    static final int REASON = 1024;
    private static final int NAME = 255;
    private static final int TYPE = 64;
    private static final int DATA_PIECE = 4096;
    private static final int LOCATION = 8192;
    private static final int FIELD_VALUE = 4096;

    private CatalogLimits() {}

    static void check(CatalogRow row) throws CatalogException.Refused {
        CatalogRecord record = row.record();
        check("client", record.clientName(), NAME);
        check("data_piece", record.dataPiece(), DATA_PIECE);
        check("data_piece_type", record.type(), TYPE);
        check("data_piece_owner", record.owner(), NAME);
        check("backup_location", record.location(), LOCATION);
        check("origin_catalog", record.originCatalog(), NAME);
        for (var field : record.optional().entrySet()) {
            check("optional field name", field.getKey(), NAME);
            check("optional field " + field.getKey(), field.getValue(), FIELD_VALUE);
        }
    }

    static void check(String column, String text, int limit) throws CatalogException.Refused {
        if (text.length() > limit) {
            throw new CatalogException.Refused(
                    "Refused a catalog row: "
                            + column
                            + " has "
                            + text.length()
                            + " characters, its limit is "
                            + limit,
                    "Shorten it");
        }
    }
}
