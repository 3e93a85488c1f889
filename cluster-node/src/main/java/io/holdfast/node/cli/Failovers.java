package io.holdfast.node.cli;

import io.holdfast.node.api.FailoverView;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.StepView;
import io.holdfast.node.api.SuspendedView;
import io.holdfast.node.api.SwitchoverView;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How failovers look to people. */
final class Failovers {
    private Failovers() {}

    static String show(PreflightView view) {
        StringBuilder text = new StringBuilder();
        text.append("Pre-flight at ").append(view.node()).append(" (").append(view.site());
        text.append(", ").append(view.role()).append(" in epoch ").append(view.epoch());
        text.append("): ").append(view.verdict()).append('\n');
        view.refusals().forEach(r -> text.append("  against: ").append(r).append('\n'));
        view.seen().forEach(s -> text.append("  seen:    ").append(s).append('\n'));
        text.append("  replication ").append(view.replication());
        if (view.replicationSince() != null) {
            text.append(" since ").append(Text.time(view.replicationSince()));
        }
        text.append(", last contact ").append(Text.time(view.lastContact())).append('\n');
        text.append("  goes on: ").append(names(view.goOn())).append('\n');
        suspended(text, view.suspended());
        view.unmapped()
                .forEach(i ->
                        text.append("  NO MAPPING ")
                                .append(i.logical())
                                .append(": ")
                                .append(i.refusal())
                                .append('\n'));
        text.append(show(view.lossLedger()));
        return text.toString();
    }

    static String show(FailoverView view) {
        StringBuilder text = new StringBuilder();
        text.append("Failover done: epoch ").append(view.previousEpoch()).append(" is sealed, ");
        text.append(view.epoch()).append(" is open and writable after ");
        text.append(Text.millis(view.writableMillis())).append('\n');
        steps(text, view.steps());
        rewritten(text, view.rewritten());
        text.append("  goes on: ").append(names(view.goOn())).append('\n');
        suspended(text, view.suspended());
        text.append(show(view.lossLedger()));
        return text.toString();
    }

    static String show(SwitchoverView view) {
        StringBuilder text = new StringBuilder();
        text.append("Switchover done: ").append(view.from()).append(" -> ").append(view.to());
        text.append(", epoch ").append(view.previousEpoch()).append(" -> ").append(view.epoch());
        text.append("; nothing acknowledged was lost\n");
        steps(text, view.steps());
        rewritten(text, view.rewritten());
        if (!view.resumed().isEmpty()) {
            text.append("  resumed: ").append(names(view.resumed())).append('\n');
        }
        suspended(text, view.suspended());
        return text.toString();
    }

    static String show(LossLedgerView view) {
        if (view.entries().isEmpty() && view.unknownSince() == null) {
            return "Loss ledger: empty\n";
        }
        StringBuilder text = new StringBuilder("Loss ledger");
        if (view.epoch() != null) {
            text.append(" of epoch ").append(view.epoch());
        }
        text.append(": ").append(view.entries().size());
        text.append(view.entries().size() == 1 ? " job" : " jobs");
        text.append(
                view.complete()
                        ? ", complete: the other site has returned\n"
                        : ", and whatever came after the last contact at "
                                + Text.time(view.unknownSince())
                                + "\n");
        Text.Table table =
                new Text.Table(
                        "JOB",
                        "CLIENT",
                        "PIECE",
                        "STATE",
                        "STARTED",
                        "ACKNOWLEDGED",
                        ">SIZE",
                        "BECAME",
                        "");
        for (LossLedgerView.Entry e : view.entries()) {
            UUID piece = e.piece();
            table.row(
                    e.job().toString(),
                    e.clientName(),
                    piece == null ? "-" : piece.toString(),
                    e.state(),
                    Text.time(e.started()),
                    Text.time(e.committed()),
                    e.sizeBytes() == 0 ? "-" : Text.bytes(e.sizeBytes()),
                    Objects.requireNonNullElse(e.resolution(), "-"),
                    e.note());
        }
        return text.append(table.isEmpty() ? "" : table.toString()).toString();
    }

    static String show(ReconcileView view) {
        if (view.state().equals("NONE")) {
            return "Nothing to reconcile.\n";
        }
        StringBuilder text = new StringBuilder();
        text.append("Return of site ").append(Objects.requireNonNullElse(view.site(), "?"));
        text.append(": ").append(view.state()).append('\n');
        text.append("  chunks moved ").append(Text.bytes(view.bytesMoved()));
        text.append(" of ").append(Text.bytes(view.bytesMissing()));
        text.append(" missing when the catch-up began");
        if (view.bytesMissing() > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            " (%.3f)",
                            (double) view.bytesMoved() / view.bytesMissing()));
        }
        text.append('\n');
        if (!view.handedOver().isEmpty()) {
            text.append("  handed over everything: ");
            text.append(String.join(", ", view.handedOver())).append('\n');
        }
        Text.Table merged =
                new Text.Table("MERGED PIECE", "CLIENT", "BACKED UP", ">SIZE", "SAFETY", "WHAT");
        for (ReconcileView.Merged m : view.merged()) {
            merged.row(
                    m.piece().toString(),
                    m.clientName(),
                    Text.time(m.backupTime()),
                    Text.bytes(m.sizeBytes()),
                    Jobs.protection(m.protection()),
                    m.dataPiece());
        }
        text.append(merged.isEmpty() ? "" : merged.toString());
        view.aborted().forEach(j -> text.append("  aborted there: job ").append(j).append('\n'));
        view.corrupt()
                .forEach(c ->
                        text.append("  CORRUPTION: job ")
                                .append(c.job())
                                .append(" of ")
                                .append(c.clientName())
                                .append(" has piece ")
                                .append(c.theirs())
                                .append(" there and ")
                                .append(c.ours())
                                .append(" here; verify both\n"));
        text.append(settings(view.settings()));
        ReconcileView.Signature signature = view.signature();
        if (view.needsSignature()) {
            text.append("  NOT SIGNED: a switchover waits for it. Apply what you want with ");
            text.append("holdfast reconcile apply, then: holdfast reconcile sign\n");
        } else if (signature != null) {
            text.append("  signed by ").append(signature.who()).append(" at ");
            text.append(Text.time(signature.at())).append(": ").append(signature.reason());
            text.append('\n');
        }
        return text.toString();
    }

    /** What the returned site had changed, each with what is different. */
    static String settings(List<ReconcileView.Setting> settings) {
        Text.Table table = new Text.Table("SETTING", "TYPE", "CLASS", "ITEM", "DETAIL");
        for (ReconcileView.Setting s : settings) {
            table.row(s.resource(), s.type(), s.classification(), s.item().toString(), s.detail());
            for (String line : differences(s)) {
                table.row("", "", "", "", "  " + line);
            }
        }
        return table.isEmpty() ? "" : table.toString();
    }

    /** The fields that are not the same in base, theirs and ours. Keys are not shown. */
    private static List<String> differences(ReconcileView.Setting s) {
        TreeSet<String> fields = new TreeSet<>();
        List<Map<String, String>> all =
                Stream.of(s.base(), s.theirs(), s.ours()).map(Failovers::fields).toList();
        all.forEach(map -> fields.addAll(map.keySet()));
        return fields.stream()
                .filter(f -> all.stream().map(m -> m.get(f)).distinct().count() > 1)
                .map(f ->
                        f
                                + ": base "
                                + shown(all.get(0).get(f))
                                + ", theirs "
                                + shown(all.get(1).get(f))
                                + ", ours "
                                + shown(all.get(2).get(f)))
                .toList();
    }

    private static Map<String, String> fields(@Nullable ResourceView view) {
        Map<String, String> fields = new TreeMap<>();
        if (view != null) {
            fields.put("name", view.name());
            fields.put("domain", view.domain());
            fields.put("category", view.category());
            fields.putAll(view.info());
        }
        return fields;
    }

    private static String shown(@Nullable String value) {
        return value == null ? "-" : value.length() > 60 ? value.substring(0, 60) + "..." : value;
    }

    private static void steps(StringBuilder text, List<StepView> steps) {
        Text.Table table = new Text.Table("  STEP", ">TIME", "");
        for (StepView step : steps) {
            table.row("  " + step.name(), Text.millis(step.millis()), step.detail());
        }
        text.append(table);
    }

    private static void rewritten(StringBuilder text, List<IdentifierView> identifiers) {
        for (IdentifierView identifier : identifiers) {
            text.append("  ").append(identifier.logical()).append("\n    -> ");
            text.append(
                    identifier.physical() != null
                            ? identifier.physical()
                            : "refused: " + identifier.refusal());
            text.append('\n');
        }
    }

    private static void suspended(StringBuilder text, List<SuspendedView> suspended) {
        for (SuspendedView s : suspended) {
            text.append("  SUSPENDED ").append(s.name()).append(": ");
            text.append(s.reason()).append('\n');
        }
    }

    private static String names(List<String> names) {
        return names.isEmpty() ? "nobody" : String.join(", ", names);
    }
}
