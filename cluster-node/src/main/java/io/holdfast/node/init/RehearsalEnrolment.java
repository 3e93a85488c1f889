package io.holdfast.node.init;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.node.config.ConfigException;
import io.holdfast.node.config.NodeConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Gives the nodes with a storage their certificate of role {@code rehearsal}, in a cluster's folder
 * that was made before {@code init} did so itself.
 */
public final class RehearsalEnrolment {
    private static final String FOLDER = "rehearsal-identity";

    private RehearsalEnrolment() {}

    /**
     * Enrols every node with a storage that has none.
     *
     * @param cluster the folder that {@code init} made
     * @return the names of those nodes
     */
    public static List<String> enrol(Path cluster, InstantSource clock, SecureRandom random)
            throws IOException, ConfigException {
        List<Path> files;
        Path nodes = cluster.resolve("nodes");
        if (!Files.isDirectory(nodes)) {
            throw new IOException(
                    "There is no folder "
                            + nodes
                            + ". Name the folder that init made, with the nodes and the authorities"
                            + " in it");
        }
        try (Stream<Path> found = Files.list(nodes)) {
            files =
                    found.map(n -> n.resolve("node.yml"))
                            .filter(Files::isRegularFile)
                            .sorted()
                            .toList();
        }
        List<String> enrolled = new ArrayList<>();
        for (Path file : files) {
            NodeConfig config = NodeConfig.load(file);
            if (config.is(NodeConfig.STORAGE) && config.rehearsalIdentity().isEmpty()) {
                CertificateAuthority.load(
                                ClusterFiles.issuingAuthority(cluster, config.site().word()),
                                clock,
                                random)
                        .enrol(
                                PeerIdentity.REHEARSAL,
                                config.node(),
                                ClusterInit.MEMBER_VALIDITY,
                                List.of(config.listen().host()))
                        .save(file.resolveSibling(FOLDER));
                Files.writeString(
                        file,
                        "\nrehearsalIdentity: " + FOLDER + "\n",
                        StandardCharsets.UTF_8,
                        StandardOpenOption.APPEND);
                enrolled.add(config.node());
            }
        }
        return enrolled;
    }
}
