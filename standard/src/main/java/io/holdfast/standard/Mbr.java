package io.holdfast.standard;

import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The Master Backup Record: the small root from which a server comes up recognizing all backups,
 * devices and catalogs (F41-F44, DECISIONS 4). The epoch in it is a hint; only a durable promise
 * fences.
 *
 * @param cluster identity of the cluster
 * @param name what people call it
 * @param profile {@code p2-small}, {@code p2}, {@code p3-small} or {@code p3}
 * @param sites the server nodes of each site, in order of preference
 * @param resourceDb where the resource DB lives, for example {@code raft:<lineage>}
 * @param defaultCatalog catalog of clients that name none: a catalog resource's name
 * @param methodRepository where methods to push are kept
 * @param epoch newest epoch known when this was written
 * @param lineage id of the Raft group that holds MBR and resource DB
 * @param chunking how every store of this cluster cuts
 */
public record Mbr(
        UUID cluster,
        String name,
        String profile,
        Map<Site, List<NodeAddress>> sites,
        String resourceDb,
        String defaultCatalog,
        String methodRepository,
        Epoch epoch,
        UUID lineage,
        Chunking chunking) {
    private static final List<String> PROFILES = List.of("p2-small", "p2", "p3-small", "p3");

    /** Copies the map and checks every field. */
    public Mbr {
        EnumMap<Site, List<NodeAddress>> copy = new EnumMap<>(Site.class);
        Set<String> ids = new HashSet<>();
        sites.forEach((site, nodes) -> copy.put(site, List.copyOf(nodes)));
        for (List<NodeAddress> nodes : copy.values()) {
            for (NodeAddress node : nodes) {
                if (!ids.add(node.id())) {
                    throw new FormatException("MBR", node.id(), 0, "each node id once");
                }
            }
        }
        if (copy.getOrDefault(Site.LOCAL, List.of()).isEmpty()) {
            throw new FormatException("MBR", name, 0, "at least one node at the local site");
        }
        if (!PROFILES.contains(profile)) {
            throw new FormatException("MBR profile", profile, 0, "one of " + PROFILES);
        }
        if (name.isBlank() || name.length() > 200) {
            throw new FormatException("MBR name", name, 0, "1 to 200 characters, not blank");
        }
        if (epoch.site() == Site.WITNESS) {
            throw new FormatException("MBR epoch", epoch.toString(), 0, "local or dr as owner");
        }
        sites = Collections.unmodifiableMap(copy);
    }

    /** The site that is active in {@link #epoch()}. */
    public Site activeSite() {
        return epoch.site();
    }

    /** The nodes of a site; empty when it has none. */
    public List<NodeAddress> nodes(Site site) {
        return sites.getOrDefault(site, List.of());
    }

    /** The site whose list holds a node of this id. */
    public Optional<Site> siteOf(String nodeId) {
        return sites.entrySet().stream()
                .filter(e -> e.getValue().stream().anyMatch(n -> n.id().equals(nodeId)))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** The node of this id. */
    public Optional<NodeAddress> node(String nodeId) {
        return sites.values().stream()
                .flatMap(List::stream)
                .filter(n -> n.id().equals(nodeId))
                .findFirst();
    }

    /** The same record in another epoch and lineage. */
    public Mbr with(Epoch newEpoch, UUID newLineage) {
        return new Mbr(
                cluster,
                name,
                profile,
                sites,
                resourceDb,
                defaultCatalog,
                methodRepository,
                newEpoch,
                newLineage,
                chunking);
    }
}
