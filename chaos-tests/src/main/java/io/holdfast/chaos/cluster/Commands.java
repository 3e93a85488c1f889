package io.holdfast.chaos.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.node.api.ExpiryView;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.GcPlanView;
import io.holdfast.node.api.GcView;
import io.holdfast.node.api.HoldView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.RetentionView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.StorageView;
import io.holdfast.node.api.SwitchoverView;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * The commands of the drill, as a person would type them, run in this process and answered with
 * {@code --json}. What the drill does to the cluster it does through these.
 */
public final class Commands {
    private static final ObjectMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private final Holdfast holdfast;
    private final Consumer<String> shown;
    private final Path cluster;
    private final Path context;

    /** The {@code holdfast} command: returns its exit code, and writes as it would to a terminal. */
    public interface Holdfast {
        int run(PrintWriter out, PrintWriter err, String... args);
    }

    /** What a command answered. */
    public record Said(int exit, String out, String err) {}

    /** A command that ended with another exit code than 0. */
    public static final class CommandFailed extends Exception {
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

        public int exit() {
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
    public Commands(Holdfast holdfast, Consumer<String> shown, Path cluster) {
        this(holdfast, shown, cluster, cluster.resolve("operator").resolve("context.json"));
    }

    private Commands(Holdfast holdfast, Consumer<String> shown, Path cluster, Path context) {
        this.context = context;
        this.holdfast = holdfast;
        this.shown = shown;
        this.cluster = cluster;
    }

    /** Makes the cluster's files. */
    public void init(String profile, Path passphraseFile, String... more) throws CommandFailed {
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
    public void addClient(String name, Path source, Path passphraseFile, String... more)
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
    public StatusView status() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "status");
    }

    /** A backup, from its start to its end at the site where it is made. */
    public JobView backup(String client, boolean full) throws CommandFailed {
        return full
                ? shown(new TypeReference<>() {}, "backup", client, "--full", "--wait-for", "local")
                : shown(new TypeReference<>() {}, "backup", client, "--wait-for", "local");
    }

    /** A backup that goes on by itself. */
    public JobView startBackup(String client, String... more) throws CommandFailed {
        return shown(
                new TypeReference<>() {}, with(new String[] {"backup", client, "--no-wait"}, more));
    }

    /** A restore that goes on by itself. */
    public JobView startRestore(UUID piece, String client, Path target, String... more)
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
    public JobView job(UUID job) throws CommandFailed {
        return quiet(new TypeReference<>() {}, "jobs", job.toString());
    }

    /** The newest jobs. */
    public List<JobView> jobs() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "jobs");
    }

    /** All data pieces. */
    public List<PieceView> pieces() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "pieces");
    }

    /** The disaster's command. */
    public FailoverView failover() throws CommandFailed {
        return shown(new TypeReference<>() {}, "failover", "--yes");
    }

    /** What was acknowledged and is not known here. */
    public LossLedgerView lossLedger() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "loss-ledger");
    }

    /** What became of a site that returned. */
    public ReconcileView reconcile() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "reconcile");
    }

    /** The operator has looked at what the returned site had changed. */
    public ReconcileView signReconcile() throws CommandFailed {
        return saved(new TypeReference<>() {}, "reconcile", "sign", "--yes");
    }

    /** Makes everything here too that the returned site had added. */
    public List<ReconcileView.Setting> applyAdditive() throws CommandFailed {
        return saved(new TypeReference<>() {}, "reconcile", "apply", "--additive");
    }

    /** Makes one change of the returned site here too. */
    public List<ReconcileView.Setting> apply(String item) throws CommandFailed {
        return saved(new TypeReference<>() {}, "reconcile", "apply", item);
    }

    /** What a failover would do. */
    public PreflightView preflight() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "failover", "--dry-run");
    }

    /** Writes a Replication row, or replaces the one of the same local address. */
    public void addReplication(String local, String remote) throws CommandFailed {
        shown("replication", "add", local, remote, "--replace");
    }

    /** The Replication rows. */
    public List<ResourceView> replication() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "replication", "list");
    }

    /** The storages, and what they lack. */
    public List<StorageView> storages() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "storage", "list");
    }

    /** The other site's store takes the place of a lost one. */
    public StorageView storageFailover(String storage, String... more) throws CommandFailed {
        return saved(
                new TypeReference<>() {},
                with(new String[] {"storage", "failover", storage, "--yes"}, more));
    }

    /** A healed storage takes over again. */
    public StorageView storageFailback(String storage) throws CommandFailed {
        return saved(new TypeReference<>() {}, "storage", "failback", storage);
    }

    /** Data pieces expire by name. */
    public List<ExpiryView> expire(UUID... pieces) throws CommandFailed {
        String[] names = Arrays.stream(pieces).map(UUID::toString).toArray(String[]::new);
        return saved(new TypeReference<>() {}, with(new String[] {"expire", "--yes"}, names));
    }

    /** A legal hold on a piece. */
    public HoldView hold(UUID piece) throws CommandFailed {
        return saved(
                new TypeReference<>() {},
                "hold",
                "add",
                "--piece",
                piece.toString(),
                "--reason",
                "case 4711");
    }

    /** The end of a hold. */
    public HoldView release(UUID hold) throws CommandFailed {
        return saved(new TypeReference<>() {}, "hold", "release", hold.toString(), "--yes");
    }

    /** What retention says. */
    public RetentionView retention() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "retention", "show");
    }

    /** Changes the retention of a policy. */
    public ResourceView setRetention(String policy, String retention) throws CommandFailed {
        return saved(new TypeReference<>() {}, "retention", "set", policy, retention, "--yes");
    }

    /** Changes the retentions of a policy at local and at DR. */
    public ResourceView setRetention(String policy, String retention, String dr)
            throws CommandFailed {
        return saved(
                new TypeReference<>() {},
                "retention",
                "set",
                policy,
                retention,
                "--dr",
                dr,
                "--yes");
    }

    /** A failover in a sandbox beside production, as its report has it. */
    public RehearsalView rehearse() throws CommandFailed {
        return shown(new TypeReference<>() {}, "rehearse");
    }

    /** The reports of all rehearsals that are kept, newest first. */
    public List<RehearsalView> rehearsals() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "rehearse", "list");
    }

    /** One report. */
    public RehearsalView rehearsal(UUID report) throws CommandFailed {
        return quiet(new TypeReference<>() {}, "rehearse", "show", report.toString());
    }

    /** How the collection stands. */
    public GcView gcStatus() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "gc", "status");
    }

    /** Collects now. */
    public GcView gc() throws CommandFailed {
        return shown(new TypeReference<>() {}, "gc");
    }

    /** Why every byte stays or goes. */
    public GcPlanView gcPlan() throws CommandFailed {
        return quiet(new TypeReference<>() {}, "gc", "--dry-run");
    }

    /** The other site is lost for good. */
    public GcView abandon(String site) throws CommandFailed {
        return saved(new TypeReference<>() {}, "site", "abandon", site, "--yes");
    }

    /** The way home. */
    public SwitchoverView switchover(String to, String... more) throws CommandFailed {
        return shown(
                new TypeReference<>() {},
                with(new String[] {"switchover", "--to", to, "--yes"}, more));
    }

    private static String[] with(String[] first, String[] more) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private <T> T shown(TypeReference<T> type, String... args) throws CommandFailed {
        shown.accept(line(args));
        return quiet(type, args);
    }

    /** The result of a write, which comes with how safe it is; a list, when nothing was written. */
    private <T> T saved(TypeReference<T> type, String... args) throws CommandFailed {
        JsonNode said = shown(new TypeReference<>() {}, args);
        return JSON.convertValue(said.has("result") ? said.get("result") : said, type);
    }

    private void shown(String... args) throws CommandFailed {
        shown.accept(line(args));
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
        Said said = say(args);
        if (said.exit() != 0) {
            throw new CommandFailed(line(args), said.exit(), said.err());
        }
        return said.out();
    }

    /** Any command of this operator, whatever comes of it. */
    public Said say(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(args));
        if (!args[0].equals("init")) {
            all.addAll(List.of("--context", context.toString()));
        }
        int exit =
                holdfast.run(
                        new PrintWriter(out, true),
                        new PrintWriter(err, true),
                        all.toArray(String[]::new));
        return new Said(exit, out.toString(), err.toString());
    }

    /** The same commands from an operator whose context names these nodes only. */
    public Commands asking(String... nodes) throws IOException {
        ObjectNode narrow = (ObjectNode) JSON.readTree(Files.readString(context));
        ((ArrayNode) narrow.get("nodes"))
                .removeIf(node -> !List.of(nodes).contains(node.get("id").asText()));
        Path file = context.resolveSibling("asking-" + String.join("-", nodes) + ".json");
        Files.writeString(file, narrow.toString());
        return new Commands(holdfast, shown, cluster, file);
    }

    /** The same commands, run elsewhere. */
    public Commands from(Holdfast other) {
        return new Commands(other, shown, cluster, context);
    }

    /** The operator's context. */
    public Path context() {
        return context;
    }

    /** The line that a person would type, with the context in the environment. */
    private static String line(String... args) {
        StringBuilder line = new StringBuilder("holdfast");
        for (String arg : args) {
            line.append(' ').append(quoted(arg));
        }
        return line.toString();
    }

    /** One word as a shell reads it. */
    public static String quoted(String word) {
        boolean plain = word.matches("[A-Za-z0-9_./:=,@%+-]+");
        return plain ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
