package io.holdfast.chaos.drill;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/**
 * Who runs in a profile of the worked example.
 *
 * @param profile {@code p2-small}, {@code p2}, {@code p3-small} or {@code p3}
 * @param local servers of the local site, the one that is asked first
 * @param dr servers of the DR site
 * @param witness the witness at a third place; empty in P2
 */
record Topology(String profile, List<String> local, List<String> dr, List<String> witness) {
    private static final List<String> LOCAL_HOSTS =
            List.of("127.10.11.44", "127.10.11.46", "127.10.11.47");
    private static final List<String> DR_HOSTS = List.of("127.50.4.4", "127.50.4.5", "127.50.4.6");
    private static final List<String> WITNESS_HOSTS = List.of("127.90.0.9");
    private static final int[] SERVER_PORTS = {8443, 9871, 9872, 9873};

    /** The client that goes on at DR. */
    static final String CRITICAL = "crit";

    /** The client that is suspended there. */
    static final String OTHER = "noncrit";

    /** Where their agents listen: the addresses of the worked example. */
    static final String CRITICAL_ADDRESS = "127.10.11.22:3456";

    static final String CRITICAL_DR_ADDRESS = "127.50.4.22:3456";
    static final String OTHER_ADDRESS = "127.10.11.23:3456";

    /** The agents' folders as {@code client add} names them. */
    static final String CRITICAL_AGENT = "crit-local";

    static final String CRITICAL_DR_AGENT = "crit-dr";
    static final String OTHER_AGENT = "noncrit-local";

    /**
     * The topology of a profile.
     *
     * @throws IllegalArgumentException when there is none of this name
     */
    static Topology of(String profile) {
        return switch (profile) {
            case "p2-small" -> new Topology(profile, List.of("l1"), List.of("d1"), List.of());
            case "p2" ->
                    new Topology(
                            profile,
                            List.of("l1", "l2", "l3"),
                            List.of("d1", "d2", "d3"),
                            List.of());
            case "p3-small" -> new Topology(profile, List.of("l1"), List.of("d1"), List.of("w1"));
            case "p3" ->
                    new Topology(profile, List.of("l1", "l2"), List.of("d1", "d2"), List.of("w1"));
            default ->
                    throw new IllegalArgumentException(
                            "Unknown profile '"
                                    + profile
                                    + "'; expected p2-small, p2, p3-small or p3");
        };
    }

    /** Whether a witness lets DR take over by itself. */
    boolean isAutomatic() {
        return !witness.isEmpty();
    }

    /** Every server, the local ones first. */
    List<String> servers() {
        List<String> all = new ArrayList<>(local);
        all.addAll(dr);
        all.addAll(witness);
        return all;
    }

    /**
     * Fails when somebody else listens where the cluster is to listen: another drill, perhaps, or one
     * that was kept.
     */
    void requireFreeAddresses() throws DrillFailed {
        List<String> taken = new ArrayList<>();
        List<String> hosts = new ArrayList<>(LOCAL_HOSTS.subList(0, local.size()));
        hosts.addAll(DR_HOSTS.subList(0, dr.size()));
        hosts.addAll(WITNESS_HOSTS.subList(0, witness.size()));
        for (String host : hosts) {
            for (int port : SERVER_PORTS) {
                probe(host, port, taken);
            }
        }
        probe("127.10.11.44", 6543, taken);
        probe("127.50.4.4", 3456, taken);
        for (String address : List.of(CRITICAL_ADDRESS, CRITICAL_DR_ADDRESS, OTHER_ADDRESS)) {
            int colon = address.indexOf(':');
            probe(
                    address.substring(0, colon),
                    Integer.parseInt(address.substring(colon + 1)),
                    taken);
        }
        if (!taken.isEmpty()) {
            throw new DrillFailed(
                    "The drill needs loopback addresses that are in use: "
                            + String.join(", ", taken)
                            + "; is another drill running, or one that was kept with --keep?");
        }
    }

    private static void probe(String host, int port, List<String> taken) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(host, port));
        } catch (IOException e) {
            taken.add(host + ":" + port);
        }
    }

    /** Everything at the local site: what a disaster takes away. */
    List<String> localProcesses() {
        List<String> all = new ArrayList<>(local);
        all.add(agent(CRITICAL_AGENT));
        all.add(agent(OTHER_AGENT));
        return all;
    }

    /** Name of an agent's process. */
    static String agent(String folder) {
        return "agent-" + folder;
    }
}
