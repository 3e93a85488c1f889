package io.holdfast.chaos.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Who runs in a profile of the worked example, and where on a network of 10.0.0.0/8.
 *
 * @param name as {@code init --profile} has it
 * @param local servers of the local site, the one with the storage first
 * @param dr servers of the DR site, likewise
 * @param witness the witness at a third place; empty in P2
 */
public record Profile(String name, List<String> local, List<String> dr, List<String> witness) {
    private static final List<String> LOCAL = List.of("l1", "l2", "l3");
    private static final List<String> DR = List.of("d1", "d2", "d3");
    private static final List<String> LOCAL_HOSTS =
            List.of("10.10.11.44", "10.10.11.46", "10.10.11.47");
    private static final List<String> DR_HOSTS = List.of("10.50.4.4", "10.50.4.5", "10.50.4.6");
    private static final String WITNESS_HOST = "10.90.0.9";

    /** The backup media of the local storage: a second address of the first local server. */
    private static final String DEVICE = "10.10.11.45";

    /** The one of this name. */
    public static Profile of(String name) {
        return switch (name) {
            case "p2-small" -> of(name, 1, false);
            case "p2" -> of(name, 3, false);
            case "p3-small" -> of(name, 1, true);
            case "p3" -> of(name, 2, true);
            default ->
                    throw new IllegalArgumentException(
                            "Unknown profile '"
                                    + name
                                    + "'; expected p2-small, p2, p3-small or p3");
        };
    }

    private static Profile of(String name, int ofASite, boolean hasWitness) {
        return new Profile(
                name,
                LOCAL.subList(0, ofASite),
                DR.subList(0, ofASite),
                hasWitness ? List.of("w1") : List.of());
    }

    /** Every server, the local ones first. */
    public List<String> servers() {
        return groups().stream().flatMap(List::stream).toList();
    }

    /** The servers of each place. */
    public List<List<String>> groups() {
        return Stream.of(local, dr, witness).filter(group -> !group.isEmpty()).toList();
    }

    /** A server's addresses, its own first. */
    public List<String> addresses(String server) {
        if (witness.contains(server)) {
            return List.of(WITNESS_HOST);
        }
        int i = local.indexOf(server);
        if (i < 0) {
            return List.of(DR_HOSTS.get(dr.indexOf(server)));
        }
        return i == 0 ? List.of(LOCAL_HOSTS.get(i), DEVICE) : List.of(LOCAL_HOSTS.get(i));
    }

    /** What {@code init} must be told to use these addresses. */
    public String[] hosts() {
        List<String> options =
                new ArrayList<>(
                        List.of(
                                "--local",
                                String.join(",", LOCAL_HOSTS.subList(0, local.size())),
                                "--device",
                                DEVICE,
                                "--dr",
                                String.join(",", DR_HOSTS.subList(0, dr.size()))));
        if (!witness.isEmpty()) {
            options.addAll(List.of("--witness", WITNESS_HOST));
        }
        return options.toArray(String[]::new);
    }
}
