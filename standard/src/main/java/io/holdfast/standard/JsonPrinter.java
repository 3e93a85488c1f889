package io.holdfast.standard;

import java.util.Iterator;
import java.util.Map;

/** Prints JSON values, canonical or indented. */
final class JsonPrinter {
    private static final String HEX = "0123456789abcdef";
    private final StringBuilder out = new StringBuilder();
    private final boolean pretty;

    private JsonPrinter(boolean pretty) {
        this.pretty = pretty;
    }

    static String print(Json value, boolean pretty) {
        JsonPrinter printer = new JsonPrinter(pretty);
        printer.value(value, 0);
        return printer.out.toString();
    }

    private void value(Json value, int depth) {
        switch (value) {
            case Json.Null n -> out.append("null");
            case Json.Bool b -> out.append(b == Json.Bool.TRUE ? "true" : "false");
            case Json.Num n -> out.append(n.value().toPlainString());
            case Json.Str s -> string(s.value());
            case Json.Arr a -> {
                out.append('[');
                Iterator<Json> items = a.items().iterator();
                while (items.hasNext()) {
                    line(depth + 1);
                    value(items.next(), depth + 1);
                    if (items.hasNext()) {
                        out.append(',');
                    } else {
                        line(depth);
                    }
                }
                out.append(']');
            }
            case Json.Obj o -> {
                out.append('{');
                Iterator<Map.Entry<String, Json>> fields = o.fields().entrySet().iterator();
                while (fields.hasNext()) {
                    Map.Entry<String, Json> field = fields.next();
                    line(depth + 1);
                    string(field.getKey());
                    out.append(pretty ? ": " : ":");
                    value(field.getValue(), depth + 1);
                    if (fields.hasNext()) {
                        out.append(',');
                    } else {
                        line(depth);
                    }
                }
                out.append('}');
            }
        }
    }

    private void line(int depth) {
        if (pretty) {
            out.append('\n').repeat("  ", depth);
        }
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < 0x20 || c == 0x7f || loneSurrogate(text, i)) {
                        out.append("\\u");
                        for (int shift = 12; shift >= 0; shift -= 4) {
                            out.append(HEX.charAt(c >> shift & 15));
                        }
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    private static boolean loneSurrogate(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c)
                && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }
}
