package io.holdfast.node.cli;

import io.holdfast.node.api.Saved;
import io.holdfast.node.rest.ApiJson;
import java.io.PrintWriter;

/** Where a command's result goes: a value as JSON, or the same for people. */
final class Output {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean json;

    Output(PrintWriter out, PrintWriter err, boolean json) {
        this.out = out;
        this.err = err;
        this.json = json;
    }

    boolean isJson() {
        return json;
    }

    /** The result: one JSON value, or the text. */
    void result(Object value, String text) {
        out.print(json ? ApiJson.pretty(value) + "\n" : text.endsWith("\n") ? text : text + "\n");
        out.flush();
    }

    /** The result of a write: one JSON object, or the text and a line that says how safe it is. */
    void saved(Saved<?> saved, String text) {
        result(saved, (text.endsWith("\n") ? text : text + "\n") + line(saved));
    }

    /** {@code Saved. PROTECTED}, or {@code Saved. UNPROTECTED: RPO at risk since ..., ...}. */
    static String line(Saved<?> saved) {
        return "Saved. " + saved.level() + Text.atRisk(saved.rpoAtRisk()) + "\n";
    }

    /** A line for people, on stderr; never part of the result. */
    void note(String line) {
        err.println(line);
        err.flush();
    }

    /** A line that the next one replaces, on a terminal only. */
    Progress progress() {
        return new Progress(err, Terminal.find().isPresent());
    }

    /** One line on a terminal that is written over; nothing elsewhere. */
    static final class Progress implements AutoCloseable {
        private static final int WIDTH = 110;
        private final PrintWriter err;
        private final boolean terminal;
        private boolean shown;

        Progress(PrintWriter err, boolean terminal) {
            this.err = err;
            this.terminal = terminal;
        }

        void show(String line) {
            if (terminal) {
                String cut = line.length() > WIDTH ? line.substring(0, WIDTH) : line;
                err.print("\r" + cut + "\u001b[K");
                err.flush();
                shown = true;
            }
        }

        /** A line that stays, in place of the one that is shown. */
        void note(String line) {
            close();
            err.println(line);
            err.flush();
        }

        /** Takes the shown line away. */
        @Override
        public void close() {
            if (shown) {
                err.print("\r\u001b[K");
                err.flush();
                shown = false;
            }
        }
    }
}
