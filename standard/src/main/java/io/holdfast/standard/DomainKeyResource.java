package io.holdfast.standard;

import java.util.Base64;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code domain-key}: the key of a dedup domain, sealed once
 * for each that may open it (DECISIONS 15). Servers never unwrap a slot.
 *
 * @param name unique among domain keys
 * @param domain identity of the dedup domain
 * @param keyEpoch which key of the domain this is, from 1
 * @param slots sealed keys by slot name, for example {@code agent:<client-id>:local}, {@code
 *     passphrase}; the arrays are not copied and must not be changed
 */
public record DomainKeyResource(
        String name, UUID domain, int keyEpoch, SortedMap<String, byte[]> slots) {
    private static final String SLOT = "slot.";
    private static final int MAX_SLOT_BYTES = 4096;

    /** Copies the map and checks every field. */
    public DomainKeyResource {
        ResourceInfo.require("domain key name", name);
        if (keyEpoch < 1) {
            throw new FormatException("key epoch", Integer.toString(keyEpoch), 0, "1 or more");
        }
        slots = Collections.unmodifiableSortedMap(new TreeMap<>(slots));
        slots.forEach((slot, sealed) -> {
            ResourceInfo.require("key slot name", slot);
            if (sealed.length == 0 || sealed.length > MAX_SLOT_BYTES) {
                throw new FormatException(
                        "key slot", slot, 0, "1 to " + MAX_SLOT_BYTES + " sealed bytes");
            }
        });
    }

    /** A domain key whose slots stand in any map. */
    public static DomainKeyResource of(
            String name, UUID domain, int keyEpoch, Map<String, byte[]> slots) {
        return new DomainKeyResource(name, domain, keyEpoch, new TreeMap<>(slots));
    }

    /** Reads a resource. @throws FormatException naming the resource and the key, never a slot */
    public static DomainKeyResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.DOMAIN_KEY);
        SortedMap<String, byte[]> slots = new TreeMap<>();
        for (Map.Entry<String, String> entry : resource.info().entrySet()) {
            String key = entry.getKey();
            if (key.startsWith(SLOT)) {
                try {
                    slots.put(
                            key.substring(SLOT.length()),
                            Base64.getDecoder().decode(entry.getValue()));
                } catch (IllegalArgumentException e) {
                    throw info.refuse(key, "(hidden)", 0, "base64");
                }
            }
        }
        return new DomainKeyResource(
                resource.name(),
                info.parse("domain", DomainKeyResource::uuid),
                info.parse("keyEpoch", DomainKeyResource::number),
                slots);
    }

    private static UUID uuid(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new FormatException("dedup domain", text, 0, "a UUID");
        }
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new FormatException("key epoch", text, 0, "a whole number from 1");
        }
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        Map<String, String> info = new TreeMap<>();
        info.put("domain", domain.toString());
        info.put("keyEpoch", Integer.toString(keyEpoch));
        slots.forEach((slot, sealed) ->
                info.put(SLOT + slot, Base64.getEncoder().encodeToString(sealed)));
        return ResourceInfo.resource(id, Resource.Type.DOMAIN_KEY, name, info);
    }

    /** Names the slots, never their bytes. */
    @Override
    public String toString() {
        return "DomainKeyResource["
                + name
                + ", "
                + domain
                + ", "
                + keyEpoch
                + ", "
                + slots.keySet()
                + "]";
    }
}
