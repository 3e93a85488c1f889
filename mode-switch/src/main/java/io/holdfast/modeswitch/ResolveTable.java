package io.holdfast.modeswitch;

import io.holdfast.standard.ClientResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What the resolver knows: the Replication rows and the clients' addresses.
 *
 * @param rows local endpoints and what stands for them at DR
 * @param clients local addresses of clients and their DR addresses
 */
public record ResolveTable(List<ReplicationResource> rows, List<ClientAddress> clients) {
    /** Copies the lists. */
    public ResolveTable {
        rows = List.copyOf(rows);
        clients = List.copyOf(clients);
    }

    /**
     * A client's two addresses.
     *
     * @param name the client
     * @param local its address at local
     * @param dr its address at DR, if it has one
     */
    public record ClientAddress(String name, Endpoint local, Optional<Endpoint> dr) {}

    /** The table of a resource DB; resources of other types are passed over. */
    public static ResolveTable of(Collection<Resource> resources) {
        return new ResolveTable(
                resources.stream()
                        .filter(r -> r.type() == Resource.Type.REPLICATION)
                        .map(ReplicationResource::of)
                        .toList(),
                resources.stream()
                        .filter(r -> r.type() == Resource.Type.CLIENT)
                        .map(ClientResource::of)
                        .map(c -> new ClientAddress(c.name(), c.address(), c.drAddress()))
                        .toList());
    }
}
