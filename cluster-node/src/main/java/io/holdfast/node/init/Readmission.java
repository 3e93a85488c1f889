package io.holdfast.node.init;

import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.epoch.UnadmittedException;
import io.holdfast.node.config.NodeConfig;
import io.holdfast.node.config.RoleFile;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Makes a node whose promise or role was lost fit to start again: with a promise that nobody has
 * passed yet, and as FENCED, so that it finds the active site and joins it the way a returned node
 * does. Nothing is deleted; what cannot be trusted is renamed to {@code lost-TIME-NAME}.
 *
 * <p>A readable role says which lineage the Raft log belongs to: then the log stays, because it may
 * hold what nobody else has. Without one the log is set aside, and the node joins as a new member.
 */
public final class Readmission {
    private final NodeConfig config;
    private final long timeMillis;
    private final List<Path> aside = new ArrayList<>();

    /** What was done. */
    public record Done(Epoch promise, boolean newMember, List<Path> setAside) {}

    private Readmission(NodeConfig config, long timeMillis) {
        this.config = config;
        this.timeMillis = timeMillis;
    }

    /** Why a node cannot start; empty when it can, as far as promise and role go. */
    public static Optional<String> damage(NodeConfig config) throws IOException {
        try {
            EpochGuard.open(promiseFile(config));
        } catch (UnadmittedException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
        return role(config).isPresent()
                ? Optional.empty()
                : Optional.of("No readable role in " + config.roleFile());
    }

    /**
     * Does it. The node must not run, and every other node of its site must have been asked for its
     * promise: one that collects promises for a new epoch may have counted the lost one.
     *
     * @param active epoch of the active site
     * @param lineage of that epoch
     * @param promise highest epoch that any node has promised
     */
    public static Done apply(
            NodeConfig config, Epoch active, UUID lineage, Epoch promise, long timeMillis)
            throws IOException {
        return new Readmission(config, timeMillis).apply(active, lineage, promise);
    }

    private Done apply(Epoch active, UUID lineage, Epoch promise) throws IOException {
        Files.createDirectories(config.data());
        Optional<RoleFile> before = role(config);
        if (before.isEmpty()) {
            setAside(config.roleFile());
            setAside(config.data().resolve("raft"));
        }
        RoleFile role =
                before.map(r -> new RoleFile("FENCED", r.epoch(), r.lineage()))
                        .orElseGet(() -> new RoleFile("FENCED", active, lineage));
        setAside(promiseFile(config));
        Epoch highest = promise.compareTo(role.epoch()) >= 0 ? promise : role.epoch();
        role.write(config.roleFile());
        EpochGuard.create(promiseFile(config), highest);
        return new Done(highest, before.isEmpty(), List.copyOf(aside));
    }

    private static Path promiseFile(NodeConfig config) {
        return config.data().resolve("promise");
    }

    private static Optional<RoleFile> role(NodeConfig config) throws IOException {
        try {
            return RoleFile.read(config.roleFile());
        } catch (FormatException damaged) {
            return Optional.empty();
        }
    }

    private void setAside(Path path) throws IOException {
        if (Files.exists(path)) {
            Path to = path.resolveSibling("lost-" + timeMillis + "-" + path.getFileName());
            Files.move(path, to);
            aside.add(to);
        }
    }
}
