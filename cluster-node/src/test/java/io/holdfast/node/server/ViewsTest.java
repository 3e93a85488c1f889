package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.Progress;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.PieceView;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.node.api.SuspendedView;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ViewsTest {
    private static final Epoch DR = new Epoch(2, Site.DR);
    private static final Optional<Long> CONTACT = Optional.of(TestCluster.START);

    @TempDir Path temp;
    private JobJournal journal;

    @BeforeEach
    void open() {
        journal = new JobJournal(temp);
    }

    private JobView view(TestCluster cluster, JobRecord job, boolean shown, boolean withLog) {
        return Views.job(
                cluster.lookup(),
                job,
                journal.view(job.id()),
                shown,
                safety(cluster, job, shown, false),
                withLog,
                cluster.now() + 2 * TestCluster.SECOND);
    }

    private static final RpoAtRisk RISK = new RpoAtRisk(Moment.of(TestCluster.START), 3, 4096);

    private static JobView.Safety safety(
            TestCluster cluster, JobRecord job, boolean shown, boolean recorded) {
        return Views.safety(
                cluster.lookup(), job, shown, recorded, !recorded, recorded ? null : RISK);
    }

    private static LossLedgerView ledger(TestCluster cluster) {
        return Views.lossLedger(cluster.state(), CONTACT);
    }

    // ---------------------------------------------------------------- a job

    @Test
    void anOpenBackupShowsWhatIsHeard() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.backup(TestCluster.CRIT, 1);
        journal.progress(
                job.id(),
                Progress.newBuilder()
                        .setPhase("send")
                        .setFiles(4)
                        .setBytesRead(90)
                        .setBytesNew(80)
                        .setBytesStored(40)
                        .setBytesDurable(30)
                        .setChunksDurable(2)
                        .build());
        journal.line(job.id(), LogLine.newBuilder().setMessage("begins").build());
        JobView view = view(cluster, job, false, true);
        assertThat(view.id()).isEqualTo(TestCluster.jobId(1));
        assertThat(view.kind()).isEqualTo("backup");
        assertThat(view.state()).isEqualTo(JobView.State.OPEN);
        assertThat(view.level()).isEqualTo("full");
        assertThat(view.client()).isEqualTo(TestCluster.CRIT);
        assertThat(view.clientName()).isEqualTo("crit");
        assertThat(view.piece()).isEqualTo(TestCluster.pieceId(1));
        assertThat(view.epoch()).isEqualTo("1.local");
        assertThat(view.started()).isEqualTo(Moment.of(job.openedMicros()));
        assertThat(view.ended()).isNull();
        assertThat(view.protection()).isEqualTo(Protection.UNPROTECTED);
        assertThat(view.protectedAt()).isNull();
        assertThat(view.protectedSeconds()).isNull();
        assertThat(view.progress())
                .isEqualTo(new JobView.Progress("send", 4, 0, 90, 80, 40, 30, 2, 0, 1, 2.0, null));
        assertThat(view.log()).containsExactly(new JobView.LogLine("INFO", "", "begins"));
        assertThat(view(cluster, job, false, false).log()).isEmpty();
    }

    @Test
    void anEndedBackupShowsItsTotals() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        JobView view = view(cluster, job, false, true);
        assertThat(view.state()).isEqualTo(JobView.State.COMPLETE);
        assertThat(view.ended()).isEqualTo(Moment.of(job.endedMicros()));
        assertThat(view.protection()).isEqualTo(Protection.UNPROTECTED);
        assertThat(view.progress())
                .isEqualTo(
                        new JobView.Progress(
                                "", 7, 3, 500, 400, 250, 250, 0, 1000, 4.0, 1.0, null));
    }

    @Test
    void protectionIsShownOnlyWhenItMayBe() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        JobRecord marked = cluster.markProtected(job);
        assertThat(view(cluster, marked, false, false).protection())
                .isEqualTo(Protection.UNPROTECTED);
        JobView view = view(cluster, marked, true, false);
        assertThat(view.protection()).isEqualTo(Protection.DR_PROTECTED);
        assertThat(view.protectedAt()).isEqualTo(Moment.of(marked.protectedMicros()));
        assertThat(view.protectedSeconds()).isEqualTo(1.0);
    }

    @Test
    void whatMadeNoPieceCannotBeProtected() {
        TestCluster cluster = TestCluster.create();
        JobRecord failed =
                cluster.end(cluster.backup(TestCluster.CRIT, 1), JobState.FAILED, "disk full");
        JobView view = view(cluster, failed, false, false);
        assertThat(view.state()).isEqualTo(JobView.State.FAILED);
        assertThat(view.message()).isEqualTo("disk full");
        assertThat(view.protection()).isEqualTo(Protection.NOT_APPLICABLE);
    }

    @Test
    void aRestoreShowsItsFirstByteAndWhereItIsDialled() {
        TestCluster local = TestCluster.create();
        JobRecord made = local.complete(local.backup(TestCluster.CRIT, 1));
        TestCluster cluster = local.failover(DR);
        JobRecord job =
                cluster.open(
                        JobPlanner.restore(
                                made.row().orElseThrow(),
                                cluster.lookup().client("crit"),
                                "/target",
                                List.of(),
                                false,
                                TestCluster.jobId(2)),
                        "restore",
                        TestCluster.CRIT,
                        "");
        journal.outcome(job.id(), Outcome.newBuilder().setFirstByteMillis(17).build());
        JobView view = view(cluster, job, false, false);
        assertThat(view.level()).isNull();
        assertThat(view.epoch()).isEqualTo("2.dr");
        assertThat(view.protection()).isEqualTo(Protection.NOT_APPLICABLE);
        assertThat(view.progress().firstByteMillis()).isEqualTo(17);
        JobView.Pair pair = view.identifiers().getFirst();
        assertThat(pair.output().logical()).isEqualTo("127.10.11.22:3456?WRITE?/target");
        assertThat(pair.output().physical()).isEqualTo("127.50.4.22:3456?WRITE?/target");
        assertThat(pair.input().physical()).startsWith("127.50.4.4:3456?READ:IP:127.50.4.4,");
    }

    @Test
    void aJobOfAClientThatIsGoneKeepsTheNameInItsRow() {
        TestCluster cluster = TestCluster.create();
        JobRecord done = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        JobRecord open = cluster.backup(TestCluster.CRIT, 2);
        cluster.delete(TestCluster.CRIT);
        assertThat(view(cluster, done, false, false).clientName()).isEqualTo("crit");
        assertThat(view(cluster, open, false, false).clientName())
                .isEqualTo(TestCluster.CRIT.toString());
    }

    @Test
    void aPieceThatWasLostWithItsStorageSaysSo() {
        TestCluster cluster = TestCluster.create();
        JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        CatalogRow row = new CatalogRow(job.row().orElseThrow(), job.pieceHeader().orElseThrow());
        assertThat(Views.piece(cluster.lookup(), row, job, false).state()).isEqualTo("NORMAL");
        assertThat(StorageMoves.isLost(cluster.state(), row.header())).isFalse();
        cluster.apply(
                new Command.StorageFailover(
                        Endpoint.parse(TestCluster.STORAGE), Site.DR, List.of(job.id()), "a", "r"));
        assertThat(Views.piece(cluster.lookup(), row, job, false).state()).isEqualTo("LOST");
        assertThat(StorageMoves.isLost(cluster.state(), row.header())).isTrue();
        assertThat(StorageMoves.isLost(cluster.state(), TestCluster.chunkId(99))).isFalse();
    }

    @Test
    void aPieceThatOneSiteKeepsIsNeitherExpiredNorLost() {
        TestCluster cluster = TestCluster.create();
        JobRecord job =
                cluster.markProtected(cluster.complete(cluster.backup(TestCluster.CRIT, 1)));
        CatalogRow row = new CatalogRow(job.row().orElseThrow(), job.pieceHeader().orElseThrow());
        assertThat(Views.piece(cluster.lookup(), row, job, true).keptAt())
                .containsExactly("local", "dr");
        cluster.expireAt(Site.LOCAL, job);
        PieceView view = Views.piece(cluster.lookup(), row, cluster.job(job.id()), true);
        assertThat(view.state()).isEqualTo("NORMAL");
        assertThat(view.keptAt()).containsExactly("dr");
        assertThat(view.protection()).isEqualTo(Protection.DR_PROTECTED);
        assertThat(view.location().physical()).startsWith("127.50.4.4:3456");
        assertThat(Views.ledgerAhead(cluster.state(), Optional.empty()).entries()).isEmpty();
        assertThat(Lifetimes.isExpired(cluster.state(), row.header(), Site.LOCAL)).isTrue();
        assertThat(Lifetimes.isExpired(cluster.state(), row.header(), Site.DR)).isFalse();

        // It is simply there after a failover, and the ledger does not know it.
        TestCluster active = cluster.failover(DR);
        assertThat(ledger(active).entries()).isEmpty();
        assertThat(Views.piece(active.lookup(), row, job, true).keptAt()).containsExactly("dr");

        cluster.expire(job);
        PieceView gone = Views.piece(cluster.lookup(), row, job, true);
        assertThat(gone.state()).isEqualTo("EXPIRED");
        assertThat(gone.keptAt()).isEmpty();
    }

    @Test
    void whatDrHasLetGoIsNotProtectedAndTheLedgerListsIt() {
        TestCluster cluster = greenAt(PolicyResource.GreenAt.DR_DATA);
        JobRecord job =
                cluster.markProtected(cluster.complete(cluster.backup(TestCluster.CRIT, 1)));
        CatalogRow row = new CatalogRow(job.row().orElseThrow(), job.pieceHeader().orElseThrow());
        assertThat(safety(cluster, job, true, true).green()).isTrue();
        cluster.expireAt(Site.DR, job);
        PieceView piece = Views.piece(cluster.lookup(), row, job, true);
        assertThat(piece.keptAt()).containsExactly("local");
        assertThat(piece.protection()).isEqualTo(Protection.UNPROTECTED);
        assertThat(piece.protectedAt()).isNull();
        JobView shown = view(cluster, job, true, false);
        assertThat(shown.protection()).isEqualTo(Protection.UNPROTECTED);
        assertThat(shown.protectedAt()).isNull();
        JobView.Safety safety = safety(cluster, job, true, true);
        assertThat(safety.reached()).isEqualTo("dr-log");
        assertThat(safety.green()).isFalse();
        assertThat(safety.waitsFor()).isNull();

        assertThat(Views.ledgerAhead(cluster.state(), Optional.empty()).entries())
                .singleElement()
                .satisfies(e -> {
                    assertThat(e.job()).isEqualTo(job.id());
                    assertThat(e.state()).isEqualTo("UNPROTECTED");
                    assertThat(e.note()).contains("site local alone", "site dr");
                });
        assertThat(ledger(cluster.failover(DR)).entries())
                .singleElement()
                .satisfies(e -> assertThat(e.piece()).isEqualTo(row.piece()));
    }

    // ---------------------------------------------------------------- levels

    private static TestCluster greenAt(PolicyResource.GreenAt level) {
        TestCluster cluster = TestCluster.create();
        cluster.put(
                new PolicyResource("month", Retention.FOREVER, level)
                        .toResource(new UUID(0x70, 1)));
        return cluster;
    }

    /** Reached by what is shown and recorded, against what each policy asks for. */
    @ParameterizedTest
    @CsvSource({
        "LOCAL,false,false,local,true", "LOCAL,false,true,dr-log,true",
        "DR_LOG,false,false,local,false", "DR_LOG,false,true,dr-log,true",
        "DR_LOG,true,true,dr-data,true", "DR_DATA,false,false,local,false",
        "DR_DATA,false,true,dr-log,false", "DR_DATA,true,true,dr-data,true"
    })
    void aBackupIsGreenOnlyAtTheLevelOfItsPolicy(
            PolicyResource.GreenAt policy,
            boolean shown,
            boolean recorded,
            String reached,
            boolean green) {
        TestCluster cluster = greenAt(policy);
        JobRecord job = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        JobView.Safety safety = safety(cluster, job, shown, recorded);
        assertThat(safety.reached()).isEqualTo(reached);
        assertThat(safety.green()).isEqualTo(green);
        assertThat(safety.greenAt()).isEqualTo(policy.word());
        assertThat(safety.waitsFor()).isEqualTo(green ? null : policy.word());
        assertThat(safety.level()).isEqualTo(recorded ? Level.PROTECTED : Level.UNPROTECTED);
        assertThat(safety.rpoAtRisk()).isEqualTo(recorded ? null : RISK);
    }

    @Test
    void whatHasNotEndedWellOrIsLostIsNeverGreen() {
        TestCluster cluster = greenAt(PolicyResource.GreenAt.LOCAL);
        JobRecord open = cluster.backup(TestCluster.CRIT, 1);
        assertThat(safety(cluster, open, false, true).green()).isFalse();
        JobRecord failed = cluster.end(open, JobState.FAILED, "disk full");
        JobView.Safety safety = safety(cluster, failed, false, true);
        assertThat(safety.green()).isFalse();
        assertThat(safety.reached()).isEqualTo("none");
        assertThat(safety.waitsFor()).isNull();
        JobRecord lost = cluster.complete(cluster.backup(TestCluster.CRIT, 2));
        cluster.apply(
                new Command.StorageFailover(
                        Endpoint.parse(TestCluster.STORAGE),
                        Site.DR,
                        List.of(lost.id()),
                        "a",
                        "r"));
        assertThat(safety(cluster, lost, false, true).green()).isFalse();
        assertThat(safety(cluster, lost, false, true).waitsFor()).isNull();
    }

    @Test
    void whereNobodyKnowsThePolicyTheHighestLevelIsAskedFor() {
        TestCluster cluster = TestCluster.create();
        JobRecord done = cluster.complete(cluster.backup(TestCluster.CRIT, 1));
        assertThat(safety(cluster, done, false, true).green()).isTrue();
        cluster.delete(TestCluster.CRIT);
        JobView.Safety safety = safety(cluster, done, false, true);
        assertThat(safety.green()).isFalse();
        assertThat(safety.waitsFor()).isEqualTo("dr-data");
    }

    // ---------------------------------------------------------------- clients and identifiers

    @Test
    void clientsWithoutDrAddressAreSuspendedAndTheOthersGoOn() {
        Lookup lookup = TestCluster.create().lookup();
        assertThat(Views.suspended(lookup, Site.LOCAL)).isEmpty();
        assertThat(Views.goOn(lookup, Site.LOCAL)).containsExactlyInAnyOrder("crit", "noncrit");
        assertThat(Views.suspended(lookup, Site.DR))
                .extracting(SuspendedView::name)
                .containsExactly("noncrit");
        assertThat(Views.goOn(lookup, Site.DR)).containsExactly("crit");
    }

    @Test
    void identifiersInUseAreShownLogicalAndDialled() {
        List<IdentifierView> shown = Views.rewritten(TestCluster.create().failover(DR).lookup());
        assertThat(shown)
                .extracting(IdentifierView::logical)
                .containsExactlyInAnyOrder(
                        "127.10.11.22:3456?READ?/data",
                        TestCluster.STORAGE
                                + "?WRITE:IP:127.10.11.45,dedupe,catalog:main?/mtree/backup/"
                                + TestCluster.CRIT,
                        "127.10.11.23:3456?READ?/data",
                        TestCluster.STORAGE
                                + "?WRITE:IP:127.10.11.45,dedupe,catalog:main?/mtree/backup/"
                                + TestCluster.NONCRIT);
        assertThat(shown)
                .filteredOn(v -> v.physical() == null)
                .extracting(IdentifierView::refusal)
                .singleElement()
                .asString()
                .contains("127.10.11.23:3456");
    }

    @Test
    void whatNothingMapsIsNamedBeforeAFailover() {
        TestCluster cluster = TestCluster.create();
        assertThat(Views.unmapped(cluster.lookup(), Site.LOCAL)).isEmpty();
        assertThat(Views.unmapped(cluster.lookup(), Site.DR))
                .extracting(IdentifierView::logical)
                .containsExactly("127.10.11.23:3456?READ?/data");
        cluster.delete(new UUID(0x4e, 3));
        assertThat(Views.unmapped(cluster.lookup(), Site.DR))
                .extracting(IdentifierView::logical)
                .containsExactly("127.10.11.23:3456?READ?/data", "127.10.11.44:9873?READ");
    }

    // ---------------------------------------------------------------- loss ledger

    /** Job 1 protected, job 2 complete, job 3 running, job 4 failed. */
    private static TestCluster lossy() {
        TestCluster cluster = TestCluster.create();
        cluster.markProtected(cluster.complete(cluster.backup(TestCluster.CRIT, 1)));
        cluster.complete(cluster.backup(TestCluster.CRIT, 2));
        cluster.backup(TestCluster.NONCRIT, 3);
        cluster.end(cluster.backup(TestCluster.CRIT, 4), JobState.FAILED, "disk full");
        return cluster;
    }

    @Test
    void withoutAFailoverTheLedgerIsEmpty() {
        LossLedgerView ledger = ledger(lossy());
        assertThat(ledger).isEqualTo(new LossLedgerView(null, null, false, List.of()));
    }

    @Test
    void theLedgerAheadSaysWhatAFailoverNowWouldList() {
        LossLedgerView ledger = Views.ledgerAhead(lossy().state(), CONTACT);
        assertThat(ledger.epoch()).isNull();
        assertThat(ledger.unknownSince()).isEqualTo(Moment.of(TestCluster.START));
        assertThat(ledger.complete()).isFalse();
        assertThat(ledger.entries())
                .extracting(LossLedgerView.Entry::job, LossLedgerView.Entry::state)
                .containsExactly(
                        tuple(TestCluster.jobId(2), "UNPROTECTED"),
                        tuple(TestCluster.jobId(3), "OPEN"));
    }

    /** Once the lost site is back it is heard of every second, and a restart forgets when it was. */
    @Test
    void sinceWhenTheLostSiteIsUnknownStandsInTheRecord() {
        TestCluster active = lossy().failover(DR, TestCluster.START - 7);
        for (Optional<Long> now : List.of(CONTACT, Optional.<Long>empty())) {
            assertThat(Views.lossLedger(active.state(), now).unknownSince())
                    .isEqualTo(Moment.of(TestCluster.START - 7));
        }
    }

    @Test
    void afterAFailoverWhatWasOpenAndUnprotectedIsListedAndNotYetResolved() {
        TestCluster lost = lossy();
        JobRecord done = lost.job(TestCluster.jobId(2));
        LossLedgerView ledger = ledger(lost.failover(DR));
        assertThat(ledger.epoch()).isEqualTo("2.dr");
        assertThat(ledger.unknownSince()).isEqualTo(Moment.of(TestCluster.START));
        assertThat(ledger.complete()).isFalse();
        assertThat(ledger.entries()).hasSize(2);
        LossLedgerView.Entry unprotected = ledger.entries().get(0);
        assertThat(unprotected.job()).isEqualTo(TestCluster.jobId(2));
        assertThat(unprotected.state()).isEqualTo("UNPROTECTED");
        assertThat(unprotected.clientName()).isEqualTo("crit");
        assertThat(unprotected.piece()).isEqualTo(TestCluster.pieceId(2));
        assertThat(unprotected.started()).isEqualTo(Moment.of(done.openedMicros()));
        assertThat(unprotected.committed()).isEqualTo(Moment.of(done.endedMicros()));
        assertThat(unprotected.sizeBytes()).isEqualTo(1000);
        assertThat(unprotected.resolution()).isNull();
        LossLedgerView.Entry open = ledger.entries().get(1);
        assertThat(open.job()).isEqualTo(TestCluster.jobId(3));
        assertThat(open.state()).isEqualTo("OPEN");
        assertThat(open.clientName()).isEqualTo("noncrit");
        assertThat(open.piece()).isEqualTo(TestCluster.pieceId(3));
        assertThat(open.sizeBytes()).isZero();
        // The lost site may have completed it: nothing is known before it is back.
        assertThat(open.resolution()).isNull();
    }

    @Test
    void theReturnedSiteResolvesItsJobsAndNamesTheUnseen() {
        TestCluster lost = lossy();
        TestCluster active = lost.failover(DR);
        UUID lineage = TestCluster.LOCAL_LINEAGE;
        // What the lost site did after the other one had heard of it for the last time.
        JobRecord late = lost.complete(lost.job(TestCluster.jobId(3)));
        JobRecord unseen = lost.complete(lost.backup(TestCluster.CRIT, 5));
        active.backup(TestCluster.CRIT, 6);
        active.apply(new Command.PieceRecovered(late, lineage));
        active.apply(new Command.PieceRecovered(unseen, lineage));
        active.markProtected(active.job(TestCluster.jobId(2)));
        lost.backup(TestCluster.NONCRIT, 8);
        // Its first piece is here, and it may have more.
        assertThat(ledger(active).complete()).isFalse();
        active.handOver("l1", lost);
        LossLedgerView ledger = ledger(active);
        assertThat(ledger.complete()).isTrue();
        assertThat(ledger.entries())
                .extracting(
                        LossLedgerView.Entry::job,
                        LossLedgerView.Entry::state,
                        LossLedgerView.Entry::resolution)
                .containsExactly(
                        tuple(TestCluster.jobId(2), "UNPROTECTED", "MERGED"),
                        tuple(TestCluster.jobId(3), "OPEN", "MERGED"),
                        tuple(TestCluster.jobId(5), "UNSEEN", "MERGED"),
                        tuple(TestCluster.jobId(8), "UNSEEN", "ABORTED"));
        assertThat(ledger.entries().get(2).committed()).isEqualTo(Moment.of(unseen.endedMicros()));
        assertThat(ledger.entries().get(2).sizeBytes()).isEqualTo(1000);
        assertThat(ledger.entries().getLast().clientName()).isEqualTo("noncrit");
    }

    @Test
    void whatTheReturnedSiteDidNotCompleteIsAborted() {
        TestCluster lost = lossy();
        TestCluster active = lost.failover(DR);
        active.handOver("l1", lost);
        assertThat(ledger(active).entries())
                .filteredOn(e -> e.state().equals("OPEN"))
                .extracting(LossLedgerView.Entry::resolution)
                .containsExactly("ABORTED");
    }

    /** A planned change of the active site needs both sites, so the lost one is back. */
    @Test
    void aSwitchoverCompletesTheLedger() {
        TestCluster active = lossy().failover(DR);
        active.switchover(new Epoch(3, Site.LOCAL));
        LossLedgerView ledger = ledger(active);
        assertThat(ledger.epoch()).isEqualTo("2.dr");
        assertThat(ledger.complete()).isTrue();
        assertThat(ledger.entries())
                .extracting(LossLedgerView.Entry::resolution)
                .containsExactly("MERGED", "ABORTED");
    }

    @Test
    void whatAnEarlierFailoverBroughtBackIsNotInTheLedgerOfALaterOne() {
        TestCluster lost = lossy();
        TestCluster active = lost.failover(DR);
        active.apply(
                new Command.PieceRecovered(
                        lost.complete(lost.backup(TestCluster.CRIT, 5)),
                        TestCluster.LOCAL_LINEAGE));
        active.markProtected(active.job(TestCluster.jobId(2)));
        active.markProtected(active.job(TestCluster.jobId(5)));
        active.switchover(new Epoch(3, Site.LOCAL));
        active.backup(TestCluster.CRIT, 7);
        LossLedgerView ledger = ledger(active.failover(new Epoch(4, Site.DR)));
        assertThat(ledger.epoch()).isEqualTo("4.dr");
        assertThat(ledger.complete()).isFalse();
        assertThat(ledger.entries())
                .extracting(LossLedgerView.Entry::job)
                .containsExactly(TestCluster.jobId(7));
    }
}
