package io.holdfast.standard;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A host and, where known, a port: the head of an {@link Identifier}, or a row of the Replication
 * resource. The host is always canonical, so that two spellings of one address are equal: an IPv4
 * address without leading zeros, an IPv6 address as RFC 5952 prints it (lower case, no brackets, no
 * zone; a v4-mapped one is refused, write the IPv4 address), or an RFC 1123 host name in lower case
 * whose last label is not a number. Names are never looked up here.
 *
 * @param host IPv4 address, IPv6 address (without brackets, canonical), or lower-case host name
 * @param port 1 to 65535, or empty for "any port of this host"
 */
public record Endpoint(String host, OptionalInt port) {
    private static final String WHAT = "endpoint";

    /** Checks that the host is canonical and the port in range. */
    public Endpoint {
        String canonical = Hosts.canonical(host, WHAT, host, 0);
        if (!canonical.equals(host)) {
            throw new FormatException(WHAT, host, 0, "the canonical form " + canonical);
        }
        if (port.isPresent() && (port.getAsInt() < 1 || port.getAsInt() > 65535)) {
            throw new FormatException(
                    WHAT,
                    host + ":" + port.getAsInt(),
                    host.length() + 1,
                    "a port from 1 to 65535");
        }
    }

    /** An endpoint with a port. The host must be canonical. */
    public static Endpoint of(String host, int port) {
        return new Endpoint(host, OptionalInt.of(port));
    }

    /** An endpoint that means any port of a host. The host must be canonical. */
    public static Endpoint ofHost(String host) {
        return new Endpoint(host, OptionalInt.empty());
    }

    /**
     * Reads {@code host}, {@code host:port}, {@code [v6]} or {@code [v6]:port}; upper case and other
     * spellings of an IPv6 address are made canonical.
     *
     * @throws FormatException with the position and the expected form
     */
    public static Endpoint parse(String text) {
        return parse(WHAT, text, 0, text.length());
    }

    /** Reads the characters from {@code from} to {@code to} (exclusive) of a larger text. */
    static Endpoint parse(String what, String text, int from, int to) {
        int hostTo;
        String host;
        int portColon;
        if (from < to && text.charAt(from) == '[') {
            int close = text.indexOf(']', from);
            if (close < 0 || close >= to) {
                throw new FormatException(what, text, to, "']' after the IPv6 address");
            }
            host = text.substring(from + 1, close);
            if (host.indexOf(':') < 0) {
                throw new FormatException(what, text, from + 1, "an IPv6 address in the brackets");
            }
            hostTo = close + 1;
            if (hostTo < to && text.charAt(hostTo) != ':') {
                throw new FormatException(what, text, hostTo, "':' and a port after ']'");
            }
            portColon = hostTo < to ? hostTo : -1;
            host = Hosts.canonical(host, what, text, from + 1);
        } else {
            int colon = text.indexOf(':', from);
            portColon = colon >= 0 && colon < to ? colon : -1;
            hostTo = portColon >= 0 ? portColon : to;
            host = Hosts.canonical(text.substring(from, hostTo), what, text, from);
        }
        if (portColon < 0) {
            return ofHost(host);
        }
        return of(host, parsePort(what, text, portColon + 1, to));
    }

    private static int parsePort(String what, String text, int from, int to) {
        int port = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9' || i - from == 5 || (c == '0' && i == from)) {
                throw new FormatException(what, text, i, "a port from 1 to 65535");
            }
            port = port * 10 + c - '0';
        }
        if (port < 1 || port > 65535) {
            throw new FormatException(what, text, from, "a port from 1 to 65535");
        }
        return port;
    }

    /**
     * Reads a text only if it is an IP address (IPv4, IPv6 with or without brackets, each but the
     * last with an optional port); host names give empty, because {@code Disk1} could be one.
     */
    public static Optional<Endpoint> ofAddress(String text) {
        if (text.length() > 60) {
            return Optional.empty();
        }
        try {
            if (Hosts.isIpv6(text)) {
                return Optional.of(ofHost(Hosts.canonical(text, WHAT, text, 0)));
            }
            Endpoint endpoint = parse(text);
            return endpoint.isAddress() ? Optional.of(endpoint) : Optional.empty();
        } catch (FormatException notAnAddress) {
            return Optional.empty();
        }
    }

    /** Whether the host is an IP address rather than a name. */
    public boolean isAddress() {
        return host.indexOf(':') >= 0 || Hosts.isIpv4(host);
    }

    /** This host, any port. */
    public Endpoint withoutPort() {
        return port.isEmpty() ? this : ofHost(host);
    }

    /** The port. @throws IllegalStateException when there is none */
    public int requirePort() {
        return port.orElseThrow(
                () -> new IllegalStateException("endpoint " + this + " has no port"));
    }

    /** {@code host:port}, {@code [v6]:port}, {@code [v6]}, or the host alone. */
    @Override
    public String toString() {
        String head = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return port.isPresent() ? head + ":" + port.getAsInt() : head;
    }
}
