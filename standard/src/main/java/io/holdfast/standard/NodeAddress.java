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
    /** Copies the roles. */
    public NodeAddress {
        roles = Set.copyOf(roles);
    }
}
