package io.holdfast.chunk.gc;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.gc.GcEvent.Order;
import io.holdfast.chunk.gc.GcEvent.Standing;
import io.holdfast.chunk.gc.GcPlan.Group;
import io.holdfast.chunk.gc.GcPlan.Outcome;
import io.holdfast.chunk.gc.GcPlan.Root;
import io.holdfast.standard.Epoch;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class GcPlanTest {
    private static final Epoch ONE = Epoch.parse("1.local");
    private static final Order ORDER = new Order(ONE, 0, 0, 0);
    private static final Standing CALM = Standing.calm("ACTIVE");

    @Test
    void everyByteStandsInExactlyOneGroup() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 200; round++) {
            int end = 40;
            int[][] children = new int[end][];
            for (int i = 0; i < end; i++) {
                children[i] = i < 10 ? new int[0] : random.ints(3, 0, i).toArray();
            }
            Fossils fossils = new Fossils();
            BitSet some = new BitSet();
            random.ints(20, 0, end).forEach(some::set);
            fossils.fossilise(1, Set.of(), some, 30);
            fossils.delete(random.nextBoolean() ? Set.of(1L) : Set.of());
            fossils.fossilise(2, Set.of(), some, end);
            fossils.pin(new UUID(1, 1), random.nextInt(end));
            GcState state = GcState.fresh(GcState.Config.DEFAULT, ONE);
            List<Root> roots =
                    List.of(
                            new Root(new UUID(2, 1), 37, true, "P30D"),
                            new Root(new UUID(2, 2), 38, false, "expired"),
                            new Root(new UUID(2, 3), 39, true, "legal hold"));
            GcPlan plan =
                    GcPlan.of(
                            roots,
                            end,
                            f -> f + 1,
                            f -> children[f],
                            new BitSet(),
                            fossils,
                            state,
                            ORDER,
                            CALM);
            assertThat(plan.frames()).isEqualTo(end);
            assertThat(plan.bytes()).isEqualTo(end * (end + 1) / 2);
            assertThat(plan.groups().stream().mapToLong(Group::bytes).sum())
                    .isEqualTo(plan.bytes());
            assertThat(plan.groups().stream().mapToLong(Group::frames).sum()).isEqualTo(end);
            assertThat(plan.pieces()).hasSize(3);
            assertThat(plan.pieces().getLast().stays()).isFalse();
        }
    }

    @Test
    void eachGroupSaysWhy() throws IOException {
        // 0,1 below piece 2, which stays; 3 below piece 4, which has expired; 5 of nobody; 6
        // pinned.
        int[][] children = {{}, {}, {0, 1}, {}, {3}, {}, {}};
        Fossils fossils = new Fossils();
        fossils.pin(new UUID(1, 1), 6);
        List<Root> roots =
                List.of(
                        new Root(new UUID(2, 1), 2, true, "kept for P30D"),
                        new Root(new UUID(2, 2), 4, false, "expired"));
        GcPlan plan =
                GcPlan.of(
                        roots,
                        7,
                        f -> 10,
                        f -> children[f],
                        new BitSet(),
                        fossils,
                        GcState.fresh(GcState.Config.DEFAULT, ONE),
                        ORDER,
                        CALM);
        assertThat(plan.groups())
                .extracting(g -> g.outcome() + " " + g.frames())
                .containsExactly("STAYS 3", "STAYS 1", "WAITS 2", "WAITS 1");
        assertThat(plan.groups().getFirst().reason()).contains("kept for P30D");
        assertThat(plan.bytes(Outcome.GOES)).isZero();
        assertThat(plan.pieces())
                .extracting(p -> p.reason() + " " + p.bytes() + " " + p.ownBytes())
                .containsExactly("kept for P30D 30 30", "expired 20 20");
    }
}
