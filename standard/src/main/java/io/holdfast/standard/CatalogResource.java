package io.holdfast.standard;

import java.util.Map;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code catalog}: a catalog and the endpoint that serves it.
 *
 * @param name unique among catalogs; kept in every row as its origin
 * @param address where the catalog service listens, with a port
 * @param combined whether it is the one DR catalog into which all local ones are replicated (F60)
 */
public record CatalogResource(String name, Endpoint address, boolean combined) {
    /** Checks every field. */
    public CatalogResource {
        ResourceInfo.require("catalog name", name);
        if (address.port().isEmpty()) {
            throw new FormatException(
                    "catalog address", address.toString(), address.toString().length(), "a port");
        }
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static CatalogResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.CATALOG);
        return new CatalogResource(
                resource.name(),
                info.parse("address", Endpoint::parse),
                info.parse("combined", info.optional("combined").orElse("false"), v -> truth(v)));
    }

    private static boolean truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new FormatException("truth value", text, 0, "true or false");
        };
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.CATALOG,
                name,
                Map.of("address", address.toString(), "combined", Boolean.toString(combined)));
    }
}
