package io.holdfast.node.init;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Json;
import io.holdfast.standard.JsonView;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * What the {@code holdfast} command knows about a cluster: whom to ask, at both sites, and as whom.
 * Written by {@code init} as {@code operator/context.json}; may be copied elsewhere with its identity.
 *
 * @param file where it was read from
 * @param cluster identity of the cluster
 * @param name what people call it
 * @param operator whose certificate it is
 * @param identity folder with the operator's {@code ca.pem}, {@code cert.pem}, {@code key.pem}
 * @param clusterDir the folder that {@code init} made, for commands that enrol; may be gone
 * @param nodes every node, local ones first
 */
public record OperatorContext(
        Path file,
        UUID cluster,
        String name,
        String operator,
        Path identity,
        Path clusterDir,
        List<Node> nodes) {
    private static final String VERSION = "holdfastContext";

    /** Copies the list. */
    public OperatorContext {
        nodes = List.copyOf(nodes);
    }

    /** One node, and where its REST API listens. */
    public record Node(String id, Site site, Endpoint rest) {}

    /** The nodes of a site. */
    public List<Node> nodes(Site site) {
        return nodes.stream().filter(n -> n.site() == site).toList();
    }

    /** The file's text; paths are written as they are. */
    static String print(
            UUID cluster,
            String name,
            String operator,
            String identity,
            String clusterDir,
            List<Node> nodes) {
        List<Json> list = new ArrayList<>();
        for (Node node : nodes) {
            list.add(
                    Json.object()
                            .put("id", node.id())
                            .put("site", node.site().word())
                            .put("rest", node.rest().toString())
                            .build());
        }
        return Json.object()
                        .put(VERSION, 1)
                        .put("cluster", cluster)
                        .put("name", name)
                        .put("operator", operator)
                        .put("identity", identity)
                        .put("clusterDir", clusterDir)
                        .put("nodes", Json.array(list))
                        .build()
                        .pretty()
                + "\n";
    }

    /**
     * Reads a context; its paths are relative to its folder.
     *
     * @throws FormatException with the place
     */
    public static OperatorContext read(Path file) throws IOException {
        JsonView root = Json.parse(Files.readString(file)).view();
        if (root.intValue(VERSION) != 1) {
            throw root.get(VERSION).refuse("version 1");
        }
        List<Node> nodes = new ArrayList<>();
        for (JsonView node : root.list("nodes")) {
            nodes.add(
                    new Node(
                            node.string("id"),
                            Site.ofWord(node.string("site")),
                            Endpoint.parse(node.string("rest"))));
        }
        if (nodes.isEmpty()) {
            throw root.get("nodes").refuse("at least one node");
        }
        Path absolute = file.toAbsolutePath().normalize();
        return new OperatorContext(
                absolute,
                root.uuid("cluster"),
                root.string("name"),
                root.string("operator"),
                absolute.resolveSibling(root.string("identity")).normalize(),
                absolute.resolveSibling(root.string("clusterDir")).normalize(),
                nodes);
    }
}
