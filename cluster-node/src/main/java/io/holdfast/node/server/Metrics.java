package io.holdfast.node.server;

import io.holdfast.chunk.CollectedStore;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.MetricsView;
import io.holdfast.node.api.MetricsView.Kind;
import io.holdfast.node.api.RpoAtRisk;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.GcRun;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.ReplState;
import io.holdfast.standard.Site;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What this node knows of itself, in numbers: its state, its log, its own store. Asks nobody else, so that
 * a monitoring system may ask every node every few seconds. What only the leader of the active site
 * knows is absent elsewhere.
 */
final class Metrics {
    private final String node;
    private final Site site;
    private final ClusterLog log;
    private final SiteController controller;
    private final Acknowledgements acks;
    private final Shipping shipping;
    private final Optional<? extends CollectedStore> store;
    private final Predicate<JobRecord> shown;
    private final InstantSource clock;

    /**
     * @param shown whether a job's piece may be shown DR_PROTECTED
     */
    Metrics(
            String node,
            Site site,
            ClusterLog log,
            SiteController controller,
            Acknowledgements acks,
            Shipping shipping,
            Optional<? extends CollectedStore> store,
            Predicate<JobRecord> shown,
            InstantSource clock) {
        this.node = node;
        this.site = site;
        this.log = log;
        this.controller = controller;
        this.acks = acks;
        this.shipping = shipping;
        this.store = store;
        this.shown = shown;
        this.clock = clock;
    }

    MetricsView view() {
        Sheet sheet = new Sheet();
        ClusterState state = log.state();
        boolean leads = controller.serves();
        site(sheet, state, leads);
        log(sheet, leads);
        if (leads) {
            risk(sheet, acks.atRisk(), ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()));
        }
        pieces(sheet, state);
        for (Acknowledgements.Outcome outcome : Acknowledgements.Outcome.values()) {
            sheet.counter(
                    "holdfast_writes",
                    "Writes of operators that this process answered, by level.",
                    Map.of("level", outcome.name().toLowerCase(Locale.ROOT)),
                    acks.count(outcome));
        }
        jobs(sheet, state);
        shipping.status().ifPresent(s -> shipping(sheet, s));
        store.ifPresent(s -> store(sheet, s));
        collection(sheet, state);
        return sheet.view();
    }

    private void site(Sheet sheet, ClusterState state, boolean leads) {
        sheet.gauge(
                "holdfast_site",
                "1; its labels say what this node is.",
                Map.of(
                        "node",
                        node,
                        "site",
                        site.word(),
                        "role",
                        controller.role(),
                        "mode",
                        controller.epoch().site() == Site.DR ? "DR" : "NORMAL",
                        "epoch",
                        controller.epoch().toString(),
                        "active_site",
                        controller.epoch().site().word()),
                1);
        sheet.gauge(
                "holdfast_epoch",
                "Number of the newest epoch that this node obeys.",
                Map.of("site", controller.epoch().site().word()),
                controller.epoch().n());
        for (ReplState.Mode mode : ReplState.Mode.values()) {
            boolean now =
                    leads
                            ? controller.state().replication().name().equals(mode.name())
                            : state.repl().mode() == mode;
            sheet.gauge(
                    "holdfast_replication",
                    "1 for the state of replication to the other site; elsewhere than at the leader"
                            + " as the record says.",
                    Map.of("state", mode.name()),
                    now ? 1 : 0);
        }
        sheet.gauge(
                "holdfast_ack_policy",
                "1 for the cluster's ack policy; binds says whether it holds now.",
                Map.of(
                        "policy",
                        state.ackPolicy().word(),
                        "binds",
                        Boolean.toString(state.ackPolicy() == state.bindingPolicy())),
                1);
    }

    private void log(Sheet sheet, boolean leads) {
        sheet.gauge(
                "holdfast_raft_leader", "1 where this node leads.", Map.of(), log.leads() ? 1 : 0);
        long applied = log.appliedIndex();
        sheet.gauge(
                "holdfast_raft_applied_index", "Newest log entry applied here.", Map.of(), applied);
        if (leads) {
            Acknowledged known = log.acknowledged();
            String name = "holdfast_acknowledged_index";
            String help = "Newest log entry that a quorum of a site has; -1 for none.";
            sheet.gauge(name, help, Map.of("site", site.word()), known.ownSite(applied));
            sheet.gauge(name, help, Map.of("site", site.peer().word()), known.otherSite());
            sheet.gauge(
                    "holdfast_protected_index",
                    "Newest log entry that a quorum of both sites has; -1 for none.",
                    Map.of(),
                    known.protectedIndex());
        }
    }

    private static void risk(Sheet sheet, RpoAtRisk risk, long nowMicros) {
        boolean none = risk.changes() == 0 && risk.bytes() == 0;
        sheet.gauge(
                "holdfast_rpo_at_risk_seconds",
                "Age of the oldest change that a loss of this site would cost; 0 for none.",
                Map.of(),
                none ? 0.0 : Math.max(0.0, (nowMicros - risk.since().micros()) / 1e6));
        sheet.gauge(
                "holdfast_rpo_at_risk_changes",
                "Log entries that the other site is not known to have.",
                Map.of(),
                risk.changes());
        sheet.gauge(
                "holdfast_rpo_at_risk_bytes",
                "Stored bytes of the data pieces that are not DR_PROTECTED.",
                Map.of(),
                risk.bytes());
    }

    private static void pieces(Sheet sheet, ClusterState state) {
        sheet.gauge(
                "holdfast_unprotected_pieces",
                "Data pieces that are not DR_PROTECTED.",
                Map.of(),
                state.unprotectedPieces().size());
    }

    /** What jobs are told apart by. */
    private record Kinds(String kind, String state, String level, boolean green) {}

    private Kinds kinds(Lookup lookup, JobRecord job) {
        boolean protectedNow = shown.test(job);
        boolean recorded = protectedNow || log.acknowledged().isRecorded(job, log::appliedIndex);
        JobView.Safety safety =
                Views.safety(lookup, job, protectedNow, recorded, acks.isAway(), null);
        return new Kinds(job.kind(), job.state().name(), safety.reached(), safety.green());
    }

    private void jobs(Sheet sheet, ClusterState state) {
        Lookup lookup = Lookup.in(state);
        Map<Kinds, Long> counts = new TreeMap<>(Comparator.comparing(Kinds::toString));
        state.jobs().forEach(job -> counts.merge(kinds(lookup, job), 1L, Long::sum));
        counts.forEach((key, count) ->
                sheet.gauge(
                        "holdfast_jobs",
                        "Jobs in the record, by outcome, and of backups by the level reached.",
                        Map.of(
                                "kind",
                                key.kind(),
                                "state",
                                key.state(),
                                "level",
                                key.level(),
                                "green",
                                Boolean.toString(key.green())),
                        count));
    }

    private static void shipping(Sheet sheet, ShipStatus s) {
        sheet.gauge(
                "holdfast_shipping_backlog_bytes",
                "Bytes of frames in this node's store that the other site's store may lack.",
                Map.of(),
                s.lagBytes());
        sheet.gauge(
                "holdfast_shipping_backlog_chunks",
                "Frames in this node's store that the other site's store may lack.",
                Map.of(),
                s.lagFrames());
        sheet.counter(
                "holdfast_shipped_bytes",
                "Bytes of frames moved to the other site's store.",
                Map.of(),
                s.bytesMoved());
        sheet.gauge(
                "holdfast_shipping",
                "1; its label says what the shipper is doing.",
                Map.of("state", s.state().name()),
                1);
    }

    private static void store(Sheet sheet, CollectedStore store) {
        var usage = store.usage();
        sheet.gauge(
                "holdfast_store_bytes",
                "Bytes of frames in this node's store.",
                Map.of(),
                usage.frameBytes());
        sheet.gauge(
                "holdfast_store_chunks", "Frames in this node's store.", Map.of(), usage.frames());
        sheet.gauge(
                "holdfast_store_free_bytes",
                "Free bytes of the file system below this node's store.",
                Map.of(),
                usage.freeBytes());
        var collected = store.collected();
        sheet.gauge(
                "holdfast_gc_fossil_bytes",
                "Bytes of this node's store that a mark has found without use.",
                Map.of(),
                collected.fossils().values().stream().mapToLong(c -> c.bytes()).sum());
        sheet.counter(
                "holdfast_gc_deleted_bytes",
                "Bytes deleted from this node's store since the process began.",
                Map.of(),
                collected.deletedBytes());
    }

    /** The newest run of each kind, and whether it goes on. */
    private static void collection(Sheet sheet, ClusterState state) {
        Map<String, GcRun> newest = new TreeMap<>();
        state.gcRuns().forEach(r -> newest.put(r.site() + "/" + r.storage() + "/" + r.work(), r));
        for (GcRun run : newest.values()) {
            boolean open = run.endedMicros() == 0;
            Map<String, String> labels =
                    Map.of(
                            "site",
                            run.site().word(),
                            "storage",
                            run.storage().toString(),
                            "work",
                            run.work().name(),
                            "outcome",
                            open ? "RUNNING" : run.outcome());
            sheet.gauge(
                    "holdfast_gc_last_run_seconds",
                    "When the newest run of garbage collection ended, or began while it goes on, in"
                            + " seconds since 1970.",
                    labels,
                    (open ? run.beganMicros() : run.endedMicros()) / 1e6);
        }
    }

    /** Collects samples under their metrics, in the order in which they come. */
    private static final class Sheet {
        private final Map<String, MetricsView.Metric> metrics = new LinkedHashMap<>();

        void gauge(String name, String help, Map<String, String> labels, long value) {
            add(name, help, Kind.GAUGE, labels, (double) value);
        }

        void gauge(String name, String help, Map<String, String> labels, double value) {
            add(name, help, Kind.GAUGE, labels, value);
        }

        void counter(String name, String help, Map<String, String> labels, long value) {
            add(name, help, Kind.COUNTER, labels, (double) value);
        }

        private void add(
                String name, String help, Kind kind, Map<String, String> labels, double value) {
            List<MetricsView.Sample> samples =
                    new ArrayList<>(
                            Optional.ofNullable(metrics.get(name))
                                    .map(MetricsView.Metric::samples)
                                    .orElse(List.of()));
            samples.add(new MetricsView.Sample(labels, value));
            metrics.put(name, new MetricsView.Metric(name, help, kind, samples));
        }

        MetricsView view() {
            return new MetricsView(List.copyOf(metrics.values()));
        }
    }
}
