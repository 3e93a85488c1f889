package io.holdfast.chaos.drill;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.SwitchoverView;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The commands of the drill, as a person would type them, run in this process and answered with
 * {@code --json}. What the drill does to the cluster it does through these.
 */
final class Commands {
    private static final ObjectMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private final Holdfast holdfast;
    private final Screen screen;
    private final Path cluster;

    /** The {@code holdfast} command: returns its exit code, and writes as it would to a terminal. */
    interface Holdfast {
        int run(PrintWriter out, PrintWriter err, String... args);
    }

    /** A command that ended with another exit code than 0. */
    static final class CommandFailed extends Exception {
        private final int exit;

        CommandFailed(String command, int exit, String said) {
            super(
                    "$ "
                            + command
                            + "\nended with exit code "
                            + exit
                            + (said.isBlank() ? "" : ": " + said.strip()));
            this.exit = exit;
        }

        int exit() {
            return exit;
        }

        @Override
        public String getMessage() {
            return String.valueOf(super.getMessage());
        }
    }

    /**
     * Commands to one cluster.
     *
     * @param cluster the folder that {@code init} makes; the operator's context lies in it
     */
    Commands(Holdfast holdfast, Screen screen, Path cluster) {
        this.holdfast = holdfast;
        this.screen = screen;
        this.cluster = cluster;
    }

    /** Makes the cluster's files. */
    void init(String profile, Path passphraseFile, String... more) throws CommandFailed {
        shown(
                with(
                        new String[] {
                            "init",
                            cluster.toString(),
                            "--name",
                            "drill",
                            "--profile",
                            profile,
                            "--passphrase-file",
                            passphraseFile.toString()
                        },
                        more));
    }

    /** A new client, and its agents' folders. */
    void addClient(String name, Path source, Path passphraseFile, String... more)
            throws CommandFailed {
        shown(
                with(
                        new String[] {
                            "client",
                            "add",
                            name,
                            "--source",
                            source.toString(),
                            "--passphrase-file",
                            passphraseFile.toString()
                        },
                        more));
    }

    /** The cluster as the best informed node sees it. */
    StatusView status() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "status");
    }

    /** A backup, from its start to its end. */
    JobView backup(String client, boolean full) throws CommandFailed {
        return full
                ? shown(new TypeReference<>() {}, "backup", client, "--full")
                : shown(new TypeReference<>() {}, "backup", client);
    }

    /** A backup that goes on by itself. */
    JobView startBackup(String client, String... more) throws CommandFailed {
        return shown(
                new TypeReference<>() {}, with(new String[] {"backup", client, "--no-wait"}, more));
    }

    /** A restore that goes on by itself. */
    JobView startRestore(UUID piece, String client, Path target, String... more)
            throws CommandFailed {
        return shown(
                new TypeReference<>() {},
                with(
                        new String[] {
                            "restore",
                            piece.toString(),
                            "--to",
                            client,
                            "--target",
                            target.toString(),
                            "--no-wait"
                        },
                        more));
    }

    /** One job. */
    JobView job(UUID job) throws CommandFailed {
        return quiet(new TypeReference<>() {}, "jobs", job.toString());
    }

    /** All data pieces. */
    List<PieceView> pieces() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "pieces");
    }

    /** The disaster's command. */
    FailoverView failover() throws CommandFailed {
        return shown(new TypeReference<>() {}, "failover", "--yes");
    }

    /** What was acknowledged and is not known here. */
    LossLedgerView lossLedger() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "loss-ledger");
    }

    /** What became of a site that returned. */
    ReconcileView reconcile() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "reconcile");
    }

    /** The way home. */
    SwitchoverView switchover(String to) throws CommandFailed {
        return shown(new TypeReference<>() {}, "switchover", "--to", to, "--yes");
    }

    private static String[] with(String[] first, String[] more) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private <T> T shown(TypeReference<T> type, String... args) throws CommandFailed {
        screen.command(line(args));
        return quiet(type, args);
    }

    private void shown(String... args) throws CommandFailed {
        screen.command(line(args));
        run(args);
    }

    private <T> T quiet(TypeReference<T> type, String... args) throws CommandFailed {
        String said = run(with(args, new String[] {"--json"}));
        try {
            return JSON.readValue(said, type);
        } catch (JsonProcessingException e) {
            throw new CommandFailed(line(args), 0, "but it did not print JSON: " + said);
        }
    }

    private String run(String... args) throws CommandFailed {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(args));
        if (!args[0].equals("init")) {
            all.addAll(List.of("--context", context().toString()));
        }
        int exit =
                holdfast.run(
                        new PrintWriter(out, true),
                        new PrintWriter(err, true),
                        all.toArray(String[]::new));
        if (exit != 0) {
            throw new CommandFailed(line(args), exit, err.toString());
        }
        return out.toString();
    }

    /** The operator's context. */
    Path context() {
        return cluster.resolve("operator").resolve("context.json");
    }

    /** The line that a person would type, with the context in the environment. */
    private static String line(String... args) {
        StringBuilder line = new StringBuilder("holdfast");
        for (String arg : args) {
            boolean plain = arg.matches("[A-Za-z0-9_./:=,@%+-]+");
            line.append(' ').append(plain ? arg : "'" + arg.replace("'", "'\\''") + "'");
        }
        return line.toString();
    }
}
