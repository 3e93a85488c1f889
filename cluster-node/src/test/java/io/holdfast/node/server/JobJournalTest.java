package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import io.holdfast.agent.proto.v1.Progress;
import io.holdfast.node.api.JobView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobJournalTest {
    @TempDir Path temp;

    private static UUID job(int number) {
        return new UUID(0x10b, number);
    }

    private static LogLine line(LogLine.Level level, String path, String message) {
        return LogLine.newBuilder().setLevel(level).setPath(path).setMessage(message).build();
    }

    @Test
    void anUnknownJobHasNothing() {
        JobJournal.View view = new JobJournal(temp.resolve("jobs")).view(job(1));
        assertThat(view.progress()).isEqualTo(Progress.getDefaultInstance());
        assertThat(view.outcome()).isNull();
        assertThat(view.seconds()).isZero();
        assertThat(view.lines()).isEmpty();
    }

    @Test
    void tellsWhatWasHeardLast() {
        JobJournal journal = new JobJournal(temp);
        Progress progress = Progress.newBuilder().setFiles(2).build();
        Outcome outcome = Outcome.newBuilder().setState(Outcome.State.COMPLETED).build();
        journal.attach(job(1), "in", "out");
        journal.progress(job(1), Progress.newBuilder().setFiles(1).build());
        journal.progress(job(1), progress);
        journal.outcome(job(1), outcome);
        JobJournal.View view = journal.view(job(1));
        assertThat(view.input()).isEqualTo("in");
        assertThat(view.output()).isEqualTo("out");
        assertThat(view.progress()).isEqualTo(progress);
        assertThat(view.outcome()).isEqualTo(outcome);
        // The clock of a job that has ended stands.
        assertThat(journal.view(job(1)).seconds()).isEqualTo(view.seconds()).isNotNegative();
        assertThat(journal.view(job(2)).input()).isEmpty();
    }

    @Test
    void linesSurviveOnDisk() {
        JobJournal journal = new JobJournal(temp);
        journal.line(job(1), line(LogLine.Level.INFO, "", "begins"));
        journal.line(job(1), line(LogLine.Level.WARNING, "/a \"b\"\n\\ä", "two\nlines\u0000\t"));
        journal.error(job(1), "broken");
        journal.error(job(2), "another job's");
        assertThat(journal.view(job(1)).lines())
                .containsExactly(
                        new JobView.LogLine("INFO", "", "begins"),
                        new JobView.LogLine("WARNING", "/a \"b\"\n\\ä", "two\nlines\u0000\t"),
                        new JobView.LogLine("ERROR", "", "broken"));
        assertThat(new JobJournal(temp).view(job(1)).lines())
                .isEqualTo(journal.view(job(1)).lines());
    }

    /** The agent tells its whole log to whoever attaches: after a lost stream, and to the next leader. */
    @Test
    void whatAnAgentTellsAgainIsNotNotedTwice() {
        LogLine first = line(LogLine.Level.INFO, "", "begins");
        LogLine twice = line(LogLine.Level.WARNING, "/a", "vanished");
        LogLine last = line(LogLine.Level.INFO, "", "ends");
        List<JobView.LogLine> all =
                List.of(
                        new JobView.LogLine("INFO", "", "begins"),
                        new JobView.LogLine("WARNING", "/a", "vanished"),
                        new JobView.LogLine("WARNING", "/a", "vanished"),
                        new JobView.LogLine("INFO", "", "ends"));
        JobJournal journal = new JobJournal(temp);
        journal.attach(job(1), "in", "out");
        List.of(first, twice).forEach(l -> journal.line(job(1), l));
        journal.attach(job(1), "in", "out");
        List.of(first, twice, twice).forEach(l -> journal.line(job(1), l));
        assertThat(journal.view(job(1)).lines()).isEqualTo(all.subList(0, 3));
        assertThat(journal.heardEnd(job(1))).isFalse();

        JobJournal restarted = new JobJournal(temp);
        restarted.attach(job(1), "in", "out");
        assertThat(restarted.view(job(1)).lines()).isEqualTo(all.subList(0, 3));
        List.of(first, twice, twice, last).forEach(l -> restarted.line(job(1), l));
        assertThat(restarted.view(job(1)).lines()).isEqualTo(all);
        assertThat(new JobJournal(temp).view(job(1)).lines()).isEqualTo(all);
        restarted.outcome(job(1), Outcome.getDefaultInstance());
        assertThat(restarted.heardEnd(job(1))).isTrue();
    }

    /** An agent that was restarted has forgotten what it told: both stand, in the order heard. */
    @Test
    void linesOfAnAgentThatBeganAnewAreAdded() {
        JobJournal journal = new JobJournal(temp);
        journal.attach(job(1), "in", "out");
        journal.line(job(1), line(LogLine.Level.INFO, "", "one"));
        journal.attach(job(1), "in", "out");
        journal.line(job(1), line(LogLine.Level.INFO, "", "two"));
        journal.line(job(1), line(LogLine.Level.INFO, "", "one"));
        assertThat(journal.view(job(1)).lines())
                .extracting(JobView.LogLine::message)
                .containsExactly("one", "two", "one");
    }

    @Test
    void theLogsOfTwoLeadersAreOneLog() {
        JobView.LogLine a = new JobView.LogLine("INFO", "", "a");
        JobView.LogLine b = new JobView.LogLine("INFO", "", "b");
        JobView.LogLine own = new JobView.LogLine("ERROR", "", "the agent did not answer");
        assertThat(JobJournal.join(List.of(), List.of(a, b))).containsExactly(a, b);
        assertThat(JobJournal.join(List.of(a, b), List.of())).containsExactly(a, b);
        assertThat(JobJournal.join(List.of(a, own), List.of(a, a, b)))
                .containsExactly(a, a, b, own);
        assertThat(JobJournal.join(List.of(a, a, b), List.of(b, a))).containsExactly(a, a, b);
    }

    @Test
    void aDamagedLineIsShownAndHidesNoOther() throws Exception {
        new JobJournal(temp).error(job(1), "broken");
        Path file = temp.resolve(job(1) + ".log");
        Files.writeString(file, "{\"level\":\"INFO\"}\n{\"lev\n" + Files.readString(file));
        assertThat(new JobJournal(temp).view(job(1)).lines())
                .containsExactly(
                        new JobView.LogLine("WARNING", "", "unreadable line: {\"level\":\"INFO\"}"),
                        new JobView.LogLine("WARNING", "", "unreadable line: {\"lev"),
                        new JobView.LogLine("ERROR", "", "broken"));
    }

    @Test
    void aFileThatIsNoTextIsAWarning() throws Exception {
        Files.write(temp.resolve(job(1) + ".log"), new byte[] {(byte) 0xff, (byte) 0xfe, 10});
        assertThat(new JobJournal(temp).view(job(1)).lines())
                .singleElement()
                .satisfies(l -> assertThat(l.level()).isEqualTo("WARNING"))
                .satisfies(l -> assertThat(l.message()).startsWith("unreadable"));
    }

    @Test
    void tooManyLinesAreCountedAndNotKept() throws Exception {
        JobJournal journal = new JobJournal(temp);
        for (int i = 0; i < JobJournal.MAX_LINES + 7; i++) {
            journal.error(job(1), "line " + i);
        }
        assertThat(journal.view(job(1)).lines())
                .hasSize(JobJournal.MAX_LINES + 1)
                .endsWith(
                        new JobView.LogLine("ERROR", "", "line " + (JobJournal.MAX_LINES - 1)),
                        new JobView.LogLine("WARNING", "", "7 more lines were dropped"));
        try (var lines = Files.lines(temp.resolve(job(1) + ".log"))) {
            assertThat(lines).hasSize(JobJournal.MAX_LINES);
        }
        assertThat(new JobJournal(temp).view(job(1)).lines()).hasSize(JobJournal.MAX_LINES);
    }

    @Test
    void theJobLeastRecentlyUsedLeavesMemoryAndItsLinesStay() {
        JobJournal journal = new JobJournal(temp);
        for (int i = 0; i < JobJournal.MAX_JOBS; i++) {
            journal.attach(job(i), "in", "out");
        }
        journal.error(job(1), "broken");
        assertThat(journal.view(job(0)).input()).isEqualTo("in");
        // Job 2 is now the one that was used longest ago.
        journal.attach(job(-1), "in", "out");
        assertThat(journal.view(job(2)).input()).isEmpty();
        assertThat(journal.view(job(0)).input()).isEqualTo("in");
        assertThat(journal.view(job(1)).input()).isEqualTo("in");
        for (int i = 0; i < JobJournal.MAX_JOBS; i++) {
            journal.attach(job(1000 + i), "in", "out");
        }
        assertThat(journal.view(job(1)).input()).isEmpty();
        assertThat(journal.view(job(1)).lines())
                .containsExactly(new JobView.LogLine("ERROR", "", "broken"));
    }
}
