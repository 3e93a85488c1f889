package io.holdfast.node.init;

import io.holdfast.agent.AgentKey;
import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.KeySlot;
import io.holdfast.chunk.WrongPassphrase;
import io.holdfast.standard.ClientResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Json;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Makes the agents of a new client: for its system at each site a folder with certificates, an X25519
 * key and {@code agent.json}, and a slot of the domain key that this key opens. Works on the cluster's
 * folder alone; writing the resources is the caller's.
 */
public final class ClientEnrolment {
    private final Path cluster;
    private final InstantSource clock;
    private final SecureRandom random;

    /** In the folder that {@code init} made. */
    public ClientEnrolment(Path cluster, InstantSource clock, SecureRandom random) {
        this.cluster = cluster;
        this.clock = clock;
        this.random = random;
    }

    /**
     * What was made.
     *
     * @param domainKey with the new slots
     * @param folders one for each agent
     */
    public record Enrolled(DomainKeyResource domainKey, List<Path> folders) {
        /** Copies the list. */
        public Enrolled {
            folders = List.copyOf(folders);
        }

        /** Removes the folders again: the client was refused. */
        public void undo() throws IOException {
            for (Path folder : folders) {
                ClusterFiles.delete(folder);
            }
        }
    }

    /** Name of the key slot of a client's agent at a site: {@code agent:<client>:local}. */
    public static String slot(UUID client, Site site) {
        return "agent:" + client + ":" + site.word();
    }

    /**
     * Makes the folders and the slots.
     *
     * @param id of the client's resource
     * @param key the domain key with its passphrase slot
     * @param passphrase opens it; not kept, not wiped
     * @throws WrongPassphrase when it does not; nothing was written
     * @throws IOException when an authority is missing or a folder is there already
     */
    public Enrolled enrol(UUID id, ClientResource client, DomainKeyResource key, char[] passphrase)
            throws IOException, WrongPassphrase {
        byte[] sealed = key.slots().get(ClusterInit.PASSPHRASE_SLOT);
        if (sealed == null) {
            throw new IOException(
                    "Domain key "
                            + key.name()
                            + " has no passphrase slot, so no new agent can be given it.");
        }
        SortedMap<String, byte[]> slots = new TreeMap<>(key.slots());
        List<Path> folders = new ArrayList<>();
        try (DomainKey domainKey = KeySlot.openWithPassphrase(sealed, passphrase)) {
            agent(id, client.name(), Site.LOCAL, client.address(), domainKey, slots, folders);
            if (client.drAddress().isPresent()) {
                Endpoint dr = client.drAddress().get();
                agent(id, client.name(), Site.DR, dr, domainKey, slots, folders);
            }
            return new Enrolled(
                    new DomainKeyResource(key.name(), key.domain(), key.keyEpoch(), slots),
                    folders);
        } catch (IOException | RuntimeException e) {
            for (Path folder : folders) {
                ClusterFiles.delete(folder);
            }
            throw e;
        }
    }

    private void agent(
            UUID client,
            String name,
            Site site,
            Endpoint address,
            DomainKey domainKey,
            SortedMap<String, byte[]> slots,
            List<Path> folders)
            throws IOException {
        Path folder = ClusterFiles.agent(cluster, name + "-" + site.word());
        Path authority = ClusterFiles.issuingAuthority(cluster, site.word());
        if (!Files.isRegularFile(authority.resolve("key.pem"))) {
            throw new IOException(
                    "The issuing authority of site "
                            + site.word()
                            + " is not in "
                            + authority
                            + ". Run client add where init was run, or name that folder with"
                            + " --cluster-dir.");
        }
        if (Files.exists(folder)) {
            throw new IOException(
                    "Folder "
                            + folder
                            + " exists already: choose another name for the client, or"
                            + " remove the folder.");
        }
        CertificateAuthority issuing = CertificateAuthority.load(authority, clock, random);
        folders.add(folder);
        ClusterFiles.folder(folder);
        Path identity = folder.resolve("identity");
        issuing.enrol(
                        PeerIdentity.AGENT,
                        client.toString(),
                        ClusterInit.MEMBER_VALIDITY,
                        List.of(address.host()))
                .save(identity);
        AgentKey key = AgentKey.generate();
        key.save(identity);
        ClusterFiles.write(
                folder.resolve("agent.json"),
                Json.object()
                                .put("clusterId", issuing.cluster())
                                .put("dataDir", "data")
                                .put("identityDir", "identity")
                                .put("listen", address.toString())
                                .build()
                                .pretty()
                        + "\n");
        slots.put(slot(client, site), KeySlot.sealForAgent(domainKey, key.publicRaw(), random));
    }
}
