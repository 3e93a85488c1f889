package io.holdfast.modeswitch;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Identifier.Param;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * Turns logical identifiers, which always name addresses of the local site, into physical ones, which
 * may be dialled now (DECISIONS 5, DR-PROTOCOL 3.8). Pure; rows are never rewritten, so coming home is
 * only another {@link Placement}.
 *
 * <p>Addresses stand in three places and nowhere else; the rest is carried over untouched:
 *
 * <table>
 * <caption>What is an address, and what stands for it at DR (the first that applies)</caption>
 * <tr><th>place</th><th>address</th><th>rules</th></tr>
 * <tr><td>head</td><td>always</td><td>DR address of the client that has exactly this address; row with
 *     this host and port; row with this host and no port, which keeps the port; refused</td></tr>
 * <tr><td>{@code IP:x}</td><td>always</td><td>row with this host and port; row with this host; host of
 *     the DR address that all clients of this host share; refused</td></tr>
 * <tr><td>bare positional</td><td>an IP address, with or without a port, or a host name with a dot that
 *     a row or a client has</td><td>as {@code IP:x}</td></tr>
 * </table>
 *
 * <p>An address without a port in params stands for its host, so a row with a port answers for it too
 * when all rows of the host lead to one remote host. An address that some row or client already leads to
 * is a physical one and stays, which makes rewriting twice the same as once. Tokens are compared as
 * parsed values, never as text: {@code 10.10.11.4} is not a prefix of anything.
 */
public final class Resolver {
    private final Placement placement;
    private final ResolveTable table;
    private final List<Resolution.Rewrite> rewrites = new ArrayList<>();

    private Resolver(Placement placement, ResolveTable table) {
        this.placement = placement;
        this.table = table;
    }

    /** Where one address leads, and by which rule. */
    private record Target(Endpoint endpoint, String rule) {}

    /** Carries a refusal out of the walk. */
    private static final class Unmapped extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient Resolution.Refused refused;

        Unmapped(String address, String message) {
            super(message, null, false, false);
            this.refused = new Resolution.Refused(address, message);
        }
    }

    /**
     * Resolves every address of an identifier.
     *
     * @return the physical identifier and what was changed, or the refusal naming the first address
     *     that has no mapping; then nothing must be dialled
     */
    public static Resolution resolve(
            Identifier identifier, Placement placement, ResolveTable table) {
        return new Resolver(placement, table).resolve(identifier);
    }

    private Resolution resolve(Identifier identifier) {
        try {
            Endpoint head = head(identifier.endpoint());
            List<Param> params = new ArrayList<>();
            for (Param param : identifier.params()) {
                params.add(param(param, params.size() + 1));
            }
            return new Resolution.Resolved(
                    new Identifier(head, identifier.method(), params, identifier.location()),
                    rewrites);
        } catch (Unmapped unmapped) {
            return unmapped.refused;
        } catch (FormatException tooLong) {
            return new Resolution.Refused(
                    identifier.endpoint().toString(),
                    "Refused " + identifier.endpoint() + ": rewritten, " + tooLong.getMessage());
        }
    }

    private Endpoint head(Endpoint logical) throws Unmapped {
        if (placement.of(logical) == Site.LOCAL) {
            return logical;
        }
        Optional<ResolveTable.ClientAddress> client = table.clientAt(logical);
        Optional<Target> target =
                client.flatMap(c -> c.dr().map(dr -> new Target(dr, "client " + c.name())))
                        .or(() -> row(logical));
        if (target.isEmpty() && table.leadsTo(logical)) {
            return logical;
        }
        if (target.isEmpty()) {
            throw unmapped(logical, client.map(ResolveTable.ClientAddress::name));
        }
        return note("head", logical.toString(), target.get());
    }

    private Param param(Param param, int position) throws Unmapped {
        return switch (param) {
            case Param.KeyValue(String key, String value) when key.equals("IP") ->
                    new Param.KeyValue(key, address("IP:", requireAddress(value), value));
            case Param.KeyValue other -> other;
            case Param.Positional(String value) -> {
                Optional<Endpoint> address = bareAddress(value);
                yield address.isEmpty()
                        ? param
                        : new Param.Positional(address("param " + position, address.get(), value));
            }
        };
    }

    private static Endpoint requireAddress(String value) throws Unmapped {
        Optional<Endpoint> address = Endpoint.ofAddress(value);
        if (address.isPresent()) {
            return address.get();
        }
        try {
            return Endpoint.parse(value);
        } catch (FormatException e) {
            throw new Unmapped(
                    value, "Refused IP:" + value + ": it is no address (" + e.expected() + ").");
        }
    }

    private Optional<Endpoint> bareAddress(String value) {
        Optional<Endpoint> address = Endpoint.ofAddress(value);
        if (address.isPresent() || value.indexOf('.') < 0) {
            return address;
        }
        try {
            Endpoint named = Endpoint.parse(value);
            return isKnown(named.host()) ? Optional.of(named) : Optional.empty();
        } catch (FormatException notAnAddress) {
            return Optional.empty();
        }
    }

    private boolean isKnown(String host) {
        return !table.rowsOf(host).isEmpty() || !table.clientsOf(host).isEmpty();
    }

    private String address(String place, Endpoint logical, String text) throws Unmapped {
        if (placement.of(logical) == Site.LOCAL) {
            return text;
        }
        Optional<Target> target = row(logical);
        if (target.isEmpty() && table.leadsTo(logical)) {
            return text;
        }
        target = target.or(() -> hostRow(logical)).or(() -> client(logical));
        if (target.isEmpty()) {
            throw unmapped(logical, Optional.empty());
        }
        return note(place, text, target.get()).toString();
    }

    private Endpoint note(String place, String from, Target target) {
        rewrites.add(
                new Resolution.Rewrite(place, from, target.endpoint().toString(), target.rule()));
        return target.endpoint();
    }

    /** The row with this host and port, else the row with this host alone, keeping the port. */
    private Optional<Target> row(Endpoint logical) {
        return table.rowAt(logical)
                .or(() -> table.rowAt(logical.withoutPort()))
                .map(row -> new Target(keepPort(row.remote(), logical.port()), rule(row)));
    }

    /** For an address without a port: the one host to which all rows of its host lead. */
    private Optional<Target> hostRow(Endpoint logical) {
        List<ReplicationResource> rows = table.rowsOf(logical.host());
        boolean one = rows.stream().map(row -> row.remote().host()).distinct().count() == 1;
        return logical.port().isEmpty() && one
                ? Optional.of(
                        new Target(rows.getFirst().remote().withoutPort(), rule(rows.getFirst())))
                : Optional.empty();
    }

    /** The client at this address, or the one DR host that all clients of this host share. */
    private Optional<Target> client(Endpoint logical) {
        List<ResolveTable.ClientAddress> clients =
                table.clientsOf(logical.host()).stream()
                        .filter(c -> logical.port().isEmpty() || c.local().equals(logical))
                        .filter(c -> c.dr().isPresent())
                        .toList();
        TreeSet<String> hosts = new TreeSet<>();
        clients.forEach(c -> hosts.add(c.dr().orElseThrow().host()));
        if (hosts.size() != 1) {
            return Optional.empty();
        }
        Endpoint dr = clients.getFirst().dr().orElseThrow();
        return Optional.of(
                new Target(
                        logical.port().isEmpty() ? dr.withoutPort() : dr,
                        "client " + clients.getFirst().name()));
    }

    private static Endpoint keepPort(Endpoint remote, OptionalInt port) {
        return remote.port().isPresent() || port.isEmpty()
                ? remote
                : Endpoint.of(remote.host(), port.getAsInt());
    }

    private static String rule(ReplicationResource row) {
        return "replication " + row.local() + " -> " + row.remote();
    }

    private Unmapped unmapped(Endpoint address, Optional<String> client) {
        String who = client.map(name -> "client '" + name + "' (" + address + ")").orElse("");
        return new Unmapped(
                address.toString(),
                client.isPresent()
                        ? "Refused "
                                + who
                                + ": it has no DR address, and the backup runs at DR. Give it one,"
                                + " or wait until local is active again."
                        : "Refused "
                                + address
                                + ": no Replication row and no client's DR address maps it, and it"
                                + " is served at DR now. Add a row with 'holdfast replication"
                                + " add'.");
    }
}
