package io.holdfast.replication.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class TailTest {
    private static Tail.LogEntry entry(long term, long index, Command command) {
        return new Tail.LogEntry(
                term,
                index,
                new Entry(new UUID(7, index), Samples.FIRST, index, command).toBytes());
    }

    private static Tail tail(long term, Tail.LogEntry... entries) {
        return new Tail(
                Samples.LINEAGE,
                1,
                0,
                ClusterState.empty()
                        .apply(
                                new Entry(
                                        Samples.id(1),
                                        Samples.FIRST,
                                        0,
                                        Command.EpochChange.first(
                                                Samples.FIRST, Samples.LINEAGE, "init")),
                                0)
                        .state()
                        .toBytes(),
                List.of(entries),
                term,
                entries.length);
    }

    @Test
    void uncommittedEntriesAreTakenOver() {
        Tail tail =
                tail(
                        2,
                        entry(1, 1, Samples.opened(20)),
                        new Tail.LogEntry(2, 2, ByteString.EMPTY),
                        entry(2, 3, Samples.completed(20)));
        ClusterState state = tail.materialize();
        assertThat(state.unprotectedPieces()).hasSize(1);
        Command.EpochChange fork = tail.fork(Samples.SECOND, Samples.id(3), "failover", "alice");
        assertThat(fork.forkTerm()).isEqualTo(2);
        assertThat(fork.forkIndex()).isEqualTo(3);
        assertThat(fork.forkHash()).isEqualTo(state.hash());
    }

    @Test
    void longestIsThatOfTheHighestTermThenIndex() {
        Tail shorter = tail(2, entry(2, 1, Samples.opened(20)));
        Tail longer = tail(1, entry(1, 1, Samples.opened(20)), entry(1, 2, Samples.opened(21)));
        assertThat(Tail.longest(List.of(shorter, longer))).contains(shorter);
        assertThat(Tail.longest(List.of())).isEmpty();
    }

    @Test
    void gapIsRefused() {
        assertThatThrownBy(() ->
                        tail(1, entry(1, 1, Samples.opened(20)), entry(1, 3, Samples.opened(21))))
                .hasMessageContaining("expected entry 2");
    }
}
