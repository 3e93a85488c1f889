package io.holdfast.standard;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code policy}: how long data is kept, and what a job needs
 * before it is shown green.
 *
 * @param name unique among policies
 * @param retention how long a data piece is kept, positive; empty for ever
 * @param greenAt what makes a job green
 */
public record PolicyResource(String name, Optional<Duration> retention, GreenAt greenAt) {
    /** What makes a job green. */
    public enum GreenAt {
        /** It is complete at the active site. */
        LOCAL("local"),
        /** It is DR_PROTECTED as well. */
        DR_PROTECTED("dr-protected");

        private final String word;

        GreenAt(String word) {
            this.word = word;
        }

        /** The word in files and on screens. */
        public String word() {
            return word;
        }

        /** Reads {@link #word()}. */
        public static GreenAt ofWord(String word) {
            for (GreenAt value : values()) {
                if (value.word.equals(word)) {
                    return value;
                }
            }
            throw new FormatException("greenAt", word, 0, "local or dr-protected");
        }
    }

    /** Checks every field. */
    public PolicyResource {
        ResourceInfo.require("policy name", name);
        if (retention.isPresent() && !retention.get().isPositive()) {
            throw new FormatException(
                    "retention", retention.get().toString(), 0, "a positive duration");
        }
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static PolicyResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.POLICY);
        return new PolicyResource(
                resource.name(),
                info.parse("retention", PolicyResource::retention),
                info.parse("greenAt", GreenAt::ofWord));
    }

    private static Optional<Duration> retention(String text) {
        if (text.equals("forever")) {
            return Optional.empty();
        }
        try {
            Duration duration = Duration.parse(text);
            if (duration.isPositive()) {
                return Optional.of(duration);
            }
        } catch (DateTimeParseException e) {
            // told below
        }
        throw new FormatException("retention", text, 0, "a duration such as P30D, or forever");
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.POLICY,
                name,
                Map.of(
                        "retention",
                        retention.map(Duration::toString).orElse("forever"),
                        "greenAt",
                        greenAt.word()));
    }
}
