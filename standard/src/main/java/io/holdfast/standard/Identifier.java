package io.holdfast.standard;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An input or output identifier: {@code host:port?METHOD:params?location} (F27-F38). It says which
 * media agent does what, how, and where; a pair of them is a job. Stored identifiers are logical:
 * they always name the addresses of the local site.
 *
 * <pre>{@code
 * identifier = endpoint "?" method [ ":" param *( "," param ) ] [ "?" location ]
 *            / endpoint "?" method ":" "SETTINGS" *( "," param ) ":" location      ; settings form
 * endpoint   = host ":" port                      ; host: IPv4 / "[" IPv6 "]" / RFC 1123 name
 * method     = upper *( upper / digit / "_" / "-" / "." )                  ; 1 to 64 characters
 * param      = key ":" value / value
 * key        = letter *( letter / digit / "_" / "-" )                      ; 1 to 64 characters
 * value, location = any characters, with the reserved ones as %XX of their UTF-8 bytes
 * }</pre>
 *
 * <p>Rules where the seed leaves a choice:
 *
 * <ul>
 *   <li>The first raw {@code ?} ends the endpoint, the second begins the location; a third is
 *       refused (write {@code %3F}).
 *   <li>Only the settings form may have {@code :} before the location, as in {@code
 *       READ:SETTINGS:TAG}: the first param is exactly {@code SETTINGS}, there is no second {@code
 *       ?}, and the location follows the <em>last</em> colon outside brackets. Everywhere else a
 *       colon separates key and value, so {@code READ:IP:10.10.11.45} has no location.
 *   <li>A param is {@code key:value} when a key stands before its first raw colon, otherwise it is
 *       positional as a whole: {@code 10.10.11.99:22} and {@code [::1]:22} are positional. A
 *       further colon belongs to the value.
 *   <li>Raw spaces around a param, and after the colon of its key, mean nothing and are dropped, so
 *       that {@code a, 10.10.11.45} still holds an address; inside, they belong to it.
 *   <li>An IPv6 address stands in brackets; a param that is a bare one is refused.
 *   <li>Reserved, so escaped when meant literally: {@code %} and {@code ?} anywhere, {@code ,} in
 *       params, a colon that would make a positional param a {@code key:value}, spaces at an
 *       edge, control characters. Everything else may be raw or escaped.
 *   <li>Printing is canonical: {@code ?} before the location, upper-case hexadecimal, nothing
 *       escaped that need not be; {@code parse(x.toString())} equals {@code x}.
 * </ul>
 *
 * @param endpoint where the media agent listens; has a port
 * @param method what it does: {@code READ}, {@code WRITE}, ... ; methods are data, never an enum
 * @param params the details, in order
 * @param location path, database or tag; empty when there is none
 */
public record Identifier(Endpoint endpoint, String method, List<Param> params, String location) {
    /** Longest text of an identifier, in characters. */
    public static final int MAX_CHARS = 8192;

    private static final String WHAT = "identifier";
    private static final String SETTINGS = "SETTINGS";
    private static final Pattern METHOD = Pattern.compile("[A-Z][A-Z0-9_.-]{0,63}");
    private static final Pattern KEY = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,63}");
    private static final String PARAM_RESERVED = ",?%";
    private static final String LOCATION_RESERVED = "?%";
    private static final String HEX = "0123456789ABCDEF";

    /** Copies the list and checks every part and the length of the printed form. */
    public Identifier {
        params = List.copyOf(params);
        if (endpoint.port().isEmpty()) {
            throw new FormatException(
                    WHAT, endpoint.toString(), endpoint.toString().length(), "':' and a port");
        }
        if (!METHOD.matcher(method).matches()) {
            throw new FormatException(WHAT, method, 0, METHOD_FORM);
        }
        requireScalars(location);
        String printed = print(endpoint, method, params, location);
        if (printed.length() > MAX_CHARS) {
            throw new FormatException(
                    WHAT, printed, MAX_CHARS, "at most " + MAX_CHARS + " characters");
        }
    }

    private static final String METHOD_FORM =
            "a method such as READ or WRITE: an upper-case letter, then upper-case letters,"
                    + " digits, '_', '-' or '.', at most 64";

    /** One detail of an operation. */
    public sealed interface Param {
        /** The value, unescaped. */
        String value();

        /**
         * A value that means something by its place: {@code snap}, {@code Disk1}.
         *
         * @param value unescaped, not empty
         */
        record Positional(String value) implements Param {
            /** Refuses an empty value. */
            public Positional {
                requireScalars(value);
                if (value.isEmpty()) {
                    throw new FormatException("parameter", value, 0, "a value that is not empty");
                }
            }
        }

        /**
         * A value that means something by its key: {@code IP:10.10.11.45}.
         *
         * @param key a letter, then letters, digits, {@code _} or {@code -}
         * @param value unescaped, may be empty
         */
        record KeyValue(String key, String value) implements Param {
            /** Checks the key. */
            public KeyValue {
                requireScalars(value);
                if (!KEY.matcher(key).matches()) {
                    throw new FormatException(
                            "parameter key",
                            key,
                            0,
                            "a letter, then letters, digits, '_' or '-', at most 64");
                }
            }
        }
    }

    /** A positional parameter. */
    public static Param positional(String value) {
        return new Param.Positional(value);
    }

    /** A {@code key:value} parameter. */
    public static Param keyValue(String key, String value) {
        return new Param.KeyValue(key, value);
    }

    /** The value of the first {@code key:value} parameter with this key (exact case), or empty. */
    public Optional<String> param(String key) {
        return params.stream()
                .filter(p -> p instanceof Param.KeyValue kv && kv.key().equals(key))
                .map(Param::value)
                .findFirst();
    }

    /** Whether a positional parameter with exactly this value stands anywhere. */
    public boolean has(String positional) {
        return params.contains(new Param.Positional(positional));
    }

    /**
     * Reads an identifier in any of the forms of the grammar above.
     *
     * @throws FormatException with the position in {@code text} and the form expected there
     */
    public static Identifier parse(String text) {
        if (text.length() > MAX_CHARS) {
            throw new FormatException(
                    WHAT, text, MAX_CHARS, "at most " + MAX_CHARS + " characters");
        }
        requirePrintable(text);
        int head = text.indexOf('?');
        if (head < 0) {
            throw new FormatException(
                    WHAT, text, text.length(), "host:port?METHOD:params?location");
        }
        Endpoint endpoint = Endpoint.parse(WHAT, text, 0, head);
        if (endpoint.port().isEmpty()) {
            throw new FormatException(WHAT, text, head, "':' and a port before '?'");
        }
        int second = text.indexOf('?', head + 1);
        int bodyTo = second < 0 ? text.length() : second;
        int colon = text.indexOf(':', head + 1);
        int methodTo = colon < 0 || colon > bodyTo ? bodyTo : colon;
        String method = text.substring(head + 1, methodTo);
        if (!METHOD.matcher(method).matches()) {
            throw new FormatException(WHAT, text, head + 1, METHOD_FORM);
        }
        int paramsTo = bodyTo;
        int locationFrom = second < 0 ? text.length() : second + 1;
        if (second < 0 && methodTo < bodyTo) {
            int before = settingsColon(text, methodTo + 1, bodyTo);
            if (before >= 0) {
                paramsTo = before;
                locationFrom = before + 1;
            }
        }
        List<Param> params = methodTo < bodyTo ? params(text, methodTo + 1, paramsTo) : List.of();
        int third = text.indexOf('?', locationFrom);
        if (third >= 0) {
            throw new FormatException(WHAT, text, third, "the escape of a '?' in the location");
        }
        String location = decode(text, locationFrom, text.length());
        return new Identifier(endpoint, method, params, location);
    }

    /** The colon before the location in the settings form, or -1. */
    private static int settingsColon(String text, int from, int to) {
        if (!text.startsWith(SETTINGS, from)) {
            return -1;
        }
        int after = from + SETTINGS.length();
        if (after >= to || (text.charAt(after) != ':' && text.charAt(after) != ',')) {
            return -1;
        }
        int last = -1;
        for (int i = after; i < to; i++) {
            char c = text.charAt(i);
            if (c == ':') {
                last = i;
            } else if (c == '[') {
                int close = text.indexOf(']', i);
                if (close > 0 && close < to && Hosts.isIpv6(text.substring(i + 1, close))) {
                    i = close;
                }
            }
        }
        return last;
    }

    private static List<Param> params(String text, int from, int to) {
        List<Param> params = new ArrayList<>();
        int start = from;
        while (start <= to) {
            int comma = text.indexOf(',', start);
            int end = comma < 0 || comma > to ? to : comma;
            params.add(param(text, start, end));
            start = end + 1;
        }
        return params;
    }

    private static Param param(String text, int begin, int end) {
        int from = skipSpaces(text, begin, end);
        int to = end;
        while (to > from && text.charAt(to - 1) == ' ') {
            to--;
        }
        if (from == to) {
            throw new FormatException(WHAT, text, from, "a parameter that is not empty");
        }
        if (Hosts.isIpv6(text.substring(from, to))) {
            throw new FormatException(WHAT, text, from, "brackets around the IPv6 address");
        }
        int colon = text.indexOf(':', from);
        return colon >= 0 && colon < to && KEY.matcher(text.substring(from, colon)).matches()
                ? new Param.KeyValue(
                        text.substring(from, colon),
                        decode(text, skipSpaces(text, colon + 1, to), to))
                : new Param.Positional(decode(text, from, to));
    }

    private static int skipSpaces(String text, int from, int to) {
        int at = from;
        while (at < to && text.charAt(at) == ' ') {
            at++;
        }
        return at;
    }

    private static String decode(String text, int from, int to) {
        int percent = text.indexOf('%', from);
        if (percent < 0 || percent >= to) {
            return text.substring(from, to);
        }
        StringBuilder out = new StringBuilder(to - from);
        int i = from;
        while (i < to) {
            if (text.charAt(i) != '%') {
                out.append(text.charAt(i));
                i++;
                continue;
            }
            int run = i;
            ByteBuffer bytes = ByteBuffer.allocate((to - i) / 3 + 1);
            while (run < to && text.charAt(run) == '%') {
                int high = run + 1 < to ? hex(text.charAt(run + 1)) : -1;
                int low = run + 2 < to ? hex(text.charAt(run + 2)) : -1;
                if (high < 0 || low < 0) {
                    throw new FormatException(WHAT, text, run, "two hexadecimal digits after '%'");
                }
                bytes.put((byte) (high << 4 | low));
                run += 3;
            }
            try {
                out.append(StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()));
            } catch (CharacterCodingException notUtf8) {
                throw new FormatException(WHAT, text, i, "escapes that are valid UTF-8");
            }
            i = run;
        }
        return out.toString();
    }

    private static int hex(char c) {
        return c > 'f' ? -1 : Character.digit(c, 16);
    }

    private static void requirePrintable(String text) {
        requireScalars(text);
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i))) {
                throw new FormatException(WHAT, text, i, "no control character (or its escape)");
            }
        }
    }

    private static void requireScalars(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw new FormatException(WHAT, text, i, "no half of a surrogate pair");
                }
                i++;
            }
        }
    }

    /** The canonical form; {@link #parse} reads it back to an equal value. */
    @Override
    public String toString() {
        return print(endpoint, method, params, location);
    }

    private static String print(
            Endpoint endpoint, String method, List<Param> params, String location) {
        StringBuilder out = new StringBuilder();
        out.append(endpoint).append('?').append(method);
        int bodyFrom = out.length();
        for (int i = 0; i < params.size(); i++) {
            out.append(i == 0 ? ':' : ',');
            out.append(print(params.get(i)));
        }
        // Without a location, a trailing '?' keeps a colon from being read as the settings form's.
        boolean ambiguous = !params.isEmpty() && out.indexOf(":", bodyFrom + 1) > 0;
        if (!location.isEmpty() || ambiguous) {
            out.append('?').append(escape(location, LOCATION_RESERVED));
        }
        return out.toString();
    }

    private static String print(Param param) {
        return switch (param) {
            case Param.Positional(String value) -> {
                String raw = escape(value, PARAM_RESERVED);
                int colon = raw.indexOf(':');
                boolean misread =
                        Hosts.isIpv6(raw)
                                || (colon > 0 && KEY.matcher(raw.substring(0, colon)).matches());
                yield misread ? escape(value, ":" + PARAM_RESERVED) : raw;
            }
            case Param.KeyValue(String key, String value) -> {
                String raw = key + ":" + escape(value, PARAM_RESERVED);
                yield Hosts.isIpv6(raw) ? key + ":" + escape(value, ":" + PARAM_RESERVED) : raw;
            }
        };
    }

    private static String escape(String value, String reserved) {
        StringBuilder out = new StringBuilder(value.length() + 8);
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean edge = c == ' ' && (i == 0 || i == value.length() - 1);
            if (edge || reserved.indexOf(c) >= 0 || Character.isISOControl(c)) {
                for (byte b : String.valueOf(c).getBytes(StandardCharsets.UTF_8)) {
                    out.append('%').append(HEX.charAt(b >> 4 & 15)).append(HEX.charAt(b & 15));
                }
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }
}
