package io.holdfast.node.api;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A rehearsal's report as one page of text. Pure. */
public final class RehearsalText {
    private static final int MOST = 12;

    private RehearsalText() {}

    /** The page. */
    public static String of(RehearsalView view) {
        StringBuilder page = new StringBuilder();
        line(page, "REHEARSAL %s   %s", view.verdict(), view.id());
        line(
                page,
                "  at node %s of site %s, %s, %s",
                view.node(),
                view.site(),
                view.started().iso(),
                seconds(view.seconds()));
        line(
                page,
                "  sandbox epoch %s (namespace DRILL), lineage %s; production stays in %s, %s",
                dash(view.sandboxEpoch()),
                dash(view.sandboxLineage()),
                view.productionEpoch(),
                view.productionUntouched() ? "untouched" : "CHANGED MEANWHILE");
        RehearsalView.Snapshot of = view.snapshot();
        line(
                page,
                "  snapshot: log entry %d, replication %s, %d resources, %d pieces catalogued, %d"
                        + " protected, %d jobs at risk",
                of.entries(),
                of.replication(),
                of.resources(),
                of.pieces(),
                of.protectedPieces(),
                of.atRisk());
        line(page, "Recovery time, from the command");
        line(page, "  writable                     %s", millis(view.rto().writable()));
        line(page, "  first critical backup ready  %s", millis(view.rto().firstCritical()));
        line(page, "  first restored byte          %s", millis(view.rto().firstByte()));
        line(page, "  all samples compared         %s", millis(view.rto().samples()));
        clients(page, view.clients());
        samples(page, view.samples());
        list(page, "Problems", view.problems());
        list(page, "Gaps", view.gaps());
        line(page, "Steps");
        view.steps()
                .forEach(s ->
                        line(
                                page,
                                "  %-16s %8s  %s",
                                s.name(),
                                millis(s.millis()),
                                shorter(s.detail())));
        if (view.notStored() != null) {
            line(page, "This report is NOT in the resource DB: %s", view.notStored());
        }
        return page.toString();
    }

    private static void clients(StringBuilder page, List<RehearsalView.Client> clients) {
        line(page, "Clients");
        clients.stream()
                .limit(MOST)
                .forEach(c -> {
                    line(
                            page,
                            "  %-20s %-12s %-9s %s",
                            c.name(),
                            c.critical() ? "critical" : "non-critical",
                            c.fate(),
                            c.reason().isEmpty()
                                    ? "agent "
                                            + dash(c.agent())
                                            + (c.agentAnswers() ? " answers" : " does not answer")
                                    : shorter(c.reason()));
                    c.identifiers()
                            .forEach(i ->
                                    line(
                                            page,
                                            "      %s -> %s",
                                            i.logical(),
                                            i.physical() == null
                                                    ? "REFUSED: " + shorter(dash(i.refusal()))
                                                    : i.physical()));
                });
        more(page, clients.size());
    }

    private static void samples(StringBuilder page, List<RehearsalView.Sample> samples) {
        line(page, "Sample restores");
        if (samples.isEmpty()) {
            line(page, "  none: there is no protected data piece yet");
        }
        samples.stream()
                .limit(MOST)
                .forEach(s -> {
                    line(
                            page,
                            "  %s %-12s %s",
                            s.problems().isEmpty() ? "whole  " : "BROKEN ",
                            s.client(),
                            shorter(s.dataPiece()));
                    line(
                            page,
                            "          %s; %d bytes, %d hashes right, %s",
                            s.how().equals("RESTORED")
                                    ? "restored by agent "
                                            + dash(s.agent())
                                            + ", "
                                            + s.files()
                                            + " files read back and thrown away"
                                    : "no agent with its key: sealed frames and manifest checked",
                            s.bytes(),
                            s.hashes(),
                            millis(s.millis()));
                    s.problems().forEach(p -> line(page, "          ! %s", shorter(p)));
                });
        more(page, samples.size());
    }

    private static void list(StringBuilder page, String title, List<String> items) {
        if (items.isEmpty()) {
            line(page, "%s: none", title);
            return;
        }
        line(page, "%s", title);
        items.stream().limit(MOST).forEach(i -> line(page, "  - %s", shorter(i)));
        more(page, items.size());
    }

    private static void more(StringBuilder page, int size) {
        if (size > MOST) {
            line(page, "  ... and %d more: see --json", size - MOST);
        }
    }

    private static String shorter(String text) {
        String one = text.replace('\n', ' ');
        return one.length() <= 160 ? one : one.substring(0, 159) + "…";
    }

    private static String dash(@Nullable Object value) {
        return value == null ? "-" : value.toString();
    }

    private static String millis(@Nullable Long millis) {
        return millis == null ? "never" : millis < 1000 ? millis + " ms" : seconds(millis / 1000.0);
    }

    private static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.1f s", seconds);
    }

    @SuppressWarnings("AnnotateFormatMethod") // every format stands in this class
    private static void line(StringBuilder page, String format, Object... values) {
        page.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
    }
}
