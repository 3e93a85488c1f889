package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.gc.GcState;
import io.holdfast.node.server.GcPacing.Fossils;
import io.holdfast.node.server.GcPacing.Step;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GcPacingTest {
    private static final Duration GRACE = Duration.ofHours(24);
    private static final Duration EVERY = Duration.ofHours(6);
    private static final long HOUR = 3_600_000_000L;
    private static final long NOW = 1_000 * HOUR;

    private static Step next(List<Fossils> marks, Optional<Long> mark, Optional<Long> sweep) {
        return GcPacing.next(NOW, false, false, marks, GRACE, EVERY, mark, sweep);
    }

    @Test
    void aStoreIsMarkedOncePerPeriod() {
        assertThat(next(List.of(), Optional.empty(), Optional.empty())).isEqualTo(Step.MARK);
        assertThat(next(List.of(), Optional.of(NOW - 5 * HOUR), Optional.empty()))
                .isEqualTo(Step.NOTHING);
        assertThat(next(List.of(), Optional.of(NOW - 6 * HOUR), Optional.empty()))
                .isEqualTo(Step.MARK);
    }

    @Test
    void aStoreAtWorkIsLeftAlone() {
        assertThat(
                        GcPacing.next(
                                NOW,
                                true,
                                false,
                                List.of(new Fossils(0, 0, true)),
                                GRACE,
                                EVERY,
                                Optional.empty(),
                                Optional.empty()))
                .isEqualTo(Step.NOTHING);
    }

    @Test
    void theSecondMarkComesWhenItMayConfirm() {
        long made = NOW - 25 * HOUR;
        Optional<Long> lately = Optional.of(NOW - HOUR / 2);
        Optional<Long> longAgo = Optional.of(NOW - 5 * HOUR);
        assertThat(next(List.of(new Fossils(made, 0, false)), longAgo, Optional.empty()))
                .isEqualTo(Step.MARK);
        // One that was tried since then did not help: it waits for the period.
        assertThat(next(List.of(new Fossils(made, 0, false)), lately, Optional.empty()))
                .isEqualTo(Step.NOTHING);
        assertThat(next(List.of(new Fossils(made, 1, false)), longAgo, Optional.empty()))
                .isEqualTo(Step.NOTHING);
        assertThat(next(List.of(new Fossils(NOW - HOUR, 0, false)), longAgo, Optional.empty()))
                .isEqualTo(Step.NOTHING);
    }

    @Test
    void whatIsConfirmedIsSweptAndAFrozenSweepIsTriedOncePerPeriod() {
        List<Fossils> confirmed = List.of(new Fossils(NOW - 48 * HOUR, 0, true));
        Optional<Long> mark = Optional.of(NOW - HOUR);
        assertThat(next(confirmed, mark, Optional.empty())).isEqualTo(Step.SWEEP);
        assertThat(next(confirmed, mark, Optional.of(NOW - HOUR))).isEqualTo(Step.NOTHING);
        assertThat(next(confirmed, mark, Optional.of(NOW - 7 * HOUR))).isEqualTo(Step.SWEEP);
    }

    @Test
    void marksGoOnWhileASweepIsFrozenAndLeaveRoomForItsOwn() {
        List<Fossils> confirmed = List.of(new Fossils(NOW - 48 * HOUR, 0, true));
        assertThat(frozen(confirmed, NOW - HOUR)).isEqualTo(Step.NOTHING);
        assertThat(frozen(confirmed, NOW - 7 * HOUR)).isEqualTo(Step.MARK);
        assertThat(GcPacing.leavesRoom(GcState.MAX_RUNS - 2)).isTrue();
        assertThat(GcPacing.leavesRoom(GcState.MAX_RUNS - 1)).isFalse();
    }

    private static Step frozen(List<Fossils> marks, long mark) {
        return GcPacing.next(
                NOW, false, true, marks, GRACE, EVERY, Optional.of(mark), Optional.empty());
    }
}
