package io.holdfast.standard;

import java.util.Map;
import java.util.Set;

/**
 * Catalog records as JSON, with the columns of the standard (F20) and the vendor's under {@code
 * optional}. Times are epoch microseconds; {@code expiryMicros} is left out when the piece never
 * expires. Unknown keys are refused.
 */
public final class CatalogRecordFormat {
    private static final Set<String> KEYS =
            Set.of(
                    "piece",
                    "client",
                    "clientName",
                    "dataPiece",
                    "type",
                    "owner",
                    "location",
                    "backupTimeMicros",
                    "expiryMicros",
                    "sizeBytes",
                    "originCatalog",
                    "optional");

    private CatalogRecordFormat() {}

    /** The JSON form. */
    public static Json toJson(CatalogRecord row) {
        Json.Builder out =
                Json.object()
                        .put("piece", row.piece())
                        .put("client", row.client())
                        .put("clientName", row.clientName())
                        .put("dataPiece", row.dataPiece())
                        .put("type", row.type())
                        .put("owner", row.owner())
                        .put("location", row.location())
                        .put("backupTimeMicros", row.backupTimeMicros())
                        .put("sizeBytes", row.sizeBytes())
                        .put("originCatalog", row.originCatalog())
                        .put("optional", Json.strings(row.optional()));
        if (row.expiryMicros() != Long.MAX_VALUE) {
            out.put("expiryMicros", row.expiryMicros());
        }
        return out.build();
    }

    /** Reads the JSON form. @throws FormatException naming the key path */
    public static CatalogRecord fromJson(Json json) {
        return fromJson(json.view());
    }

    /** Reads the JSON form at a place within a larger value. */
    public static CatalogRecord fromJson(JsonView view) {
        view.requireOnly(KEYS);
        JsonView size = view.get("sizeBytes");
        if (size.longValue() < 0) {
            throw size.refuse("0 or more bytes");
        }
        return new CatalogRecord(
                view.uuid("piece"),
                view.uuid("client"),
                view.string("clientName"),
                view.string("dataPiece"),
                view.string("type"),
                view.string("owner"),
                view.string("location"),
                view.longValue("backupTimeMicros"),
                view.optional("expiryMicros").map(JsonView::longValue).orElse(Long.MAX_VALUE),
                size.longValue(),
                view.string("originCatalog"),
                view.optional("optional").map(JsonView::strings).orElse(Map.of()));
    }
}
