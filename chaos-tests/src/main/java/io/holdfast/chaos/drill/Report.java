package io.holdfast.chaos.drill;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.ReconcileView;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a drill found: the table that people read, and the same as JSON. Not thread-safe. */
final class Report {
    private static final int WIDTH = 92;

    private final String profile;
    private long files;
    private long bytes;
    private final List<Compared> compared = new ArrayList<>();
    private final List<Backup> backups = new ArrayList<>();
    private final List<Event> timeline = new ArrayList<>();
    private final Map<String, IdentifierView> rewritten = new LinkedHashMap<>();
    private final Map<String, Double> fromKill = new LinkedHashMap<>();
    private final Map<String, Double> fromCommand = new LinkedHashMap<>();
    private boolean automatic;
    private double rpoSeconds;
    private @Nullable LossLedgerView ledger;
    private @Nullable ReconcileView reconciled;
    private long bytesMissing;
    private long bytesMoved;
    private @Nullable String error;

    /** One comparison of a restored tree with what it was. */
    record Compared(String what, TreeComparer.Report report) {}

    /** One backup. */
    record Backup(
            String what,
            UUID piece,
            long files,
            long filesUnchanged,
            long sourceBytes,
            long bytesRead,
            long bytesNew,
            long bytesStored,
            double seconds,
            @Nullable Double protectedSeconds) {
        double ratio() {
            return sourceBytes / (double) Math.max(1, bytesStored);
        }

        Backup protectedAfter(double after) {
            return new Backup(
                    what,
                    piece,
                    files,
                    filesUnchanged,
                    sourceBytes,
                    bytesRead,
                    bytesNew,
                    bytesStored,
                    seconds,
                    after);
        }
    }

    /** Something that happened, seconds after the kill. */
    record Event(double afterKill, String what) {}

    Report(String profile) {
        this.profile = profile;
    }

    /** What is protected. */
    void source(Workspace.Size size) {
        files = size.files();
        bytes = size.bytes();
    }

    void compared(String what, TreeComparer.Report report) {
        compared.add(new Compared(what, report));
    }

    void backup(Backup backup) {
        backups.add(backup);
    }

    List<Backup> backups() {
        return List.copyOf(backups);
    }

    /** A backup that was noted before has reached DR. */
    void protectedAfter(UUID piece, double seconds) {
        backups.replaceAll(
                b -> b.piece().equals(piece) ? b.protectedAfter(Units.milli(seconds)) : b);
    }

    void event(double afterKill, String what) {
        timeline.add(new Event(afterKill, what));
    }

    void rto(String what, double sinceKill, double sinceCommand) {
        fromKill.put(what, Units.milli(sinceKill));
        fromCommand.put(what, Units.milli(sinceCommand));
    }

    /** Nobody gave a command: everything counts from the kill. */
    void automatic() {
        automatic = true;
    }

    double secondsFromKill(String what) {
        return fromKill.getOrDefault(what, Double.POSITIVE_INFINITY);
    }

    void rpo(double seconds) {
        rpoSeconds = Units.milli(seconds);
    }

    void ledger(LossLedgerView view) {
        ledger = view;
    }

    void reconciled(ReconcileView view) {
        reconciled = view;
    }

    void rewritten(IdentifierView view) {
        if (view.physical() != null) {
            rewritten.put(view.logical(), view);
        }
    }

    void failback(long missing, long moved) {
        bytesMissing = missing;
        bytesMoved = moved;
    }

    void failed(String message) {
        error = message;
    }

    /** Paths that were not as they had been, over all comparisons. */
    long mismatches() {
        return compared.stream().mapToLong(c -> c.report().differences().size()).sum();
    }

    /** True when every comparison was made and held, and no step failed. */
    boolean ok() {
        return error == null && !compared.isEmpty() && mismatches() == 0;
    }

    /** The whole report as one JSON object. */
    String json(List<Screen.Phase> phases) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("ok", ok());
        all.put("profile", profile);
        all.put("files", files);
        all.put("bytes", bytes);
        all.put("mismatches", mismatches());
        all.put("rpoSeconds", rpoSeconds);
        all.put("automatic", automatic);
        all.put("rtoSeconds", fromCommand);
        all.put("rtoFromKillSeconds", fromKill);
        all.put("lossLedger", ledger == null ? List.of() : ledger.entries());
        all.put(
                "lossLedgerUnknownSince",
                ledger == null || ledger.unknownSince() == null
                        ? null
                        : ledger.unknownSince().iso());
        all.put("merged", reconciled == null ? List.of() : reconciled.merged());
        all.put(
                "rewritten",
                rewritten.values().stream()
                        .map(v -> {
                            Map<String, Object> pair = new LinkedHashMap<>();
                            pair.put("logical", v.logical());
                            pair.put("physical", v.physical());
                            return pair;
                        })
                        .toList());
        Map<String, Object> failback = new LinkedHashMap<>();
        failback.put("bytesMoved", bytesMoved);
        failback.put("bytesMissing", bytesMissing);
        all.put("failback", failback);
        all.put("speed", speed());
        all.put("backups", backups);
        all.put(
                "comparisons",
                compared.stream()
                        .map(c -> {
                            Map<String, Object> one = new LinkedHashMap<>();
                            one.put("what", c.what());
                            one.put("paths", c.report().paths());
                            one.put("bytes", c.report().bytes());
                            one.put("mismatches", c.report().differences().size());
                            one.put(
                                    "firstMismatches",
                                    c.report().differences().stream()
                                            .limit(20)
                                            .map(Object::toString)
                                            .toList());
                            one.put("notCompared", c.report().notCompared());
                            return one;
                        })
                        .toList());
        all.put("timeline", timeline);
        all.put("phases", phases);
        all.put("error", error);
        try {
            return JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build()
                    .writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report that is no JSON", e);
        }
    }

    /** What {@code ops/bench/drill} measures: the first full, and the first that changed nothing. */
    private Map<String, Object> speed() {
        Map<String, Object> speed = new LinkedHashMap<>();
        backups.stream()
                .findFirst()
                .ifPresent(full ->
                        speed.put(
                                "firstFullMegabytesPerSecond",
                                Units.milli(
                                        full.sourceBytes()
                                                / 1e6
                                                / Math.max(full.seconds(), 1e-3))));
        backups.stream()
                .filter(b -> b.files() > 0 && b.bytesRead() == 0)
                .findFirst()
                .ifPresent(unchanged ->
                        speed.put(
                                "unchangedSecondsPer20000Files",
                                Units.milli(unchanged.seconds() * 20_000 / unchanged.files())));
        return speed;
    }

    /** The table at the end. */
    void table(PrintWriter out, double seconds) {
        String line = "─".repeat(WIDTH);
        out.println();
        out.println(line);
        out.printf(
                Locale.ROOT,
                " %s   %s in %s   profile %s   %s%n",
                ok() ? "THE DRILL HELD" : "THE DRILL DID NOT HOLD",
                Units.bytes(bytes),
                Units.plural(files, "file"),
                profile,
                Units.seconds(seconds));
        out.println(line);
        backupRows(out);
        timelineRows(out);
        objectives(out);
        comparisons(out);
        out.println(line);
        out.flush();
    }

    private void backupRows(PrintWriter out) {
        if (backups.isEmpty()) {
            return;
        }
        out.printf(
                Locale.ROOT,
                " %-38s %9s %9s %9s %7s %7s %6s%n",
                "Backups",
                "source",
                "new",
                "stored",
                "dedup",
                "took",
                "at DR");
        for (Backup b : backups) {
            out.printf(
                    Locale.ROOT,
                    "   %-36s %9s %9s %9s %7s %7s %6s%n",
                    b.what(),
                    Units.bytes(b.sourceBytes()),
                    Units.bytes(b.bytesNew()),
                    Units.bytes(b.bytesStored()),
                    b.bytesStored() == 0 ? "all" : ratio(b.ratio()),
                    Units.seconds(b.seconds()),
                    b.protectedSeconds() == null ? "-" : "+" + Units.seconds(b.protectedSeconds()));
        }
    }

    private static String ratio(double ratio) {
        return ratio >= 100
                ? String.format(Locale.ROOT, "%,.0f:1", ratio)
                : String.format(Locale.ROOT, "%.1f:1", ratio);
    }

    private void timelineRows(PrintWriter out) {
        if (timeline.isEmpty()) {
            return;
        }
        out.println(" Timeline, from the loss of the local site");
        for (Event event : timeline) {
            out.printf(Locale.ROOT, "   %+9.1f s   %s%n", event.afterKill(), event.what());
        }
    }

    private void objectives(PrintWriter out) {
        out.printf(
                Locale.ROOT,
                " %-38s %18s %18s%n",
                "Recovery",
                automatic ? "no command" : "from the command",
                "from the kill");
        row(out, "RTO  writable", "writable");
        row(out, "RTO  first restored byte", "firstRestoreByte");
        row(out, "RTO  first critical backup started", "firstCriticalBackup");
        if (rpoSeconds > 0) {
            String lost =
                    reconciled == null || reconciled.merged().isEmpty()
                            ? ""
                            : "   ("
                                    + Units.plural(reconciled.merged().size(), "data piece")
                                    + " came back with the site)";
            out.printf(
                    Locale.ROOT,
                    "   %-36s %18s%s%n",
                    "RPO  oldest unprotected change",
                    Units.seconds(rpoSeconds),
                    lost);
        }
        if (bytesMissing > 0 || bytesMoved > 0) {
            out.printf(
                    Locale.ROOT,
                    "   %-36s %18s   of %s missing%n",
                    "Catch-up  bytes moved to local",
                    Units.bytes(bytesMoved),
                    Units.bytes(bytesMissing));
        }
    }

    private void row(PrintWriter out, String title, String key) {
        Double command = fromCommand.get(key);
        Double kill = fromKill.get(key);
        if (command != null && kill != null) {
            out.printf(
                    Locale.ROOT,
                    "   %-36s %18s %18s%n",
                    title,
                    automatic ? "" : Units.seconds(command),
                    Units.seconds(kill));
        }
    }

    private void comparisons(PrintWriter out) {
        out.println(" Compared path by path: bytes, modes, owners, times, links, attributes");
        for (Compared c : compared) {
            TreeComparer.Report r = c.report();
            out.printf(
                    Locale.ROOT,
                    "   %-52s %8s paths %8s   %s%n",
                    c.what(),
                    Units.count(r.paths()),
                    Units.bytes(r.bytes()),
                    r.same() ? "same" : Units.plural(r.differences().size(), "MISMATCH"));
            r.notCompared().forEach(n -> out.println("      not compared: " + n));
            r.differences().stream().limit(10).forEach(d -> out.println("      " + d));
        }
        if (error != null) {
            out.println(" Failed: " + error.lines().findFirst().orElse(error));
        }
    }
}
