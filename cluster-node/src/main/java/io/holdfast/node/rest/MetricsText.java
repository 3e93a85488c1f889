package io.holdfast.node.rest;

import io.holdfast.node.api.MetricsView;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Metrics in the text format of Prometheus. Pure. */
final class MetricsText {
    static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private MetricsText() {}

    static String of(MetricsView view) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            PrometheusTextFormatWriter.create()
                    .write(
                            out,
                            new MetricSnapshots(
                                    view.metrics().stream().map(MetricsText::snapshot).toList()));
        } catch (IOException e) {
            throw new UncheckedIOException("writing into memory", e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static MetricSnapshot snapshot(MetricsView.Metric metric) {
        return switch (metric.kind()) {
            case GAUGE -> {
                GaugeSnapshot.Builder gauge =
                        GaugeSnapshot.builder().name(metric.name()).help(metric.help());
                metric.samples()
                        .forEach(s ->
                                gauge.dataPoint(
                                        GaugeSnapshot.GaugeDataPointSnapshot.builder()
                                                .labels(labels(s))
                                                .value(s.value())
                                                .build()));
                yield gauge.build();
            }
            case COUNTER -> {
                CounterSnapshot.Builder counter =
                        CounterSnapshot.builder().name(metric.name()).help(metric.help());
                metric.samples()
                        .forEach(s ->
                                counter.dataPoint(
                                        CounterSnapshot.CounterDataPointSnapshot.builder()
                                                .labels(labels(s))
                                                .value(s.value())
                                                .build()));
                yield counter.build();
            }
        };
    }

    private static Labels labels(MetricsView.Sample sample) {
        return Labels.of(
                List.copyOf(sample.labels().keySet()), List.copyOf(sample.labels().values()));
    }
}
