package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.ChunkStore.Tailed;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DeltaPlanTest {
    private static Tailed held(int n, boolean damaged) {
        return new Tailed(
                ChunkId.of(Samples.bytes(n, 32)),
                FrameKind.DATA,
                100 + n,
                new LogPosition(1, 1000L * n),
                damaged ? Optional.of("damaged") : Optional.empty());
    }

    @Test
    void movesWhatTheTargetLacksOnceInLogOrder() {
        List<Tailed> source =
                List.of(held(3, false), held(1, false), held(2, false), held(3, false));
        DeltaPlan plan = DeltaPlan.of(source, List.of(held(1, false), held(9, false)));
        assertThat(plan.frames()).containsExactly(held(3, false), held(2, false));
        assertThat(plan.bytes()).isEqualTo(205);
        assertThat(plan.damaged()).isEmpty();
        assertThat(DeltaPlan.of(source, source).frames()).isEmpty();
    }

    @Test
    void damageAtTheTargetIsRepairedAndDamageAtTheSourceIsTold() {
        DeltaPlan plan =
                DeltaPlan.of(
                        List.of(held(1, false), held(2, true), held(3, true), held(3, false)),
                        List.of(held(1, true)));
        assertThat(plan.frames()).containsExactly(held(1, false), held(3, false));
        assertThat(plan.damaged()).containsExactly(held(2, true));
    }
}
