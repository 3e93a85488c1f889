package io.holdfast.standard;

import java.util.Map;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code device}: a backup storage of the local site (its place
 * at DR follows from the Replication rows).
 *
 * @param name unique among devices
 * @param ip address of the backup media, as in {@code IP:10.10.11.45}; a canonical IP address
 * @param storage where the media agent that owns it listens, with a port
 * @param location folder under which every client has its own, for example {@code /mtree/backup}
 */
public record DeviceResource(String name, String ip, Endpoint storage, String location) {
    /** Checks every field. */
    public DeviceResource {
        ResourceInfo.require("device name", name);
        Endpoint address = Endpoint.ofHost(ip);
        if (!address.isAddress()) {
            throw new FormatException("device IP", ip, 0, "an IP address");
        }
        if (storage.port().isEmpty()) {
            throw new FormatException(
                    "device storage", storage.toString(), storage.toString().length(), "a port");
        }
        if (!location.startsWith("/") || location.length() > 1000) {
            throw new FormatException("device location", location, 0, "an absolute path");
        }
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static DeviceResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.DEVICE);
        return new DeviceResource(
                resource.name(),
                info.text("ip"),
                info.parse("storage", Endpoint::parse),
                info.text("location"));
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.DEVICE,
                name,
                Map.of("ip", ip, "storage", storage.toString(), "location", location));
    }
}
