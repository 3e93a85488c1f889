package io.holdfast.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterProcessesTest {
    private static final List<String> SLEEP = List.of("sh", "-c", "echo up; exec sleep 600");

    @TempDir Path folder;

    private ClusterProcesses processes() throws Exception {
        return new ClusterProcesses(folder.resolve("logs"), () -> {});
    }

    @Test
    void closingEndsEverythingAlsoWhatStandsStill() throws Exception {
        Process one;
        Process two;
        try (ClusterProcesses processes = processes()) {
            one = processes.start("one", SLEEP, folder).process();
            two = processes.start("two", SLEEP, folder).process();
            processes.pause(List.of("two"));
            assertThat(processes.alive()).containsExactly("one", "two");
        }
        assertThat(one.isAlive()).isFalse();
        assertThat(two.isAlive()).isFalse();
    }

    @Test
    void aKilledProcessCanBeStartedAgainWithAnotherLog() throws Exception {
        try (ClusterProcesses processes = processes()) {
            Path first = processes.start("one", SLEEP, folder).log();
            assertThatThrownBy(() -> processes.start("one", SLEEP, folder))
                    .hasMessageContaining("runs already");
            processes.kill(List.of("one"));
            assertThat(processes.isAlive("one")).isFalse();
            assertThat(processes.ended(List.of("one"))).get().asString().contains("137");
            Path second = processes.start("one", SLEEP, folder).log();
            assertThat(second).isNotEqualTo(first);
        }
    }

    @Test
    void aStartThatWaitedForTheEndOfAllIsRefused() throws Exception {
        try (ClusterProcesses processes = processes()) {
            Process one = processes.start("one", SLEEP, folder).process();
            AtomicReference<Throwable> said = new AtomicReference<>();
            Thread starter =
                    new Thread(() -> {
                        try {
                            processes.start("late", SLEEP, folder);
                        } catch (IOException e) {
                            said.set(e);
                        }
                    });
            synchronized (processes) {
                starter.start();
                while (starter.getState() != Thread.State.BLOCKED) {
                    Thread.onSpinWait();
                }
                processes.end();
            }
            starter.join();
            assertThat(one.isAlive()).isFalse();
            assertThat(said.get()).hasMessageContaining("Refused to start late");
            assertThat(processes.names()).containsExactly("one");
            assertThat(processes.isEnding()).isTrue();
        }
    }

    @Test
    void aDiscardedProcessIsGoneAndForgotten() throws Exception {
        try (ClusterProcesses processes = processes()) {
            Process gone = processes.start("gone", SLEEP, folder).process();
            processes.start("stays", SLEEP, folder);
            processes.discard(List.of("gone", "never started"));
            assertThat(gone.isAlive()).isFalse();
            assertThat(processes.names()).containsExactly("stays");
            assertThat(processes.alive()).containsExactly("stays");
        }
    }

    @Test
    void theLastLinesOfALog() throws Exception {
        try (ClusterProcesses processes = processes()) {
            List<String> command = List.of("sh", "-c", "for i in 1 2 3 4; do echo line $i; done");
            processes.start("talker", command, folder).process().waitFor();
            assertThat(processes.tail("talker", 2)).containsExactly("line 3", "line 4");
            assertThat(processes.tail("nobody", 2)).isEmpty();
        }
    }
}
