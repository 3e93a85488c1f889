package io.holdfast.node.cli;

import io.holdfast.node.api.HealthView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.init.Readmission;
import io.holdfast.standard.Epoch;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Admits a node again that has lost its promise or its role. */
@Command(
        name = "readmit",
        description = {
            "Admit a node again that does not start because its promise or its role is lost or"
                    + " damaged. Run it on the node's machine, with the node stopped.",
            "The active site must answer, and every other node of the node's own site: one of them may"
                    + " have counted the lost promise for a new epoch. Where several have lost their"
                    + " disks, name the others with --lost, and readmit them afterwards."
        },
        footer = {
            "",
            "Example: holdfast readmit --config /srv/holdfast/nodes/d1/node.yml",
            "         holdfast readmit --config /srv/holdfast/nodes/d2/node.yml --lost d3"
        })
final class ReadmitCommand extends ApiCommand {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "The node's node.yml.")
    private Path file = Path.of("");

    @Option(
            names = "--lost",
            paramLabel = "NODE",
            description = {
                "Another node of the same site that is stopped and has lost its disk, too; may be"
                        + " repeated.",
                "Never start one that you named here with a disk that came back: readmit it."
            })
    private Set<String> lost = new TreeSet<>();

    @Override
    int run(ClusterClient cluster, Output output) throws Exception {
        NodeConfig config = NodeConfig.load(file);
        Optional<String> damage = Readmission.damage(config);
        if (damage.isEmpty()) {
            throw refused(
                    config,
                    "its promise and its role are whole",
                    "Start it: holdfast server --config " + file + ".");
        }
        List<ClusterClient.Seen> seen = cluster.look(cluster.context().nodes());
        checkSite(config, seen);
        ClusterClient.Seen leader =
                seen.stream()
                        .filter(ClusterClient.Seen::writable)
                        .findFirst()
                        .orElseThrow(() ->
                                refused(
                                        config,
                                        "no node leads an active site",
                                        "Make a site active first; see: holdfast status."));
        StatusView status = leader.api().status();
        Epoch promise =
                seen.stream()
                        .map(ClusterClient.Seen::health)
                        .filter(Objects::nonNull)
                        .map(HealthView::epoch)
                        .map(Epoch::parse)
                        .max(Epoch::compareTo)
                        .orElseThrow();
        Readmission.Done done =
                Readmission.apply(
                        config,
                        Epoch.parse(status.epoch()),
                        status.lineage(),
                        promise,
                        InstantSource.system().millis());
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("node", config.node());
        result.put("promise", done.promise().toString());
        result.put("newMember", done.newMember());
        result.put("setAside", done.setAside().stream().map(Path::toString).toList());
        result.put("lost", List.copyOf(lost));
        output.result(
                result,
                "Node "
                        + config.node()
                        + " promises "
                        + done.promise()
                        + " and joins "
                        + (done.newMember() ? "as a new member" : "with the log it has")
                        + ".\nSet aside: "
                        + String.join(", ", done.setAside().stream().map(Path::toString).toList())
                        + "\nNow start it: holdfast server --config "
                        + file
                        + "\n"
                        + (lost.isEmpty()
                                ? ""
                                : "Then readmit "
                                        + String.join(", ", lost)
                                        + " before it is started.\n"));
        return ExitCode.DONE;
    }

    /** Nobody of the site may hold the lost promise for a new epoch, unasked. */
    private void checkSite(NodeConfig config, List<ClusterClient.Seen> seen) {
        Set<String> unknown = new TreeSet<>(lost);
        for (ClusterClient.Seen one : seen) {
            String id = one.node().id();
            if (id.equals(config.node())) {
                if (one.answered()) {
                    throw refused(config, "it is running", "Stop it first.");
                }
            } else if (one.node().site() == config.site()) {
                unknown.remove(id);
                if (one.answered() && lost.contains(id)) {
                    throw refused(
                            config,
                            "node " + id + " answers, and --lost says that its disk is lost",
                            "Leave --lost " + id + " out.");
                }
                if (!one.answered() && !lost.contains(id)) {
                    throw refused(
                            config,
                            "node "
                                    + id
                                    + " of its site does not answer, and may have counted the lost"
                                    + " promise for a new epoch",
                            "Start node "
                                    + id
                                    + " first; or, if its disk is lost, too, add --lost "
                                    + id
                                    + ".");
                }
            }
        }
        if (!unknown.isEmpty()) {
            throw new Problem(
                    ExitCode.USAGE,
                    "--lost "
                            + String.join(", ", unknown)
                            + ": the context lists no such other node of site "
                            + config.site().word()
                            + ".",
                    "See: holdfast status");
        }
    }

    private static Problem refused(NodeConfig config, String why, String next) {
        return new Problem(
                ExitCode.REFUSED,
                "Node " + config.node() + " is not readmitted: " + why + ".",
                next);
    }
}
