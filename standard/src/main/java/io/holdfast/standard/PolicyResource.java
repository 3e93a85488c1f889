package io.holdfast.standard;

import java.util.Map;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code policy}: how long data is kept, and what a job needs
 * before it is shown green. Its keys are {@code retention}, in the words of {@link Retention}, and {@code
 * greenAt}: {@code local}, {@code dr-log} or {@code dr-data}. Both are required.
 *
 * @param name unique among policies
 * @param retention how long data pieces are kept
 * @param greenAt what makes a job green
 */
public record PolicyResource(String name, Retention retention, GreenAt greenAt) {
    /** What makes a backup green, each level beyond the one before. */
    public enum GreenAt {
        /** Its data piece is whole at the active site, and its record is in the resource DB. */
        LOCAL("local"),
        /** The other site has acknowledged its record, too: it knows that the piece exists. */
        DR_LOG("dr-log"),
        /** The piece is DR_PROTECTED: it can be restored at the other site. */
        DR_DATA("dr-data");

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
            throw new FormatException("greenAt", word, 0, "local, dr-log or dr-data");
        }
    }

    /** Checks every field. */
    public PolicyResource {
        ResourceInfo.require("policy name", name);
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static PolicyResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.POLICY);
        return new PolicyResource(
                resource.name(),
                info.parse("retention", Retention::parse),
                info.parse("greenAt", GreenAt::ofWord));
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.POLICY,
                name,
                Map.of("retention", retention.toString(), "greenAt", greenAt.word()));
    }
}
