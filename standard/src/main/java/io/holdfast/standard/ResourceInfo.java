package io.holdfast.standard;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/** Reads and builds the info of a resource for the typed views; errors name resource and key. */
final class ResourceInfo {
    private final Resource resource;

    private ResourceInfo(Resource resource) {
        this.resource = resource;
    }

    /** The info of a resource that must be of this type. */
    static ResourceInfo of(Resource resource, Resource.Type type) {
        if (resource.type() != type) {
            throw new FormatException(
                    type.word() + " resource",
                    resource.name(),
                    0,
                    "the type " + type.word() + ", not " + resource.type().word());
        }
        return new ResourceInfo(resource);
    }

    String text(String key) {
        return optional(key)
                .orElseThrow(() -> refuse(key, "", 0, "info '" + key + "'; it is missing"));
    }

    Optional<String> optional(String key) {
        return Optional.ofNullable(resource.info().get(key)).filter(value -> !value.isEmpty());
    }

    <T> T parse(String key, Function<String, T> parser) {
        return parse(key, text(key), parser);
    }

    <T> T parse(String key, String value, Function<String, T> parser) {
        try {
            return parser.apply(value);
        } catch (FormatException e) {
            throw refuse(key, value, e.position(), e.expected());
        }
    }

    FormatException refuse(String key, String value, int position, String expected) {
        return new FormatException(
                resource.type().word() + " '" + resource.name() + "', info '" + key + "'",
                value,
                position,
                expected);
    }

    /** A resource without region, category and optional fields. */
    static Resource resource(UUID id, Resource.Type type, String name, Map<String, String> info) {
        return new Resource(
                id, "", "", name, type, new TreeMap<>(info), Optional.empty(), Map.of());
    }

    /** Refuses a value that is blank or longer than 1000 characters. */
    static String require(String what, String value) {
        if (value.isBlank() || value.length() > 1000) {
            throw new FormatException(what, value, 0, "1 to 1000 characters, not blank");
        }
        return value;
    }
}
