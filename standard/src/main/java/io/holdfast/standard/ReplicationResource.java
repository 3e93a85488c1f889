package io.holdfast.standard;

import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code replication}: an endpoint of the local site and what
 * stands for it at DR (F26). Its resource name is the local endpoint, so that each has one row. Many
 * local endpoints may share a remote one.
 *
 * @param local with a port, or without for every port of the host that has no row of its own
 * @param remote with a port, or without to keep the port that was asked for; never with a port when
 *     {@code local} has none
 */
public record ReplicationResource(Endpoint local, Endpoint remote) {
    /** Checks that the two fit. */
    public ReplicationResource {
        if (local.port().isEmpty() && remote.port().isPresent()) {
            throw new FormatException(
                    "replication row",
                    local + " -> " + remote,
                    0,
                    "a local port too, when there is a remote port");
        }
        if (local.equals(remote)) {
            throw new FormatException(
                    "replication row", local + " -> " + remote, 0, "two different endpoints");
        }
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static ReplicationResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.REPLICATION);
        return new ReplicationResource(
                endpoint(info, "localIp", "localPort"), endpoint(info, "remoteIp", "remotePort"));
    }

    private static Endpoint endpoint(ResourceInfo info, String hostKey, String portKey) {
        String host = info.parse(hostKey, ReplicationResource::host);
        return info.optional(portKey)
                .map(port -> info.parse(portKey, port, p -> Endpoint.parse(text(host) + ":" + p)))
                .orElseGet(() -> Endpoint.ofHost(host));
    }

    private static String host(String text) {
        return Hosts.canonical(text, "host", text, 0);
    }

    private static String text(String host) {
        return Endpoint.ofHost(host).toString();
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        Map<String, String> info = new TreeMap<>();
        info.put("localIp", local.host());
        local.port().ifPresent(port -> info.put("localPort", Integer.toString(port)));
        info.put("remoteIp", remote.host());
        remote.port().ifPresent(port -> info.put("remotePort", Integer.toString(port)));
        return ResourceInfo.resource(id, Resource.Type.REPLICATION, local.toString(), info);
    }
}
