package io.holdfast.standard;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A JSON value and the path that led to it, so that an error says where it is. Every accessor throws
 * {@link FormatException} whose text is the path when the value is missing or of another kind.
 *
 * @param value the value
 * @param path {@code sites.local[0].host}; empty at the root
 */
public record JsonView(Json value, String path) {
    private static final String WHAT = "JSON value";

    /** The field of this key. */
    public JsonView get(String key) {
        return optional(key).orElseThrow(() -> problem(below(key), "a value here; it is missing"));
    }

    /** The field of this key; empty when it is missing or {@code null}. */
    public Optional<JsonView> optional(String key) {
        Json field = fields().get(key);
        return field == null || field == Json.Null.NULL
                ? Optional.empty()
                : Optional.of(new JsonView(field, below(key)));
    }

    /** Whether a field that is not {@code null} has this key. */
    public boolean has(String key) {
        return optional(key).isPresent();
    }

    /** The fields of an object by key, in order. */
    public Map<String, JsonView> entries() {
        Map<String, JsonView> out = new TreeMap<>();
        fields().forEach((key, field) -> out.put(key, new JsonView(field, below(key))));
        return out;
    }

    /** The items of an array. */
    public List<JsonView> list() {
        if (!(value instanceof Json.Arr(List<Json> items))) {
            throw problem(path, "an array, not " + kind());
        }
        List<JsonView> out = new ArrayList<>(items.size());
        for (int i = 0; i < items.size(); i++) {
            out.add(new JsonView(items.get(i), path + "[" + i + "]"));
        }
        return out;
    }

    /** The string. */
    public String string() {
        if (value instanceof Json.Str(String text)) {
            return text;
        }
        throw problem(path, "a string, not " + kind());
    }

    /** The number, exact. */
    public BigDecimal number() {
        if (value instanceof Json.Num(BigDecimal number)) {
            return number;
        }
        throw problem(path, "a number, not " + kind());
    }

    /** The whole number. */
    public long longValue() {
        try {
            return number().longValueExact();
        } catch (ArithmeticException e) {
            throw problem(path, "a whole number of 64 bits");
        }
    }

    /** The whole number of 32 bits. */
    public int intValue() {
        try {
            return number().intValueExact();
        } catch (ArithmeticException e) {
            throw problem(path, "a whole number of 32 bits");
        }
    }

    /** The number, rounded to a double. */
    public double doubleValue() {
        return number().doubleValue();
    }

    /** The truth value. */
    public boolean bool() {
        if (value instanceof Json.Bool bool) {
            return bool == Json.Bool.TRUE;
        }
        throw problem(path, "true or false, not " + kind());
    }

    /** The UUID, in its usual text form. */
    public UUID uuid() {
        String text = string();
        try {
            UUID uuid = UUID.fromString(text);
            if (uuid.toString().equalsIgnoreCase(text)) {
                return uuid;
            }
        } catch (IllegalArgumentException e) {
            // told below, with the path
        }
        throw problem(path, "a UUID, not '" + text + "'");
    }

    /** The object's fields, all of them strings, by key. */
    public Map<String, String> strings() {
        Map<String, String> out = new TreeMap<>();
        entries().forEach((key, view) -> out.put(key, view.string()));
        return out;
    }

    /** Shorthand for {@code get(key).string()}. */
    public String string(String key) {
        return get(key).string();
    }

    /** Shorthand for {@code get(key).longValue()}. */
    public long longValue(String key) {
        return get(key).longValue();
    }

    /** Shorthand for {@code get(key).intValue()}. */
    public int intValue(String key) {
        return get(key).intValue();
    }

    /** Shorthand for {@code get(key).bool()}. */
    public boolean bool(String key) {
        return get(key).bool();
    }

    /** Shorthand for {@code get(key).uuid()}. */
    public UUID uuid(String key) {
        return get(key).uuid();
    }

    /** Shorthand for {@code get(key).list()}. */
    public List<JsonView> list(String key) {
        return get(key).list();
    }

    /** Refuses an object that has other keys than these. */
    public void requireOnly(Collection<String> keys) {
        Set<String> other = new TreeSet<>(fields().keySet());
        other.removeAll(keys);
        if (!other.isEmpty()) {
            throw problem(path, "no unknown key; found " + other);
        }
    }

    /** The refusal of this value, to throw. */
    public FormatException refuse(String expected) {
        return problem(path, expected);
    }

    private Map<String, Json> fields() {
        if (value instanceof Json.Obj obj) {
            return obj.fields();
        }
        throw problem(path, "an object, not " + kind());
    }

    private String below(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static FormatException problem(String path, String expected) {
        return new FormatException(WHAT, path.isEmpty() ? "(root)" : path, 0, expected);
    }

    private String kind() {
        return switch (value) {
            case Json.Null n -> "null";
            case Json.Bool b -> "a truth value";
            case Json.Str s -> "a string";
            case Json.Num n -> "a number";
            case Json.Arr a -> "an array";
            case Json.Obj o -> "an object";
        };
    }
}
