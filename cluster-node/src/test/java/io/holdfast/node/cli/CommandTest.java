package io.holdfast.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.agent.pki.Pem;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.chunk.DomainKey;
import io.holdfast.chunk.KeySlot;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.StepView;
import io.holdfast.node.init.ClientEnrolment;
import io.holdfast.node.init.ClusterFiles;
import io.holdfast.node.init.ClusterInit;
import io.holdfast.node.init.SeedFile;
import io.holdfast.node.rest.FakeNodeApi;
import io.holdfast.node.rest.RestServer;
import io.holdfast.standard.ClientResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Json;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command against a cluster of fakes: a real folder by init, real TLS, two nodes. */
class CommandTest {
    @TempDir static Path temp;
    private static Path cluster;
    private static Path passphrase;
    private static Path context;
    private static final FakeNodeApi LOCAL = new FakeNodeApi("l1", "ACTIVE", true);
    private static final FakeNodeApi DR = new FakeNodeApi("d1", "STANDBY", false);
    private static final List<RestServer> SERVERS = new ArrayList<>();

    private record Result(int code, String out, String err) {
        JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    private static Result holdfast(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = HoldfastCommand.run(new PrintWriter(out), new PrintWriter(err), args);
        return new Result(code, out.toString(), err.toString());
    }

    private static Result asked(String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--context", context.toString()));
        return holdfast(all.toArray(String[]::new));
    }

    @BeforeAll
    static void start() throws IOException {
        cluster = temp.resolve("cluster");
        passphrase = Files.writeString(temp.resolve("passphrase"), "correct horse\nrest\n");
        Result init =
                holdfast(
                        "init",
                        cluster.toString(),
                        "--name",
                        "acme",
                        "--passphrase-file",
                        passphrase.toString());
        assertThat(init.code()).as(init.err()).isZero();
        String text = Files.readString(ClusterFiles.context(cluster));
        for (String node : List.of("l1", "d1")) {
            RestServer server =
                    RestServer.start(
                            "127.0.0.1",
                            0,
                            TlsMaterial.load(cluster.resolve("nodes/" + node + "/identity")),
                            node.equals("l1") ? LOCAL : DR);
            SERVERS.add(server);
            text =
                    text.replace(
                            node.equals("l1") ? "127.10.11.44:8443" : "127.50.4.4:8443",
                            "127.0.0.1:" + server.port());
        }
        context = Files.writeString(cluster.resolve("operator/test.json"), text);
    }

    @AfterAll
    static void stop() {
        SERVERS.forEach(RestServer::close);
    }

    @BeforeEach
    void clear() throws IOException {
        for (FakeNodeApi node : List.of(LOCAL, DR)) {
            node.asked.clear();
            node.problem = null;
            node.meanwhile = () -> {};
            node.steps = List::of;
            node.outcome = JobView.State.COMPLETE;
            node.level = Level.PROTECTED;
            node.safety = safety("dr-data", null, false);
            node.resources.clear();
            for (Resource resource : SeedFile.read(cluster.resolve("resources.json"))) {
                node.resources.add(ResourceView.of(resource, 1));
            }
        }
    }

    @Test
    void aBackupIsStartedAtTheWritableNodeAndWatchedToItsEnd() throws IOException {
        Result r = asked("backup", "crit", "--full");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.out()).contains("Full backup of crit: COMPLETE", "ratio 8.0", "-> 127.50.4.4");
        assertThat(LOCAL.asked).contains("backup crit full null op as operator operator");
        assertThat(DR.asked).containsOnly("health");
        assertThat(asked("backup", "crit", "--no-wait", "--json").json().get("state").asText())
                .isEqualTo("OPEN");
        LOCAL.outcome = JobView.State.FAILED;
        r = asked("backup", "crit", "--source", "/x");
        assertThat(r.code()).isEqualTo(ExitCode.FAILED);
        assertThat(r.out()).contains("Source /x does not exist.");
        assertThat(ExitCode.UNKNOWN)
                .isEqualTo(Jobs.exitCode(LOCAL.jobIn(JobView.State.CHECKPOINTED)));
        LOCAL.outcome = JobView.State.COMPLETE_WITH_WARNINGS;
        assertThat(asked("backup", "crit").code()).isZero();
    }

    private static JobView.Safety safety(String reached, String waitsFor, boolean away) {
        boolean known = !reached.equals("local");
        return new JobView.Safety(
                known ? Level.PROTECTED : Level.UNPROTECTED,
                known ? null : FakeNodeApi.RISK,
                "dr-data",
                reached,
                waitsFor == null,
                waitsFor,
                away);
    }

    @Test
    void aBackupIsWaitedForUntilItIsGreen() throws IOException {
        Result r = asked("backup", "crit");
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("COMPLETE, 1 warnings, green (dr-data)");

        // Nothing is on its way: five seconds, and the truth.
        LOCAL.safety = safety("local", "dr-data", true);
        r = asked("backup", "crit");
        assertThat(r.code()).isEqualTo(ExitCode.UNKNOWN);
        assertThat(r.out())
                .contains("COMPLETE, 1 warnings, waiting for dr-data")
                .contains("record   UNPROTECTED: RPO at risk since")
                .contains("12 changes, 3.4 MB");
        LOCAL.asked.clear();
        r = asked("backup", "crit", "--wait-for", "local");
        assertThat(r.code()).as("whatever the policy says").isZero();
        assertThat(r.out()).contains("waiting for dr-data");
        LOCAL.safety = safety("dr-log", "dr-data", true);
        assertThat(asked("backup", "crit", "--wait-for", "dr-log").code()).isZero();
        assertThat(asked("backup", "crit", "--no-wait").code()).isZero();
        assertThat(asked("backup", "crit", "--wait-for", "mars").code()).isEqualTo(ExitCode.USAGE);
        assertThat(asked("jobs").out()).contains("COMPLETE, waiting for dr-data", "RECORD");
        assertThat(asked("jobs", "--json").json().get(0).get("safety").get("green").asBoolean())
                .isFalse();

        // It becomes green while it is waited for.
        LOCAL.safety = safety("local", "dr-data", false);
        Thread becomes =
                Thread.ofVirtual()
                        .start(() -> {
                            while (LOCAL.asked.stream().filter(a -> a.startsWith("job ")).count()
                                    < 10) {
                                Thread.onSpinWait();
                            }
                            LOCAL.safety = safety("dr-data", null, false);
                        });
        LOCAL.asked.clear();
        r = asked("backup", "crit");
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("green (dr-data)");
        assertThat(becomes.isAlive()).isFalse();
    }

    @Test
    void everyWriteSaysHowSafeItIs() throws IOException {
        String[][] writes = {
            {"hold", "add", "--client", "crit", "--reason", "x"},
            {"hold", "release", FakeNodeApi.JOB.toString(), "--yes"},
            {"expire", FakeNodeApi.PIECE.toString(), "--yes"},
            {"retention", "set", "keep-35-days", "P1D", "--yes"},
            {"policy", "set", "keep-35-days", "--green-at", "dr-log"},
            {"policy", "set", "new", "--green-at", "local", "--retention", "last 2"},
            {
                "policy",
                "set",
                "new",
                "--green-at",
                "local",
                "--retention",
                "P1D",
                "--retention-dr",
                "P9D"
            },
            {"replication", "add", "10.9.9.9:1", "10.9.9.8:2", "--replace"},
            {"site", "abandon", "dr", "--yes"},
            {"storage", "failover", "disk", "--yes"},
            {"storage", "failback", "disk"},
            {"auto-failover", "on"},
            {"ack-policy", "protection", "--reason", "audit"},
            {"rehearse", "schedule", "weekly", "--cron", "0 4 * * 0"}
        };
        for (Level level : Level.values()) {
            LOCAL.level = level;
            for (String[] args : writes) {
                Result human = asked(args);
                String what = String.join(" ", args) + human.err();
                assertThat(human.code()).as(what).isZero();
                assertThat(human.out())
                        .as(what)
                        .endsWith(
                                level == Level.PROTECTED
                                        ? "Saved. PROTECTED\n"
                                        : "Saved. UNPROTECTED: RPO at risk since"
                                                + " 2026-11-21T12:00:00Z, 12 changes, 3.4 MB\n");
                LOCAL.resources.removeIf(r -> r.name().equals("new"));
                List<String> json = new ArrayList<>(List.of(args));
                json.add("--json");
                JsonNode machine = asked(json.toArray(String[]::new)).json();
                LOCAL.resources.removeIf(r -> r.name().equals("new"));
                assertThat(machine.get("level").asText()).as(what).isEqualTo(level.name());
                assertThat(machine.has("rpoAtRisk")).isEqualTo(level == Level.UNPROTECTED);
                assertThat(machine.get("index").asLong()).isEqualTo(412);
                assertThat(machine.has("result")).isTrue();
            }
        }
        assertThat(LOCAL.asked)
                .contains("ack-policy protection operator audit as operator operator");
    }

    /** Certainly not done, and perhaps done, are different exit codes. */
    @Test
    void refusedAndUnknownStayApart() {
        String[] write = {"hold", "add", "--client", "crit", "--reason", "x"};
        LOCAL.problem =
                new ApiException(
                        ApiException.Kind.REFUSED,
                        "Refused the hold: the cluster's ack policy is protection",
                        "holdfast ack-policy availability",
                        "1.local",
                        null,
                        null);
        Result r = asked(write);
        assertThat(r.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(r.err()).contains("ack policy is protection", "ack-policy availability");
        LOCAL.problem =
                new ApiException(
                        ApiException.Kind.UNKNOWN,
                        "Written at index 7",
                        "Read back",
                        "1.local",
                        null,
                        null);
        r = asked(write);
        assertThat(r.code()).isEqualTo(ExitCode.UNKNOWN);
        assertThat(r.err()).contains("Written at index 7", "Read back");
        assertThat(r.out()).doesNotContain("Saved");
    }

    @Test
    void thePolicyIsShownByStatusAndByItsCommand() throws IOException {
        assertThat(asked("ack-policy").out()).isEqualTo("Ack policy availability; PROTECTED\n");
        LOCAL.level = Level.UNPROTECTED;
        String line =
                "Ack policy availability; UNPROTECTED: RPO at risk since 2026-11-21T12:00:00Z, 12"
                        + " changes, 3.4 MB\n";
        assertThat(asked("ack-policy").out()).isEqualTo(line);
        assertThat(asked("status").out()).contains(line);
        JsonNode status = asked("status", "--json").json();
        assertThat(status.get("ackPolicy").asText()).isEqualTo("availability");
        assertThat(status.get("level").asText()).isEqualTo("UNPROTECTED");
        assertThat(status.get("rpoAtRisk").get("changes").asLong()).isEqualTo(12);
        assertThat(asked("ack-policy", "safe").code()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aPolicySaysWhenItsBackupsAreGreen() throws IOException {
        assertThat(asked("policy", "list").out()).contains("GREEN AT", "dr-data");
        Result r = asked("policy", "set", "keep-35-days", "--green-at", "dr-log", "--json");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.json().get("result").get("info").get("greenAt").asText()).isEqualTo("dr-log");
        assertThat(asked("policy", "set", "keep-35-days", "--green-at", "dr").code())
                .isEqualTo(ExitCode.USAGE);
        assertThat(asked("policy", "set", "none", "--green-at", "local").err())
                .contains("no policy 'none'", "--retention");
        assertThat(
                        asked(
                                        "policy",
                                        "set",
                                        "keep-35-days",
                                        "--green-at",
                                        "local",
                                        "--retention",
                                        "P1D")
                                .err())
                .contains("holdfast retention set");
        assertThat(LOCAL.resources)
                .filteredOn(p -> p.name().equals("keep-35-days"))
                .singleElement()
                .satisfies(p -> assertThat(p.info()).containsEntry("greenAt", "dr-log"));
    }

    @Test
    void everyListIsATableAndOneJsonValue() throws IOException {
        for (String[] args :
                new String[][] {
                    {"jobs"},
                    {"jobs", FakeNodeApi.JOB.toString()},
                    {"pieces", "--client", "crit"},
                    {"ls", FakeNodeApi.PIECE.toString(), "docs", "-r", "--via", "crit"},
                    {"status"},
                    {"loss-ledger"},
                    {"reconcile"},
                    {"storage", "list"},
                    {"retention", "show"},
                    {"retention", "show", "--pieces"},
                    {"hold", "list"},
                    {"policy", "list"},
                    {"ack-policy"},
                    {"gc"},
                    {"gc", "status"},
                    {"gc", "--dry-run", "--pieces"},
                    {"failover", "--dry-run"},
                    {"client", "list"},
                    {"replication", "list"},
                    {"identifier", "rewrite", "10.1.1.1:1?READ?/x", "--site", "local"}
                }) {
            Result human = asked(args);
            assertThat(human.code()).as(String.join(" ", args) + human.err()).isZero();
            assertThat(human.out()).isNotBlank().doesNotContain("null");
            List<String> json = new ArrayList<>(List.of(args));
            json.add("--json");
            Result machine = asked(json.toArray(String[]::new));
            assertThat(machine.json()).isNotNull();
            assertThat(machine.err()).isEmpty();
        }
        assertThat(asked("ls", FakeNodeApi.PIECE.toString()).out())
                .contains("lrwxrwxrwx")
                .contains("docs/ä b -> x y");
        assertThat(asked("replication", "list").out())
                .contains("127.10.11.44:6543  127.50.4.4:3456");
    }

    @Test
    void failoverIsAskedOfTheDrSiteAfterItsPreflight() throws IOException {
        Result unsure = asked("failover");
        assertThat(unsure.code()).isEqualTo(ExitCode.USAGE);
        assertThat(unsure.err()).contains("--yes").contains("l1 127.10.11.44:9872 does not answer");
        Result r = asked("failover", "--yes", "--reason", "fire");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.out()).contains("2.dr is open and writable after 2.10 s", "SUSPENDED noncrit");
        assertThat(DR.asked).contains("failover false operator fire as operator operator");
        assertThat(LOCAL.asked).isEmpty();
        assertThat(asked("failover", "--yes", "--json").json().get("epoch").asText())
                .isEqualTo("2.dr");
        r = asked("switchover", "--to", "local", "--yes");
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("nothing acknowledged was lost");
        assertThat(asked("switchover", "--to", "moon", "--yes").code()).isEqualTo(ExitCode.USAGE);
        for (String wrong : List.of("--drain=16m", "--drain=2", "--barrier=0s", "--barrier=1h")) {
            r = asked("switchover", "--to", "local", "--yes", wrong);
            assertThat(r.code()).as(wrong + ": " + r.err()).isEqualTo(ExitCode.USAGE);
        }
        r = asked("switchover", "--to", "local", "--yes", "--drain", "2s", "--barrier", "5m");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(LOCAL.asked)
                .contains(
                        "switchover local operator 60 90 as operator operator",
                        "switchover local operator 2 300 as operator operator");
        assertThat(asked("auto-failover", "off").out()).contains("Automatic failover");
        assertThat(asked("auto-failover", "on", "--requires", "protected-backups").code()).isZero();
        assertThat(LOCAL.asked)
                .contains("auto-failover true protected-backups operator as operator operator");
        assertThat(asked("auto-failover", "perhaps").code()).isEqualTo(ExitCode.USAGE);
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                throw new AssertionError(what, e);
            }
        }
    }

    @Test
    void theStepsOfAFailoverAreToldOnceEachWhileItGoesOn() {
        String quick = asked("failover", "--yes").out();
        String json = asked("failover", "--yes", "--json").out();
        for (boolean machine : new boolean[] {false, true}) {
            StringWriter err = new StringWriter();
            AtomicInteger looks = new AtomicInteger();
            DR.steps =
                    () -> {
                        if (looks.incrementAndGet() == 1) {
                            throw new IllegalStateException("it stumbles");
                        }
                        return List.of(new StepView("promise", 12, ""));
                    };
            DR.meanwhile =
                    () -> {
                        await("it is told", () -> err.toString().contains("promise ... 12 ms"));
                        assertThat(err.toString()).doesNotContain("seed");
                        int seen = looks.get();
                        await("it is asked again", () -> looks.get() > seen + 1);
                    };
            StringWriter out = new StringWriter();
            List<String> args = new ArrayList<>(List.of("failover", "--yes"));
            args.addAll(List.of("--context", context.toString()));
            if (machine) {
                args.add("--json");
            }
            int code =
                    HoldfastCommand.run(
                            new PrintWriter(out),
                            new PrintWriter(err),
                            args.toArray(String[]::new));
            assertThat(code).as(err.toString()).isZero();
            assertThat(err.toString())
                    .endsWith("  promise ... 12 ms\n  seed ... 700 ms\n")
                    .containsOnlyOnce("promise ...");
            assertThat(out).hasToString(machine ? json : quick);
        }
    }

    @Test
    void theStepsOfASwitchoverAreToldUpToItsRefusal() {
        Result r = asked("switchover", "--to", "dr", "--yes");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.err()).isEqualTo("  drain ... 5 ms\n");
        LOCAL.steps =
                () -> List.of(new StepView("pre-flight", 3, ""), new StepView("drain", 5, ""));
        LOCAL.meanwhile =
                () -> {
                    throw new ApiException(
                            ApiException.Kind.REFUSED, "not level", "wait", "1.local", "", null);
                };
        r = asked("switchover", "--to", "dr", "--yes");
        assertThat(r.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(r.err()).startsWith("  pre-flight ... 3 ms\n  drain ... 5 ms\nnot level");
    }

    @Test
    void aCommandDoesNotWaitForAnAnswerAboutItsSteps() {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        DR.steps =
                () -> {
                    asked.countDown();
                    await("the command has ended", () -> never.getCount() == 0);
                    return List.of(new StepView("too late", 1, ""));
                };
        DR.meanwhile = () -> await("it is asked", () -> asked.getCount() == 0);
        Result r = asked("failover", "--yes");
        never.countDown();
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.err()).contains("seed ... 700 ms").doesNotContain("too late");
    }

    @Test
    void aLineThatStaysTakesThePlaceOfTheOneThatIsShown() {
        StringWriter err = new StringWriter();
        try (Output.Progress progress = new Output.Progress(new PrintWriter(err), true)) {
            progress.show("reads the logs");
            progress.note("read tails");
        }
        assertThat(err.toString())
                .isEqualTo("\rreads the logs\u001b[K\r\u001b[Kread tails" + System.lineSeparator());
    }

    @Test
    void aContextWithoutTheSitesNodesIsNamedAsWhatIsWrong() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode narrow = (ObjectNode) mapper.readTree(Files.readString(context));
        ((ArrayNode) narrow.get("nodes")).removeIf(n -> n.get("id").asText().equals("d1"));
        Path file = Files.writeString(context.resolveSibling("narrow.json"), narrow.toString());
        Result r = holdfast("failover", "--yes", "--context", file.toString());
        assertThat(r.code()).isEqualTo(ExitCode.FAILED);
        assertThat(r.err())
                .contains("The context of cluster acme lists no node of site dr.", "--site");
    }

    /** A person who answers a question with this line; null: who ends the input (Ctrl-D). */
    private static final class Typing implements Terminal {
        private final List<String> prompts = new ArrayList<>();
        private final @Nullable String line;

        Typing(@Nullable String line) {
            this.line = line;
        }

        @Override
        public @Nullable String readLine(String prompt) {
            prompts.add(prompt);
            return line;
        }

        @Override
        public char[] readPassword(String prompt) {
            throw new AssertionError("asked for a passphrase: " + prompt);
        }
    }

    private static Result typed(Typing person, String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--context", context.toString()));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code =
                HoldfastCommand.run(
                        new PrintWriter(out),
                        new PrintWriter(err),
                        () -> Optional.of(person),
                        all.toArray(String[]::new));
        return new Result(code, out.toString(), err.toString());
    }

    @Test
    void failoverGoesOnOnlyWhenTheNameOfTheClusterIsTyped() throws IOException {
        Typing right = new Typing(" acme ");
        Result r = typed(right, "failover", "--reason", "fire");
        assertThat(r.code()).as(r.err()).isEqualTo(ExitCode.DONE);
        assertThat(right.prompts).singleElement().asString().contains("cluster's name, acme,");
        assertThat(r.err()).contains("Site dr takes over in epoch 2.dr.");
        assertThat(r.out()).contains("2.dr is open and writable after 2.10 s");
        assertThat(DR.asked).contains("failover false operator fire as operator operator");

        for (String wrong : Arrays.asList("acm", "ACME", "acme2", "yes", "y", "", null)) {
            DR.asked.clear();
            Typing person = new Typing(wrong);
            r = typed(person, "failover", "--json");
            assertThat(r.code()).as("typed %s", wrong).isEqualTo(ExitCode.FAILED);
            assertThat(person.prompts).hasSize(1);
            assertThat(r.err()).contains("Not confirmed; nothing was done.");
            assertThat(r.json().get("message").asText()).contains("nothing was done");
            assertThat(DR.asked)
                    .as("typed %s", wrong)
                    .isNotEmpty()
                    .noneMatch(a -> a.startsWith("failover "));
        }
        assertThat(LOCAL.asked).isEmpty();

        Typing nobody = new Typing("no");
        assertThat(typed(nobody, "failover", "--yes").code()).isZero();
        assertThat(typed(nobody, "failover", "--dry-run").code()).isZero();
        assertThat(nobody.prompts).as("questions that need not be asked").isEmpty();
    }

    private static ReconcileView returned(boolean needsSignature, ReconcileView.Setting... items) {
        return new ReconcileView(
                "DONE",
                "local",
                FakeNodeApi.LINEAGE,
                7,
                List.of("l1"),
                List.of(),
                List.of(),
                List.of(items),
                List.of(),
                needsSignature,
                null,
                100,
                101,
                4,
                5);
    }

    private static ReconcileView.Setting setting(UUID id, String name, String kind, long version) {
        ResourceView theirs =
                new ResourceView(
                        id, -1, "", "", name, "policy", Map.of("keep", "P9D"), null, Map.of());
        ResourceView ours =
                new ResourceView(
                        id, version, "", "", name, "policy", Map.of("keep", "P3D"), null, Map.of());
        return new ReconcileView.Setting(
                id, name, "policy", kind, "why", null, theirs, version == 0 ? null : ours);
    }

    @Test
    void aReturnIsShownAppliedAndSigned() throws IOException {
        UUID fresh = new UUID(7, 1);
        UUID both = new UUID(7, 2);
        LOCAL.returned =
                returned(
                        true,
                        setting(fresh, "week", "ADDITIVE", 0),
                        setting(both, "month", "CONFLICT", 4));
        Result r = asked("reconcile");
        assertThat(r.out())
                .contains("NOT SIGNED", "keep: base -, theirs P9D, ours P3D", "(1.010)")
                .contains(both.toString());
        assertThat(asked("reconcile", "apply", "--additive").code()).isZero();
        assertThat(LOCAL.asked).contains("apply " + fresh + " 0 operator as operator operator");
        assertThat(LOCAL.asked).noneMatch(a -> a.startsWith("apply " + both));
        assertThat(asked("reconcile", "apply", "policy/month").code()).isZero();
        assertThat(LOCAL.asked).contains("apply " + both + " 4 operator as operator operator");
        assertThat(asked("reconcile", "apply", both.toString(), "--json").json().get("result"))
                .hasSize(1);
        assertThat(asked("reconcile", "apply", "policy/year").code()).isEqualTo(ExitCode.FAILED);
        assertThat(asked("reconcile", "apply").code()).isEqualTo(ExitCode.USAGE);
        assertThat(asked("reconcile", "sign").code()).isEqualTo(ExitCode.USAGE);
        assertThat(asked("reconcile", "sign", "--yes", "--reason", "seen").code()).isZero();
        assertThat(LOCAL.asked).contains("sign operator seen as operator operator");
        LOCAL.returned = returned(false);
        LOCAL.asked.clear();
        assertThat(asked("reconcile", "sign").out()).contains("Nothing waits");
        assertThat(LOCAL.asked).noneMatch(a -> a.startsWith("sign"));
        LOCAL.returned = ReconcileView.NONE;
    }

    @Test
    void aStorageGoesAwayAndComesHome() throws IOException {
        assertThat(asked("storage", "failover", "disk").code()).isEqualTo(ExitCode.USAGE);
        Result r = asked("storage", "failover", "disk", "--yes", "--force", "--reason", "burnt");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.out()).contains("disk is lost since", "burnt", FakeNodeApi.JOB.toString());
        assertThat(LOCAL.asked)
                .contains("storage failover disk true operator burnt as operator operator");
        assertThat(
                        asked("storage", "failback", "disk", "--json")
                                .json()
                                .get("result")
                                .get("servedAt")
                                .asText())
                .isEqualTo("local");
        LOCAL.problem =
                new ApiException(
                        ApiException.Kind.REFUSED, "it lacks", "wait", "1.local", "", null);
        r = asked("storage", "failback", "disk");
        assertThat(r.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(r.err()).contains("it lacks", "wait");
    }

    @Test
    void dataEndsOnlyWhenItIsConfirmed() throws IOException {
        String piece = FakeNodeApi.PIECE.toString();
        for (String[] args :
                new String[][] {
                    {"expire", piece},
                    {"hold", "release", piece},
                    {"retention", "set", "keep-35-days", "P1D"},
                    {"site", "abandon", "dr"}
                }) {
            Result unsure = asked(args);
            assertThat(unsure.code()).as(String.join(" ", args)).isEqualTo(ExitCode.USAGE);
            assertThat(unsure.err()).contains("--yes");
        }
        assertThat(LOCAL.asked).noneMatch(a -> a.startsWith("expire") || a.startsWith("abandon"));
        assertThat(asked("expire", piece, "--yes", "--reason", "wrong").code()).isZero();
        assertThat(LOCAL.asked)
                .contains("expire [" + piece + "] operator wrong as operator operator");
        assertThat(asked("site", "abandon", "dr", "--yes", "--reason", "burnt").code()).isZero();
        assertThat(LOCAL.asked).contains("abandon dr operator burnt as operator operator");
        assertThat(asked("site", "abandon", "mars", "--yes").code()).isEqualTo(ExitCode.USAGE);
        assertThat(asked("expire", "--yes").code()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aHoldNamesAPieceOrAClient() throws IOException {
        Result r = asked("hold", "add", "--client", "crit", "--reason", "case 4711");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.out()).contains("client crit", "case 4711");
        assertThat(LOCAL.asked).contains("hold null crit operator case 4711 as operator operator");
        assertThat(asked("hold", "add", "--reason", "x").code()).isEqualTo(ExitCode.USAGE);
        assertThat(
                        asked(
                                        "hold",
                                        "add",
                                        "--client",
                                        "crit",
                                        "--piece",
                                        FakeNodeApi.PIECE.toString(),
                                        "--reason",
                                        "x")
                                .code())
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void theCollectionSaysWhatItWaitsFor() throws IOException {
        assertThat(asked("gc", "status").out())
                .contains("frozen: pinned by a rehearsal", "waits for a second mark", "REFUSED");
        assertThat(asked("gc", "--dry-run").out())
                .contains("STAYS", "kept for P30D", "4.7 kB", "WAITS")
                .doesNotContain(FakeNodeApi.PIECE.toString());
        assertThat(asked("gc", "--pieces").code()).isEqualTo(ExitCode.USAGE);
        assertThat(LOCAL.asked).noneMatch(a -> a.startsWith("collect"));
    }

    private static String aPolicy() {
        return LOCAL.resources.stream()
                .filter(r -> r.type().equals("policy"))
                .findFirst()
                .orElseThrow()
                .name();
    }

    @Test
    void aRetentionIsWrittenIntoItsPolicy() throws IOException {
        String policy = aPolicy();
        Result r = asked("retention", "set", policy, "last 3,daily 7, P30D", "--yes", "--json");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.json().get("result").get("info").get("retention").asText())
                .isEqualTo("P30D, last 3, daily 7");
        assertThat(asked("retention", "set", policy, "30 days", "--yes").code())
                .isEqualTo(ExitCode.USAGE);
        assertThat(asked("retention", "set", "none", "P1D", "--yes").err()).contains("no policy");
    }

    @Test
    void aRetentionOfDrIsWrittenIntoItsPolicyAndIsNotShorter() throws IOException {
        String policy = aPolicy();
        Result r = asked("retention", "set", policy, "P30D", "--dr", "P90D", "--yes", "--json");
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.json().get("result").get("info").get("retentionDr").asText())
                .isEqualTo("P90D");
        assertThat(asked("policy", "list").out()).contains("P30D, at DR P90D");

        Result longer = asked("retention", "set", policy, "P91D", "--yes");
        assertThat(longer.code()).isEqualTo(ExitCode.USAGE);
        assertThat(longer.err()).contains("retentionDr", "'P91D' at local", "drMayExpireFirst");
        assertThat(asked("retention", "set", policy, "P1D", "--dr-may-expire-first", "--yes").err())
                .contains("needs --dr");
        Result leave =
                asked(
                        "retention",
                        "set",
                        policy,
                        "P91D",
                        "--dr",
                        "P90D",
                        "--dr-may-expire-first",
                        "--yes");
        assertThat(leave.out()).contains("P91D, at DR P90D (may go first)");
        Result same = asked("retention", "set", policy, "P30D", "--dr", "same", "--yes", "--json");
        assertThat(same.json().get("result").get("info").has("retentionDr")).isFalse();
        assertThat(same.json().get("result").get("info").has("drMayExpireFirst")).isFalse();
    }

    @Test
    void whatOneSiteKeepsIsShown() throws IOException {
        assertThat(asked("pieces").out()).contains("only at dr");
        assertThat(asked("gc", "status").out()).contains("4 are kept by one site alone");
        assertThat(asked("retention", "show").out())
                .contains("the same", "P90D, may go first", "1 of the others at one site");
        assertThat(asked("retention", "show", "--pieces").out())
                .contains("local EXPIRE, dr KEEP", "dr: kept for P90D");
    }

    @Test
    void refusedAndUnknownHaveTheirExitCodes() throws IOException {
        LOCAL.problem =
                new ApiException(
                        ApiException.Kind.STALE_EPOCH, "m", "go on", "3.dr", "FENCED", null);
        Result r = asked("backup", "crit", "--json");
        assertThat(r.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(r.json().get("epoch").asText()).isEqualTo("3.dr");
        assertThat(r.err()).contains("m").contains("go on").contains("FENCED in epoch 3.dr");
        assertThat(DR.asked).containsOnly("health");
        LOCAL.problem = new ApiException(ApiException.Kind.UNKNOWN, "perhaps", "look");
        assertThat(asked("backup", "crit").code()).isEqualTo(ExitCode.UNKNOWN);
        LOCAL.problem = new ApiException(ApiException.Kind.UNAVAILABLE, "not now", "wait");
        assertThat(asked("backup", "crit").code()).as("the other node takes it").isZero();
        DR.problem = LOCAL.problem;
        assertThat(asked("backup", "crit").code()).isEqualTo(ExitCode.FAILED);
        LOCAL.problem = new ApiException(ApiException.Kind.NOT_FOUND, "no client", "list");
        assertThat(asked("backup", "crit").code()).isEqualTo(ExitCode.FAILED);
    }

    @Test
    void aDeadClusterIsSaidToBeDead() throws IOException {
        Path dead = cluster.resolve("operator/context.json");
        Result r = holdfast("status", "--context", dead.toString());
        assertThat(r.code()).isEqualTo(ExitCode.FAILED);
        assertThat(r.err()).contains("No node of cluster acme answers", "l1 127.10.11.44:8443");
    }

    @Test
    void aClientIsAddedWithSlotsThatItsAgentsOpen() throws Exception {
        Result r =
                asked(
                        "client",
                        "add",
                        "crit",
                        "--address",
                        "127.10.11.22:3456",
                        "--dr-address",
                        "127.50.4.22:3456",
                        "--critical",
                        "--source",
                        "/home",
                        "--passphrase-file",
                        passphrase.toString());
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.out()).contains("agents/crit-local/agent.json", "agents/crit-dr/agent.json");
        ResourceView stored =
                LOCAL.resources.stream().filter(v -> v.type().equals("client")).findFirst().get();
        assertThat(ClientResource.of(stored.toResource()).critical()).isTrue();
        DomainKeyResource key =
                DomainKeyResource.of(
                        LOCAL.resources.stream()
                                .filter(v -> v.type().equals("domain-key"))
                                .findFirst()
                                .get()
                                .toResource());
        byte[] expected;
        try (DomainKey own =
                KeySlot.openWithPassphrase(
                        key.slots().get(ClusterInit.PASSPHRASE_SLOT),
                        "correct horse".toCharArray())) {
            expected = own.encoded();
        }
        for (Site site : List.of(Site.LOCAL, Site.DR)) {
            Path agent = cluster.resolve("agents/crit-" + site.word());
            TlsMaterial tls = TlsMaterial.load(agent.resolve("identity"));
            assertThat(tls.identity().role()).isEqualTo("agent");
            assertThat(tls.identity().id()).isEqualTo(stored.id().toString());
            try (DomainKey opened =
                    KeySlot.openAsAgent(
                            key.slots().get(ClientEnrolment.slot(stored.id(), site)),
                            Pem.readKey(agent.resolve("identity/agent-key.pem")))) {
                assertThat(opened.encoded()).isEqualTo(expected);
            }
            assertThat(Json.parse(Files.readString(agent.resolve("agent.json"))).string("listen"))
                    .isEqualTo(site == Site.LOCAL ? "127.10.11.22:3456" : "127.50.4.22:3456");
        }
        assertThat(
                        asked(
                                        "client",
                                        "add",
                                        "crit",
                                        "--address",
                                        "127.10.11.22:3456",
                                        "--source",
                                        "/home",
                                        "--passphrase-file",
                                        passphrase.toString())
                                .err())
                .contains("There is a client crit already.");
    }

    @Test
    void aRefusedClientLeavesNothingBehind() throws IOException {
        Path wrong = Files.writeString(temp.resolve("wrong"), "battery staple\n");
        String[] add = {
            "client",
            "add",
            "x",
            "--address",
            "127.10.11.29:3456",
            "--source",
            "/home",
            "--passphrase-file",
            wrong.toString()
        };
        Result r = asked(add);
        assertThat(r.code()).isEqualTo(ExitCode.FAILED);
        assertThat(r.err()).contains("The passphrase does not open domain key main-key");
        assertThat(cluster.resolve("agents/x-local")).doesNotExist();
        assertThat(LOCAL.asked).noneMatch(a -> a.startsWith("put"));
    }

    @Test
    void replicationRowsAreAddedOnceAndReplacedOnlyWhenAsked() {
        assertThat(asked("replication", "add", "10.1.1.1:1", "10.2.2.2:2").code()).isZero();
        assertThat(asked("replication", "add", "10.1.1.1:1", "10.2.2.2:2").code()).isZero();
        Result r = asked("replication", "add", "10.1.1.1:1", "10.2.2.2:3");
        assertThat(r.code()).isEqualTo(ExitCode.FAILED);
        assertThat(r.err()).contains("--replace");
        assertThat(asked("replication", "add", "10.1.1.1:1", "10.2.2.2:3", "--replace").code())
                .isZero();
        assertThat(LOCAL.resources.stream().filter(v -> v.name().equals("10.1.1.1:1"))).hasSize(1);
        assertThat(asked("replication", "add", "10.1.1.1", "10.2.2.2:3").code())
                .isEqualTo(ExitCode.USAGE);
    }
}
