package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.InProcess;
import io.holdfast.chaos.cluster.Launch;
import io.holdfast.chaos.cluster.Training;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.chaos.fault.Required;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.cli.HoldfastCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bad input and bad days, at one cluster of real processes: what a person is told, with which exit
 * code, and what has not changed. The two cases that kill somebody come last.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BadInputIT {
    private static final long ADDRESSES_SECONDS = 180;
    private static final long PATIENCE_SECONDS = 240;
    private static final long FIRST_BIG_BYTES = 192L << 20;
    private static final int BIG_ATTEMPTS = 4;
    private static final String CLIENT = Topology.CRITICAL;
    private static final String AGENT = Topology.agent(Topology.CRITICAL_AGENT);
    private static final String EPOCH = "1.local";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir static Path folder;

    private static ClusterProcesses processes;
    private static Launch launch;
    private static Commands holdfast;
    private static Path cluster;
    private static Path data;
    private static Path passphrase;
    private static UUID earlierPiece;
    private static TreeDigest earlierDigest;
    private static TreeComparer comparer;

    /** What a command answered. */
    private record Said(int exit, String out, String err) {}

    // ------------------------------------------------------------------ the cluster

    @BeforeAll
    static void startTheCluster() throws Exception {
        Topology topology = Topology.of("p2-small");
        awaitFreeAddresses(topology);
        cluster = folder.resolve("cluster");
        data = Files.createDirectories(folder.resolve("systems").resolve(CLIENT).resolve("data"));
        comparer =
                new TreeComparer(
                        ((Number) Files.getAttribute(folder, "unix:uid")).longValue(),
                        ((Number) Files.getAttribute(folder, "unix:gid")).longValue());
        passphrase = Files.writeString(folder.resolve("passphrase.txt"), UUID.randomUUID() + "\n");
        writeFiles();
        Training.prepare(System.out::println);
        processes = new ClusterProcesses(folder.resolve("logs"), () -> {});
        launch = new Launch(processes, cluster);
        holdfast = new Commands(new InProcess(), _ -> {}, cluster);
        holdfast.init("p2-small", passphrase);
        launch.server("l1");
        launch.server("d1");
        awaitStatus("an ACTIVE local site", s -> s.role().equals("ACTIVE") && s.leader() != null);
        holdfast.addClient(CLIENT, data, passphrase, "--address", Topology.CRITICAL_ADDRESS);
        launch.agent(Topology.CRITICAL_AGENT);
        awaitStatus("replication in SYNC", BadInputIT::isWell);
        earlierDigest = TreeDigest.of(data);
        earlierPiece = backUp().piece();
    }

    private static void writeFiles() throws IOException {
        for (int i = 0; i < 20; i++) {
            Path below = Files.createDirectories(data.resolve("folder-" + i % 4));
            TreeChanges.writeRandom(below.resolve("file-" + i), 1 + i * 40_000L, i);
        }
        Files.createSymbolicLink(data.resolve("link"), Path.of("folder-1/file-1"));
    }

    /** Waits for another cluster on this machine to end; skips the class when it does not. */
    private static void awaitFreeAddresses(Topology topology) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(ADDRESSES_SECONDS);
        String taken = taken(topology);
        while (!taken.isEmpty() && System.nanoTime() < until) {
            Thread.sleep(1000);
            taken = taken(topology);
        }
        String reason = taken;
        Required.orSkip(() -> {
            if (!reason.isEmpty()) {
                throw new FaultUnavailable(reason);
            }
            return topology;
        });
    }

    private static String taken(Topology topology) {
        try {
            topology.requireFreeAddresses();
            return "";
        } catch (DrillFailed e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static boolean isWell(StatusView status) {
        return status.role().equals("ACTIVE")
                && status.leader() != null
                && status.replication().equals("SYNC")
                && status.members().stream().allMatch(StatusView.Member::reachable)
                && status.stores().stream().allMatch(StatusView.Store::reachable);
    }

    @AfterAll
    static void endTheCluster() {
        if (processes != null) {
            processes.close();
        }
    }

    // ------------------------------------------------------------------ bad input

    @Test
    @Order(1)
    void anUnknownClientIsNamed() {
        Said said = say("backup", "nobody");
        assertThat(said.exit()).as(said.err()).isEqualTo(1);
        assertThat(said.err()).contains("There is no client 'nobody'").contains("client list");
        assertThat(said.out()).isEmpty();
    }

    @Test
    @Order(2)
    void anIdentifierThatCannotBeReadIsShownWithThePosition() {
        Said said = run("identifier", "parse", "127.10.11.22:99999?READ?/home");
        assertThat(said.exit()).as(said.err()).isEqualTo(2);
        assertThat(said.err()).contains("127.10.11.22:99999?READ?/home").contains("position 13");
        assertThat(said.out()).isEmpty();
    }

    @Test
    @Order(3)
    void aMissingSourceFailsTheJobAndIsNamed() throws Exception {
        Path missing = folder.resolve("systems").resolve("not-mounted");
        Said said = say("backup", CLIENT, "--source", missing.toString());
        assertThat(said.exit()).as(said.err() + said.out()).isEqualTo(1);
        assertThat(said.out())
                .contains("FAILED")
                .contains("Source " + missing + " does not exist on this system");
        assertThat(holdfast.pieces()).extracting(PieceView::piece).containsExactly(earlierPiece);
    }

    @Test
    @Order(4)
    void aWrongPassphraseAddsNothing() throws Exception {
        Path wrong = Files.writeString(folder.resolve("wrong.txt"), "not the passphrase\n");
        Set<String> agents = names(cluster.resolve("agents"));
        TreeDigest authorities = TreeDigest.of(cluster.resolve("ca"));
        String clients = say("client", "list", "--json").out();
        Said said =
                say(
                        "client",
                        "add",
                        "late",
                        "--address",
                        Topology.OTHER_ADDRESS,
                        "--source",
                        data.toString(),
                        "--passphrase-file",
                        wrong.toString());
        assertThat(said.exit()).as(said.err()).isEqualTo(1);
        assertThat(said.err())
                .contains("The passphrase does not open domain key")
                .contains("client late was not added");
        assertThat(names(cluster.resolve("agents"))).isEqualTo(agents);
        assertThat(comparer.compare(authorities, TreeDigest.of(cluster.resolve("ca"))).same())
                .isTrue();
        assertThat(say("client", "list", "--json").out()).isEqualTo(clients).contains(CLIENT);
    }

    // ------------------------------------------------------------------ refused

    @Test
    @Order(5)
    void aSecondServerEndsBecauseThePortIsTaken() throws Exception {
        try (ClusterProcesses second =
                new ClusterProcesses(folder.resolve("logs-second"), () -> {})) {
            new Launch(second, cluster).server("l1");
            ClusterProcesses.Running server = second.get("l1");
            assertThat(server.process().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
            String log = Files.readString(server.log());
            assertThat(server.process().exitValue()).as(log).isEqualTo(1);
            assertThat(log.lines().toList())
                    .as(log)
                    .anyMatch(l ->
                            l.contains("127.10.11.44") && l.contains("Address already in use"));
            assertThat(log).doesNotContain("This is a bug").doesNotContain("listens on");
        }
        assertThat(processes.isAlive("l1")).isTrue();
        assertThat(awaitStatus("a cluster that is well", BadInputIT::isWell).epoch())
                .isEqualTo(EPOCH);
    }

    @Test
    @Order(6)
    void failoverWhileLocalLivesNeedsForce() throws Exception {
        Said said = say("failover", "--yes");
        assertThat(said.exit()).as(said.err()).isEqualTo(3);
        assertThat(said.err())
                .contains("Failover at d1 refused")
                .contains("Node l1 of site local answers")
                .contains("--force");
        StatusView status = awaitStatus("a cluster that is well", BadInputIT::isWell);
        assertThat(status.epoch()).isEqualTo(EPOCH);
        assertThat(status.activeSite()).isEqualTo("local");
        assertThat(status.leader()).isEqualTo("l1");
    }

    @Test
    @Order(7)
    void aWriteAtAStandbyIsSentOnToTheLeader() throws Exception {
        Said said = runWith(contextOf("d1"), "backup", CLIENT);
        assertThat(said.exit()).as(said.err()).isEqualTo(0);
        assertThat(said.out()).contains("COMPLETE").contains("epoch " + EPOCH);
        assertThat(holdfast.pieces()).hasSize(2);
    }

    @Test
    @Order(8)
    void anOperatorOfAnotherClusterIsRefused() throws Exception {
        Path foreign = folder.resolve("foreign");
        Said made =
                run(
                        "init",
                        foreign.toString(),
                        "--name",
                        "foreign",
                        "--profile",
                        "p2-small",
                        "--passphrase-file",
                        passphrase.toString());
        assertThat(made.exit()).as(made.err()).isEqualTo(0);
        int jobs = jobs();

        Said said = runWith(foreign.resolve("operator/context.json"), "backup", CLIENT);
        assertThat(said.exit()).as(said.err()).isEqualTo(1);
        assertThat(said.err()).contains("do not trust each other").contains("nothing was done");

        // Nor is a stranger let in who trusts every server: the same request, two certificates.
        assertThat(get("/api/v1/status", holdfast.context().resolveSibling("identity")))
                .startsWith("HTTP/1.1 200");
        assertThatThrownBy(() -> get("/api/v1/status", foreign.resolve("operator/identity")))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("certificate");

        assertThat(jobs()).isEqualTo(jobs);
    }

    // ------------------------------------------------------------------ bad days

    @Test
    @Order(9)
    void anAgentKilledInMidJobEndsTheJobAndBacksUpAgain() throws Exception {
        JobView job = startBig("agent");
        processes.kill(List.of(AGENT));
        launch.agent(Topology.CRITICAL_AGENT);
        JobView ended = awaitEnd(job.id());
        assertThat(ended.state()).as(ended.message()).isEqualTo(JobView.State.FAILED);
        assertThat(ended.message())
                .contains("The agent restarted while job " + job.id() + " was running");
        assertThat(holdfast.pieces()).extracting(PieceView::piece).doesNotContain(job.piece());

        TreeDigest now = TreeDigest.of(data);
        JobView again = backUp();
        assertRestores(again.piece(), now, "after-agent");
    }

    @Test
    @Order(10)
    void aServerKilledInMidJobLosesNothingAcknowledged() throws Exception {
        List<UUID> acknowledged = holdfast.pieces().stream().map(PieceView::piece).toList();
        JobView job = startBig("server");
        TreeDigest now = TreeDigest.of(data);
        processes.kill(List.of("l1"));

        // Nobody leads now: a write is certainly not done, and says so.
        Said said = runWith(contextOf("d1"), "backup", CLIENT);
        assertThat(said.exit()).as(said.err()).isIn(1, 3);
        assertThat(said.err()).containsAnyOf("nothing was done", "Refused at node d1");

        launch.server("l1");
        JobView ended = awaitEnd(job.id());
        assertThat(ended.state()).isNotEqualTo(JobView.State.OPEN);
        if (!ended.state().succeeded()) {
            assertThat(ended.message()).isNotBlank();
        }
        awaitStatus("a cluster that is well", BadInputIT::isWell);
        assertThat(holdfast.pieces()).extracting(PieceView::piece).containsAll(acknowledged);
        assertRestores(earlierPiece, earlierDigest, "earlier");
        UUID newest = ended.state().succeeded() ? ended.piece() : backUp().piece();
        assertRestores(newest, now, "newest");
        assertThat(holdfast.status().epoch()).isEqualTo(EPOCH);
    }

    /** A backup of a big new file that is under way: some of it is durable at the storage. */
    private static JobView startBig(String name) throws Exception {
        long bytes = FIRST_BIG_BYTES;
        for (int attempt = 1; attempt <= BIG_ATTEMPTS; attempt++) {
            Path big = data.resolve(name + ".bin");
            TreeChanges.writeRandom(big, bytes, name.hashCode() + attempt);
            JobView job = holdfast.startBackup(CLIENT);
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (job.state() == JobView.State.OPEN && System.nanoTime() < until) {
                if (job.progress().chunksDurable() > 0) {
                    return job;
                }
                pause();
                job = holdfast.job(job.id());
            }
            assertThat(job.state()).as("faster than the eye").isEqualTo(JobView.State.COMPLETE);
            bytes *= 2;
        }
        return fail("no backup was slow enough to be killed under way");
    }

    // ------------------------------------------------------------------ tools

    private static JobView backUp() throws CommandFailed {
        JobView job = holdfast.backup(CLIENT, false);
        assertThat(job.state()).as(job.message()).isEqualTo(JobView.State.COMPLETE);
        return job;
    }

    private static void assertRestores(UUID piece, TreeDigest expected, String name)
            throws Exception {
        Path target = folder.resolve("restored").resolve(name);
        JobView job = awaitEnd(holdfast.startRestore(piece, CLIENT, target).id());
        assertThat(job.state()).as(job.message()).isEqualTo(JobView.State.COMPLETE);
        assertThat(comparer.compare(expected, TreeDigest.of(target)).differences()).isEmpty();
    }

    private static JobView awaitEnd(UUID id) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        String last = "no answer";
        while (System.nanoTime() < until) {
            try {
                JobView job = holdfast.job(id);
                if (job.state() != JobView.State.OPEN) {
                    return job;
                }
                last = job.toString();
            } catch (CommandFailed notYet) {
                last = notYet.getMessage();
            }
            pause();
        }
        return fail("job %s did not end; last seen: %s%n%s", id, last, logs());
    }

    private interface Wish {
        boolean test(StatusView status);
    }

    private static StatusView awaitStatus(String what, Wish wish) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        String last = "no answer";
        while (System.nanoTime() < until) {
            for (String name : processes.names()) {
                assertThat(processes.isAlive(name)).as("%s runs%n%s", name, logs()).isTrue();
            }
            try {
                StatusView status = holdfast.status();
                if (wish.test(status)) {
                    return status;
                }
                last = status.toString();
            } catch (CommandFailed notYet) {
                last = notYet.getMessage();
            }
            pause();
        }
        return fail("waited for %s; last seen: %s%n%s", what, last, logs());
    }

    /** The last words of every process. */
    private static String logs() {
        return processes.names().stream()
                .map(name -> "-- " + name + "\n" + String.join("\n", processes.tail(name, 25)))
                .collect(Collectors.joining("\n"));
    }

    /** A context of this cluster that knows one node only; its paths are relative to its folder. */
    private static Path contextOf(String node) throws IOException {
        ObjectNode context = (ObjectNode) JSON.readTree(Files.readString(holdfast.context()));
        ArrayNode nodes = (ArrayNode) context.get("nodes");
        nodes.removeIf(n -> !n.get("id").asText().equals(node));
        assertThat(nodes).hasSize(1);
        return Files.writeString(
                holdfast.context().resolveSibling("only-" + node + ".json"), context.toString());
    }

    /** What node l1 answers to whoever has this identity and asks for nobody's. */
    private static String get(String path, Path identity) throws Exception {
        TlsMaterial own = TlsMaterial.load(identity);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry(
                "own", own.key(), new char[0], own.chain().toArray(X509Certificate[]::new));
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, new char[0]);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(factory.getKeyManagers(), new TrustManager[] {new TrustsAll()}, null);
        try (Socket socket = context.getSocketFactory().createSocket("127.10.11.44", 8443)) {
            socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(60));
            String request = "GET " + path + " HTTP/1.1\r\nHost: l1\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readNBytes(64), StandardCharsets.US_ASCII);
        }
    }

    private static final class TrustsAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    private static int jobs() throws Exception {
        Said said = say("jobs", "--json", "--limit", "1000");
        assertThat(said.exit()).as(said.err()).isEqualTo(0);
        return JSON.readTree(said.out()).size();
    }

    private static Set<String> names(Path parent) throws IOException {
        try (Stream<Path> entries = Files.list(parent)) {
            return entries.map(p -> p.getFileName().toString())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    /** A command to this cluster, as this operator. */
    private static Said say(String... args) {
        return runWith(holdfast.context(), args);
    }

    private static Said runWith(Path context, String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--context", context.toString()));
        return run(all.toArray(String[]::new));
    }

    private static Said run(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit =
                HoldfastCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
        return new Said(exit, out.toString(), err.toString());
    }

    private static void pause() throws InterruptedException {
        Thread.sleep(100);
    }
}
