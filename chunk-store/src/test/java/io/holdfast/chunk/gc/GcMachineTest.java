package io.holdfast.chunk.gc;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.gc.GcEvent.Order;
import io.holdfast.chunk.gc.GcEvent.Standing;
import io.holdfast.standard.Epoch;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** An edge of the tables of {@link GcMachine} each. */
class GcMachineTest {
    private static final Epoch ONE = Epoch.parse("1.local");
    private static final Epoch TWO = Epoch.parse("2.dr");
    private static final long HOUR = 3_600_000_000L;
    private static final UUID SESSION = new UUID(5, 5);
    private static final Standing CALM = Standing.calm("ACTIVE");

    private GcState state = GcState.fresh(GcState.Config.DEFAULT, ONE);

    private List<GcEffect> step(GcEvent event) {
        GcDecision decision = GcMachine.step(state, event);
        state = decision.state();
        return decision.effects();
    }

    private static Order at(long hours, Epoch epoch) {
        return new Order(epoch, hours * HOUR, hours * HOUR, 0);
    }

    private void mark(long hours) {
        List<GcEffect> effects = step(new GcEvent.MarkOrdered(at(hours, ONE)));
        long run = ((GcEffect.Walk) effects.getLast()).run();
        assertThat(step(new GcEvent.Walked(run, hours * HOUR)))
                .containsExactly(new GcEffect.Fossilise(run, Set.of()));
    }

    private List<GcEffect> sweep(long hours) {
        return step(new GcEvent.SweepOrdered(at(hours, ONE), CALM));
    }

    private static String told(List<GcEffect> effects) {
        return switch (effects.getLast()) {
            case GcEffect.Refuse refuse -> String.join("; ", refuse.reasons());
            case GcEffect.Wait wait -> String.join("; ", wait.reasons());
            default -> throw new AssertionError(effects);
        };
    }

    @Test
    void fossilsGoAfterASecondMarkADayLater() {
        mark(0);
        mark(24);
        assertThat(sweep(24)).containsExactly(new GcEffect.Delete(Set.of(1L)));
        step(new GcEvent.Emptied(Set.of(1L)));
        assertThat(state.numbers()).containsExactly(2L);
    }

    @Test
    void oneMarkIsNotEnough() {
        mark(0);
        assertThat(told(sweep(48))).contains("wait for a second mark");
    }

    @Test
    void aSecondMarkWithinGraceDoesNotCount() {
        mark(0);
        mark(23);
        assertThat(told(sweep(23))).contains("3600 s more");
        assertThat(told(sweep(48))).contains("wait for a second mark");
    }

    @Test
    void aSessionOpenAtTheFirstMarkHoldsUntilAMarkAfterItsEnd() {
        step(new GcEvent.SessionOpened(SESSION));
        mark(0);
        mark(30);
        assertThat(told(sweep(30))).contains("1 sessions to end");
        step(new GcEvent.SessionEnded(SESSION));
        assertThat(told(sweep(31))).contains("wait for a second mark");
        mark(31);
        assertThat(sweep(31)).containsExactly(new GcEffect.Delete(Set.of(1L)));
    }

    @Test
    void anotherEpochBeginsAnew() {
        mark(0);
        mark(24);
        List<GcEffect> effects = step(new GcEvent.SweepOrdered(at(25, TWO), CALM));
        assertThat(effects.getFirst()).isEqualTo(new GcEffect.PersistFence(TWO));
        assertThat(told(effects)).contains("of epoch 1.local");
        assertThat(told(sweep(26))).contains("this store obeys 2.dr");
        assertThat(told(step(new GcEvent.MarkOrdered(at(26, ONE))))).contains("obeys 2.dr");
    }

    @Test
    void fossilsOfAnotherEpochAreAdoptedByTheNextMark() {
        mark(0);
        step(new GcEvent.MarkOrdered(at(1, TWO)));
        assertThat(step(new GcEvent.Walked(2, HOUR)))
                .containsExactly(new GcEffect.Fossilise(2, Set.of(1L)));
        assertThat(state.numbers()).containsExactly(2L);
        Fossils fossils = new Fossils();
        fossils.fossilise(1, Set.of(), new BitSet(), 3);
        fossils.resurrect(1);
        assertThat(fossils.fossilise(2, Set.of(1L), new BitSet(), 2)).isEqualTo(1);
        assertThat(fossils.fossils().get(2L).stream()).containsExactly(0, 1, 2);
        assertThat(fossils.empty(Set.of(1L))).containsExactly(1L);
    }

    @Test
    void openingAgainBeginsAnew() {
        mark(0);
        mark(24);
        step(new GcEvent.SessionOpened(SESSION));
        step(new GcEvent.Opened());
        assertThat(state.runs()).isEmpty();
        assertThat(state.sessions()).isEmpty();
        mark(25);
        assertThat(state.lastRun()).isEqualTo(3);
        assertThat(told(sweep(26))).contains("fossils of mark 3 wait");
    }

    @Test
    void clocksThatDisagreeStopBoth() {
        Order wrong = new Order(ONE, 0, 300_000_000L, 0);
        assertThat(told(step(new GcEvent.MarkOrdered(wrong)))).contains("disagree by 300 s");
        Order peers = new Order(ONE, 0, 0, -400_000);
        assertThat(told(step(new GcEvent.SweepOrdered(peers, CALM)))).contains("400 s");
    }

    @Test
    void everyFreezeHoldsTheSweepAndNotTheMark() {
        mark(0);
        mark(24);
        long day = Duration.ofHours(24).toMillis();
        List<Standing> frozen =
                List.of(
                        new Standing(false, "FENCED", 0, false, Set.of()),
                        new Standing(true, "ACTIVE", day + 1, false, Set.of()),
                        new Standing(true, "ACTIVE", 0, true, Set.of()),
                        new Standing(true, "ACTIVE", 0, false, Set.of("rehearsal r1")));
        List<String> words = List.of("FENCED", "not been SYNC", "forced", "rehearsal r1");
        for (int i = 0; i < frozen.size(); i++) {
            List<GcEffect> effects = step(new GcEvent.SweepOrdered(at(24, ONE), frozen.get(i)));
            assertThat(told(effects)).contains(words.get(i));
            assertThat(GcMachine.obstacles(state, 1, at(24, ONE), frozen.get(i))).hasSize(1);
        }
        assertThat(sweep(24)).containsExactly(new GcEffect.Delete(Set.of(1L)));
    }

    @Test
    void graceBeginsWhenTheFossilsWereMade() {
        step(new GcEvent.MarkOrdered(at(0, ONE)));
        step(new GcEvent.Walked(1, 20 * HOUR));
        mark(30);
        assertThat(told(sweep(30))).contains("50400 s more");
        mark(44);
        assertThat(sweep(44)).containsExactly(new GcEffect.Delete(Set.of(1L)));
    }

    @Test
    void aMarkThatFailsLeavesNothing() {
        step(new GcEvent.MarkOrdered(at(0, ONE)));
        assertThat(told(step(new GcEvent.MarkOrdered(at(0, ONE))))).contains("is under way");
        step(new GcEvent.WalkFailed(1));
        assertThat(state.runs()).isEmpty();
        mark(1);
    }

    @Test
    void runsAreBounded() {
        for (int i = 0; i < GcState.MAX_RUNS; i++) {
            mark(i);
        }
        assertThat(told(step(new GcEvent.MarkOrdered(at(20, ONE))))).contains("wait to be swept");
    }

    @Test
    void fossilsAreResurrectedByPinsAndWalksButNotTheDeleted() {
        Fossils fossils = new Fossils();
        fossils.pin(SESSION, 1);
        BitSet reached = new BitSet();
        reached.set(0);
        assertThat(fossils.fossilise(1, Set.of(), reached, 5)).isEqualTo(3);
        assertThat(fossils.fate(1)).isEqualTo(Fossils.Fate.LIVE);
        assertThat(fossils.run(2)).isEqualTo(1);
        assertThat(fossils.pin(SESSION, 2)).isTrue();
        reached.set(3);
        fossils.resurrectAll(reached);
        assertThat(fossils.delete(Set.of(1L)).stream()).containsExactly(4);
        assertThat(fossils.fate(4)).isEqualTo(Fossils.Fate.DELETED);
        assertThat(fossils.pin(SESSION, 4)).isFalse();
        assertThat(fossils.fossilise(2, Set.of(), new BitSet(), 6)).isEqualTo(3);
        assertThat(fossils.pinned().stream()).containsExactly(1, 2);
    }
}
