package io.holdfast.node.config;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A node's configuration, {@code node.yml}: complete and consistent in itself, defaults filled in,
 * paths absolute. What it does not say stands in the MBR and the resource DB.
 *
 * <p>The YAML, with every key ({@code ?} marks optional ones and shows the default):
 *
 * <pre>{@code
 * node: l1                       # name of this node in the MBR
 * site: local                    # local, dr or witness
 * roles: [backup-server, catalog-server, storage]
 * mbr: mbr.json                  # paths are relative to this file's folder
 * identity: identity             # ca.pem, cert.pem, key.pem of role node; cluster-key.pem, cluster-pub.pem
 * storageIdentity: storage-identity   # with role storage: the same of role storage
 * rehearsalIdentity: rehearsal-identity   # ? the same of role rehearsal: it can hold a sandbox
 * data: data                     # everything this node writes
 * seed: resources.json           # ? resources that the very first leader loads
 * listen:
 *   host: 127.10.11.44
 *   rest: 8443                   # ? 8443
 *   raft: 9871                   # ? 9871
 *   site: 9872                   # ? 9872
 *   catalog: 9873                # with role catalog-server; ? 9873
 *   storage: 6543                # with role storage: its media agent; ? 3456
 * devices: [127.10.11.45]        # with role storage: the IP addresses it owns as backup media
 * catalog:                       # with role catalog-server
 *   name: main                   # of its catalog resource
 *   database: sqlite             # ? sqlite (a file below data), or mariadb
 *   url: jdbc:mariadb://HOST:PORT/DATABASE      # with mariadb
 *   user: holdfast                              # with mariadb
 *   passwordFile: catalog-password              # with mariadb
 * raft:                          # ?
 *   electionMinMillis: 500       # ? 500
 *   electionMaxMillis: 1000      # ? 1000
 * replication:                   # ?
 *   degradeSeconds: 10           # ? silence of the other site after which acknowledgements go on alone
 *   stableSeconds: 2             # ? how long it must be caught up before it counts again
 * collection:                    # ? of garbage
 *   graceSeconds: 86400          # ? between the two marks that a chunk needs before it is deleted
 *   everySeconds: 21600          # ? how often retention is looked at and stores are marked
 *   sessionSeconds: 1800         # ? after which a session that nobody uses ends; until then it keeps what it may use
 * }</pre>
 *
 * @param file where it was read from
 * @param node name of this node in the MBR
 * @param site where it stands
 * @param roles what it does
 * @param mbr this node's copy of the MBR, which it rewrites
 * @param identity folder with its certificate of role {@code node} and the cluster's key
 * @param storageIdentity folder with the certificate of role {@code storage}; with that role
 * @param rehearsalIdentity folder with the certificate of role {@code rehearsal}
 * @param data folder for everything that it writes
 * @param seed resources that the very first leader loads
 * @param listen where it listens
 * @param devices IP addresses that its storage owns as backup media
 * @param catalog its catalog; with role {@code catalog-server}
 * @param raft timeouts
 * @param replication when the other site counts
 * @param collection of garbage
 */
public record NodeConfig(
        Path file,
        String node,
        Site site,
        Set<String> roles,
        Path mbr,
        Path identity,
        Optional<Path> storageIdentity,
        Optional<Path> rehearsalIdentity,
        Path data,
        Optional<Path> seed,
        Listen listen,
        Set<String> devices,
        Optional<Catalog> catalog,
        Raft raft,
        Replication replication,
        Collection collection) {
    /** Runs backups, keeps MBR and resource DB, serves REST. */
    public static final String BACKUP_SERVER = "backup-server";

    /** Serves a catalog. */
    public static final String CATALOG_SERVER = "catalog-server";

    /** Embeds a storage media agent. */
    public static final String STORAGE = "storage";

    /** Votes and stores no backup. */
    public static final String WITNESS = "witness";

    /** Every role, sorted. */
    public static final List<String> ROLES =
            List.of(BACKUP_SERVER, CATALOG_SERVER, STORAGE, WITNESS);

    /** Copies the sets, sorted. */
    public NodeConfig {
        roles = sorted(roles);
        devices = sorted(devices);
    }

    private static SortedSet<String> sorted(Set<String> set) {
        return java.util.Collections.unmodifiableSortedSet(new TreeSet<>(set));
    }

    /**
     * Where a node listens.
     *
     * @param host IP address or host name to bind, and to be dialled at
     * @param rest REST API and health
     * @param raft Raft
     * @param site site RPC
     * @param catalog catalog RPC; with role catalog-server
     * @param storage storage media agent; with role storage
     */
    public record Listen(
            String host, int rest, int raft, int site, OptionalInt catalog, OptionalInt storage) {
        /** An endpoint at this host. */
        public Endpoint at(int port) {
            return Endpoint.of(host, port);
        }
    }

    /**
     * A catalog and its database.
     *
     * @param name of its catalog resource
     * @param mariaDb where the database is; empty for the embedded one, a file below {@code data}
     */
    public record Catalog(String name, Optional<MariaDb> mariaDb) {}

    /**
     * A MariaDB database.
     *
     * @param url {@code jdbc:mariadb://...}
     * @param user who logs on
     * @param passwordFile a file whose first line is the password
     */
    public record MariaDb(String url, String user, Path passwordFile) {}

    /** Raft's election timeout is drawn from this range. */
    public record Raft(Duration electionMin, Duration electionMax) {}

    /**
     * When the other site counts.
     *
     * @param degrade silence after which acknowledgements go on without it
     * @param stable how long it must be caught up before it counts again
     */
    public record Replication(Duration degrade, Duration stable) {}

    /**
     * The collection of garbage.
     *
     * @param grace of this node's store, between the two marks that a chunk needs before it is deleted
     * @param every how often, while it leads, retention is looked at and stores are marked
     * @param sessionIdle after which a session with this node's store that nobody uses ends: one of a
     *     process that was killed keeps what it may use until then
     */
    public record Collection(Duration grace, Duration every, Duration sessionIdle) {}

    /** Whether the node has this role. */
    public boolean is(String role) {
        return roles.contains(role);
    }

    /** The durable role of this node's site: {@code role.json} below {@link #data()}. */
    public Path roleFile() {
        return data.resolve("role.json");
    }

    /**
     * Reads a configuration.
     *
     * @throws ConfigException with every problem at once, each with its line
     * @throws IOException when the file cannot be read
     */
    public static NodeConfig load(Path file) throws IOException, ConfigException {
        return NodeConfigReader.read(file.toAbsolutePath().normalize(), Optional.empty());
    }

    /** As {@link #load(Path)}, with another copy of the MBR than the one it names, if it names one. */
    static NodeConfig load(Path file, Path mbr) throws IOException, ConfigException {
        return NodeConfigReader.read(file.toAbsolutePath().normalize(), Optional.of(mbr));
    }
}
