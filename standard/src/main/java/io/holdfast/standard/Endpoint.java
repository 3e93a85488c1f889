package io.holdfast.standard;

import java.util.OptionalInt;

/**
 * A host and, where known, a port: the head of an {@link Identifier}, or a row of the Replication
 * resource.
 *
 * @param host IPv4 address, IPv6 address (without brackets, canonical), or lower-case host name
 * @param port 1 to 65535, or empty for "any port of this host"
 */
public record Endpoint(String host, OptionalInt port) {
    /** An endpoint with a port. */
    public static Endpoint of(String host, int port) {
        return new Endpoint(host, OptionalInt.of(port));
    }

    /** The port. @throws IllegalStateException when there is none */
    public int requirePort() {
        return port.orElseThrow(
                () -> new IllegalStateException("endpoint " + this + " has no port"));
    }

    /** {@code host:port}, {@code [v6]:port}, or the host alone. */
    @Override
    public String toString() {
        String head = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return port.isPresent() ? head + ":" + port.getAsInt() : head;
    }
}
