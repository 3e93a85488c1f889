package io.holdfast.chaos.drill;

import io.holdfast.chaos.cluster.Commands;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is said of a cluster that goes on after its drill. */
final class Farewell {
    private static final List<String> LOOKS =
            List.of("status", "pieces", "jobs", "loss-ledger", "reconcile", "client list");

    private Farewell() {}

    /**
     * Commands to look at it and to end it, from whatever folder they are typed in.
     *
     * @param home the checkout; empty where it is not known
     * @param root the drill's temporary folder
     * @param pids of all processes that run
     */
    static List<String> lines(String home, Path root, List<Long> pids) {
        String program =
                home.isBlank()
                        ? "holdfast"
                        : Commands.quoted(
                                Path.of(home).toAbsolutePath().resolve("holdfast").toString());
        String context =
                " --context "
                        + Commands.quoted(root.resolve("cluster/operator/context.json").toString());
        List<String> lines = new ArrayList<>();
        lines.add("The cluster is still running. Look at it:");
        LOOKS.forEach(look -> lines.add("  " + program + " " + look + context));
        lines.add("End it:");
        lines.add(
                "  kill -KILL "
                        + String.join(" ", pids.stream().map(String::valueOf).toList())
                        + "; rm -rf "
                        + Commands.quoted(root.toString()));
        return List.copyOf(lines);
    }
}
