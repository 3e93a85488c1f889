package io.holdfast.modeswitch;

import io.holdfast.standard.ClientResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the resolver knows: the Replication rows and the clients' addresses. An immutable value; each
 * question takes the same time however many rows and clients there are.
 */
public final class ResolveTable {
    private final List<ReplicationResource> rows;
    private final List<ClientAddress> clients;
    private final Map<Endpoint, ReplicationResource> rowAt = new HashMap<>();
    private final Map<String, List<ReplicationResource>> rowsOfHost = new HashMap<>();
    private final Map<Endpoint, ClientAddress> clientAt = new HashMap<>();
    private final Map<String, List<ClientAddress>> clientsOfHost = new HashMap<>();
    private final Set<Endpoint> remotes = new HashSet<>();
    private final Set<String> remoteHosts = new HashSet<>();

    /**
     * Of several rows or clients with the same local endpoint, the first counts.
     *
     * @param rows local endpoints and what stands for them at DR
     * @param clients local addresses of clients and their DR addresses
     */
    public ResolveTable(List<ReplicationResource> rows, List<ClientAddress> clients) {
        this.rows = List.copyOf(rows);
        this.clients = List.copyOf(clients);
        for (ReplicationResource row : this.rows) {
            rowAt.putIfAbsent(row.local(), row);
            rowsOfHost.computeIfAbsent(row.local().host(), _ -> new ArrayList<>()).add(row);
            remote(row.remote());
        }
        for (ClientAddress client : this.clients) {
            clientAt.putIfAbsent(client.local(), client);
            clientsOfHost
                    .computeIfAbsent(client.local().host(), _ -> new ArrayList<>())
                    .add(client);
            client.dr().ifPresent(this::remote);
        }
    }

    private void remote(Endpoint endpoint) {
        remotes.add(endpoint);
        remoteHosts.add(endpoint.host());
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

    /** The Replication rows, in their order. */
    public List<ReplicationResource> rows() {
        return rows;
    }

    /** The clients, in their order. */
    public List<ClientAddress> clients() {
        return clients;
    }

    /** The row whose local endpoint is exactly this one. */
    Optional<ReplicationResource> rowAt(Endpoint local) {
        return Optional.ofNullable(rowAt.get(local));
    }

    /** The rows of a local host, whatever their ports. */
    List<ReplicationResource> rowsOf(String host) {
        return rowsOfHost.getOrDefault(host, List.of());
    }

    /** The client whose local address is exactly this one. */
    Optional<ClientAddress> clientAt(Endpoint local) {
        return Optional.ofNullable(clientAt.get(local));
    }

    /** The clients of a local host, whatever their ports. */
    List<ClientAddress> clientsOf(String host) {
        return clientsOfHost.getOrDefault(host, List.of());
    }

    /** Whether a row or client leads here; where one of both names no port, the host decides. */
    boolean leadsTo(Endpoint endpoint) {
        return endpoint.port().isEmpty()
                ? remoteHosts.contains(endpoint.host())
                : remotes.contains(endpoint) || remotes.contains(endpoint.withoutPort());
    }
}
