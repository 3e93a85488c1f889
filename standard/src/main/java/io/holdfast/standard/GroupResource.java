package io.holdfast.standard;

import java.util.Map;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code group}: what its clients have in common. Which clients
 * are in it stands with the clients, once.
 *
 * @param name unique among groups
 * @param schedule name of a schedule resource
 * @param policy name of a policy resource
 * @param device name of the device resource that the clients' backups go to
 */
public record GroupResource(String name, String schedule, String policy, String device) {
    /** Checks every field. */
    public GroupResource {
        ResourceInfo.require("group name", name);
        ResourceInfo.require("group schedule", schedule);
        ResourceInfo.require("group policy", policy);
        ResourceInfo.require("group device", device);
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static GroupResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.GROUP);
        return new GroupResource(
                resource.name(), info.text("schedule"), info.text("policy"), info.text("device"));
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.GROUP,
                name,
                Map.of("schedule", schedule, "policy", policy, "device", device));
    }
}
