package io.holdfast.chaos.drill;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.api.SuspendedView;
import io.holdfast.node.api.SwitchoverView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The site-loss drill, step by step. One machine plays both sites and all clients: each process has
 * a loopback address of its own, and what a client's disk holds lies in {@code systems/CLIENT}. A
 * disk that is lost with its site is moved out of reach.
 *
 * <pre>
 * 1 create      certificates, MBR, resource DB; both sites start
 * 2 back up     full, changes, incremental
 * 3 protect     until every data piece is shown DR_PROTECTED
 * 4 lose        DR stands still; one more backup, UNPROTECTED; another one under way; SIGKILL
 * 5 fail over   RTO, loss ledger; with a witness nobody gives a command
 * 6 restore     onto the critical client's DR system; compare
 * 7 go on       change, back up at DR; the non-critical client is suspended
 * 8 come home   fenced, merged, caught up, switched over; restore at local; compare
 * 9 result
 * </pre>
 */
final class Drill {
    private static final double START_SECONDS = 240;
    private static final double PROTECT_SECONDS = 180;
    private static final double JOB_SECONDS = 600;
    private static final double RETURN_SECONDS = 180;

    /** With a witness: from the kill to the first write that is accepted. */
    private static final double AUTOMATIC_SECONDS = 45;

    private static final long FIRST_UNFINISHED_BYTES = 384L << 20;
    private static final int UNFINISHED_ATTEMPTS = 3;
    private static final Set<String> FENCED_ROLES = Set.of("FENCED", "RECONCILING", "STANDBY");

    private final Path source;
    private final Topology topology;
    private final Workspace workspace;
    private final ClusterProcesses processes;
    private final Launch launch;
    private final Commands holdfast;
    private final Screen screen;
    private final Report report;
    private final TreeComparer comparer;

    // What is known from one step to the next.
    private final Map<UUID, UUID> jobs = new HashMap<>();
    private final List<UUID> protectedPieces = new ArrayList<>();
    private @Nullable UUID firstFull;
    private @Nullable TreeDigest firstFullDigest;
    private @Nullable UUID newestProtected;
    private @Nullable TreeDigest newestProtectedDigest;
    private @Nullable UUID otherProtected;
    private @Nullable TreeDigest otherDigest;
    private @Nullable UUID unprotected;
    private @Nullable TreeDigest unprotectedDigest;
    private @Nullable UUID drPiece;
    private @Nullable TreeDigest drDigest;
    private @Nullable UUID restoreAtDr;
    private long killedNanos;
    private long commandNanos;

    Drill(
            Path source,
            Topology topology,
            Workspace workspace,
            ClusterProcesses processes,
            Launch launch,
            Commands holdfast,
            Screen screen,
            Report report)
            throws IOException {
        this.source = source;
        this.topology = topology;
        this.workspace = workspace;
        this.processes = processes;
        this.launch = launch;
        this.holdfast = holdfast;
        this.screen = screen;
        this.report = report;
        Path mine = workspace.root();
        this.comparer =
                new TreeComparer(
                        ((Number) Files.getAttribute(mine, "unix:uid")).longValue(),
                        ((Number) Files.getAttribute(mine, "unix:gid")).longValue());
    }

    /** All steps up to the table. */
    void run() throws DrillFailed, CommandFailed, IOException, InterruptedException {
        create();
        backUp();
        protect();
        loseTheSite();
        failOver();
        restoreAtDr();
        goOnAtDr();
        comeHome();
        restoreAtHome();
    }

    // ------------------------------------------------------------------ 1

    private void create() throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.step(
                1,
                topology.isAutomatic()
                        ? "Create a cluster of two sites and a witness"
                        : "Create a cluster of two sites");
        screen.phase("copy the files for two clients");
        Set<String> uncopied = new TreeSet<>(workspace.copy(source, critical()));
        uncopied.addAll(workspace.copy(source, other()));
        new TreeChanges(other(), "own", 11).apply(2000);
        workspace.settle();
        if (!uncopied.isEmpty()) {
            screen.fact(
                    Units.plural(uncopied.size(), "path")
                            + " could not be read and are left out, first: "
                            + uncopied.iterator().next());
        }
        screen.phase("certificates, Master Backup Record, keys");
        Path passphrase = workspace.resolve("passphrase.txt");
        Files.writeString(passphrase, UUID.randomUUID() + "\n");
        holdfast.init(topology.profile(), passphrase);
        screen.command("export HOLDFAST_CONTEXT=" + holdfast.context());
        screen.phase(
                "start "
                        + topology.local().size()
                        + " + "
                        + topology.dr().size()
                        + (topology.isAutomatic() ? " + 1" : "")
                        + " servers, each a process");
        for (String node : allServers()) {
            screen.command(launch.server(node));
        }
        awaitStatus(
                "an ACTIVE local site with all its servers",
                allServers(),
                START_SECONDS,
                s -> s.role().equals("ACTIVE") && s.leader() != null && allReachable(s));
        screen.phase("two clients with three media agents");
        holdfast.addClient(
                Topology.CRITICAL,
                critical(),
                passphrase,
                "--address",
                Topology.CRITICAL_ADDRESS,
                "--dr-address",
                Topology.CRITICAL_DR_ADDRESS,
                "--critical");
        holdfast.addClient(
                Topology.OTHER, other(), passphrase, "--address", Topology.OTHER_ADDRESS);
        Files.delete(passphrase);
        screen.fact("the passphrase file is deleted: nothing below can ask for it");
        for (String agent : agents()) {
            screen.command(launch.agent(agent));
        }
        StatusView status =
                awaitStatus(
                        "replication in SYNC with DR",
                        everything(),
                        START_SECONDS,
                        s ->
                                s.role().equals("ACTIVE")
                                        && s.replication().equals("SYNC")
                                        && allReachable(s)
                                        && s.stores().stream()
                                                .allMatch(StatusView.Store::reachable));
        screen.fact(
                "epoch "
                        + status.epoch()
                        + ", replication "
                        + status.replication()
                        + ", "
                        + Units.plural(processes.alive().size(), "process")
                        + ": "
                        + String.join(" ", processes.alive()));
        screen.end();
    }

    private static boolean allReachable(StatusView status) {
        return status.members().stream().allMatch(StatusView.Member::reachable);
    }

    private static List<String> agents() {
        return List.of(Topology.CRITICAL_AGENT, Topology.OTHER_AGENT, Topology.CRITICAL_DR_AGENT);
    }

    private List<String> everything() {
        List<String> all = allServers();
        agents().forEach(a -> all.add(Topology.agent(a)));
        return all;
    }

    private List<String> allServers() {
        return topology.servers();
    }

    /** The first node keeps its site's storage. */
    private String firstLocal() {
        return topology.local().getFirst();
    }

    private String firstDr() {
        return topology.dr().getFirst();
    }

    /** The disk of a client. */
    private Path system(String client) {
        return workspace.resolve("systems").resolve(client);
    }

    private Path critical() {
        return system(Topology.CRITICAL).resolve("data");
    }

    private Path other() {
        return system(Topology.OTHER).resolve("data");
    }

    // ------------------------------------------------------------------ 2

    private void backUp() throws DrillFailed, CommandFailed, IOException {
        screen.step(2, "Back up: full, then what has changed");
        firstFullDigest = digest("photograph the critical client's files", critical());
        JobView full = backup("full backup of " + Topology.CRITICAL, Topology.CRITICAL, true);
        firstFull = piece(full);
        backup("full backup of " + Topology.OTHER, Topology.OTHER, true);

        screen.phase("a day's work on the critical client");
        List<TreeChanges.Change> changes = new TreeChanges(critical(), "day-1", 101).apply(100);
        screen.fact(TreeChanges.summary(changes));
        newestProtectedDigest = digest("photograph its files again", critical());
        JobView incremental =
                backup("incremental backup of " + Topology.CRITICAL, Topology.CRITICAL, false);
        newestProtected = piece(incremental);
        otherDigest = digest("photograph the other client's files", other());
        JobView unchanged =
                backup(
                        "incremental backup of " + Topology.OTHER + ", nothing changed",
                        Topology.OTHER,
                        false);
        otherProtected = piece(unchanged);
        screen.end();
    }

    private JobView backup(String phase, String client, boolean full)
            throws DrillFailed, CommandFailed {
        screen.phase(phase);
        return told(phase.replace(" backup of", ""), holdfast.backup(client, full));
    }

    /** Notes a backup that has ended, and says what it moved. */
    private JobView told(String what, JobView job) throws DrillFailed {
        if (!job.state().succeeded()) {
            throw new DrillFailed(
                    "backup of "
                            + job.clientName()
                            + " ended as "
                            + job.state()
                            + ": "
                            + job.message());
        }
        JobView.Progress p = job.progress();
        Report.Backup backup =
                new Report.Backup(
                        what,
                        piece(job),
                        p.files(),
                        p.filesUnchanged(),
                        p.sourceBytes(),
                        p.bytesRead(),
                        p.bytesNew(),
                        p.bytesStored(),
                        p.seconds(),
                        job.protectedSeconds());
        report.backup(backup);
        jobs.put(backup.piece(), job.id());
        screen.fact(
                Units.plural(p.files(), "file")
                        + ", "
                        + Units.bytes(p.sourceBytes())
                        + "; read "
                        + Units.bytes(p.bytesRead())
                        + ", new "
                        + Units.bytes(p.bytesNew())
                        + ", stored "
                        + Units.bytes(p.bytesStored())
                        + (p.bytesStored() == 0
                                ? ", all of it known"
                                : String.format(Locale.ROOT, ", dedup %.1f:1", backup.ratio()))
                        + ", "
                        + Units.rate(p.sourceBytes(), p.seconds()));
        if (job.warnings() > 0) {
            screen.fact(
                    Units.plural(job.warnings(), "warning")
                            + job.log().stream()
                                    .filter(l -> l.level().equals("WARNING"))
                                    .findFirst()
                                    .map(l -> ", first: " + l.path() + ": " + l.message())
                                    .orElse(""));
        }
        return job;
    }

    private static UUID piece(JobView job) throws DrillFailed {
        UUID piece = job.piece();
        if (piece == null) {
            throw new DrillFailed("job " + job.id() + " has no data piece");
        }
        return piece;
    }

    private TreeDigest digest(String phase, Path tree) throws IOException {
        screen.phase(phase);
        return TreeDigest.of(tree);
    }

    // ------------------------------------------------------------------ 3

    private void protect() throws DrillFailed, CommandFailed, InterruptedException {
        screen.step(3, "Wait until every data piece is at DR");
        screen.phase("chunks, manifests, catalog rows, keys");
        List<PieceView> pieces =
                await(
                        "every data piece DR_PROTECTED",
                        PROTECT_SECONDS,
                        holdfast::pieces,
                        list ->
                                list.size() >= report.backups().size()
                                        && list.stream()
                                                .allMatch(p ->
                                                        p.protection() == Protection.DR_PROTECTED),
                        list ->
                                list.stream()
                                                .filter(p ->
                                                        p.protection() == Protection.DR_PROTECTED)
                                                .count()
                                        + " of "
                                        + list.size());
        pieces.forEach(p -> protectedPieces.add(p.piece()));
        for (Report.Backup backup : report.backups()) {
            JobView job = holdfast.job(Objects.requireNonNull(jobs.get(backup.piece())));
            Double after = job.protectedSeconds();
            if (after != null) {
                report.protectedAfter(backup.piece(), after);
                screen.fact(
                        String.format(
                                Locale.ROOT,
                                "%-40s DR_PROTECTED %s after its acknowledgement",
                                backup.what(),
                                Units.seconds(after)));
            }
        }
        screen.end();
    }

    // ------------------------------------------------------------------ 4

    private void loseTheSite()
            throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.step(4, "Lose the local site, at a bad moment");
        screen.phase("DR stands still (SIGSTOP)");
        List<String> dr = drProcesses();
        screen.command("kill -STOP " + pids(dr));
        processes.pause(dr);
        screen.phase("another day's work on the critical client");
        screen.fact(TreeChanges.summary(new TreeChanges(critical(), "day-2", 102).apply(150)));
        unprotectedDigest = digest("photograph its files", critical());
        // No change that DR lacks can be older than the first command that it cannot hear of.
        long oldestChangeNanos = System.nanoTime();
        JobView alone =
                backup(
                        "incremental backup of " + Topology.CRITICAL + ", DR out of reach",
                        Topology.CRITICAL,
                        false);
        unprotected = piece(alone);
        if (alone.protection() != Protection.UNPROTECTED) {
            throw new DrillFailed(
                    "the backup without DR is shown " + alone.protection() + ", not UNPROTECTED");
        }
        StatusView status =
                awaitStatus(
                        "RPO at risk",
                        topology.local(),
                        30,
                        s -> s.unprotectedPieces() > 0 && s.rpoSeconds() > 0);
        screen.fact(
                "shown UNPROTECTED; replication "
                        + status.replication()
                        + ", RPO at risk for "
                        + Units.seconds(status.rpoSeconds()));
        JobView unfinished = startUnfinished();
        screen.phase("SIGKILL for every local process");
        List<String> local = topology.localProcesses();
        screen.command("kill -KILL " + pids(local));
        killedNanos = System.nanoTime();
        processes.kill(local);
        // Nor is one younger than the last process. By our own clock, and rather too much.
        report.rpo(sinceNanos(oldestChangeNanos));
        screen.fact(
                "the unfinished job had "
                        + Units.plural(unfinished.progress().chunksDurable(), "durable chunk")
                        + " ("
                        + Units.bytes(unfinished.progress().bytesDurable())
                        + ")");
        report.event(0, "local site lost: " + Units.plural(local.size(), "process") + " killed");
        workspace.hide(critical(), "local-" + Topology.CRITICAL);
        workspace.hide(other(), "local-" + Topology.OTHER);
        screen.fact("the disks of both local clients are out of reach");
        screen.command("kill -CONT " + pids(dr));
        processes.resume(dr);
        screen.end();
    }

    private List<String> drProcesses() {
        List<String> all = new ArrayList<>(topology.dr());
        all.add(Topology.agent(Topology.CRITICAL_DR_AGENT));
        return all;
    }

    private String pids(List<String> names) {
        return names.stream()
                .map(n -> Long.toString(processes.get(n).process().pid()))
                .collect(Collectors.joining(" "));
    }

    /** A backup with at least one durable chunk, and without an end. */
    private JobView startUnfinished()
            throws DrillFailed, CommandFailed, IOException, InterruptedException {
        long bytes = FIRST_UNFINISHED_BYTES;
        for (int attempt = 1; attempt <= UNFINISHED_ATTEMPTS; attempt++) {
            screen.phase("yet another backup, unfinished");
            Path big = critical().resolve("day-2-video-" + attempt + ".bin");
            TreeChanges.writeRandom(big, bytes, 200 + attempt);
            JobView job = holdfast.startBackup(Topology.CRITICAL);
            double until = seconds() + 60;
            while (job.state() == JobView.State.OPEN && seconds() < until) {
                if (job.progress().chunksDurable() > 0) {
                    return job;
                }
                pause();
                job = holdfast.job(job.id());
            }
            screen.fact("it was faster than the eye (" + job.state() + "); once more with more");
            bytes *= 2;
        }
        throw new DrillFailed("no backup was seen with a durable chunk before its end");
    }

    // ------------------------------------------------------------------ 5

    private void failOver() throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.step(
                5,
                topology.isAutomatic()
                        ? "DR takes over by itself: no command, and no passphrase"
                        : "Fail over at DR, by one command and without a passphrase");
        Path state = Files.createDirectories(system(Topology.CRITICAL).resolve("dr-state"));
        Files.writeString(state.resolve("orders.log"), "orders taken at DR\n");
        if (topology.isAutomatic()) {
            awaitTakeover(state);
        } else {
            commandFailover();
        }

        screen.phase("first byte of a restore");
        JobView restore =
                holdfast.startRestore(
                        Objects.requireNonNull(newestProtected), Topology.CRITICAL, critical());
        restoreAtDr = restore.id();
        while (!FirstByte.below(critical())) {
            mustLive(drProcesses());
            JobView now = holdfast.job(restore.id());
            if (now.state() != JobView.State.OPEN && !now.state().succeeded()) {
                throw new DrillFailed("the restore ended as " + now.state() + ": " + now.message());
            }
            if (sinceNanos(commandNanos) > JOB_SECONDS) {
                throw new DrillFailed("no byte was restored within " + Units.seconds(JOB_SECONDS));
            }
            Thread.sleep(10);
        }
        rto("firstRestoreByte", "first byte restored");

        screen.phase("first critical backup");
        JobView backup =
                holdfast.startBackup(Topology.CRITICAL, "--source", state.toString(), "--full");
        rto("firstCriticalBackup", "first critical backup started at DR");
        screen.fact("job " + backup.id() + " is " + backup.state());
        screen.end();
    }

    private void commandFailover() throws CommandFailed {
        screen.phase("failover");
        commandNanos = System.nanoTime();
        FailoverView failover = holdfast.failover();
        rto("writable", "DR is active and writable, epoch " + failover.epoch());
        failover.steps()
                .forEach(s ->
                        screen.fact(
                                String.format(
                                        Locale.ROOT,
                                        "%-28s %7s  %s",
                                        s.name(),
                                        Units.seconds(s.millis() / 1000.0),
                                        s.detail())));
        failover.rewritten().forEach(report::rewritten);
        showLedger(failover.lossLedger());
    }

    /** Writes until a write is accepted. The lost site's own answer would be one too: it is dead. */
    private void awaitTakeover(Path state) throws DrillFailed, CommandFailed, InterruptedException {
        screen.phase("wait for the witness and DR");
        report.automatic();
        commandNanos = killedNanos;
        String last = "no answer";
        while (true) {
            mustLive(drProcesses());
            mustLive(topology.witness());
            try {
                StatusView seen = holdfast.status();
                last = seen.node() + " is " + seen.role() + ", epoch " + seen.epoch();
                if (seen.role().equals("ACTIVE") && seen.activeSite().equals("dr")) {
                    JobView first =
                            holdfast.startBackup(
                                    Topology.CRITICAL, "--source", state.toString(), "--full");
                    rto("writable", "the first write is accepted at DR: job " + first.id());
                    break;
                }
            } catch (CommandFailed notYet) {
                last = String.valueOf(notYet.getMessage());
            }
            if (sinceNanos(killedNanos) > 2 * AUTOMATIC_SECONDS) {
                throw new DrillFailed("DR did not take over by itself; last seen: " + last);
            }
            pause();
        }
        StatusView status = holdfast.status();
        screen.fact(
                "epoch "
                        + status.epoch()
                        + ", active site "
                        + status.activeSite()
                        + ", leader "
                        + status.leader());
        if (!status.activeSite().equals("dr")) {
            throw new DrillFailed("site " + status.activeSite() + " is active, not dr");
        }
        showLedger(holdfast.lossLedger());
        if (report.secondsFromKill("writable") > AUTOMATIC_SECONDS) {
            throw new DrillFailed(
                    "the first write was accepted "
                            + Units.seconds(report.secondsFromKill("writable"))
                            + " after the kill; the limit is "
                            + Units.seconds(AUTOMATIC_SECONDS));
        }
    }

    private void rto(String what, String event) {
        double sinceKill = sinceNanos(killedNanos);
        double sinceCommand = sinceNanos(commandNanos);
        report.rto(what, sinceKill, sinceCommand);
        report.event(sinceKill, event);
        screen.fact(
                event
                        + ": "
                        + Units.seconds(sinceCommand)
                        + (topology.isAutomatic()
                                ? " after the kill"
                                : " after the command, "
                                        + Units.seconds(sinceKill)
                                        + " after the kill"));
    }

    private void showLedger(LossLedgerView ledger) {
        report.ledger(ledger);
        screen.fact(
                "loss ledger: "
                        + (ledger.complete() || ledger.unknownSince() == null
                                ? "complete"
                                : "unknown since the last contact at "
                                        + ledger.unknownSince().iso()));
        for (LossLedgerView.Entry entry : ledger.entries()) {
            screen.fact(
                    "  "
                            + entry.clientName()
                            + " job "
                            + entry.job()
                            + ": "
                            + entry.state()
                            + (entry.resolution() == null ? "" : ", " + entry.resolution())
                            + (entry.note().isBlank() ? "" : " (" + entry.note() + ")"));
        }
    }

    // ------------------------------------------------------------------ 6

    private void restoreAtDr()
            throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.step(6, "Restore onto the critical client's DR system, and compare");
        screen.phase("every protected data piece is known at DR");
        Set<UUID> known = new HashSet<>();
        holdfast.pieces().forEach(p -> known.add(p.piece()));
        List<UUID> lost = protectedPieces.stream().filter(p -> !known.contains(p)).toList();
        if (!lost.isEmpty()) {
            throw new DrillFailed("DR_PROTECTED, but not known at DR: " + lost);
        }
        screen.fact(Units.plural(known.size(), "data piece") + " in the combined catalog");
        screen.phase("restore the newest protected piece");
        awaitJob(Objects.requireNonNull(restoreAtDr));
        if (compare(
                "newest protected, at DR",
                Objects.requireNonNull(newestProtectedDigest),
                critical())) {
            workspace.discard(workspace.hidden("local-" + Topology.CRITICAL));
            workspace.discard(workspace.hidden("local-" + Topology.OTHER));
        }
        Path older = system(Topology.CRITICAL).resolve("as-of-first-full");
        restore(
                "restore the first full backup beside it",
                Objects.requireNonNull(firstFull),
                Topology.CRITICAL,
                older);
        if (compare("first full backup, at DR", Objects.requireNonNull(firstFullDigest), older)) {
            workspace.discard(older);
        }
        report.event(sinceNanos(killedNanos), "restored at DR and compared");
    }

    private void restore(String phase, UUID piece, String client, Path target)
            throws DrillFailed, CommandFailed, InterruptedException {
        screen.phase(phase);
        awaitJob(holdfast.startRestore(piece, client, target).id());
    }

    private JobView awaitJob(UUID id) throws DrillFailed, CommandFailed, InterruptedException {
        JobView job =
                await(
                        "the end of job " + id,
                        JOB_SECONDS,
                        () -> holdfast.job(id),
                        j -> j.state() != JobView.State.OPEN,
                        j -> j.progress().phase() + " " + Units.bytes(j.progress().bytesRead()));
        if (!job.state().succeeded()) {
            throw new DrillFailed(
                    job.kind() + " " + id + " ended as " + job.state() + ": " + job.message());
        }
        screen.fact(
                job.kind()
                        + ": "
                        + Units.plural(job.progress().files(), "file")
                        + ", "
                        + Units.bytes(job.progress().bytesRead())
                        + " in "
                        + Units.seconds(job.progress().seconds())
                        + (job.warnings() == 0
                                ? ""
                                : ", " + Units.plural(job.warnings(), "warning")));
        return job;
    }

    /** Whether it is the same; then the restored copy has served, else somebody will look at it. */
    private boolean compare(String what, TreeDigest expected, Path actual)
            throws DrillFailed, IOException {
        screen.phase("compare: " + what);
        TreeComparer.Report found = comparer.compare(expected, TreeDigest.of(actual));
        report.compared(what, found);
        screen.fact(
                Units.plural(found.paths(), "path")
                        + ", "
                        + Units.bytes(found.bytes())
                        + ": "
                        + (found.same()
                                ? "the same in every byte and attribute"
                                : Units.plural(found.differences().size(), "MISMATCH")));
        found.differences().stream().limit(5).forEach(d -> screen.fact("  " + d));
        found.notCompared().forEach(n -> screen.fact("  not compared: " + n));
        screen.end();
        return found.same();
    }

    // ------------------------------------------------------------------ 7

    private void goOnAtDr() throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.step(7, "Go on at DR");
        screen.phase("a day's work on the DR system");
        screen.fact(TreeChanges.summary(new TreeChanges(critical(), "day-3", 103).apply(120)));
        drDigest = digest("photograph its files", critical());
        JobView job = backup("backup of " + Topology.CRITICAL + " at DR", Topology.CRITICAL, false);
        drPiece = piece(job);
        for (JobView.Pair pair : job.identifiers()) {
            showRewritten(pair.input());
            showRewritten(pair.output());
        }
        report.event(sinceNanos(killedNanos), "the DR system's new files backed up at DR");
        screen.phase("the client without a DR address");
        StatusView status = holdfast.status();
        StatusView.ClientState other =
                status.clients().stream()
                        .filter(c -> c.name().equals(Topology.OTHER))
                        .findFirst()
                        .orElseThrow(
                                () -> new DrillFailed(Topology.OTHER + " is not in the status"));
        if (!other.state().equals("SUSPENDED") || other.reason() == null) {
            throw new DrillFailed(
                    Topology.OTHER + " is " + other.state() + " in DR mode, not SUSPENDED");
        }
        screen.fact(other.name() + " is " + other.state() + ": " + other.reason());
        try {
            holdfast.startBackup(Topology.OTHER);
            throw new DrillFailed("a backup of " + Topology.OTHER + " was not refused in DR mode");
        } catch (CommandFailed refused) {
            if (refused.exit() != 3) {
                throw refused;
            }
            screen.fact("refused, exit code 3");
        }
        screen.end();
    }

    private void showRewritten(IdentifierView view) {
        report.rewritten(view);
        screen.fact("logical   " + view.logical());
        screen.fact("rewritten " + (view.physical() == null ? view.refusal() : view.physical()));
    }

    // ------------------------------------------------------------------ 8

    private void comeHome() throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.step(8, "Local comes back, is fenced, catches up, and takes over again");
        screen.phase("compare the two stores' pack indexes");
        StoreDifference difference =
                StoreDifference.between(launch.store(firstLocal()), launch.store(firstDr()));
        screen.fact(
                "local lacks "
                        + Units.bytes(difference.missingAtFirst())
                        + " of DR's frames, DR lacks "
                        + Units.bytes(difference.missingAtSecond())
                        + " of local's");
        screen.phase("start the local site as new processes");
        for (String node : topology.local()) {
            screen.command(launch.server(node));
        }
        for (String agent : List.of(Topology.CRITICAL_AGENT, Topology.OTHER_AGENT)) {
            screen.command(launch.agent(agent));
        }
        double returned = sinceNanos(killedNanos);
        report.event(returned, "local site started again");
        Set<String> roles = new LinkedHashSet<>();
        awaitStatus(
                "local fenced by DR's epoch",
                everything(),
                RETURN_SECONDS,
                s -> {
                    for (StatusView.Member member : s.members()) {
                        if (member.site().equals("local") && member.reachable()) {
                            if (member.role().equals("ACTIVE")) {
                                throw new DrillFailed(
                                        member.node()
                                                + " came back as ACTIVE in epoch "
                                                + member.epoch());
                            }
                            roles.add(member.role());
                        }
                    }
                    return allReachable(s)
                            && s.activeSite().equals("dr")
                            && roles.stream().anyMatch(FENCED_ROLES::contains);
                });
        screen.fact(
                "it finds the higher epoch and is fenced; its role: " + String.join(", ", roles));

        screen.phase("merge and catch up");
        ReconcileView reconciled =
                await(
                        "the returned site to be reconciled",
                        RETURN_SECONDS,
                        holdfast::reconcile,
                        r -> r.state().equals("DONE"),
                        ReconcileView::state);
        report.reconciled(reconciled);
        report.failback(difference.missingAtFirst(), reconciled.bytesMoved());
        for (ReconcileView.Merged merged : reconciled.merged()) {
            screen.fact(
                    "merged: piece "
                            + merged.piece()
                            + " of "
                            + merged.clientName()
                            + ", "
                            + Units.bytes(merged.sizeBytes())
                            + ", backed up "
                            + merged.backupTime().iso());
        }
        reconciled.aborted().forEach(job -> screen.fact("aborted: unfinished job " + job));
        if (topology.isAutomatic()) {
            // One lineage: DR knew of the piece, and lacked its bytes and its row.
            if (holdfast.pieces().stream()
                    .noneMatch(p ->
                            p.piece().equals(unprotected)
                                    && p.protection() == Protection.DR_PROTECTED)) {
                throw new DrillFailed(
                        "piece " + unprotected + " was acknowledged at local and is not at DR");
            }
            screen.fact("piece " + unprotected + " came back with its site: at both sites now");
        } else if (reconciled.merged().stream().noneMatch(m -> m.piece().equals(unprotected))) {
            throw new DrillFailed(
                    "piece " + unprotected + " was acknowledged at local and was not merged");
        }
        screen.fact(
                "moved "
                        + Units.bytes(reconciled.bytesMoved())
                        + " to local, "
                        + Units.bytes(difference.missingAtFirst())
                        + " were missing");
        if (reconciled.bytesMoved() > difference.missingAtFirst()) {
            throw new DrillFailed(
                    "catch-up moved "
                            + reconciled.bytesMoved()
                            + " bytes, only "
                            + difference.missingAtFirst()
                            + " were missing");
        }
        StoreDifference after =
                StoreDifference.between(launch.store(firstLocal()), launch.store(firstDr()));
        if (after.missingAtFirst() > 0) {
            throw new DrillFailed(
                    "local is said to have caught up and still lacks "
                            + after.missingAtFirst()
                            + " bytes of DR's frames");
        }
        screen.fact("compared again: local lacks nothing that DR has");
        showLedger(holdfast.lossLedger());
        report.event(sinceNanos(killedNanos), "unprotected piece merged, local caught up");
        Path merged = system(Topology.CRITICAL).resolve("merged");
        restore(
                "restore the merged piece",
                Objects.requireNonNull(unprotected),
                Topology.CRITICAL,
                merged);
        if (compare(
                "merged piece, never seen by DR before",
                Objects.requireNonNull(unprotectedDigest),
                merged)) {
            workspace.discard(merged);
        }

        screen.phase("planned switchover home");
        awaitStatus(
                "replication in SYNC with local",
                allServers(),
                RETURN_SECONDS,
                s -> s.replication().equals("SYNC") && s.unprotectedPieces() == 0);
        if (holdfast.reconcile().needsSignature()) {
            holdfast.signReconcile();
        }
        SwitchoverView switchover = holdfast.switchover("local");
        StatusView home =
                awaitStatus(
                        "local ACTIVE",
                        allServers(),
                        RETURN_SECONDS,
                        s -> s.role().equals("ACTIVE") && s.site().equals("local"));
        screen.fact(
                "epoch "
                        + switchover.previousEpoch()
                        + " -> "
                        + switchover.epoch()
                        + "; resumed: "
                        + String.join(", ", switchover.resumed())
                        + suspended(switchover.suspended()));
        report.event(sinceNanos(killedNanos), "home: local active in epoch " + home.epoch());
        screen.end();
    }

    private static String suspended(List<SuspendedView> views) {
        return views.isEmpty()
                ? ""
                : "; suspended: "
                        + views.stream().map(SuspendedView::name).collect(Collectors.joining(", "));
    }

    private void restoreAtHome()
            throws DrillFailed, CommandFailed, IOException, InterruptedException {
        screen.phase("hide every origin folder");
        workspace.hide(workspace.resolve("systems"), "dr-systems");
        Files.createDirectories(system(Topology.CRITICAL));
        Files.createDirectories(system(Topology.OTHER));
        restore(
                "restore at local what was backed up at DR",
                Objects.requireNonNull(drPiece),
                Topology.CRITICAL,
                critical());
        compare("backed up at DR, at local", Objects.requireNonNull(drDigest), critical());
        restore(
                "restore the other client at local",
                Objects.requireNonNull(otherProtected),
                Topology.OTHER,
                other());
        compare("the other client, at local", Objects.requireNonNull(otherDigest), other());
        report.event(sinceNanos(killedNanos), "restored at local and compared");
        backup("backup of " + Topology.OTHER + " as on any day", Topology.OTHER, false);
        screen.end();
    }

    // ------------------------------------------------------------------ waiting

    private interface Asked<T> {
        T get() throws CommandFailed;
    }

    private interface Wished<T> {
        boolean test(T value) throws DrillFailed;
    }

    private interface Shown<T> {
        String of(T value);
    }

    private void mustLive(List<String> names) throws DrillFailed {
        Optional<String> ended = processes.ended(names);
        if (ended.isPresent()) {
            throw new DrillFailed(ended.get());
        }
    }

    private StatusView awaitStatus(
            String what, List<String> mustLive, double seconds, Wished<StatusView> wish)
            throws DrillFailed, InterruptedException {
        double until = seconds() + seconds;
        String last = "no answer";
        while (true) {
            mustLive(mustLive);
            try {
                StatusView status = holdfast.status();
                if (wish.test(status)) {
                    return status;
                }
                last =
                        status.node()
                                + " is "
                                + status.role()
                                + ", epoch "
                                + status.epoch()
                                + ", replication "
                                + status.replication();
            } catch (CommandFailed notYet) {
                last = notYet.getMessage();
            }
            if (seconds() > until) {
                throw new DrillFailed(
                        "waited "
                                + Units.seconds(seconds)
                                + " for "
                                + what
                                + "; last seen: "
                                + last);
            }
            pause();
        }
    }

    private <T> T await(String what, double seconds, Asked<T> asked, Wished<T> wish, Shown<T> shown)
            throws DrillFailed, CommandFailed, InterruptedException {
        double until = seconds() + seconds;
        while (true) {
            T now = asked.get();
            if (wish.test(now)) {
                return now;
            }
            if (seconds() > until) {
                throw new DrillFailed(
                        "waited "
                                + Units.seconds(seconds)
                                + " for "
                                + what
                                + "; last seen: "
                                + shown.of(now));
            }
            pause();
        }
    }

    private static void pause() throws InterruptedException {
        Thread.sleep(50);
    }

    private static double seconds() {
        return System.nanoTime() / 1e9;
    }

    private static double sinceNanos(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }
}
