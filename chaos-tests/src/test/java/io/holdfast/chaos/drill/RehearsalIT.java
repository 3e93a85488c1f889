package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.holdfast.agent.proto.v1.DescribeRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.Commands.Said;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.fault.BitFlip;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.RehearsalView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.StatusView;
import io.holdfast.node.init.OperatorContext;
import io.holdfast.node.rest.RestClient;
import io.holdfast.replication.site.SiteClient;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Rehearsals beside production that goes on: what they measure and restore, and that production is
 * afterwards what it was, but for a report. Both sites and both agents are processes of their own. The
 * last of the tests damages the storage at DR.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RehearsalIT {
    private static final int NETWORK = 27;
    private static final int REFUSED = 3;
    private static final Epoch FAR_AHEAD = new Epoch(99, Site.DR);

    private SmallCluster cluster;
    private Commands holdfast;
    private OperatorContext operator;
    private Path home;
    private UUID first;
    private TreeDigest firstDigest;

    @BeforeAll
    void aClusterWithTwoProtectedPieces() throws Exception {
        cluster = new SmallCluster(NETWORK);
        holdfast = cluster.holdfast;
        operator = OperatorContext.read(holdfast.context());
        home = operator.clusterDir();
        firstDigest = TreeDigest.of(cluster.source);
        first = cluster.backup();
        TreeChanges.writeRandom(cluster.source.resolve("more"), 400_000, 5);
        cluster.backup();
        settle();
    }

    @AfterAll
    void end() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
    }

    /** Nothing is on its way between the sites. */
    private StatusView settle() throws Exception {
        return cluster.awaitStatus(s ->
                s.role().equals("ACTIVE")
                        && s.replication().equals("SYNC")
                        && s.openJobs() == 0
                        && s.unprotectedPieces() == 0
                        && s.rpoSeconds() == 0
                        && s.members().stream()
                                        .map(StatusView.Member::appliedIndex)
                                        .distinct()
                                        .count()
                                == 1
                        && s.stores().stream().map(StatusView.Store::chunks).distinct().count()
                                == 1);
    }

    private Path sandbox() {
        return cluster.launch.store("d1").resolveSibling("rehearsal");
    }

    private Path agentData(String agent) {
        return home.resolve("agents").resolve(agent).resolve("data");
    }

    // ---------------------------------------------------------------- what production is

    /** A file, or every file below a folder, and its bytes. */
    private static Map<String, Integer> files(Path folder) throws IOException {
        Map<String, Integer> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.toList()) {
                files.put(
                        path.toString(),
                        Files.isRegularFile(path) ? Arrays.hashCode(Files.readAllBytes(path)) : 0);
            }
        }
        return files;
    }

    /** What both nodes and both agents decide by: whom they promised, what they are, what they keep. */
    private Map<String, Integer> decisions() throws IOException {
        Map<String, Integer> all = new TreeMap<>();
        for (String node : List.of("l1", "d1")) {
            Path data = cluster.launch.store(node).getParent();
            for (String name : List.of("promise", "role.json", "site")) {
                assertThat(data.resolve(name)).exists();
                all.putAll(files(data.resolve(name)));
            }
            try (Stream<Path> lineages = Files.list(data.resolve("raft").resolve("lineages"))) {
                all.put("lineages of " + node, lineages.sorted().toList().hashCode());
            }
            try (Stream<Path> names = Files.list(data)) {
                all.put("folders of " + node, names.sorted().toList().hashCode());
            }
        }
        for (String agent : List.of("crit-local", "crit-dr")) {
            all.putAll(files(agentData(agent).resolve("epoch")));
        }
        return all;
    }

    /** The bytes of both stores. */
    private Map<String, Integer> stores() throws IOException {
        Map<String, Integer> all = new TreeMap<>();
        for (String node : List.of("l1", "d1")) {
            all.putAll(files(cluster.launch.store(node)));
        }
        return all;
    }

    /** What the record says, without reports of rehearsals and the places in the log. */
    private record Recorded(
            String epoch,
            UUID lineage,
            String active,
            List<String> roles,
            List<ResourceView> resources,
            List<JobView> jobs,
            List<PieceView> pieces,
            List<Long> catalogs) {}

    private Recorded recorded() throws Exception {
        StatusView status = holdfast.status();
        return new Recorded(
                status.epoch(),
                status.lineage(),
                status.activeSite(),
                status.members().stream().map(m -> m.node() + m.role() + m.epoch()).toList(),
                resources().stream().filter(r -> !r.type().equals("rehearsal")).toList(),
                holdfast.jobs(),
                holdfast.pieces(),
                status.catalogs().stream().map(StatusView.CatalogState::pieces).toList());
    }

    private List<ResourceView> resources() throws IOException {
        TlsMaterial tls = TlsMaterial.load(operator.identity());
        try (HttpClient pool = RestClient.pool(tls)) {
            return RestClient.of(pool, tls, operator.nodes(Site.LOCAL).getFirst().rest())
                    .resources(null);
        }
    }

    // ---------------------------------------------------------------- what can be seen meanwhile

    /** Looks for traces of a sandbox until it is closed. */
    private final class Lookout implements AutoCloseable {
        private final Set<String> ports = new TreeSet<>();
        private final Set<Path> folders = new HashSet<>();
        private final Thread thread;
        private volatile boolean closed;

        Lookout() {
            thread =
                    Thread.ofPlatform()
                            .start(() -> {
                                while (!closed) {
                                    look();
                                }
                            });
        }

        private void look() {
            try {
                ports.addAll(listening());
                for (Path one : List.of(sandbox(), agentData("crit-dr").resolve("rehearsal"))) {
                    if (Files.exists(one)) {
                        folders.add(one);
                    }
                }
                Thread.sleep(5);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            closed = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ports at which something listens at DR's address, as the kernel writes them. */
    private static Set<String> listening() throws IOException {
        String here = String.format("%02X%02X%02X%02X:", 4, 2, NETWORK, 127);
        Set<String> ports = new TreeSet<>();
        for (String table : List.of("tcp", "tcp6")) {
            for (String line : Files.readAllLines(Path.of("/proc/net", table))) {
                String[] words = line.strip().split("\\s+");
                if (words[3].equals("0A") && words[1].contains(here)) {
                    ports.add(words[1].substring(words[1].indexOf(':') + 1));
                }
            }
        }
        return ports;
    }

    private void assertNothingIsLeft(Set<String> portsBefore) throws IOException {
        assertThat(sandbox()).doesNotExist();
        for (String agent : List.of("crit-local", "crit-dr")) {
            assertThat(agentData(agent).resolve("rehearsal")).doesNotExist();
        }
        assertThat(listening()).isEqualTo(portsBefore);
    }

    private void assertPassed(RehearsalView report) throws CommandFailed {
        assertThat(report.problems()).isEmpty();
        assertThat(report.gaps()).isEmpty();
        assertThat(report.verdict()).isEqualTo(RehearsalView.Verdict.PASSED);
        assertThat(report.node()).isEqualTo("d1");
        assertThat(report.productionUntouched()).isTrue();
        assertThat(report.notStored()).isNull();
        assertThat(report.sandboxEpoch()).endsWith(".dr");
        assertThat(report.productionEpoch()).isEqualTo(holdfast.status().epoch()).endsWith("local");
        assertThat(report.sandboxLineage()).isNotEqualTo(holdfast.status().lineage());
        assertThat(report.clients())
                .singleElement()
                .satisfies(client -> {
                    assertThat(client.fate()).isEqualTo("GOES_ON");
                    assertThat(client.agent()).isEqualTo(cluster.dr(22) + ":3456");
                });
        RehearsalView.Rto rto = report.rto();
        assertThat(rto.writable()).isNotNull().isPositive();
        assertThat(rto.firstCritical()).isNotNull().isGreaterThanOrEqualTo(rto.writable());
        assertThat(rto.firstByte()).isNotNull().isGreaterThanOrEqualTo(rto.writable());
        assertThat(rto.samples()).isNotNull().isGreaterThanOrEqualTo(rto.firstByte());
        assertThat(report.samples())
                .isNotEmpty()
                .allSatisfy(sample -> {
                    assertThat(sample.how()).isEqualTo("RESTORED");
                    assertThat(sample.agent()).isEqualTo(SmallCluster.CLIENT);
                    assertThat(sample.files()).isGreaterThanOrEqualTo(200);
                    assertThat(sample.bytes()).isGreaterThan(6_000_000);
                    assertThat(sample.hashes()).isGreaterThanOrEqualTo(200);
                    assertThat(sample.problems()).isEmpty();
                });
    }

    // ---------------------------------------------------------------- tests

    @Test
    @Order(1)
    void aRehearsalLeavesAReportAndNothingElse() throws Exception {
        Recorded recorded = recorded();
        Map<String, Integer> decisions = decisions();
        Map<String, Integer> stores = stores();
        Set<String> ports = listening();
        RehearsalView report;
        Lookout lookout = new Lookout();
        try (lookout) {
            report = holdfast.rehearse();
        }
        assertPassed(report);
        assertThat(report.snapshot().protectedPieces()).isEqualTo(2);
        assertThat(report.samples()).hasSize(2);
        // There was something that had to be taken away: two ports, and a folder at node and agent.
        assertThat(lookout.ports).containsAll(ports).hasSizeGreaterThanOrEqualTo(ports.size() + 2);
        assertThat(lookout.folders)
                .containsExactlyInAnyOrder(sandbox(), agentData("crit-dr").resolve("rehearsal"));
        assertNothingIsLeft(ports);

        settle();
        assertThat(recorded()).isEqualTo(recorded);
        assertThat(decisions()).isEqualTo(decisions);
        assertThat(stores()).isEqualTo(stores);

        assertThat(resources())
                .filteredOn(r -> r.type().equals("rehearsal"))
                .extracting(ResourceView::id)
                .containsExactly(report.id());
        assertThat(holdfast.rehearsals()).containsExactly(report);
        assertThat(holdfast.rehearsal(report.id())).isEqualTo(report);
        assertThat(cluster.says(0, "rehearse", "list")).contains(report.id().toString(), "PASSED");
        assertThat(cluster.says(0, "rehearse", "show", report.id().toString()))
                .contains(
                        "REHEARSAL PASSED",
                        report.id().toString(),
                        "production stays in " + report.productionEpoch() + ", untouched");
        // The record has it at DR too: that is where it is read in earnest.
        assertThat(holdfast.asking("d1").rehearsals()).containsExactly(report);
    }

    @Test
    @Order(2)
    void productionGoesOnBackingUp() throws Exception {
        String epoch = holdfast.status().epoch();
        Map<String, Integer> decisions = decisions();
        Set<String> ports = listening();
        List<JobView> meanwhile = new ArrayList<>();
        RehearsalView report;
        TreeDigest digest = firstDigest;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<RehearsalView> rehearsal = threads.submit(holdfast::rehearse);
            for (int i = 0; !rehearsal.isDone(); i++) {
                TreeChanges.writeRandom(cluster.source.resolve("meanwhile"), 200_000, 50 + i);
                digest = TreeDigest.of(cluster.source);
                JobView job = holdfast.backup(SmallCluster.CLIENT, false);
                assertThat(job.state()).as(job.message()).isEqualTo(JobView.State.COMPLETE);
                meanwhile.add(job);
            }
            report = rehearsal.get();
        }
        assertPassed(report);
        double began = report.started().micros() / 1e6;
        assertThat(meanwhile)
                .as("backups from begin to end within the rehearsal")
                .anyMatch(job ->
                        job.started().micros() / 1e6 > began
                                && job.ended().micros() / 1e6 < began + report.seconds());
        settle();
        assertNothingIsLeft(ports);
        assertThat(holdfast.status().epoch()).isEqualTo(epoch);
        assertThat(decisions()).isEqualTo(decisions);
        cluster.restoresTo(meanwhile.getLast().piece(), digest, "meanwhile");
        cluster.restoresTo(first, firstDigest, "first");
    }

    @Test
    @Order(3)
    void aSecondOneAtTheSameTimeIsRefused() throws Exception {
        int before = holdfast.rehearsals().size();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<RehearsalView> one = threads.submit(holdfast::rehearse);
            cluster.await(() -> Files.exists(sandbox()) || one.isDone(), seen -> seen);
            Said second = holdfast.say("rehearse");
            assertThat(one.isDone()).as("the first one was over already").isFalse();
            assertThat(second.exit()).as(second.err()).isEqualTo(REFUSED);
            assertThat(second.err())
                    .contains("Refused a rehearsal at node d1", "another rehearsal is under way");
            assertPassed(one.get());
        }
        assertThat(holdfast.rehearsals()).hasSize(before + 1);
    }

    @Test
    @Order(4)
    void productionRefusesARehearsalByItsType() throws Exception {
        settle();
        Map<String, Integer> decisions = decisions();
        Recorded recorded = recorded();
        Path rehearsal = home.resolve("nodes/d1/rehearsal-identity");
        refusedAsOperator(rehearsal);
        RequestContext drill = Wire.rehearsal(operator.cluster(), FAR_AHEAD);
        RequestContext plain = Wire.context(operator.cluster(), FAR_AHEAD);
        try (ChannelCache sandbox = new ChannelCache(TlsMaterial.load(rehearsal));
                ChannelCache node =
                        new ChannelCache(TlsMaterial.load(home.resolve("nodes/l1/identity")))) {
            // By certificate, whatever the token says; by token, whatever the certificate says.
            refusedByAgentsAndStorages(sandbox, plain);
            refusedByAgentsAndStorages(sandbox, drill);
            refusedByAgentsAndStorages(node, drill);
            for (String host : List.of(cluster.local(44), cluster.dr(4))) {
                SiteClient site =
                        new SiteClient(
                                sandbox.channel(Endpoint.of(host, 9872), Set.of(PeerIdentity.NODE)),
                                Duration.ofSeconds(10));
                assertThat(refusal(catchThrowable(() -> site.describe(Optional.of(FAR_AHEAD)))))
                        .isEqualTo(ErrorDetail.Code.REHEARSAL);
            }
        }
        assertThat(decisions()).as("99.dr moved nobody").isEqualTo(decisions);
        assertThat(recorded()).isEqualTo(recorded);
        cluster.backup();
    }

    /** It does not even shake hands. What it asked for is not done: the record is compared later. */
    private void refusedAsOperator(Path rehearsal) throws Exception {
        for (String[] nodes : new String[][] {{"l1"}, {"d1"}, {"l1", "d1"}}) {
            Commands asking = holdfast.asking(nodes);
            assertThat(asking.say("status").exit()).isZero();
            Path context = asking.context();
            String right = Files.readString(context);
            String other =
                    right.replace(
                            "\"identity\":\"identity\"", "\"identity\":\"" + rehearsal + "\"");
            assertThat(other).isNotEqualTo(right);
            Files.writeString(context, other);
            for (String command : List.of("status", "backup crit", "rehearse")) {
                Said said = asking.say(command.split(" "));
                assertThat(said.exit()).as(command + ": " + said.out()).isNotZero();
                assertThat(said.err()).as(command).contains("do not trust each other");
            }
            assertThat(asking.say("failover", "--yes", "--force").exit()).isNotZero();
        }
    }

    private void refusedByAgentsAndStorages(ChannelCache as, RequestContext context) {
        for (String agent : List.of(cluster.local(22), cluster.dr(22))) {
            MediaAgentGrpc.MediaAgentBlockingStub stub =
                    MediaAgentGrpc.newBlockingStub(
                            as.channel(Endpoint.of(agent, 3456), Set.of(PeerIdentity.AGENT)));
            DescribeRequest describe = DescribeRequest.newBuilder().setContext(context).build();
            assertThat(refusal(catchThrowable(() -> stub.describe(describe))))
                    .as("agent %s", agent)
                    .isEqualTo(ErrorDetail.Code.REHEARSAL);
        }
        for (Endpoint at :
                List.of(Endpoint.of(cluster.local(44), 6543), Endpoint.of(cluster.dr(4), 3456))) {
            StorageClient storage =
                    new StorageClient(
                            as.channel(at, Set.of(PeerIdentity.NODE, PeerIdentity.STORAGE)),
                            () -> context,
                            StorageClient.Options.DEFAULT);
            assertThat(refusal(catchThrowable(storage::status)))
                    .as("storage %s", at)
                    .isEqualTo(ErrorDetail.Code.REHEARSAL);
        }
    }

    private static ErrorDetail.Code refusal(Throwable thrown) {
        assertThat(thrown).isNotNull();
        RemoteException told =
                thrown instanceof RemoteException already ? already : Errors.of(thrown);
        assertThat(told).isInstanceOf(RemoteException.Refused.class);
        return ((RemoteException.Refused) told).code();
    }

    @Test
    @Order(5)
    void aNodeThatDiesInItsMidstCleansUpWhenItIsBack() throws Exception {
        Map<String, Integer> decisions = decisions();
        List<UUID> reports = holdfast.rehearsals().stream().map(RehearsalView::id).toList();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Said> killed = threads.submit(() -> holdfast.say("rehearse", "--json"));
            cluster.await(
                    () -> Files.exists(sandbox().resolve("raft")) || killed.isDone(), seen -> seen);
            cluster.processes.kill(List.of("d1"));
            assertThat(sandbox()).as("what it leaves").exists();
            assertThat(killed.get().exit()).as(killed.get().err()).isNotZero();
        }
        // Production at the other site did not even notice.
        cluster.backup();
        cluster.launch.server("d1");
        cluster.await(() -> Files.exists(sandbox()), there -> !there);
        // It cleans up before it takes requests.
        cluster.await(() -> holdfast.asking("d1").status(), s -> s.role().equals("STANDBY"));
        settle();
        assertThat(decisions()).isEqualTo(decisions);
        assertThat(holdfast.rehearsals()).extracting(RehearsalView::id).isEqualTo(reports);
        assertPassed(holdfast.rehearse());
    }

    @Test
    @Order(6)
    void aScheduleStartsIt() throws Exception {
        settle();
        int before = holdfast.rehearsals().size();
        cluster.says(0, "rehearse", "schedule", "often", "--cron", "* * * * *");
        List<RehearsalView> reports =
                cluster.await(holdfast::rehearsals, all -> all.size() > before);
        cluster.says(0, "rehearse", "schedule", "often", "--cron", "0 4 1 1 *");
        assertPassed(reports.getFirst());
    }

    @Test
    @Order(7)
    void whatIsDamagedAtDrIsFoundAndNamed() throws Exception {
        TreeChanges.writeRandom(cluster.source.resolve("last"), 6 << 20, 6);
        UUID damaged = cluster.backup();
        settle();
        Path pack = packs("d1").getLast();
        // Among the last chunks of that file, well before the manifest at the very end.
        BitFlip.flip(pack, -(2L << 20), 2);
        Said said = holdfast.say("rehearse", "--json");
        assertThat(said.exit()).as(said.err()).isEqualTo(1);
        RehearsalView report = holdfast.rehearsals().getFirst();
        assertThat(report.verdict()).isEqualTo(RehearsalView.Verdict.FAILED);
        assertThat(report.problems()).isNotEmpty().allMatch(p -> p.contains(damaged.toString()));
        assertThat(report.samples())
                .filteredOn(sample -> !sample.problems().isEmpty())
                .extracting(RehearsalView.Sample::piece)
                .containsExactly(damaged);
        assertThat(report.productionUntouched()).isTrue();
        assertThat(sandbox()).doesNotExist();
    }

    private List<Path> packs(String node) throws IOException {
        try (Stream<Path> all = Files.walk(cluster.launch.store(node))) {
            return all.filter(p -> p.toString().endsWith(".pack"))
                    .sorted()
                    .collect(Collectors.toList());
        }
    }
}
