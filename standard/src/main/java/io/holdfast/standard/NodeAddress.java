package io.holdfast.standard;

import java.util.Set;

/**
 * A server node as the MBR lists it.
 *
 * @param id the node's name, unique in the cluster, for example {@code l1}
 * @param host IP address or host name that the node can bind
 * @param restPort REST API and health (8443 by default)
 * @param raftPort Raft (9871)
 * @param sitePort site RPC: SiteAck, promises, seeds, outbox transport (9872)
 * @param roles of {@code backup-server}, {@code catalog-server}, {@code storage}, {@code witness}
 */
public record NodeAddress(
        String id, String host, int restPort, int raftPort, int sitePort, Set<String> roles) {
    private static final Set<String> ROLES =
            Set.of("backup-server", "catalog-server", "storage", "witness");

    /** Copies the roles and checks every field. */
    public NodeAddress {
        if (!id.matches("[a-z0-9][a-z0-9-]{0,39}")) {
            throw new FormatException(
                    "node id", id, 0, "lower-case letters, digits and hyphens, at most 40");
        }
        Endpoint rest = Endpoint.of(host, restPort);
        Endpoint raft = Endpoint.of(host, raftPort);
        Endpoint site = Endpoint.of(host, sitePort);
        if (rest.equals(raft) || raft.equals(site) || rest.equals(site)) {
            throw new FormatException("node " + id, host, 0, "three different ports");
        }
        roles = Set.copyOf(roles);
        for (String role : roles) {
            if (!ROLES.contains(role)) {
                throw new FormatException(
                        "role of node " + id,
                        role,
                        0,
                        "backup-server, catalog-server, storage or witness");
            }
        }
    }

    /** Where Raft listens. */
    public Endpoint raft() {
        return Endpoint.of(host, raftPort);
    }

    /** Where the REST API listens. */
    public Endpoint rest() {
        return Endpoint.of(host, restPort);
    }

    /** Where the site RPC listens. */
    public Endpoint site() {
        return Endpoint.of(host, sitePort);
    }
}
