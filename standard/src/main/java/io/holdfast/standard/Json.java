package io.holdfast.standard;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A JSON value (RFC 8259): small, bounded and exact. Numbers are decimals, so a {@code long} comes
 * back as it went; keys are sorted and unique; one value has one canonical text. Accessors throw
 * {@link FormatException} naming the path of the key, for example {@code sites.local[0].host}; they
 * go through {@link JsonView}, which keeps the path while one walks down.
 */
public sealed interface Json {
    /** Deepest nesting that is read. */
    int MAX_DEPTH = 64;

    /** Longest text that {@link #parse(String)} reads, in characters. */
    int MAX_CHARS = 16 << 20;

    /** {@code null}. */
    enum Null implements Json {
        /** The only one. */
        NULL
    }

    /** {@code true} or {@code false}. */
    enum Bool implements Json {
        /** False. */
        FALSE,
        /** True. */
        TRUE
    }

    /** A string; may hold any UTF-16 code units. */
    record Str(String value) implements Json {}

    /**
     * A number, exact. The scale is reduced, so equal numbers are equal.
     *
     * @param value at most 400 digits before and after the point
     */
    record Num(BigDecimal value) implements Json {
        /** Digits allowed on each side of the point. */
        public static final int MAX_DIGITS = 400;

        /** Reduces the scale and checks the size. */
        public Num {
            value = value.signum() == 0 ? BigDecimal.ZERO : value.stripTrailingZeros();
            if (value.scale() > MAX_DIGITS
                    || (long) value.precision() - value.scale() > MAX_DIGITS) {
                throw new FormatException(
                        "JSON number",
                        value.toString(),
                        0,
                        "at most " + MAX_DIGITS + " digits on each side of the point");
            }
            if (value.scale() < 0) {
                value = value.setScale(0);
            }
        }
    }

    /** An array. */
    record Arr(List<Json> items) implements Json {
        /** Copies the items. */
        public Arr {
            items = List.copyOf(items);
        }
    }

    /** An object; the keys are sorted by UTF-16 code unit. */
    record Obj(SortedMap<String, Json> fields) implements Json {
        /** Copies the fields. */
        public Obj {
            fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
        }
    }

    /** Reads one value of at most {@link #MAX_CHARS} characters. @throws FormatException otherwise */
    static Json parse(String text) {
        return parse(text, MAX_CHARS);
    }

    /**
     * Reads one value, with nothing but white space around it.
     *
     * @param maxChars longest text to accept
     * @throws FormatException with the position in characters: not JSON, too long, nested deeper
     *     than {@link #MAX_DEPTH}, a key twice in one object, or a number of more than 400 digits
     */
    static Json parse(String text, int maxChars) {
        return new JsonParser(text, maxChars, new HashMap<>()).document();
    }

    /**
     * As {@link #parse(String)}, for a text that a person wrote and must be shown the place of a
     * mistake in.
     *
     * @param keysAt where each key of the outermost object begins, in characters, is put here
     */
    static Json parse(String text, Map<String, Integer> keysAt) {
        return new JsonParser(text, MAX_CHARS, keysAt).document();
    }

    /** The canonical text: sorted keys, no white space, numbers without exponent. */
    default String print() {
        return JsonPrinter.print(this, false);
    }

    /** The text for people: indented by two spaces, sorted keys, no newline at the end. */
    default String pretty() {
        return JsonPrinter.print(this, true);
    }

    /** This value as the root of a walk that keeps the path. */
    default JsonView view() {
        return new JsonView(this, "");
    }

    /** As {@link JsonView#get}. */
    default JsonView get(String key) {
        return view().get(key);
    }

    /** As {@link JsonView#optional}. */
    default Optional<JsonView> optional(String key) {
        return view().optional(key);
    }

    /** As {@link JsonView#string(String)}. */
    default String string(String key) {
        return view().string(key);
    }

    /** As {@link JsonView#longValue(String)}. */
    default long longValue(String key) {
        return view().longValue(key);
    }

    /** As {@link JsonView#intValue(String)}. */
    default int intValue(String key) {
        return view().intValue(key);
    }

    /** As {@link JsonView#bool(String)}. */
    default boolean bool(String key) {
        return view().bool(key);
    }

    /** As {@link JsonView#list(String)}. */
    default List<JsonView> list(String key) {
        return view().list(key);
    }

    /** A string. */
    static Json of(String value) {
        return new Str(value);
    }

    /** A whole number. */
    static Json of(long value) {
        return new Num(BigDecimal.valueOf(value));
    }

    /** A decimal number. @throws NumberFormatException when it is infinite or not a number */
    static Json of(double value) {
        return new Num(BigDecimal.valueOf(value));
    }

    /** A truth value. */
    static Json of(boolean value) {
        return value ? Bool.TRUE : Bool.FALSE;
    }

    /** An array of values. */
    static Json array(Collection<? extends Json> items) {
        return new Arr(new ArrayList<>(items));
    }

    /** An array of strings, in the order of the collection. */
    static Json strings(Collection<String> items) {
        return new Arr(items.stream().map(Json::of).toList());
    }

    /** An object whose values are strings. */
    static Json strings(Map<String, String> fields) {
        Builder out = object();
        fields.forEach(out::put);
        return out.build();
    }

    /** Begins an object. */
    static Builder object() {
        return new Builder();
    }

    /** Collects the fields of an object; a key may be put once. For one thread. */
    final class Builder {
        private final TreeMap<String, Json> fields = new TreeMap<>();

        private Builder() {}

        /** Adds a field. @throws IllegalArgumentException when the key is there already */
        public Builder put(String key, Json value) {
            if (fields.putIfAbsent(key, value) != null) {
                throw new IllegalArgumentException("key '" + key + "' put twice");
            }
            return this;
        }

        /** Adds a string. */
        public Builder put(String key, String value) {
            return put(key, of(value));
        }

        /** Adds a whole number. */
        public Builder put(String key, long value) {
            return put(key, of(value));
        }

        /** Adds a decimal number. */
        public Builder put(String key, double value) {
            return put(key, of(value));
        }

        /** Adds a truth value. */
        public Builder put(String key, boolean value) {
            return put(key, of(value));
        }

        /** Adds a UUID in its usual text form. */
        public Builder put(String key, UUID value) {
            return put(key, of(value.toString()));
        }

        /** Adds a string if there is one. */
        public Builder put(String key, Optional<String> value) {
            value.ifPresent(v -> put(key, v));
            return this;
        }

        /** The object. */
        public Obj build() {
            return new Obj(fields);
        }
    }
}
