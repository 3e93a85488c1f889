package io.holdfast.node.api;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a monitoring system wants to know of one node.
 *
 * @param metrics sorted as they should be read; names are unique
 */
public record MetricsView(List<Metric> metrics) {
    /** Copies the list. */
    public MetricsView {
        metrics = List.copyOf(metrics);
    }

    /** Whether a number may fall. */
    public enum Kind {
        /** It may. */
        GAUGE,
        /** It only rises while the process lives; its name has no {@code _total}, its text has. */
        COUNTER
    }

    /**
     * One metric.
     *
     * @param name as in {@code holdfast_rpo_at_risk_seconds}
     * @param help one sentence
     * @param kind whether it may fall
     * @param samples at least one; each with the same labels
     */
    public record Metric(String name, String help, Kind kind, List<Sample> samples) {
        /** Copies the list. */
        public Metric {
            samples = List.copyOf(samples);
        }
    }

    /**
     * One number.
     *
     * @param labels what tells it from the others of its metric
     * @param value the number
     */
    public record Sample(Map<String, String> labels, double value) {
        /** Copies the map, sorted. */
        public Sample {
            labels = Collections.unmodifiableMap(new TreeMap<>(labels));
        }
    }
}
