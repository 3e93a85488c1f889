package io.holdfast.agent.files;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * File names as the bytes that the file system holds.
 *
 * <p>{@link Path#toString()} decodes with {@code sun.jnu.encoding} and loses what it cannot decode: a
 * name of Latin-1 bytes, or any non-ASCII name under {@code LANG=C}. The path itself keeps the bytes,
 * and {@link Path#toUri()} and {@link Path#of(URI)} escape them one by one. So names round-trip in
 * every locale, valid UTF-8 or not. Thread-safe.
 */
public final class PathBytes {
    private static final int NAME_LIMIT = 255;
    private static final byte[] HEX = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);

    private PathBytes() {}

    /** The bytes of an absolute path, without a slash at the end unless it is the root. */
    public static byte[] of(Path absolute) {
        String text = absolute.toString();
        if (isAscii(text)) {
            return text.getBytes(StandardCharsets.US_ASCII);
        }
        byte[] bytes = unescape(absolute.toUri().getRawPath());
        return bytes.length > 1 && bytes[bytes.length - 1] == '/'
                ? Arrays.copyOf(bytes, bytes.length - 1)
                : bytes;
    }

    /**
     * The bytes of a path's last name.
     *
     * @param absolute a path that is not the root
     */
    public static byte[] name(Path absolute) {
        Path last = absolute.getFileName();
        if (last == null) {
            throw new IllegalArgumentException("the root folder has no name");
        }
        String text = last.toString();
        if (isAscii(text)) {
            return text.getBytes(StandardCharsets.US_ASCII);
        }
        byte[] bytes = of(absolute);
        int slash = bytes.length - 1;
        while (bytes[slash] != '/') {
            slash--;
        }
        return Arrays.copyOfRange(bytes, slash + 1, bytes.length);
    }

    /**
     * The path with these bytes.
     *
     * @param absolute starts with a slash, holds no zero byte
     */
    public static Path path(byte[] absolute) {
        if (absolute.length == 0 || absolute[0] != '/') {
            throw new IllegalArgumentException("not an absolute path: " + text(absolute));
        }
        if (isAscii(absolute)) {
            return Path.of(new String(absolute, StandardCharsets.US_ASCII));
        }
        ByteArrayOutputStream escaped = new ByteArrayOutputStream(absolute.length * 3 + 8);
        escaped.writeBytes("file://".getBytes(StandardCharsets.US_ASCII));
        int from = 0;
        while (from + 1 < absolute.length && absolute[from + 1] == '/') {
            from++; // "file:////" would be an authority
        }
        for (int i = from; i < absolute.length; i++) {
            int b = absolute[i] & 0xff;
            if (b == '/' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9') {
                escaped.write(b);
            } else {
                escaped.write('%');
                escaped.write(HEX[b >> 4]);
                escaped.write(HEX[b & 15]);
            }
        }
        return Path.of(URI.create(escaped.toString(StandardCharsets.US_ASCII)));
    }

    /**
     * The path of {@code name} in {@code folder}.
     *
     * @param name one component, see {@link #isSafeName}
     */
    public static Path child(Path folder, byte[] name) {
        if (isAscii(name)) {
            return folder.resolve(new String(name, StandardCharsets.US_ASCII));
        }
        byte[] absolute = new byte[name.length + 1];
        absolute[0] = '/';
        System.arraycopy(name, 0, absolute, 1, name.length);
        return folder.resolve(path(absolute).subpath(0, 1));
    }

    /**
     * True when this is the name of one entry of a folder: 1 to 255 bytes, no slash, no zero byte,
     * neither {@code .} nor {@code ..}.
     */
    public static boolean isSafeName(byte[] name) {
        if (name.length == 0 || name.length > NAME_LIMIT) {
            return false;
        }
        for (byte b : name) {
            if (b == '/' || b == 0) {
                return false;
            }
        }
        boolean dots = name[0] == '.' && (name.length == 1 || name.length == 2 && name[1] == '.');
        return !dots;
    }

    /** For people: UTF-8, what is not UTF-8 replaced by U+FFFD. */
    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** {@code folder/name}, or the name alone below an empty folder. */
    public static byte[] join(byte[] folder, byte[] name) {
        if (folder.length == 0) {
            return name;
        }
        byte[] joined = Arrays.copyOf(folder, folder.length + 1 + name.length);
        joined[folder.length] = '/';
        System.arraycopy(name, 0, joined, folder.length + 1, name.length);
        return joined;
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }

    private static byte[] unescape(String rawPath) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(rawPath.length());
        for (int i = 0; i < rawPath.length(); i++) {
            char c = rawPath.charAt(i);
            if (c == '%') {
                out.write(Integer.parseInt(rawPath, i + 1, i + 3, 16));
                i += 2;
            } else {
                out.write(c);
            }
        }
        return out.toByteArray();
    }
}
