package io.holdfast.node.api;

import io.holdfast.standard.FormatException;
import io.holdfast.standard.Resource;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A record of the resource DB with its version.
 *
 * @param id immutable identity
 * @param version grows with every change; -1 in a request that does not care
 * @param domain region or department
 * @param category {@code critical}, {@code non-critical} or empty
 * @param name unique among the resources of its type
 * @param type {@code client}, {@code replication}, {@code domain-key}, ...
 * @param info resource-dependent info
 * @param catalog of a client: the name of its catalog resource
 * @param optional free fields
 */
public record ResourceView(
        UUID id,
        long version,
        String domain,
        String category,
        String name,
        String type,
        Map<String, String> info,
        @Nullable String catalog,
        Map<String, String> optional) {
    /** Copies the maps, sorted. */
    public ResourceView {
        info = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(info));
        optional = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(optional));
    }

    /** The view of a resource. */
    public static ResourceView of(Resource resource, long version) {
        return new ResourceView(
                resource.id(),
                version,
                resource.domain(),
                resource.category(),
                resource.name(),
                resource.type().word(),
                resource.info(),
                resource.catalog().orElse(null),
                resource.optional());
    }

    /** The same with another value of one info field. */
    public ResourceView with(String field, String value) {
        Map<String, String> other = new TreeMap<>(info);
        other.put(field, value);
        return new ResourceView(
                id, version, domain, category, name, type, other, catalog, optional);
    }

    /** The same without one info field. */
    public ResourceView without(String field) {
        Map<String, String> other = new TreeMap<>(info);
        other.remove(field);
        return new ResourceView(
                id, version, domain, category, name, type, other, catalog, optional);
    }

    /** The resource. @throws FormatException when the type is unknown or the name is bad */
    public Resource toResource() {
        return new Resource(
                id,
                domain,
                category,
                name,
                typeOf(type),
                info,
                Optional.ofNullable(catalog),
                optional);
    }

    /** The type of a word. @throws FormatException when there is none */
    public static Resource.Type typeOf(String word) {
        for (Resource.Type type : Resource.Type.values()) {
            if (type.word().equals(word.toLowerCase(Locale.ROOT))) {
                return type;
            }
        }
        throw new FormatException(
                "resource type",
                word,
                0,
                "client, group, device, schedule, policy, catalog, replication or domain-key");
    }
}
