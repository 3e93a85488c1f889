package io.holdfast.standard;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A record of the resource DB with the columns of the standard (F23). Typed views of it stand
 * beside: {@code ClientResource}, {@code ReplicationResource}, ...
 *
 * @param id immutable identity
 * @param domain region or department, free text: {@code North Africa}
 * @param category {@code critical}, {@code non-critical}, or empty
 * @param name unique among the resources of its type
 * @param type what it is
 * @param info resource-dependent info, sorted by key
 * @param catalog if it is a client, the name of its catalog resource
 * @param optional free fields, sorted by key
 */
public record Resource(
        UUID id,
        String domain,
        String category,
        String name,
        Type type,
        Map<String, String> info,
        Optional<String> catalog,
        Map<String, String> optional) {
    /** Copies the maps, sorted. */
    public Resource {
        if (name.isBlank() || name.length() > 200) {
            throw new FormatException("resource name", name, 0, "1 to 200 characters, not blank");
        }
        info = sorted(info);
        optional = sorted(optional);
    }

    private static Map<String, String> sorted(Map<String, String> map) {
        return map.isEmpty()
                ? Collections.emptySortedMap()
                : Collections.unmodifiableSortedMap(new TreeMap<>(map));
    }

    /** What a resource is (F24). */
    public enum Type {
        /** A system whose data is backed up. */
        CLIENT,
        /** A set of clients with a schedule and a policy. */
        GROUP,
        /** A backup storage: an address that a storage media agent owns. */
        DEVICE,
        /** When jobs start. */
        SCHEDULE,
        /** How long data is kept, and what a green job needs. */
        POLICY,
        /** A catalog and the endpoint that serves it. */
        CATALOG,
        /** A local endpoint and its remote one (F26). */
        REPLICATION,
        /** A dedup domain with its sealed keys. */
        DOMAIN_KEY,
        /** The report of a rehearsal. */
        REHEARSAL;

        /** The word in files and on screens: {@code domain-key}. */
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }
}
