package io.holdfast.standard;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code client}: a system whose data is backed up.
 *
 * @param name unique among clients
 * @param address where its media agent listens at the local site, with a port
 * @param drAddress where its system at the DR site listens, with a port; a client without one is
 *     suspended in DR mode (F25, F63)
 * @param sourcePath what is backed up, for example {@code /home}; absolute
 * @param critical whether business goes on at DR only with it; kept as the category
 * @param owner the data owner
 * @param domainKey name of its domain-key resource
 * @param group name of its group resource, which gives schedule, policy and device
 * @param catalog name of its catalog resource; empty for the MBR's default catalog
 */
public record ClientResource(
        String name,
        Endpoint address,
        Optional<Endpoint> drAddress,
        String sourcePath,
        boolean critical,
        String owner,
        String domainKey,
        String group,
        Optional<String> catalog) {
    private static final String CRITICAL = "critical";
    private static final String NON_CRITICAL = "non-critical";

    /** Checks every field. */
    public ClientResource {
        ResourceInfo.require("client name", name);
        requirePort("client address", address);
        drAddress.ifPresent(dr -> requirePort("client DR address", dr));
        ResourceInfo.require("client owner", owner);
        ResourceInfo.require("client domain key", domainKey);
        ResourceInfo.require("client group", group);
        catalog.ifPresent(c -> ResourceInfo.require("client catalog", c));
        if (!sourcePath.startsWith("/") || sourcePath.length() > 4096) {
            throw new FormatException(
                    "client source path", sourcePath, 0, "an absolute path of at most 4096");
        }
        if (drAddress.isPresent() && drAddress.get().equals(address)) {
            throw new FormatException(
                    "client DR address", address.toString(), 0, "another one than at local");
        }
    }

    private static void requirePort(String what, Endpoint endpoint) {
        if (endpoint.port().isEmpty()) {
            throw new FormatException(
                    what, endpoint.toString(), endpoint.toString().length(), "':' and a port");
        }
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static ClientResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.CLIENT);
        boolean critical =
                switch (resource.category()) {
                    case CRITICAL -> true;
                    case NON_CRITICAL -> false;
                    default ->
                            throw info.refuse(
                                    "category",
                                    resource.category(),
                                    0,
                                    CRITICAL + " or " + NON_CRITICAL);
                };
        return new ClientResource(
                resource.name(),
                info.parse("address", Endpoint::parse),
                info.optional("drAddress")
                        .map(value -> info.parse("drAddress", value, Endpoint::parse)),
                info.text("sourcePath"),
                critical,
                info.text("owner"),
                info.text("domainKey"),
                info.text("group"),
                resource.catalog());
    }

    /** The resource of this view, without region and optional fields. */
    public Resource toResource(UUID id) {
        return toResource(id, "", Map.of());
    }

    /** The resource of this view, with its region and optional fields. */
    public Resource toResource(UUID id, String domain, Map<String, String> optional) {
        Map<String, String> info = new TreeMap<>();
        info.put("address", address.toString());
        drAddress.ifPresent(dr -> info.put("drAddress", dr.toString()));
        info.put("sourcePath", sourcePath);
        info.put("owner", owner);
        info.put("domainKey", domainKey);
        info.put("group", group);
        return new Resource(
                id,
                domain,
                critical ? CRITICAL : NON_CRITICAL,
                name,
                Resource.Type.CLIENT,
                info,
                catalog,
                optional);
    }
}
