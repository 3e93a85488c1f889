package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.proto.v1.LogLine;
import io.holdfast.agent.proto.v1.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobBookTest {
    @TempDir Path dir;
    private final UUID job = UUID.randomUUID();

    @Test
    void anOutcomeStaysUntilItIsForgotten() throws Exception {
        JobBook book = JobBook.open(dir);
        book.begin(job);
        LogLine line = LogLine.newBuilder().setMessage("m").build();
        Outcome outcome = Outcome.newBuilder().setState(Outcome.State.COMPLETED).build();
        book.finish(job, List.of(line), outcome);
        JobBook again = JobBook.open(dir);
        assertThat(again.outcome(job)).contains(new JobBook.Finished(List.of(line), outcome));
        assertThat(again.finished()).containsExactly(job);
        again.forget(job);
        again.forget(job);
        assertThat(JobBook.open(dir).outcome(job)).isEmpty();
    }

    @Test
    void aJobThatRanWhenTheAgentDiedHasFailed() throws Exception {
        JobBook.open(dir).begin(job);
        JobBook again = JobBook.open(dir);
        assertThat(again.outcome(job).orElseThrow().outcome())
                .satisfies(o -> {
                    assertThat(o.getState()).isEqualTo(Outcome.State.FAILED);
                    assertThat(o.getMessage()).contains("agent restarted");
                });
    }

    @Test
    void aDamagedRecordIsAFailure() throws Exception {
        JobBook book = JobBook.open(dir);
        book.finish(
                job,
                List.of(LogLine.newBuilder().setMessage("a line").build()),
                Outcome.newBuilder().setState(Outcome.State.COMPLETED).build());
        Path file = dir.resolve(job + ".outcome");
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            byte[] bytes = whole.clone();
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
            Files.write(file, bytes);
            assertThat(book.outcome(job).orElseThrow().outcome().getState())
                    .isEqualTo(Outcome.State.FAILED);
        }
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, java.util.Arrays.copyOf(whole, length));
            try {
                JobBook.parse(Files.readAllBytes(file));
                throw new AssertionError(length + " bytes were taken");
            } catch (IOException expected) {
                assertThat(expected).hasMessageMatching("(?s).+");
            }
        }
    }
}
