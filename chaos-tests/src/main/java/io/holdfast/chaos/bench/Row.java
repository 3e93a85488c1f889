package io.holdfast.chaos.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A line of the table: what was measured, and the most that it may be.
 *
 * @param name what
 * @param value measured
 * @param limit the most
 * @param unit of both
 * @param flaw why the value says nothing, whatever it is; empty for none
 * @param notes how it was measured, and where the time went
 */
record Row(String name, double value, double limit, String unit, String flaw, List<String> notes) {
    Row {
        notes = List.copyOf(notes);
    }

    static String heading() {
        return String.format(Locale.ROOT, "%-54s %16s %20s %6s", "", "measured", "limit", "ratio");
    }

    /** Above 1 when the limit is not kept. */
    double ratio() {
        return value / limit;
    }

    boolean ok() {
        return flaw.isEmpty() && value <= limit;
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "%-54s %10.2f %-5s %8s %-8s %6.2f  %s",
                name,
                value,
                unit,
                "at most",
                String.format(Locale.ROOT, "%.0f %s", limit, unit),
                ratio(),
                ok() ? "ok" : flaw.isEmpty() ? "TOO SLOW" : flaw);
    }

    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", name);
        json.put("value", value);
        json.put("limit", limit);
        json.put("unit", unit);
        json.put("ratio", ratio());
        json.put("ok", ok());
        json.put("flaw", flaw);
        json.put("notes", notes);
        return json;
    }
}
