package io.holdfast.chaos;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The floors of ARCHITECTURE.md, as far as the POMs do not say them. */
class LayeringTest {
    /** What each module may use of the others: only what is below it, never beside or above. */
    private static final Map<String, Set<String>> FLOORS =
            Map.of(
                    "standard", Set.of(),
                    "chunk", Set.of("standard"),
                    "modeswitch", Set.of("standard"),
                    "agent", Set.of("standard", "chunk"),
                    "replication", Set.of("standard", "chunk", "modeswitch", "agent"),
                    "catalog", Set.of("standard", "chunk", "modeswitch", "agent"),
                    "node",
                            Set.of(
                                    "standard",
                                    "chunk",
                                    "modeswitch",
                                    "agent",
                                    "replication",
                                    "catalog"));

    /** What a pure value or decision must not name: the world is at the edges. */
    private static final Set<String> WORLD =
            Set.of(
                    "java.time.Clock#systemUTC",
                    "java.time.Clock#systemDefaultZone",
                    "java.time.Clock#system",
                    "java.time.InstantSource#system",
                    "java.time.Instant#now",
                    "java.time.LocalDate#now",
                    "java.time.LocalTime#now",
                    "java.time.LocalDateTime#now",
                    "java.time.ZonedDateTime#now",
                    "java.time.OffsetDateTime#now",
                    "java.time.ZoneId#systemDefault",
                    "java.lang.System#currentTimeMillis",
                    "java.lang.System#nanoTime",
                    "java.lang.System#getenv",
                    "java.lang.System#getProperty",
                    "java.lang.Math#random",
                    "java.util.UUID#randomUUID",
                    "java.util.concurrent.ThreadLocalRandom#current",
                    "java.util.random.RandomGenerator#getDefault",
                    "java.util.random.RandomGenerator#of");

    private static JavaClasses product;

    @BeforeAll
    static void readTheClasses() {
        product =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("io.holdfast");
    }

    private static String in(String module) {
        return "io.holdfast." + module + "..";
    }

    @Test
    void theRulesSeeEveryModule() {
        for (String module : FLOORS.keySet()) {
            assertThat(product.stream().filter(resideInAPackage(in(module))))
                    .as("classes of %s; a rule about none of them would always hold", module)
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "standard",
                "chunk",
                "modeswitch",
                "agent",
                "replication",
                "catalog",
                "node"
            })
    void aModuleUsesOnlyTheFloorsBelow(String module) {
        String[] allowed =
                java.util.stream.Stream.concat(
                                java.util.stream.Stream.of(module), FLOORS.get(module).stream())
                        .map(LayeringTest::in)
                        .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(in(module))
                .should()
                .dependOnClassesThat(
                        resideInAPackage("io.holdfast..").and(not(resideInAnyPackage(allowed))))
                .because("a module may use what is below it, never beside or above it")
                .check(product);
    }

    @Test
    void theStandardNeedsTheJdkAlone() {
        onlyNeeds("standard", "java..", "org.jspecify..")
                .because("another vendor must be able to take the standard without our libraries")
                .check(product);
    }

    @Test
    void theModeSwitchNeedsTheStandardAlone() {
        onlyNeeds("modeswitch", "java..", "org.jspecify..", in("standard"))
                .because("decisions are proved by simulation, so nothing else may decide them")
                .check(product);
    }

    private static com.tngtech.archunit.lang.ArchRule onlyNeeds(String module, String... more) {
        DescribedPredicate<JavaClass> allowed =
                resideInAnyPackage(more).or(resideInAPackage(in(module)));
        return classes()
                .that()
                .resideInAPackage(in(module))
                .should()
                .onlyDependOnClassesThat(
                        allowed.or(
                                DescribedPredicate.describe("primitive", JavaClass::isPrimitive)));
    }

    @Test
    void ratisHasOneHome() {
        noClasses()
                .that()
                .resideOutsideOfPackage(in("replication"))
                .should()
                .dependOnClassesThat(resideInAPackage("org.apache.ratis.."))
                .because("replication is the one home of Ratis: it can be replaced in one place")
                .check(product);
        noClasses()
                .that()
                .resideInAnyPackage(
                        in("replication.ship"), in("replication.state"), in("replication.site"))
                .should()
                .dependOnClassesThat(resideInAPackage("org.apache.ratis.."))
                .allowEmptyShould(true)
                .because("shipping, state and site RPC outlive any Raft library (DECISIONS 8)")
                .check(product);
    }

    @Test
    void theDatabaseHasOneHome() {
        noClasses()
                .that()
                .resideOutsideOfPackage(in("catalog"))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                "io.micronaut.data..",
                                "org.mariadb..",
                                "org.sqlite..",
                                "org.flywaydb..",
                                "com.zaxxer.hikari..",
                                "java.sql.."))
                .because("catalog-replica is the one home of Micronaut Data and of the databases")
                .check(product);
    }

    @Test
    void theAgentStaysSmall() {
        noClasses()
                .that()
                .resideInAnyPackage(in("standard"), in("chunk"), in("modeswitch"), in("agent"))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                "org.apache.ratis..",
                                "org.apache.ignite..",
                                "io.micronaut..",
                                "com.fasterxml..",
                                "java.sql.."))
                .because("the agent's jar runs on every client, which may have little memory")
                .check(product);
    }

    @Test
    void theAgentOnlyListensUntilAJobIsOrdered() {
        noClasses()
                .that()
                .resideInAPackage(in("agent"))
                .and()
                .resideOutsideOfPackage(in("agent.tls"))
                .and()
                .haveNameNotMatching("io\\.holdfast\\.agent\\.AgentMain(\\$.*)?")
                .and() // a node's: its clock ends sessions, and it calls nobody
                .doNotHaveFullyQualifiedName("io.holdfast.agent.storage.StorageService")
                .should()
                .dependOnClassesThat(
                        DescribedPredicate.describe(
                                "open a connection, or wake by themselves",
                                c ->
                                        Set.of(
                                                        "io.holdfast.agent.tls.ChannelCache",
                                                        "io.grpc.ManagedChannelBuilder",
                                                        "java.net.Socket",
                                                        "java.net.http.HttpClient",
                                                        "java.nio.channels.SocketChannel",
                                                        "java.util.Timer",
                                                        "java.util.concurrent"
                                                                + ".ScheduledExecutorService")
                                                .contains(c.getName())))
                .because("an agent that lost its server must not choose another by itself")
                .check(product);
        classes()
                .that()
                .resideInAPackage(in("agent"))
                .should(
                        askForAStorageOnlyIn(
                                Set.of(
                                        "io.holdfast.agent.MediaAgentService#client",
                                        "io.holdfast.agent.RehearsalService$Sample#run")))
                .because("these run an order, and dial the storage that it names")
                .check(product);
    }

    private static ArchCondition<JavaClass> askForAStorageOnlyIn(Set<String> orders) {
        return new ArchCondition<>("ask for a channel to a storage only in " + orders) {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                for (JavaCodeUnit unit : item.getCodeUnits()) {
                    for (JavaCall<?> call : unit.getCallsFromSelf()) {
                        String owner = call.getTargetOwner().getName();
                        if (call.getTarget().getName().equals("storage")
                                && owner.endsWith("Service$Options")
                                && !orders.contains(item.getName() + "#" + unit.getName())) {
                            events.add(SimpleConditionEvent.violated(item, call.getDescription()));
                        }
                    }
                }
            }
        };
    }

    @Test
    void pureModulesNameNoClockChanceFileSocketOrThread() {
        noClasses()
                .that()
                .resideInAnyPackage(in("standard"), in("modeswitch"))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                        "java.io..",
                                        "java.nio.file..",
                                        "java.nio.channels..",
                                        "java.net..",
                                        "java.util.concurrent..")
                                .and(not(harmless())))
                .orShould()
                .dependOnClassesThat(
                        DescribedPredicate.describe(
                                "are a source of chance or a thread",
                                c ->
                                        Set.of(
                                                        "java.util.Random",
                                                        "java.util.SplittableRandom",
                                                        "java.security.SecureRandom",
                                                        "java.lang.Thread")
                                                .contains(c.getName())))
                .because("what decides must give the same answer in a simulation and in a disaster")
                .check(product);
        classes()
                .that()
                .resideInAnyPackage(in("standard"), in("modeswitch"))
                .should(notCallTheWorld())
                .because("time and chance are passed in, so that a seed replays every decision")
                .check(product);
    }

    private static DescribedPredicate<JavaClass> harmless() {
        Set<String> names =
                Set.of(
                        "java.io.Serializable",
                        "java.io.IOException",
                        "java.io.UncheckedIOException",
                        "java.io.ByteArrayOutputStream",
                        "java.io.ByteArrayInputStream",
                        "java.util.concurrent.TimeUnit");
        return DescribedPredicate.describe("harmless", c -> names.contains(c.getName()));
    }

    private static ArchCondition<JavaClass> notCallTheWorld() {
        return new ArchCondition<>("call no clock, chance or environment") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                for (JavaCodeUnit unit : item.getCodeUnits()) {
                    for (JavaCall<?> call : unit.getCallsFromSelf()) {
                        String target =
                                call.getTargetOwner().getName() + "#" + call.getTarget().getName();
                        if (WORLD.contains(target)) {
                            events.add(SimpleConditionEvent.violated(item, call.getDescription()));
                        }
                    }
                }
            }
        };
    }

    @Test
    void theCheckersShareNoCodeWithTheProduct() {
        noClasses()
                .that()
                .resideInAnyPackage(in("chaos.compare"), in("chaos.workload"), in("chaos.fault"))
                .should()
                .dependOnClassesThat(
                        resideInAPackage("io.holdfast..")
                                .and(
                                        not(
                                                resideInAnyPackage(
                                                        in("chaos.compare"),
                                                        in("chaos.workload"),
                                                        in("chaos.fault")))))
                .because("a mistake made twice by the same code would compare as equal")
                .check(product);
    }

    @Test
    void theDrillSeesTheClusterFromOutside() {
        noClasses()
                .that()
                .resideInAPackage(in("chaos"))
                .and()
                .resideOutsideOfPackage(in("chaos.bench"))
                .should()
                .dependOnClassesThat(
                        resideInAPackage("io.holdfast..")
                                .and(
                                        not(
                                                resideInAnyPackage(
                                                        in("chaos"),
                                                        "io.holdfast.node.cli",
                                                        "io.holdfast.node.api",
                                                        in("standard"),
                                                        in("chunk")))))
                .because("the drill is only the script of commands that a person could type")
                .check(product);
        noClasses()
                .that()
                .resideInAPackage(in("chaos.bench"))
                .should()
                .dependOnClassesThat(
                        resideInAPackage("io.holdfast..")
                                .and(
                                        not(
                                                resideInAnyPackage(
                                                        in("chaos"),
                                                        "io.holdfast.node.api",
                                                        "io.holdfast.node.rest",
                                                        "io.holdfast.node.init",
                                                        "io.holdfast.agent.tls",
                                                        in("standard")))))
                .because("a benchmark is an operator's REST client; it sees no server's inside")
                .check(product);
        noClasses()
                .that()
                .resideInAPackage(in("chaos"))
                .and()
                .doNotHaveSimpleName("StoreDifference")
                .should()
                .dependOnClassesThat(resideInAPackage(in("chunk")))
                .because("only the count of missing bytes is read from the stores' own indexes")
                .check(product);
    }

    @Test
    void nothingButTheCommandUsesTheChaos() {
        noClasses()
                .that()
                .resideOutsideOfPackage(in("chaos"))
                .should()
                .dependOnClassesThat(resideInAPackage(in("chaos")))
                .because("a program must run without the tools that break it")
                .check(product);
    }
}
