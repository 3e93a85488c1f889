package io.holdfast.standard;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Resources as JSON, with the columns of the standard (F23): {@code id, domain, category, name, type,
 * info, catalog, optional}. Unknown keys are refused: a free field belongs into {@code optional}.
 */
public final class ResourceFormat {
    private static final Set<String> KEYS =
            Set.of("id", "domain", "category", "name", "type", "info", "catalog", "optional");

    private ResourceFormat() {}

    /** The JSON form; {@code catalog} is left out when there is none. */
    public static Json toJson(Resource resource) {
        return Json.object()
                .put("id", resource.id())
                .put("domain", resource.domain())
                .put("category", resource.category())
                .put("name", resource.name())
                .put("type", resource.type().word())
                .put("info", Json.strings(resource.info()))
                .put("catalog", resource.catalog())
                .put("optional", Json.strings(resource.optional()))
                .build();
    }

    /**
     * Reads the JSON form. {@code domain}, {@code category}, {@code catalog} and {@code optional} may
     * be missing.
     *
     * @throws FormatException naming the key path
     */
    public static Resource fromJson(Json json) {
        return fromJson(json.view());
    }

    /** Reads the JSON form at a place within a larger value. */
    public static Resource fromJson(JsonView view) {
        view.requireOnly(KEYS);
        UUID id = view.uuid("id");
        JsonView type = view.get("type");
        JsonView name = view.get("name");
        if (name.string().isBlank() || name.string().length() > 200) {
            throw name.refuse("1 to 200 characters, not blank");
        }
        return new Resource(
                id,
                view.optional("domain").map(JsonView::string).orElse(""),
                view.optional("category").map(JsonView::string).orElse(""),
                name.string(),
                type(type),
                view.get("info").strings(),
                view.optional("catalog").map(JsonView::string),
                view.optional("optional").map(JsonView::strings).orElse(Map.of()));
    }

    private static Resource.Type type(JsonView view) {
        return typeOf(view.string())
                .orElseThrow(() ->
                        view.refuse(
                                "client, group, device, schedule, policy, catalog,"
                                        + " replication, domain-key or rehearsal, not '"
                                        + view.string()
                                        + "'"));
    }

    /** The type of a word such as {@code domain-key}. */
    public static Optional<Resource.Type> typeOf(String word) {
        for (Resource.Type type : Resource.Type.values()) {
            if (type.word().equals(word)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
