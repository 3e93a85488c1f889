package io.holdfast.node.init;

import io.holdfast.node.config.NodeConfig;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What {@code init} is to create: names, hosts and ports, nothing yet on disk. The first node of a
 * site serves its catalog and its storage; the others keep MBR and resource DB.
 *
 * @param name what people call the cluster
 * @param profile {@code p2-small}: one node a site; {@code p2}: three; {@code p3-small} and {@code p3}:
 *     one and two, and a witness at a third place
 * @param local hosts of the local site, in order
 * @param dr hosts of the DR site, in order
 * @param localStoragePort of the storage media agent on the first local host
 * @param drStoragePort the same on the first DR host
 * @param localDevice IP address that the local storage owns as backup media
 * @param drDevice the same at DR
 * @param cron when scheduled backups start, in UTC
 * @param witness host of the witness; empty without one
 */
public record ClusterPlan(
        String name,
        String profile,
        List<String> local,
        List<String> dr,
        int localStoragePort,
        int drStoragePort,
        String localDevice,
        String drDevice,
        String cron,
        Optional<String> witness) {
    /** Nodes of a site by profile. */
    private static final Map<String, Integer> NODES =
            Map.of("p2-small", 1, "p2", 3, "p3-small", 1, "p3", 2);

    /** REST, Raft, site and catalog ports of every node. */
    public static final int REST = 8443;

    static final int RAFT = 9871;
    static final int SITE = 9872;
    static final int CATALOG = 9873;

    /** Checks profile, counts and that no host stands twice. */
    public ClusterPlan {
        local = List.copyOf(local);
        dr = List.copyOf(dr);
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
            throw new FormatException(
                    "cluster name", name, 0, "letters, digits, '.', '_' and '-', at most 63");
        }
        Integer nodes = NODES.get(profile);
        if (nodes == null) {
            throw new FormatException("profile", profile, 0, "p2-small, p2, p3-small or p3");
        }
        requireCount(profile, "local", local, nodes);
        requireCount(profile, "dr", dr, nodes);
        if (isP3(profile) != witness.isPresent()) {
            throw new FormatException(
                    "--witness",
                    witness.orElse(""),
                    0,
                    isP3(profile)
                            ? "a host at a third place, for profile " + profile
                            : "nothing for profile " + profile + "; p3 and p3-small have one");
        }
        Set<String> seen = new HashSet<>();
        for (String host :
                Stream.of(local.stream(), dr.stream(), witness.stream()).flatMap(h -> h).toList()) {
            if (!Endpoint.ofHost(host).host().equals(host)) {
                throw new FormatException("host", host, 0, Endpoint.ofHost(host).host());
            }
            if (!seen.add(host)) {
                throw new FormatException("list of hosts", host, 0, "every host once");
            }
        }
    }

    /** A plan without a witness. */
    public ClusterPlan(
            String name,
            String profile,
            List<String> local,
            List<String> dr,
            int localStoragePort,
            int drStoragePort,
            String localDevice,
            String drDevice,
            String cron) {
        this(
                name,
                profile,
                local,
                dr,
                localStoragePort,
                drStoragePort,
                localDevice,
                drDevice,
                cron,
                Optional.empty());
    }

    /** Whether a profile has a witness. */
    public static boolean isP3(String profile) {
        return profile.equals("p3") || profile.equals("p3-small");
    }

    private static void requireCount(String profile, String site, List<String> hosts, int nodes) {
        if (hosts.size() != nodes) {
            throw new FormatException(
                    "--" + site,
                    String.join(",", hosts),
                    0,
                    nodes + (nodes == 1 ? " host" : " hosts") + " for profile " + profile);
        }
    }

    /** The worked example's hosts of a site, as many as the profile wants. */
    public static List<String> exampleHosts(String profile, Site site) {
        List<String> three =
                switch (site) {
                    case LOCAL -> List.of("127.10.11.44", "127.10.11.46", "127.10.11.47");
                    case DR -> List.of("127.50.4.4", "127.50.4.5", "127.50.4.6");
                    case WITNESS -> List.of("127.90.0.9");
                };
        if (site == Site.WITNESS) {
            return isP3(profile) ? three : List.of();
        }
        return three.subList(0, NODES.getOrDefault(profile, 1));
    }

    List<String> hosts(Site site) {
        return switch (site) {
            case LOCAL -> local;
            case DR -> dr;
            case WITNESS -> witness.stream().toList();
        };
    }

    /** The sites of this plan, each with at least one node. */
    public List<Site> sites() {
        return Stream.of(Site.values()).filter(s -> !hosts(s).isEmpty()).toList();
    }

    int storagePort(Site site) {
        return site == Site.LOCAL ? localStoragePort : drStoragePort;
    }

    String device(Site site) {
        return site == Site.LOCAL ? localDevice : drDevice;
    }

    /** Name of the catalog resource that the site serves. */
    static String catalogName(Site site) {
        return site == Site.LOCAL ? "main" : "dr-combined";
    }

    Endpoint storage(Site site) {
        return Endpoint.of(hosts(site).get(0), storagePort(site));
    }

    Endpoint catalog(Site site) {
        return Endpoint.of(hosts(site).get(0), CATALOG);
    }

    /** The nodes of a site as the MBR lists them: {@code l1}, {@code l2}, ..., {@code d1}, ... or {@code w1}. */
    public List<NodeAddress> nodes(Site site) {
        List<NodeAddress> nodes = new ArrayList<>();
        for (String host : hosts(site)) {
            nodes.add(
                    new NodeAddress(
                            site.word().charAt(0) + Integer.toString(nodes.size() + 1),
                            host,
                            REST,
                            RAFT,
                            SITE,
                            site == Site.WITNESS
                                    ? Set.of(NodeConfig.WITNESS)
                                    : nodes.isEmpty()
                                            ? Set.of(
                                                    NodeConfig.BACKUP_SERVER,
                                                    NodeConfig.CATALOG_SERVER,
                                                    NodeConfig.STORAGE)
                                            : Set.of(NodeConfig.BACKUP_SERVER)));
        }
        return nodes;
    }
}
