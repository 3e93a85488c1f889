package io.holdfast.standard;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads one JSON text; used once. */
final class JsonParser {
    private static final String WHAT = "JSON text";
    private static final int MAX_NUMBER_CHARS = 1000;
    private final String text;
    private final Map<String, Integer> keysAt;
    private int at;

    JsonParser(String text, int maxChars, Map<String, Integer> keysAt) {
        this.text = text;
        this.keysAt = keysAt;
        if (text.length() > maxChars) {
            throw new FormatException(WHAT, text, maxChars, "at most " + maxChars + " characters");
        }
    }

    Json document() {
        Json value = value(0);
        space();
        if (at < text.length()) {
            throw problem(at, "nothing after the value");
        }
        return value;
    }

    private FormatException problem(int position, String expected) {
        return new FormatException(WHAT, text, position, expected);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private Json value(int depth) {
        space();
        if (depth > Json.MAX_DEPTH) {
            throw problem(at, "at most " + Json.MAX_DEPTH + " levels");
        }
        return switch (peek()) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> new Json.Str(string());
            case 't' -> word("true", Json.Bool.TRUE);
            case 'f' -> word("false", Json.Bool.FALSE);
            case 'n' -> word("null", Json.Null.NULL);
            default -> number();
        };
    }

    private Json word(String word, Json value) {
        if (!text.startsWith(word, at)) {
            throw problem(at, "a JSON value");
        }
        at += word.length();
        return value;
    }

    private Json object(int depth) {
        TreeMap<String, Json> fields = new TreeMap<>();
        at++;
        space();
        if (peek() == '}') {
            at++;
            return new Json.Obj(fields);
        }
        while (true) {
            space();
            int keyAt = at;
            if (peek() != '"') {
                throw problem(at, "a key in double quotes");
            }
            String key = string();
            if (depth == 0) {
                keysAt.put(key, keyAt);
            }
            space();
            if (peek() != ':') {
                throw problem(at, "':' after the key");
            }
            at++;
            if (fields.putIfAbsent(key, value(depth + 1)) != null) {
                throw problem(keyAt, "each key once; '" + key + "' stands twice");
            }
            space();
            char c = peek();
            if (c != ',' && c != '}') {
                throw problem(at, "',' or '}'");
            }
            at++;
            if (c == '}') {
                return new Json.Obj(fields);
            }
        }
    }

    private Json array(int depth) {
        List<Json> items = new ArrayList<>();
        at++;
        space();
        if (peek() == ']') {
            at++;
            return new Json.Arr(items);
        }
        while (true) {
            items.add(value(depth + 1));
            space();
            char c = peek();
            if (c != ',' && c != ']') {
                throw problem(at, "',' or ']'");
            }
            at++;
            if (c == ']') {
                return new Json.Arr(items);
            }
        }
    }

    private String string() {
        int begin = at;
        StringBuilder out = new StringBuilder();
        at++;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                return out.toString();
            }
            if (c < 0x20) {
                throw problem(at, "no control character in a string (escape it)");
            }
            if (c == '\\') {
                out.append(escape());
            } else {
                out.append(c);
                at++;
            }
        }
        throw problem(begin, "'\"' at the end of the string");
    }

    private char escape() {
        char c = at + 1 < text.length() ? text.charAt(at + 1) : '\0';
        int begin = at;
        at += 2;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                int unit = 0;
                for (int i = 0; i < 4; i++) {
                    char h = at < text.length() ? text.charAt(at) : '\0';
                    int digit = h > 'f' ? -1 : Character.digit(h, 16);
                    if (digit < 0) {
                        throw problem(begin, "four hexadecimal digits after \\u");
                    }
                    unit = unit << 4 | digit;
                    at++;
                }
                yield (char) unit;
            }
            default -> throw problem(begin, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
        };
    }

    private Json number() {
        int begin = at;
        if (peek() == '-') {
            at++;
        }
        int whole = digits();
        if (whole == 0) {
            throw problem(begin, "a JSON value");
        }
        if (whole > 1 && text.charAt(at - whole) == '0') {
            throw problem(begin, "a number without leading zeros");
        }
        if (peek() == '.') {
            at++;
            if (digits() == 0) {
                throw problem(at, "a digit after the point");
            }
        }
        if (peek() == 'e' || peek() == 'E') {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            int exponent = digits();
            if (exponent == 0 || exponent > 4) {
                throw problem(begin, "an exponent of one to four digits");
            }
        }
        if (at - begin > MAX_NUMBER_CHARS) {
            throw problem(begin, "a number of at most " + MAX_NUMBER_CHARS + " characters");
        }
        try {
            return new Json.Num(new BigDecimal(text.substring(begin, at)));
        } catch (FormatException tooLong) {
            throw problem(begin, tooLong.expected());
        }
    }

    private int digits() {
        int begin = at;
        while (peek() >= '0' && peek() <= '9') {
            at++;
        }
        return at - begin;
    }
}
