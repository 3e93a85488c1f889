package io.holdfast.standard;

import java.util.Locale;
import java.util.regex.Pattern;

/** Canonical forms of IPv4 addresses, IPv6 addresses and host names; no look-up is ever made. */
final class Hosts {
    private static final Pattern V4 =
            Pattern.compile("(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\\.(?!$)|$)){4}");
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern NUMBER = Pattern.compile("[0-9]+|0x[0-9a-f]*");
    private static final int MAX_NAME = 253;

    private Hosts() {}

    /** Whether this is an IPv4 address in its one canonical form. */
    static boolean isIpv4(String host) {
        return host.length() <= 15 && V4.matcher(host).matches();
    }

    /** Whether this is an IPv6 address in any form, without brackets. */
    static boolean isIpv6(String host) {
        return groups(host) != null;
    }

    /**
     * The canonical form: IPv6 as RFC 5952 without brackets, host names in lower case.
     *
     * @throws FormatException naming {@code what}, with {@code position} in {@code text}
     */
    static String canonical(String host, String what, String text, int position) {
        if (host.indexOf(':') >= 0) {
            int[] groups = groups(host);
            if (groups == null) {
                throw new FormatException(
                        what, text, position, "an IPv6 address without zone, in brackets");
            }
            if (isV4Mapped(groups)) {
                throw new FormatException(
                        what, text, position, "the plain IPv4 address instead of ::ffff:x");
            }
            return print(groups);
        }
        if (isIpv4(host)) {
            return host;
        }
        String name = host.toLowerCase(Locale.ROOT);
        if (name.isEmpty() || name.length() > MAX_NAME) {
            throw new FormatException(what, text, position, "a host of 1 to 253 characters");
        }
        String[] labels = name.split("\\.", -1);
        int at = position;
        for (String label : labels) {
            if (!LABEL.matcher(label).matches()) {
                throw new FormatException(
                        what,
                        text,
                        at,
                        "an IPv4 address, an IPv6 address in brackets, or a host name of letters,"
                                + " digits and hyphens");
            }
            at += label.length() + 1;
        }
        if (NUMBER.matcher(labels[labels.length - 1]).matches()) {
            throw new FormatException(
                    what,
                    text,
                    position,
                    "four numbers from 0 to 255 without leading zeros, or a host name whose last"
                            + " label is not a number");
        }
        return name;
    }

    private static boolean isV4Mapped(int[] groups) {
        for (int i = 0; i < 5; i++) {
            if (groups[i] != 0) {
                return false;
            }
        }
        return groups[5] == 0xffff;
    }

    private static int @org.jspecify.annotations.Nullable [] groups(String host) {
        if (host.length() < 2 || host.length() > 45 || host.indexOf(':') < 0) {
            return null;
        }
        int gap = host.indexOf("::");
        if (gap < 0) {
            int[] all = part(host);
            return all != null && all.length == 8 ? all : null;
        }
        if (host.indexOf("::", gap + 1) >= 0) {
            return null;
        }
        String before = host.substring(0, gap);
        int[] head = before.indexOf('.') >= 0 ? null : part(before);
        int[] tail = part(host.substring(gap + 2));
        if (head == null || tail == null || head.length + tail.length > 7) {
            return null;
        }
        int[] all = new int[8];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(tail, 0, all, 8 - tail.length, tail.length);
        return all;
    }

    private static int @org.jspecify.annotations.Nullable [] part(String text) {
        if (text.isEmpty()) {
            return new int[0];
        }
        String[] words = text.split(":", -1);
        boolean dotted = words[words.length - 1].indexOf('.') >= 0;
        int[] groups = new int[words.length + (dotted ? 1 : 0)];
        for (int i = 0; i < words.length; i++) {
            String word = words[i];
            if (dotted && i == words.length - 1) {
                if (!isIpv4(word)) {
                    return null;
                }
                String[] bytes = word.split("\\.", -1);
                groups[i] = Integer.parseInt(bytes[0]) << 8 | Integer.parseInt(bytes[1]);
                groups[i + 1] = Integer.parseInt(bytes[2]) << 8 | Integer.parseInt(bytes[3]);
            } else {
                if (word.isEmpty() || word.length() > 4) {
                    return null;
                }
                for (int c = 0; c < word.length(); c++) {
                    char digit = word.charAt(c);
                    if (digit > 'f' || Character.digit(digit, 16) < 0) {
                        return null;
                    }
                }
                groups[i] = Integer.parseInt(word, 16);
            }
        }
        return groups;
    }

    /** RFC 5952: the longest run of two or more zero groups becomes {@code ::}, the first of equals. */
    private static String print(int[] groups) {
        int bestFrom = -1;
        int best = 1;
        for (int i = 0; i < 8; i++) {
            int run = 0;
            while (i + run < 8 && groups[i + run] == 0) {
                run++;
            }
            if (run > best) {
                best = run;
                bestFrom = i;
            }
        }
        StringBuilder out = new StringBuilder(39);
        for (int i = 0; i < 8; i++) {
            if (i == bestFrom) {
                out.append("::");
                i += best - 1;
            } else {
                if (!out.isEmpty() && out.charAt(out.length() - 1) != ':') {
                    out.append(':');
                }
                out.append(Integer.toHexString(groups[i]));
            }
        }
        return out.toString();
    }
}
