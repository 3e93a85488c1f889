package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.chaos.compare.Difference;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.Moment;
import io.holdfast.node.api.Protection;
import io.holdfast.node.api.ReconcileView;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final UUID ID = new UUID(1, 2);

    private static Report full() {
        Report report = new Report("p2-small");
        report.source(new Workspace.Size(1234, 98_000_000, List.of()));
        report.backup(
                new Report.Backup(
                        "full crit",
                        ID,
                        1234,
                        0,
                        98_000_000,
                        98_000_000,
                        90_000_000,
                        40_000_000,
                        0.5,
                        null));
        report.backup(
                new Report.Backup(
                        "nothing changed",
                        new UUID(1, 3),
                        1000,
                        1000,
                        98_000_000,
                        0,
                        0,
                        400,
                        0.1,
                        0.2));
        report.protectedAfter(ID, 1.25);
        report.rpo(2.5);
        report.rto("writable", 7, 3.1);
        report.rto("firstRestoreByte", 8, 4.1);
        report.rto("firstCriticalBackup", 9, 5.1);
        report.event(0, "local site lost");
        report.ledger(
                new LossLedgerView(
                        "2.dr",
                        Moment.of(1_000_000),
                        false,
                        List.of(
                                new LossLedgerView.Entry(
                                        ID,
                                        null,
                                        "crit",
                                        null,
                                        "OPEN",
                                        Moment.of(5),
                                        null,
                                        0,
                                        null,
                                        "no outcome seen"))));
        report.reconciled(
                new ReconcileView(
                        "DONE",
                        "local",
                        ID,
                        7,
                        List.of("l1"),
                        List.of(
                                new ReconcileView.Merged(
                                        ID,
                                        ID,
                                        ID,
                                        "crit",
                                        "/data",
                                        Moment.of(9),
                                        10,
                                        Protection.DR_PROTECTED)),
                        List.of(),
                        List.of(),
                        List.of(),
                        false,
                        null,
                        0,
                        0,
                        0,
                        0));
        report.rewritten(
                new IdentifierView(
                        "127.10.11.22:3456?READ?/data",
                        "127.50.4.22:3456?READ?/data",
                        null,
                        List.of()));
        report.failback(5_000_000, 4_900_000);
        return report;
    }

    private static TreeComparer.Report same() {
        return new TreeComparer.Report(1300, 98_000_000, List.of(), List.of());
    }

    @Test
    void theJsonHasTheFieldsOfTheIssue() throws Exception {
        Report report = full();
        report.compared("at DR", same());
        JsonNode json =
                new ObjectMapper().readTree(report.json(List.of(new Screen.Phase("create", 1.5))));
        assertThat(json.get("ok").booleanValue()).isTrue();
        assertThat(json.get("profile").textValue()).isEqualTo("p2-small");
        assertThat(json.get("files").longValue()).isEqualTo(1234);
        assertThat(json.get("bytes").longValue()).isEqualTo(98_000_000);
        assertThat(json.get("mismatches").longValue()).isZero();
        assertThat(json.get("rpoSeconds").doubleValue()).isEqualTo(2.5);
        assertThat(json.at("/rtoSeconds/writable").doubleValue()).isEqualTo(3.1);
        assertThat(json.at("/rtoSeconds/firstRestoreByte").doubleValue()).isEqualTo(4.1);
        assertThat(json.at("/rtoSeconds/firstCriticalBackup").doubleValue()).isEqualTo(5.1);
        assertThat(json.at("/rtoFromKillSeconds/writable").doubleValue()).isEqualTo(7);
        assertThat(json.at("/lossLedger/0/state").textValue()).isEqualTo("OPEN");
        assertThat(json.at("/merged/0/clientName").textValue()).isEqualTo("crit");
        assertThat(json.at("/rewritten/0/logical").textValue()).contains("127.10.11.22");
        assertThat(json.at("/rewritten/0/physical").textValue()).contains("127.50.4.22");
        assertThat(json.at("/failback/bytesMoved").longValue()).isEqualTo(4_900_000);
        assertThat(json.at("/failback/bytesMissing").longValue()).isEqualTo(5_000_000);
        assertThat(json.at("/phases/0/name").textValue()).isEqualTo("create");
        assertThat(json.at("/phases/0/seconds").doubleValue()).isEqualTo(1.5);
        assertThat(json.at("/speed/firstFullMegabytesPerSecond").doubleValue()).isEqualTo(196);
        assertThat(json.at("/speed/unchangedSecondsPer20000Files").doubleValue()).isEqualTo(2);
        assertThat(json.at("/backups/0/protectedSeconds").doubleValue()).isEqualTo(1.25);
    }

    @Test
    void oneMismatchIsEnoughToFail() {
        Report report = full();
        report.compared("at DR", same());
        report.compared(
                "at local",
                new TreeComparer.Report(
                        1300,
                        98_000_000,
                        List.of(new Difference("a/b", Difference.Kind.MODE, "644", "600")),
                        List.of("owner: 3")));
        assertThat(report.ok()).isFalse();
        assertThat(report.mismatches()).isEqualTo(1);
        assertThat(table(report))
                .contains("DID NOT HOLD", "1 MISMATCH", "a/b: mode, expected 644, found 600")
                .contains("not compared: owner: 3");
    }

    @Test
    void nothingComparedIsNotGood() {
        assertThat(full().ok()).isFalse();
    }

    @Test
    void aFailedStepIsNotGood() {
        Report report = full();
        report.compared("at DR", same());
        report.failed("no");
        assertThat(report.ok()).isFalse();
    }

    @Test
    void theTableFitsAScreen() {
        Report report = full();
        report.compared("newest protected, at DR", same());
        String table = table(report);
        assertThat(table).contains("THE DRILL HELD", "RPO", "RTO  writable", "3.1 s", "7.0 s");
        assertThat(table.lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(100));
    }

    private static String table(Report report) {
        StringWriter text = new StringWriter();
        report.table(new PrintWriter(text), 61.5);
        return text.toString();
    }

    @Test
    void numbersAsPeopleReadThem() {
        assertThat(Units.bytes(999)).isEqualTo("999 B");
        assertThat(Units.bytes(1_450_000)).isEqualTo("1.5 MB");
        assertThat(Units.bytes(999_960)).isEqualTo("1.0 MB");
        assertThat(Units.bytes(123_400_000_000L)).isEqualTo("123 GB");
        assertThat(Units.seconds(0.0421)).isEqualTo("42 ms");
        assertThat(Units.seconds(3.21)).isEqualTo("3.2 s");
        assertThat(Units.seconds(125.2)).isEqualTo("2 min 05 s");
        assertThat(Units.plural(1, "file")).isEqualTo("1 file");
        assertThat(Units.plural(12_345, "file")).isEqualTo("12,345 files");
        assertThat(Units.plural(3, "process")).isEqualTo("3 processes");
    }
}
