package io.holdfast.node.config;

import io.holdfast.standard.FormatException;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.MbrFormat;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Boots a node from an MBR file (DECISIONS 4): the MBR says which nodes there are and at which
 * addresses; this machine is the node whose address it can bind. What is this node's own (data folder,
 * certificates, ports of catalog and storage) stands in its {@code node.yml}: the one that is named,
 * else the one beside the MBR, else {@code nodes/ID/node.yml} beside it, as {@code init} writes them.
 *
 * <p>The file that is named becomes the node's copy, which it rewrites. Its signature is verified when
 * the node opens it; an epoch in it is a hint and fences nothing.
 */
public final class MbrBoot {
    private final Predicate<String> canBind;

    /** With the addresses of this machine. */
    public MbrBoot() {
        this(MbrBoot::canBind);
    }

    /** With a test of whether a host is this machine. */
    MbrBoot(Predicate<String> canBind) {
        this.canBind = canBind;
    }

    /**
     * The configuration of the node that this machine is.
     *
     * @param file the MBR
     * @param config the node's {@code node.yml}, where it is not found beside the MBR
     * @throws IOException when the MBR cannot be read (with the position), or no node of it is found
     *     here: which addresses there are, and what to do next
     * @throws ConfigException with every problem of the configuration
     */
    public NodeConfig load(Path file, Optional<Path> config) throws IOException, ConfigException {
        Path mbrFile = file.toAbsolutePath().normalize();
        Mbr mbr = read(mbrFile);
        List<NodeAddress> here = nodes(mbr).stream().filter(n -> canBind.test(n.host())).toList();
        if (here.isEmpty()) {
            throw new IOException(
                    "The MBR "
                            + mbrFile
                            + " lists no address of this machine; it lists "
                            + shown(nodes(mbr))
                            + ". Give this machine the address of its node, or name the MBR of its"
                            + " own cluster");
        }
        NodeConfig found = config(mbrFile, config, here);
        requireListed(mbrFile, mbr, found, here);
        return found;
    }

    private static Mbr read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(
                    "There is no MBR at " + file + ". Name a copy of it, of any node: --mbr PATH");
        }
        try {
            return MbrFormat.parseUnverified(Files.readString(file));
        } catch (FormatException | CharacterCodingException e) {
            throw new IOException(
                    "The MBR "
                            + file
                            + " is not usable: "
                            + e.getMessage()
                            + ". Name a copy of another node of the same cluster",
                    e);
        }
    }

    private static NodeConfig config(Path mbr, Optional<Path> named, List<NodeAddress> here)
            throws IOException, ConfigException {
        if (named.isPresent()) {
            return NodeConfig.load(named.get(), mbr);
        }
        Path beside = mbr.resolveSibling("node.yml");
        if (Files.isRegularFile(beside)) {
            return NodeConfig.load(beside, mbr);
        }
        List<NodeAddress> configured =
                here.stream().filter(n -> Files.isRegularFile(below(mbr, n))).toList();
        if (configured.size() == 1) {
            return NodeConfig.load(below(mbr, configured.getFirst()), mbr);
        }
        String which =
                configured.isEmpty()
                        ? "This machine is "
                                + shown(here)
                                + ", and there is no configuration of it: neither "
                                + beside
                                + " nor "
                                + below(mbr, here.getFirst())
                        : "This machine has the addresses of several nodes: " + shown(configured);
        throw new IOException(which + ". Say which: --config PATH of its node.yml");
    }

    private static Path below(Path mbr, NodeAddress node) {
        return mbr.resolveSibling("nodes").resolve(node.id()).resolve("node.yml");
    }

    private static void requireListed(Path file, Mbr mbr, NodeConfig config, List<NodeAddress> here)
            throws IOException {
        String own = config.listen().host();
        NodeAddress listed = mbr.node(config.node()).orElse(null);
        Site site = mbr.siteOf(config.node()).orElse(null);
        if (listed == null || !listed.host().equals(own) || site != config.site()) {
            throw new IOException(
                    config.file()
                            + " is of node "
                            + config.node()
                            + " at "
                            + own
                            + ", site "
                            + config.site().word()
                            + "; the MBR "
                            + file
                            + " lists "
                            + (listed == null
                                    ? "no such node, but " + shown(nodes(mbr))
                                    : shown(List.of(listed))
                                            + " at site "
                                            + (site == null ? "none" : site.word()))
                            + ". Name the MBR and the node.yml of one cluster");
        }
        if (!here.contains(listed)) {
            throw new IOException(
                    "Node "
                            + config.node()
                            + " is listed at "
                            + own
                            + ", and this machine cannot bind it; it is "
                            + shown(here)
                            + ". Give this machine that address, or start the node where it is");
        }
    }

    private static List<NodeAddress> nodes(Mbr mbr) {
        return mbr.sites().values().stream()
                .flatMap(List::stream)
                .sorted(Comparator.comparing(NodeAddress::id))
                .toList();
    }

    private static String shown(List<NodeAddress> nodes) {
        return nodes.stream()
                .map(n -> n.id() + " (" + n.host() + ")")
                .collect(Collectors.joining(", "));
    }

    /** Whether an address is this machine's: a socket at any free port can be bound to it. */
    private static boolean canBind(String host) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(host, 0));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
