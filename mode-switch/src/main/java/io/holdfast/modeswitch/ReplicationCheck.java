package io.holdfast.modeswitch;

import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks a configuration before disaster does: whether the Replication rows and DR addresses can be
 * used at all, and whether every critical client could be backed up at DR. Pure.
 */
public final class ReplicationCheck {
    private ReplicationCheck() {}

    /**
     * What was found.
     *
     * @param refusals reasons why the configuration must not be accepted
     * @param warnings what will not work at DR, or not as one might think
     */
    public record Findings(List<String> refusals, List<String> warnings) {
        /** Copies the lists. */
        public Findings {
            refusals = List.copyOf(refusals);
            warnings = List.copyOf(warnings);
        }
    }

    /**
     * A client and what its jobs name.
     *
     * @param name the client
     * @param critical whether it must go on at DR
     * @param identifiers logical identifiers of its jobs: inputs, outputs, catalog
     */
    public record ClientJobs(String name, boolean critical, List<Identifier> identifiers) {
        /** Copies the list. */
        public ClientJobs {
            identifiers = List.copyOf(identifiers);
        }
    }

    private record Mapping(Endpoint local, Endpoint remote, String name) {}

    /** Checks a table and the jobs of clients against it. */
    public static Findings check(ResolveTable table, List<ClientJobs> clients) {
        List<String> refusals = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        List<Mapping> mappings = new ArrayList<>();
        table.rows().forEach(r -> mappings.add(new Mapping(r.local(), r.remote(), "row")));
        table.clients()
                .forEach(c ->
                        c.dr().ifPresent(dr ->
                                mappings.add(new Mapping(c.local(), dr, "client " + c.name()))));
        duplicates(mappings, refusals);
        chains(mappings, refusals);
        clients.stream().filter(ClientJobs::critical).forEach(c -> unmapped(table, c, warnings));
        strayClients(table, warnings);
        return new Findings(refusals, warnings);
    }

    private static void duplicates(List<Mapping> mappings, List<String> refusals) {
        for (int i = 0; i < mappings.size(); i++) {
            for (int j = i + 1; j < mappings.size(); j++) {
                Mapping a = mappings.get(i);
                Mapping b = mappings.get(j);
                if (a.name().equals(b.name()) && a.local().equals(b.local())) {
                    refusals.add("Two mappings for " + a.local() + "; keep one.");
                }
            }
        }
    }

    /**
     * What stands for an address must not itself be mapped on: that is a cycle, or becomes one with the
     * next row, and a rewritten identifier could be rewritten again.
     */
    private static void chains(List<Mapping> mappings, List<String> refusals) {
        for (Mapping first : mappings) {
            for (Mapping second : mappings) {
                if (touch(first.remote(), second.local())) {
                    refusals.add(
                            "Refused "
                                    + print(first)
                                    + ": "
                                    + print(second)
                                    + " would lead on from there, a cycle or a chain. Every address"
                                    + " is either a local one or a remote one.");
                    break;
                }
            }
        }
    }

    private static boolean touch(Endpoint remote, Endpoint local) {
        return remote.host().equals(local.host())
                && (remote.port().isEmpty()
                        || local.port().isEmpty()
                        || remote.port().equals(local.port()));
    }

    private static String print(Mapping mapping) {
        return mapping.name() + " " + mapping.local() + " -> " + mapping.remote();
    }

    private static void unmapped(ResolveTable table, ClientJobs client, List<String> warnings) {
        for (Identifier identifier : client.identifiers()) {
            if (Resolver.resolve(identifier, Placement.at(Site.DR), table)
                    instanceof Resolution.Refused(String address, String message)) {
                warnings.add(
                        "Critical client '"
                                + client.name()
                                + "' could not run at DR: "
                                + address
                                + " of "
                                + identifier
                                + " is not mapped.");
            }
        }
    }

    private static void strayClients(ResolveTable table, List<String> warnings) {
        for (ResolveTable.ClientAddress client : table.clients()) {
            if (client.dr().isEmpty()) {
                table.rows().stream()
                        .filter(row -> row.local().equals(client.local().withoutPort()))
                        .forEach(row ->
                                warnings.add(
                                        "Client '"
                                                + client.name()
                                                + "' has no DR address, but the row "
                                                + row.local()
                                                + " -> "
                                                + row.remote()
                                                + " would have it dialled at "
                                                + row.remote().host()
                                                + "; give the row a port."));
            }
        }
    }
}
