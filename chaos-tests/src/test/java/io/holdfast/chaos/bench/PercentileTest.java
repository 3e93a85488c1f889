package io.holdfast.chaos.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PercentileTest {
    private static final List<Double> TO_200 =
            IntStream.rangeClosed(1, 200).mapToObj(i -> 201.0 - i).toList();

    @Test
    void isAMeasuredValueByNearestRank() {
        assertThat(Percentile.of(TO_200, 50)).isEqualTo(100);
        assertThat(Percentile.of(TO_200, 99)).isEqualTo(198);
        assertThat(Percentile.of(TO_200, 100)).isEqualTo(200);
    }

    @Test
    void isTheWorstOfAFew() {
        assertThat(Percentile.of(List.of(2.0, 9.0, 1.0, 3.0, 4.0), 99)).isEqualTo(9);
        assertThat(Percentile.of(List.of(2.0, 9.0, 1.0, 3.0, 4.0), 50)).isEqualTo(3);
        assertThat(Percentile.of(List.of(7.0), 1)).isEqualTo(7);
    }

    @Test
    void refusesWhatIsNone() {
        assertThatIllegalArgumentException().isThrownBy(() -> Percentile.of(List.of(), 50));
        assertThatIllegalArgumentException().isThrownBy(() -> Percentile.of(TO_200, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> Percentile.of(TO_200, 101));
    }
}
