package io.holdfast.standard;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code policy}: how long data is kept, and what a job needs
 * before it is shown green.
 *
 * <table>
 * <caption>Its keys</caption>
 * <tr><th>key</th><th>value</th><th></th></tr>
 * <tr><td>{@code retention}</td><td>in the words of {@link Retention}</td><td>required</td></tr>
 * <tr><td>{@code retentionDr}</td><td>the same, for the DR site</td><td>absent: as {@code retention}</td></tr>
 * <tr><td>{@code drMayExpireFirst}</td><td>{@code true} or {@code false}</td><td>absent: {@code false}</td></tr>
 * <tr><td>{@code greenAt}</td><td>{@code local}, {@code dr-log} or {@code dr-data}</td><td>required</td></tr>
 * </table>
 *
 * <p>DR keeps a piece at least as long as local does, unless {@code drMayExpireFirst} is true. A {@code
 * retentionDr} that is shorter by its words alone is refused without it; where counts decide, who rules over
 * the pieces sees to it.
 *
 * @param name unique among policies
 * @param retention how long data pieces are kept, at local and, without {@code retentionDr}, at DR
 * @param retentionDr how long DR keeps them; empty: as long as local
 * @param drMayExpireFirst whether DR may let a piece go that local still keeps
 * @param greenAt what makes a job green
 */
public record PolicyResource(
        String name,
        Retention retention,
        Optional<Retention> retentionDr,
        boolean drMayExpireFirst,
        GreenAt greenAt) {
    /** Key of the retention at local. */
    public static final String RETENTION = "retention";

    /** Key of the retention at DR. */
    public static final String RETENTION_DR = "retentionDr";

    /** Key of the leave for DR to let a piece go first. */
    public static final String DR_MAY_EXPIRE_FIRST = "drMayExpireFirst";

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
        if (!drMayExpireFirst
                && retentionDr.filter(dr -> dr.isSurelyShorterThan(retention)).isPresent()) {
            throw new FormatException(
                    "policy '" + name + "', info '" + RETENTION_DR + "'",
                    retentionDr.get().toString(),
                    0,
                    "at least as long as '"
                            + retention
                            + "' at local, or '"
                            + DR_MAY_EXPIRE_FIRST
                            + "' set to true");
        }
    }

    /** Both sites keep equally long. */
    public PolicyResource(String name, Retention retention, GreenAt greenAt) {
        this(name, retention, Optional.empty(), false, greenAt);
    }

    /** How long a site keeps, by its own words. */
    public Retention retentionAt(Site site) {
        return site == Site.DR ? retentionDr.orElse(retention) : retention;
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static PolicyResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.POLICY);
        return new PolicyResource(
                resource.name(),
                info.parse(RETENTION, Retention::parse),
                info.optional(RETENTION_DR)
                        .map(text -> info.parse(RETENTION_DR, text, Retention::parse)),
                info.optional(DR_MAY_EXPIRE_FIRST)
                        .map(text -> info.parse(DR_MAY_EXPIRE_FIRST, text, PolicyResource::leave))
                        .orElse(false),
                info.parse("greenAt", GreenAt::ofWord));
    }

    private static boolean leave(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new FormatException(DR_MAY_EXPIRE_FIRST, text, 0, "true or false");
        };
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        Map<String, String> info = new TreeMap<>();
        info.put(RETENTION, retention.toString());
        info.put("greenAt", greenAt.word());
        retentionDr.ifPresent(dr -> info.put(RETENTION_DR, dr.toString()));
        if (drMayExpireFirst) {
            info.put(DR_MAY_EXPIRE_FIRST, "true");
        }
        return ResourceInfo.resource(id, Resource.Type.POLICY, name, info);
    }
}
