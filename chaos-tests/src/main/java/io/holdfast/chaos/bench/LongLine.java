package io.holdfast.chaos.bench;

import io.holdfast.chaos.cluster.ClusterBackend;
import io.holdfast.chaos.cluster.Profile;
import io.holdfast.chaos.cluster.Programs;
import io.holdfast.chaos.fault.FaultUnavailable;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Each server in a network namespace of its own, with a long line between the sites, and between each
 * and the witness. Who measures is at the desk, which is as near to each site as the site to itself.
 */
final class LongLine implements Ground {
    private final ClusterBackend backend;
    private final Profile profile;

    private LongLine(ClusterBackend backend, Profile profile) {
        this.backend = backend;
        this.profile = profile;
    }

    /**
     * Lays the lines and connects the machines.
     *
     * @param backend a network without machines; closed with this, or when this fails
     * @param oneWay how much later a packet arrives at another site
     * @throws FaultUnavailable where this cannot be done, with the reason
     */
    static LongLine lay(ClusterBackend backend, Programs programs, Profile profile, Duration oneWay)
            throws IOException, FaultUnavailable {
        try {
            for (String server : profile.servers()) {
                backend.add(
                        new ClusterBackend.Machine(
                                server,
                                profile.addresses(server),
                                programs.data(server),
                                programs.server(server)));
            }
            List<List<String>> sites = profile.groups();
            for (int i = 0; i < sites.size() && !oneWay.isZero(); i++) {
                for (List<String> other : sites.subList(i + 1, sites.size())) {
                    backend.delay(sites.get(i), other, oneWay);
                }
            }
            return new LongLine(backend, profile);
        } catch (IOException | FaultUnavailable | RuntimeException e) {
            backend.close();
            throw e;
        }
    }

    @Override
    public String[] hosts() {
        return profile.hosts();
    }

    @Override
    public void start(Collection<String> servers) throws IOException {
        backend.start(servers);
    }

    @Override
    public void kill(Collection<String> servers) throws IOException, InterruptedException {
        backend.kill(servers);
    }

    @Override
    public Optional<String> ended() {
        return profile.servers().stream()
                .filter(server -> !backend.endings(server).isEmpty())
                .findFirst()
                .map(server ->
                        server
                                + " has ended with exit code "
                                + backend.endings(server).getFirst().exit());
    }

    @Override
    public List<String> tail(String server) {
        return backend.tail(server, TAIL);
    }

    @Override
    public void close() throws IOException {
        backend.close();
    }
}
