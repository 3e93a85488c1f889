package io.holdfast.chaos.bench;

import java.util.List;

/** Percentiles by nearest rank: each is a value that was measured. */
final class Percentile {
    private Percentile() {}

    /**
     * The smallest value that at least {@code percent} of all values do not exceed.
     *
     * @param percent 1 to 100
     */
    static double of(List<Double> values, int percent) {
        if (values.isEmpty() || percent < 1 || percent > 100) {
            throw new IllegalArgumentException(
                    "percentile " + percent + " of " + values.size() + " values");
        }
        int rank = Math.ceilDiv(values.size() * percent, 100);
        return values.stream().sorted().skip(rank - 1L).findFirst().orElseThrow();
    }
}
