package io.holdfast.replication.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.holdfast.standard.Epoch;
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
    void inOneLineageTheHighestTermThenIndexIsTheNewest() {
        Tail shorter = tail(2, entry(2, 1, Samples.opened(20)));
        Tail longer = tail(1, entry(1, 1, Samples.opened(20)), entry(1, 2, Samples.opened(21)));
        assertThat(Tail.newest(List.of(longer, shorter))).contains(shorter);
        assertThat(Tail.newest(List.of())).isEmpty();
    }

    /** What is protected in the newer lineage is in no log of the older one, however long that is. */
    @Test
    void aWholeLogOfANewerLineageWinsOverALongerOneOfAnOlder() {
        Tail old = tail(7, entry(7, 1, Samples.opened(20)), entry(7, 2, Samples.opened(21)));
        Tail next = seeded(Samples.SECOND, Samples.id(3));
        assertThat(Tail.newest(List.of(old, next))).contains(next);
    }

    /** P3: a fork failed, and the lineage that it had left went on in a newer epoch. */
    @Test
    void aLineageThatWentOnWinsOverAForkThatFailed() {
        Tail old = tail(2, entry(2, 1, Samples.opened(20)));
        Tail fork = seeded(Samples.SECOND, Samples.id(3));
        assertThat(Tail.newest(List.of(old, fork))).contains(fork);
        Tail returned = old.joinedIn(new Epoch(4, Samples.FIRST.site()));
        assertThat(Tail.newest(List.of(returned, fork))).contains(returned);
        assertThat(returned.key().orElseThrow().lineage()).isEqualTo(Samples.FIRST);
    }

    /** A member that has joined and waits for its seed counts with the log of the lineage before. */
    @Test
    void aLogWithoutItsSeedIsNotWhole() {
        Tail joined =
                new Tail(Samples.id(3), 0, -1, ClusterState.empty().toBytes(), List.of(), 0, -1);
        Tail old = tail(1, entry(1, 1, Samples.opened(20)));
        assertThat(joined.key()).isEmpty();
        assertThat(Tail.newest(List.of(joined, old))).contains(old);
        // A planned move names the next lineage in the old one's log; that does not open it there.
        assertThat(old.key().orElseThrow().lineage()).isEqualTo(Samples.FIRST);
    }

    private static Tail seeded(Epoch epoch, UUID lineage) {
        ClusterState state =
                ClusterState.empty()
                        .apply(
                                new Entry(
                                        Samples.id(9),
                                        epoch,
                                        0,
                                        Command.EpochChange.first(epoch, lineage, "init")),
                                0)
                        .state();
        return new Tail(lineage, 1, 0, state.toBytes(), List.of(), 1, 0);
    }

    @Test
    void gapIsRefused() {
        assertThatThrownBy(() ->
                        tail(1, entry(1, 1, Samples.opened(20)), entry(1, 3, Samples.opened(21))))
                .hasMessageContaining("expected entry 2");
    }
}
