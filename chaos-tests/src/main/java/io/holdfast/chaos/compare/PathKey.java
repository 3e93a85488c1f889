package io.holdfast.chaos.compare;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * File names as bytes. A name on Linux is any bytes but {@code /} and zero; Java shows it as a
 * string that may have lost some of them, its URI form has not.
 */
final class PathKey {
    private PathKey() {}

    /** The exact bytes of an absolute path. */
    static byte[] bytes(Path absolute) {
        String shown = absolute.toString();
        if (isAscii(shown)) {
            return shown.getBytes(StandardCharsets.US_ASCII);
        }
        String raw = absolute.toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                bytes.write(Integer.parseInt(raw, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        byte[] all = bytes.toByteArray();
        // The URI of a folder ends in a slash that is no part of the name.
        boolean slash = all.length > 1 && all[all.length - 1] == '/';
        return slash ? java.util.Arrays.copyOf(all, all.length - 1) : all;
    }

    /** What follows the root in {@link #bytes}, printable; {@code .} for the root itself. */
    static String key(byte[] root, byte[] path) {
        int from = root.length == 1 ? 1 : root.length + 1;
        return path.length <= from ? "." : printable(path, from, path.length);
    }

    /** Text that is different for different bytes: UTF-8, with {@code \xHH} for what is not. */
    static String printable(byte[] bytes, int from, int to) {
        boolean plain = true;
        for (int i = from; i < to && plain; i++) {
            plain = bytes[i] >= ' ' && bytes[i] != '\\' && bytes[i] != 127;
        }
        if (plain) {
            return new String(bytes, from, to - from, StandardCharsets.US_ASCII);
        }
        try {
            String text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes, from, to - from))
                            .toString();
            if (text.indexOf('\\') < 0 && text.chars().noneMatch(Character::isISOControl)) {
                return text;
            }
        } catch (CharacterCodingException notUtf8) {
            // Shown escaped, below.
        }
        StringBuilder escaped = new StringBuilder();
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            if (b >= ' ' && b != '\\' && b != 127) {
                escaped.append((char) b);
            } else {
                escaped.append(String.format(Locale.ROOT, "\\x%02x", b & 0xff));
            }
        }
        return escaped.toString();
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }
}
