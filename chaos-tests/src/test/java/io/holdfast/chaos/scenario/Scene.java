package io.holdfast.chaos.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.cluster.ClusterBackend;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.Desk;
import io.holdfast.chaos.cluster.NamespaceBackend;
import io.holdfast.chaos.cluster.Profile;
import io.holdfast.chaos.cluster.Programs;
import io.holdfast.chaos.cluster.Training;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.chaos.fault.Required;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.StatusView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The worked example's cluster in some profile, each machine in a namespace with its own address, with
 * one critical client and an operator's desk. It remembers every piece that was backed up and every one
 * that was shown DR_PROTECTED, so that a scenario can end with {@link #allIsWell}.
 */
final class Scene implements AutoCloseable {
    static final String CLIENT = "crit";
    static final String LOCAL_AGENT = "agent-crit-local";
    static final String DR_AGENT = "agent-crit-dr";

    /** An address of the first DR machine that the MBR does not list. */
    static final String UNLISTED = "10.50.4.99";

    /** Roles of members that live with the newest lineage. */
    private static final Set<String> RESTING = Set.of("ACTIVE", "STANDBY", "WITNESS");

    private static final long PATIENCE_SECONDS = 240;

    final ClusterBackend backend;
    final Desk desk;
    final Commands holdfast;
    final Programs programs;
    final Profile profile;
    final Path folder;
    final Path source;
    private final TreeComparer comparer;
    private final Map<UUID, TreeDigest> digests = new LinkedHashMap<>();
    private final Map<UUID, TreeDigest> shownProtected = new LinkedHashMap<>();
    private int changes;
    private int restores;

    /** Something that is asked again until it is as wished. */
    interface Asked<T> {
        T get() throws Exception;
    }

    /** Prepares machines that no program runs on yet. */
    interface Preparation {
        void of(ClusterBackend backend) throws IOException, FaultUnavailable;
    }

    /** A cluster that runs, in SYNC, with one piece that is DR_PROTECTED. */
    static Scene start(String profile, Preparation preparation) throws Exception {
        Path folder = Files.createTempDirectory("holdfast-scene-");
        ClusterBackend backend = Required.orSkip(() -> NamespaceBackend.create(folder));
        Scene scene = new Scene(folder, backend, Profile.of(profile));
        try {
            Training.prepare(System.out::println);
            scene.begin(preparation);
            return scene;
        } catch (Exception | AssertionError e) {
            scene.close();
            throw e;
        }
    }

    private Scene(Path folder, ClusterBackend backend, Profile profile) throws IOException {
        this.folder = folder;
        this.backend = backend;
        this.profile = profile;
        this.source = Files.createDirectories(folder.resolve("source"));
        Path cluster = folder.resolve("cluster");
        this.desk = Desk.of(backend);
        this.holdfast = new Commands(desk, _ -> {}, cluster);
        this.programs = new Programs(cluster);
        this.comparer =
                new TreeComparer(
                        ((Number) Files.getAttribute(folder, "unix:uid")).longValue(),
                        ((Number) Files.getAttribute(folder, "unix:gid")).longValue());
    }

    private void begin(Preparation preparation) throws Exception {
        for (int i = 0; i < 12; i++) {
            Path below = Files.createDirectories(source.resolve("folder-" + i % 3));
            TreeChanges.writeRandom(below.resolve("file-" + i), 1 + i * 30_000L, i);
        }
        Path passphrase = Files.writeString(folder.resolve("passphrase"), UUID.randomUUID() + "\n");
        holdfast.init(profile.name(), passphrase, profile.hosts());
        for (String server : profile.servers()) {
            List<String> addresses = new ArrayList<>(profile.addresses(server));
            if (server.equals(profile.dr().getFirst())) {
                addresses.add(UNLISTED);
            }
            backend.add(
                    new ClusterBackend.Machine(
                            server, addresses, programs.data(server), programs.server(server)));
        }
        preparation.of(backend);
        backend.start(profile.servers());
        awaitStatus("an ACTIVE local site", s -> s.role().equals("ACTIVE") && s.leader() != null);
        holdfast.addClient(
                CLIENT,
                source,
                passphrase,
                "--address",
                "10.10.11.22:3456",
                "--dr-address",
                "10.50.4.22:3456",
                "--critical");
        agent(LOCAL_AGENT, "crit-local", "10.10.11.22");
        agent(DR_AGENT, "crit-dr", "10.50.4.22");
        backend.start(List.of(LOCAL_AGENT, DR_AGENT));
        awaitWell("local");
        protect(backUp());
    }

    private void agent(String name, String folderName, String host) throws IOException {
        backend.add(
                new ClusterBackend.Machine(
                        name,
                        List.of(host),
                        programs.agentConfig(folderName).resolveSibling("data"),
                        programs.agent(folderName)));
    }

    /** Everything that stands at the local site. */
    List<String> localMachines() {
        return Stream.concat(profile.local().stream(), Stream.of(LOCAL_AGENT)).toList();
    }

    /** Everything that stands at DR. */
    List<String> drMachines() {
        return Stream.concat(profile.dr().stream(), Stream.of(DR_AGENT)).toList();
    }

    /** Everything that does not stand at the local site. */
    List<String> otherMachines() {
        return Stream.concat(drMachines().stream(), profile.witness().stream()).toList();
    }

    /** The link between the sites is down. */
    void partSites() throws IOException {
        backend.partition(localMachines(), drMachines());
    }

    /** The local site is alone. */
    void cutOffLocal() throws IOException {
        backend.partition(localMachines(), otherMachines());
    }

    /** The link is up again. The cut must have stopped something. */
    void joinSites() throws IOException {
        assertThat(backend.heal()).as("packets that the cut has stopped").isPositive();
    }

    // ---------------------------------------------------------------- work

    /** A backup of something new, green at the site where it was made. */
    UUID backUp() throws Exception {
        return backUp(holdfast);
    }

    /** The same, by order of these commands' nodes. */
    UUID backUp(Commands asked) throws Exception {
        TreeChanges.writeRandom(source.resolve("change-" + ++changes), 150_000, 1000 + changes);
        TreeDigest now = TreeDigest.of(source);
        JobView job = ended(asked, asked.startBackup(CLIENT).id());
        assertThat(job.state()).as(job.message()).isEqualTo(JobView.State.COMPLETE);
        UUID piece = job.piece();
        assertThat(piece).isNotNull();
        digests.put(piece, now);
        return piece;
    }

    JobView ended(UUID job) throws Exception {
        return ended(holdfast, job);
    }

    JobView ended(Commands asked, UUID job) throws Exception {
        return await(
                "the end of job " + job,
                () -> asked.job(job),
                j -> j.state() != JobView.State.OPEN);
    }

    /** Waits until a piece is shown DR_PROTECTED: from then on it must never be lost. */
    UUID protect(UUID piece) throws Exception {
        await(
                "piece " + piece + " to be DR_PROTECTED",
                () -> protection(piece),
                p -> p == Protection.DR_PROTECTED);
        note();
        return piece;
    }

    /** Remembers what is shown DR_PROTECTED now. */
    void note() throws Exception {
        for (PieceView piece : holdfast.pieces()) {
            TreeDigest digest = digests.get(piece.piece());
            if (piece.protection() == Protection.DR_PROTECTED && digest != null) {
                shownProtected.put(piece.piece(), digest);
            }
        }
    }

    /** A node that does not know the piece cannot call it protected. */
    Protection protection(UUID piece) throws CommandFailed {
        return holdfast.pieces().stream()
                .filter(p -> p.piece().equals(piece))
                .findFirst()
                .map(PieceView::protection)
                .orElse(Protection.UNPROTECTED);
    }

    /** Restores a piece, whatever its safety, and compares every byte. */
    void assertRestores(UUID piece) throws Exception {
        TreeDigest expected = digests.get(piece);
        assertThat(expected).as("a piece of this scene").isNotNull();
        assertRestores(piece, expected);
    }

    /** Restores a piece that only one scenario knows. */
    void assertRestores(UUID piece, TreeDigest expected) throws Exception {
        Path target = folder.resolve("restored-" + ++restores);
        JobView job = ended(holdfast.startRestore(piece, CLIENT, target).id());
        assertThat(job.state()).as(job.message()).isEqualTo(JobView.State.COMPLETE);
        assertThat(comparer.compare(expected, TreeDigest.of(target)).differences())
                .as("piece %s restored", piece)
                .isEmpty();
    }

    // ---------------------------------------------------------------- waiting

    StatusView awaitStatus(String what, Predicate<StatusView> wish) throws Exception {
        return await(what, holdfast::status, wish);
    }

    /** What a node says of itself, asked alone. */
    StatusView statusOf(String node) throws Exception {
        return holdfast.asking(node).status();
    }

    /** Waits until a node, asked alone, has a role. */
    StatusView awaitRole(String node, String role) throws Exception {
        Commands one = holdfast.asking(node);
        return await(node + " to be " + role, one::status, s -> s.role().equals(role));
    }

    /** The planned way back, from a cluster in which nothing is unprotected any more. */
    void goHome(UUID... others) throws Exception {
        awaitStatus(
                "nothing unprotected",
                s -> s.replication().equals("SYNC") && s.unprotectedPieces() == 0);
        note();
        holdfast.switchover("local");
        allIsWell("local", others);
    }

    /** The change of site was an entry in the one log: the site that returns has nothing of its own. */
    void nothingToSign() throws Exception {
        ReconcileView report = holdfast.reconcile();
        assertThat(report.needsSignature()).isFalse();
        assertThat(report.settings()).isEmpty();
        assertThat(report.merged()).isEmpty();
        assertThat(holdfast.lossLedger().entries()).isEmpty();
    }

    /** Everybody answers and lives in the newest epoch, this site is active, the other follows. */
    StatusView awaitWell(String site) throws Exception {
        return awaitStatus(
                "a well cluster, active at " + site,
                s ->
                        s.activeSite().equals(site)
                                && s.site().equals(site)
                                && s.role().equals("ACTIVE")
                                && s.leader() != null
                                && s.replication().equals("SYNC")
                                && s.members().stream()
                                        .allMatch(m -> m.reachable() && RESTING.contains(m.role()))
                                && s.stores().stream().allMatch(StatusView.Store::reachable));
    }

    <T> T await(String what, Asked<T> asked, Predicate<T> wish) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        @Nullable Object last = "no answer";
        while (System.nanoTime() < end) {
            try {
                T now = asked.get();
                if (wish.test(now)) {
                    return now;
                }
                last = now;
            } catch (CommandFailed notYet) {
                last = notYet.getMessage();
            }
            Thread.sleep(100);
        }
        throw new AssertionError("waited for " + what + "; last seen: " + last + "\n" + logs());
    }

    private String logs() {
        List<String> all = new ArrayList<>(localMachines());
        all.addAll(otherMachines());
        return all.stream()
                .map(m -> "-- " + m + "\n" + String.join("\n", backend.tail(m, 40)))
                .collect(Collectors.joining("\n"));
    }

    /**
     * How every scenario ends: exactly one site is active, nobody lives with a closed lineage, every
     * piece ever shown DR_PROTECTED and these others can be restored with equal bytes, and a new
     * backup becomes DR_PROTECTED.
     */
    void allIsWell(String site, UUID... others) throws Exception {
        StatusView status = awaitWell(site);
        Set<String> active =
                status.members().stream()
                        .filter(m -> m.role().equals("ACTIVE"))
                        .map(StatusView.Member::site)
                        .collect(Collectors.toSet());
        assertThat(active).containsExactly(site);
        for (UUID piece : List.copyOf(shownProtected.keySet())) {
            assertRestores(piece);
        }
        for (UUID piece : others) {
            if (!shownProtected.containsKey(piece)) {
                assertRestores(piece);
            }
        }
        protect(backUp());
    }

    @Override
    public void close() throws IOException {
        backend.close();
        desk.close();
        if (Boolean.getBoolean("holdfast.keep")) {
            System.out.println("kept: " + folder);
            return;
        }
        try {
            new ProcessBuilder("rm", "-rf", "--one-file-system", folder.toString())
                    .start()
                    .waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
