package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.agent.proto.v1.DomainKeySlot;
import io.holdfast.agent.proto.v1.JobOrder;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.wire.Wire;
import io.holdfast.node.api.ApiException;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Chunking;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Job;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class JobPlannerTest {
    private static final Epoch DR = new Epoch(2, Site.DR);
    private static final String OUTPUT =
            TestCluster.STORAGE
                    + "?WRITE:IP:127.10.11.45,dedupe,catalog:main,piece:"
                    + TestCluster.pieceId(1)
                    + "?/mtree/backup/"
                    + TestCluster.CRIT;
    private static final String READ =
            TestCluster.STORAGE
                    + "?READ:IP:127.10.11.45,dedupe,piece:"
                    + TestCluster.pieceId(1)
                    + "?/mtree/backup/"
                    + TestCluster.CRIT;

    private static RequestContext context(Epoch epoch) {
        return Wire.context(TestCluster.CLUSTER, epoch, new UUID(5, 5));
    }

    private static CatalogRecord piece(TestCluster cluster) {
        return cluster.complete(cluster.backup(TestCluster.CRIT, 1)).row().orElseThrow();
    }

    private static Job.Pair pair(Job job) {
        return job.pairs().getFirst();
    }

    private static JobRecord restore(
            TestCluster cluster,
            CatalogRecord row,
            UUID target,
            List<String> include,
            boolean overwrite) {
        Job job =
                JobPlanner.restore(
                        row,
                        cluster.lookup().client(target).orElseThrow(),
                        "/target",
                        include,
                        overwrite,
                        TestCluster.jobId(2));
        return cluster.open(job, "restore", target, "");
    }

    @Test
    void theIdentifiersOfABackupAreLogicalAtBothSites() {
        TestCluster local = TestCluster.create();
        for (TestCluster cluster : List.of(local, local.failover(DR))) {
            Lookup lookup = cluster.lookup();
            Job job =
                    JobPlanner.backup(
                            lookup,
                            lookup.client("crit"),
                            "/data",
                            TestCluster.jobId(1),
                            TestCluster.pieceId(1));
            assertThat(job.id()).isEqualTo(TestCluster.jobId(1));
            assertThat(pair(job).input()).hasToString("127.10.11.22:3456?READ?/data");
            assertThat(pair(job).output()).hasToString(OUTPUT);
            assertThat(JobPlanner.location(job)).hasToString(OUTPUT);
            assertThat(JobPlanner.pieceOf(job)).contains(TestCluster.pieceId(1));
        }
    }

    @Test
    void theIdentifiersOfARestoreAreLogicalAtBothSites() {
        TestCluster local = TestCluster.create();
        CatalogRecord row = piece(local);
        for (TestCluster cluster : List.of(local, local.failover(DR))) {
            Job job = restore(cluster, row, TestCluster.CRIT, List.of(), false).job();
            assertThat(pair(job).input()).hasToString(READ);
            assertThat(pair(job).output()).hasToString("127.10.11.22:3456?WRITE?/target");
            assertThat(JobPlanner.pieceOf(job)).contains(TestCluster.pieceId(1));
        }
    }

    @Test
    void aJobThatNamesNoPieceHasNone() {
        Identifier any = Identifier.parse("127.10.11.22:3456?READ?/data");
        Job job = new Job(TestCluster.jobId(1), Optional.empty(), List.of(new Job.Pair(any, any)));
        assertThat(JobPlanner.pieceOf(job)).isEmpty();
    }

    @Test
    void theRowOfABackupSaysWhoseItIsAndUntilWhen() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        CatalogRecord row = JobPlanner.row(cluster.lookup(), job, 1234, Map.of("files", "7"));
        assertThat(row.piece()).isEqualTo(TestCluster.pieceId(1));
        assertThat(row.client()).isEqualTo(TestCluster.CRIT);
        assertThat(row.clientName()).isEqualTo("crit");
        assertThat(row.dataPiece()).isEqualTo("/data");
        assertThat(row.type()).isEqualTo("files/full");
        assertThat(row.owner()).isEqualTo("ada");
        assertThat(row.location()).isEqualTo(OUTPUT);
        assertThat(row.backupTimeMicros()).isEqualTo(job.openedMicros());
        assertThat(row.expiryMicros())
                .isEqualTo(job.openedMicros() + 30 * 86_400 * TestCluster.SECOND);
        assertThat(row.sizeBytes()).isEqualTo(1234);
        assertThat(row.originCatalog()).isEqualTo("main");
        assertThat(row.optional())
                .isEqualTo(
                        Map.of(
                                "files",
                                "7",
                                "job",
                                TestCluster.jobId(1).toString(),
                                "epoch",
                                "1.local"));
    }

    @Test
    void whatIsKeptForeverDoesNotExpire() {
        TestCluster cluster = TestCluster.create();
        cluster.put(
                new PolicyResource("month", Retention.FOREVER, PolicyResource.GreenAt.LOCAL)
                        .toResource(new UUID(0x70, 1)));
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        assertThat(JobPlanner.row(cluster.lookup(), job, 0, Map.of()).expiryMicros())
                .isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aBackupOrderDialsLocalAddressesWhileLocalIsActive() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        JobOrder order = JobPlanner.backupOrder(cluster.lookup(), job, context(TestCluster.FIRST));
        assertThat(order.getContext()).isEqualTo(context(TestCluster.FIRST));
        assertThat(order.getJob()).isEqualTo(Wire.bytes(TestCluster.jobId(1)));
        assertThat(order.getInput()).isEqualTo("127.10.11.22:3456?READ?/data");
        assertThat(order.getOutput()).isEqualTo(OUTPUT);
        assertThat(order.getBackup().getPiece()).isEqualTo(Wire.bytes(TestCluster.pieceId(1)));
        assertThat(order.getBackup().getLevel()).isEqualTo("full");
        assertThat(order.getBackup().getChunking().getAverage())
                .isEqualTo(Chunking.DEFAULT.averageBytes());
        assertThat(order.getBackup().getFields().getLocation()).isEqualTo(OUTPUT);
        assertThat(order.getKey().getDomain()).isEqualTo(Wire.bytes(TestCluster.DOMAIN));
        assertThat(order.getKey().getKeyEpoch()).isEqualTo(3);
        assertThat(order.getKey().getSlot().toStringUtf8())
                .isEqualTo("agent:" + TestCluster.CRIT + ":local");
        assertThat(JobPlanner.agentOf(cluster.lookup(), job))
                .isEqualTo(Endpoint.parse("127.10.11.22:3456"));
    }

    @Test
    void aBackupOrderDialsDrAddressesWhileDrIsActiveAndIsCataloguedLogically() {
        TestCluster cluster = TestCluster.create().failover(DR);
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        JobOrder order = JobPlanner.backupOrder(cluster.lookup(), job, context(DR));
        assertThat(order.getInput()).isEqualTo("127.50.4.22:3456?READ?/data");
        assertThat(order.getOutput())
                .isEqualTo(
                        "127.50.4.4:3456?WRITE:IP:127.50.4.4,dedupe,catalog:main,piece:"
                                + TestCluster.pieceId(1)
                                + "?/mtree/backup/"
                                + TestCluster.CRIT);
        assertThat(order.getBackup().getFields().getLocation()).isEqualTo(OUTPUT);
        assertThat(order.getBackup().getFields().getOptionalMap()).containsEntry("epoch", "2.dr");
        assertThat(order.getKey().getSlot().toStringUtf8())
                .isEqualTo("agent:" + TestCluster.CRIT + ":dr");
        assertThat(JobPlanner.agentOf(cluster.lookup(), job))
                .isEqualTo(Endpoint.parse("127.50.4.22:3456"));
    }

    @Test
    void aBackupWithoutDrAddressIsRefusedWhileDrIsActive() {
        TestCluster cluster = TestCluster.create().failover(DR);
        JobRecord job = cluster.backup(TestCluster.NONCRIT, 1);
        ApiException refusal =
                catchThrowableOfType(
                        ApiException.class,
                        () -> JobPlanner.backupOrder(cluster.lookup(), job, context(DR)));
        assertThat(refusal.kind()).isEqualTo(ApiException.Kind.REFUSED);
        assertThat(refusal).hasMessageContaining("127.10.11.23:3456");
    }

    /** Reserved characters, an address that must not be rewritten, spaces, and an empty path. */
    @Test
    void aNewLeaderRebuildsTheSameRestoreOrder() {
        List<String> include =
                List.of(
                        "etc/hosts",
                        "a,b?c%d:e",
                        "127.10.11.45",
                        "127.10.11.44:6543",
                        "overwrite",
                        "with space/ä/日本",
                        "");
        TestCluster local = TestCluster.create();
        CatalogRecord row = piece(local);
        for (boolean overwrite : new boolean[] {true, false}) {
            TestCluster cluster = local.failover(DR);
            JobRecord job = restore(cluster, row, TestCluster.CRIT, include, overwrite);
            JobOrder order =
                    JobPlanner.restoreOrder(
                            cluster.lookup(), job, row, TestCluster.chunkId(1), context(DR));
            assertThat(order.getRestore().getIncludeList()).isEqualTo(include);
            assertThat(order.getRestore().getOverwrite()).isEqualTo(overwrite);

            Lookup leader = cluster.reread();
            JobRecord reread = leader.state().job(job.id()).orElseThrow();
            assertThat(
                            JobPlanner.restoreOrder(
                                    leader, reread, row, TestCluster.chunkId(1), context(DR)))
                    .isEqualTo(order);
        }
    }

    @Test
    void aNewLeaderRebuildsTheSameBackupOrder() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        JobOrder order = JobPlanner.backupOrder(cluster.lookup(), job, context(TestCluster.FIRST));
        Lookup leader = cluster.reread();
        assertThat(
                        JobPlanner.backupOrder(
                                leader,
                                leader.state().job(job.id()).orElseThrow(),
                                context(TestCluster.FIRST)))
                .isEqualTo(order);
    }

    @Test
    void aRestoreOrderDialsDrAddressesWhileDrIsActive() {
        TestCluster local = TestCluster.create();
        CatalogRecord row = piece(local);
        TestCluster cluster = local.failover(DR);
        JobRecord job = restore(cluster, row, TestCluster.CRIT, List.of("etc"), true);
        JobOrder order =
                JobPlanner.restoreOrder(
                        cluster.lookup(), job, row, TestCluster.chunkId(1), context(DR));
        assertThat(order.getInput())
                .isEqualTo(
                        "127.50.4.4:3456?READ:IP:127.50.4.4,dedupe,piece:"
                                + TestCluster.pieceId(1)
                                + "?/mtree/backup/"
                                + TestCluster.CRIT);
        assertThat(order.getOutput())
                .isEqualTo("127.50.4.22:3456?WRITE:overwrite,include:etc?/target");
        assertThat(order.getRestore().getTarget()).isEqualTo("/target");
        assertThat(order.getRestore().getPiece()).isEqualTo(Wire.bytes(row.piece()));
        assertThat(order.getRestore().getPieceHeader())
                .isEqualTo(Wire.bytes(TestCluster.chunkId(1)));
        assertThat(order.getKey().getSlot().toStringUtf8())
                .isEqualTo("agent:" + TestCluster.CRIT + ":dr");
        assertThat(JobPlanner.agentOf(cluster.lookup(), job))
                .isEqualTo(Endpoint.parse("127.50.4.22:3456"));
    }

    @Test
    void aRestoreReadsFromTheSiteThatKeepsThePiece() {
        TestCluster cluster = TestCluster.create();
        JobRecord done =
                cluster.markProtected(cluster.complete(cluster.backup(TestCluster.CRIT, 1)));
        CatalogRecord row = done.row().orElseThrow();
        assertThat(JobPlanner.keptOnly(cluster.lookup(), row.piece())).isEmpty();
        cluster.expireAt(Site.LOCAL, done);
        JobRecord job = restore(cluster, row, TestCluster.CRIT, List.of(), false);
        JobOrder order =
                JobPlanner.restoreOrder(
                        cluster.lookup(),
                        job,
                        row,
                        TestCluster.chunkId(1),
                        context(TestCluster.FIRST));
        String atDr = "127.50.4.4:3456?READ:IP:127.50.4.4,dedupe,piece:" + row.piece();
        assertThat(order.getInput()).startsWith(atDr);
        assertThat(order.getOutput()).startsWith("127.10.11.22:3456?");
        assertThat(order.getKey().getSlot().toStringUtf8())
                .isEqualTo("agent:" + TestCluster.CRIT + ":local");
        assertThat(JobPlanner.keptOnly(cluster.lookup(), row.piece())).contains("Only site dr");

        // Declared lost, it is not asked; its counterpart is all there is.
        cluster.apply(new Command.AbandonSite(Site.DR, "ada", "burnt"));
        assertThat(cluster.lookup().keeper(row.piece())).isEmpty();
        assertThat(
                        cluster.lookup()
                                .physicalToRead(job.job().pairs().getFirst().input(), row.piece()))
                .hasToString(
                        order.getInput()
                                .replace("127.50.4.4:3456", TestCluster.STORAGE)
                                .replace("127.50.4.4", "127.10.11.45"));
    }

    @Test
    void aRowExpiresWhereItIsKeptLonger() {
        TestCluster cluster = TestCluster.create();
        cluster.put(
                new PolicyResource(
                                "month",
                                Retention.parse("P30D"),
                                Optional.of(Retention.parse("P90D")),
                                false,
                                PolicyResource.GreenAt.LOCAL)
                        .toResource(new UUID(0x70, 1)));
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        assertThat(JobPlanner.row(cluster.lookup(), job, 0, Map.of()).expiryMicros())
                .isEqualTo(job.openedMicros() + 90 * 86_400 * TestCluster.SECOND);
    }

    @Test
    void anotherClientsDataIsOpenedWithTheTargetsSlot() {
        TestCluster cluster = TestCluster.create();
        CatalogRecord row = piece(cluster);
        JobRecord job = restore(cluster, row, TestCluster.NONCRIT, List.of(), false);
        DomainKeySlot key =
                JobPlanner.restoreOrder(
                                cluster.lookup(),
                                job,
                                row,
                                TestCluster.chunkId(1),
                                context(TestCluster.FIRST))
                        .getKey();
        assertThat(key.getSlot().toStringUtf8())
                .isEqualTo("agent:" + TestCluster.NONCRIT + ":local");
    }

    @Test
    void aClientWithoutAKeySlotIsRefusedByName() {
        TestCluster cluster = TestCluster.create();
        cluster.put(
                TestCluster.key("agent:" + TestCluster.CRIT + ":dr").toResource(TestCluster.KEY));
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        ApiException refusal =
                catchThrowableOfType(
                        ApiException.class,
                        () ->
                                JobPlanner.backupOrder(
                                        cluster.lookup(), job, context(TestCluster.FIRST)));
        assertThat(refusal.kind()).isEqualTo(ApiException.Kind.REFUSED);
        assertThat(refusal)
                .hasMessageContaining("client crit ")
                .hasMessageContaining("Domain key main ")
                .hasMessageContaining("'agent:" + TestCluster.CRIT + ":local'");
        assertThat(refusal.next()).isNotBlank();
    }

    @Test
    void aJobOfAClientThatIsGoneSaysSo() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        cluster.delete(TestCluster.CRIT);
        Lookup lookup = cluster.lookup();
        assertThatThrownBy(() -> JobPlanner.clientOf(lookup, job))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> assertThat(e.kind()).isEqualTo(ApiException.Kind.NOT_FOUND))
                .hasMessageContaining(TestCluster.CRIT.toString());
        assertThatThrownBy(() -> JobPlanner.keyOf(lookup, job.row().orElseThrow()))
                .isInstanceOfSatisfying(
                        ApiException.class,
                        e -> assertThat(e.kind()).isEqualTo(ApiException.Kind.REFUSED))
                .hasMessageContaining("crit")
                .hasMessageContaining(TestCluster.pieceId(1).toString());
    }
}
