package io.holdfast.node.init;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.pki.Credentials;
import io.holdfast.agent.pki.Pem;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.KeySlot;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.config.RoleFile;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.CronSchedule;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.GroupResource;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.MbrFormat;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Retention;
import io.holdfast.standard.ScheduleResource;
import io.holdfast.standard.Site;
import io.holdfast.standard.Uuid7;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Creates a cluster's folder from a {@link ClusterPlan}: everything that its nodes and its operator
 * need before the first start. Each {@code nodes/<id>} may be moved to its machine as it is.
 *
 * <pre>
 * DIR/ca/root, ca/local, ca/dr, ...     authorities; take root offline
 * DIR/mbr.json                          Master Backup Record, signed with the cluster's key
 * DIR/resources.json                    what the first leader loads
 * DIR/nodes/ID/node.yml, mbr.json, resources.json (local nodes), identity/, storage-identity/, data/role.json
 * DIR/operator/context.json, identity/  for the command
 * DIR/agents/NAME-local, NAME-dr        later, by client add
 * </pre>
 */
public final class ClusterInit {
    /** Name of the seed's dedup domain key. */
    public static final String DOMAIN_KEY = "main-key";

    /** Name of the seed's group. */
    public static final String GROUP = "standard";

    /** Slot of a domain key that a passphrase opens. */
    public static final String PASSPHRASE_SLOT = "passphrase";

    static final Duration MEMBER_VALIDITY = Duration.ofDays(2 * 365);
    private static final Duration AUTHORITY_VALIDITY = Duration.ofDays(10 * 365);
    private static final Duration RETENTION = Duration.ofDays(35);
    private static final String LOCATION = "/mtree/backup";

    private final InstantSource clock;
    private final SecureRandom random;

    /** With the clock for validity and ids, and the source of every key. */
    public ClusterInit(InstantSource clock, SecureRandom random) {
        this.clock = clock;
        this.random = random;
    }

    /**
     * Writes the folder. What is in it afterwards is complete; after an exception it is gone again.
     *
     * @param folder must not exist or be empty
     * @param operator name in the operator's certificate
     * @param passphrase opens the domain key; not kept, not wiped
     * @return the MBR that was written
     * @throws IOException when the folder is not empty, or a file cannot be written
     */
    public Mbr create(Path folder, ClusterPlan plan, String operator, char[] passphrase)
            throws IOException {
        if (ClusterFiles.isOccupied(folder)) {
            throw new IOException(
                    "Folder "
                            + folder
                            + " is not empty, and a cluster is never written over another one."
                            + " Choose a new folder, or remove this one yourself.");
        }
        try {
            return write(folder, plan, operator, passphrase);
        } catch (IOException | RuntimeException e) {
            ClusterFiles.delete(folder);
            throw e;
        }
    }

    private Mbr write(Path folder, ClusterPlan plan, String operator, char[] passphrase)
            throws IOException {
        UUID cluster = UUID.randomUUID();
        UUID lineage = UUID.randomUUID();
        Mbr mbr =
                new Mbr(
                        cluster,
                        plan.name(),
                        plan.profile(),
                        plan.sites().stream().collect(Collectors.toMap(site -> site, plan::nodes)),
                        "raft:" + lineage,
                        ClusterPlan.catalogName(Site.LOCAL),
                        "none",
                        new Epoch(1, Site.LOCAL),
                        lineage,
                        Chunking.DEFAULT);
        List<Resource> resources = resources(plan, passphrase);
        String seed = SeedFile.print(resources);
        KeyPair clusterKey = CertificateAuthority.generateKeyPair(random);
        String mbrText = MbrFormat.print(mbr, clusterKey.getPrivate());

        ClusterFiles.folder(folder);
        CertificateAuthority root =
                CertificateAuthority.createRoot(cluster, AUTHORITY_VALIDITY, clock, random);
        root.save(ClusterFiles.rootAuthority(folder));
        ClusterFiles.write(folder.resolve("mbr.json"), mbrText);
        ClusterFiles.write(folder.resolve("resources.json"), seed);
        List<OperatorContext.Node> contextNodes = new ArrayList<>();
        for (Site site : plan.sites()) {
            CertificateAuthority issuing = root.createIssuing(site.word(), AUTHORITY_VALIDITY);
            issuing.save(ClusterFiles.issuingAuthority(folder, site.word()));
            for (NodeAddress node : plan.nodes(site)) {
                Path home = folder.resolve("nodes").resolve(node.id());
                Path identity = home.resolve("identity");
                member(issuing, PeerIdentity.NODE, node.id(), node.host()).save(identity);
                Pem.writeKey(identity.resolve("cluster-key.pem"), clusterKey.getPrivate());
                ClusterFiles.write(
                        identity.resolve("cluster-pub.pem"),
                        ClusterFiles.publicKeyPem(clusterKey.getPublic()));
                if (node.roles().contains(NodeConfig.STORAGE)) {
                    member(issuing, PeerIdentity.STORAGE, node.id(), node.host())
                            .save(home.resolve("storage-identity"));
                    member(issuing, PeerIdentity.REHEARSAL, node.id(), node.host())
                            .save(home.resolve("rehearsal-identity"));
                }
                ClusterFiles.write(home.resolve("mbr.json"), mbrText);
                if (site == Site.LOCAL) {
                    ClusterFiles.write(home.resolve("resources.json"), seed);
                }
                ClusterFiles.write(home.resolve("node.yml"), nodeYaml(plan, site, node));
                ClusterFiles.folder(home.resolve("data"));
                new RoleFile(firstRole(site), mbr.epoch(), lineage)
                        .write(home.resolve("data/role.json"));
                if (site != Site.WITNESS) {
                    contextNodes.add(
                            new OperatorContext.Node(
                                    node.id(), site, Endpoint.of(node.host(), node.restPort())));
                }
            }
            if (site == Site.LOCAL) {
                issuing.enrol(PeerIdentity.OPERATOR, operator, MEMBER_VALIDITY, List.of())
                        .save(folder.resolve("operator/identity"));
            }
        }
        ClusterFiles.write(
                ClusterFiles.context(folder),
                OperatorContext.print(
                        cluster, plan.name(), operator, "identity", "..", contextNodes));
        return mbr;
    }

    private static String firstRole(Site site) {
        return switch (site) {
            case LOCAL -> "ACTIVE";
            case DR -> "STANDBY";
            case WITNESS -> "WITNESS";
        };
    }

    private static Credentials member(
            CertificateAuthority issuing, String role, String id, String host) {
        return issuing.enrol(role, id, MEMBER_VALIDITY, List.of(host));
    }

    private UUID id() {
        return Uuid7.of(clock.millis(), random);
    }

    private List<Resource> resources(ClusterPlan plan, char[] passphrase) {
        List<Resource> resources = new ArrayList<>();
        resources.add(
                new DeviceResource(
                                "backup-media",
                                plan.localDevice(),
                                plan.storage(Site.LOCAL),
                                LOCATION)
                        .toResource(id()));
        for (Site site : List.of(Site.LOCAL, Site.DR)) {
            resources.add(
                    new CatalogResource(
                                    ClusterPlan.catalogName(site),
                                    plan.catalog(site),
                                    site == Site.DR)
                            .toResource(id()));
        }
        resources.add(
                new ReplicationResource(plan.storage(Site.LOCAL), plan.storage(Site.DR))
                        .toResource(id()));
        resources.add(
                new ReplicationResource(
                                Endpoint.ofHost(plan.localDevice()),
                                Endpoint.ofHost(plan.drDevice()))
                        .toResource(id()));
        resources.add(
                new ReplicationResource(plan.catalog(Site.LOCAL), plan.catalog(Site.DR))
                        .toResource(id()));
        resources.add(
                new ScheduleResource(
                                "nightly",
                                CronSchedule.parse(plan.cron()),
                                ZoneOffset.UTC,
                                "incremental")
                        .toResource(id()));
        resources.add(
                new PolicyResource(
                                "keep-35-days",
                                Retention.of(RETENTION),
                                PolicyResource.GreenAt.DR_DATA)
                        .toResource(id()));
        resources.add(
                new GroupResource(GROUP, "nightly", "keep-35-days", "backup-media")
                        .toResource(id()));
        UUID domain = UUID.randomUUID();
        try (DomainKey key = DomainKey.generate(domain, 1, random)) {
            resources.add(
                    new DomainKeyResource(
                                    DOMAIN_KEY,
                                    domain,
                                    1,
                                    new TreeMap<>(
                                            Map.of(
                                                    PASSPHRASE_SLOT,
                                                    KeySlot.sealWithPassphrase(
                                                            key, passphrase, random))))
                            .toResource(id()));
        }
        return resources;
    }

    private static String nodeYaml(ClusterPlan plan, Site site, NodeAddress node) {
        StringBuilder yaml = new StringBuilder();
        yaml.append("# Written by holdfast init. Every key: NodeConfig, or break one and start.\n")
                .append("node: ")
                .append(node.id())
                .append('\n')
                .append("site: ")
                .append(site.word())
                .append('\n')
                .append("roles: [")
                .append(
                        String.join(
                                ", ",
                                NodeConfig.ROLES.stream().filter(node.roles()::contains).toList()))
                .append("]\n")
                .append("mbr: mbr.json\n")
                .append("identity: identity\n");
        boolean storage = node.roles().contains(NodeConfig.STORAGE);
        boolean catalog = node.roles().contains(NodeConfig.CATALOG_SERVER);
        if (storage) {
            yaml.append("storageIdentity: storage-identity\n")
                    .append("rehearsalIdentity: rehearsal-identity\n");
        }
        yaml.append("data: data\n");
        if (site == Site.LOCAL) {
            yaml.append("seed: resources.json\n");
        }
        yaml.append("listen:\n")
                .append("  host: '")
                .append(node.host())
                .append("'\n")
                .append("  rest: ")
                .append(node.restPort())
                .append('\n')
                .append("  raft: ")
                .append(node.raftPort())
                .append('\n')
                .append("  site: ")
                .append(node.sitePort())
                .append('\n');
        if (catalog) {
            yaml.append("  catalog: ").append(ClusterPlan.CATALOG).append('\n');
        }
        if (storage) {
            yaml.append("  storage: ")
                    .append(plan.storagePort(site))
                    .append('\n')
                    .append("devices: ['")
                    .append(plan.device(site))
                    .append("']\n");
        }
        if (catalog) {
            yaml.append("catalog:\n")
                    .append("  name: ")
                    .append(ClusterPlan.catalogName(site))
                    .append('\n')
                    .append("  database: sqlite\n");
        }
        return yaml.toString();
    }
}
