package io.holdfast.chaos.bench;

import io.holdfast.chaos.cluster.ClusterProcesses;
import io.holdfast.chaos.cluster.Programs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** The loopback addresses of the worked example: no root is needed, and no line is long. */
final class Loopback implements Ground {
    private final ClusterProcesses processes;
    private final Programs programs;

    Loopback(ClusterProcesses processes, Programs programs) {
        this.processes = processes;
        this.programs = programs;
    }

    @Override
    public String[] hosts() {
        return new String[0];
    }

    @Override
    public void start(Collection<String> servers) throws IOException {
        for (String server : servers) {
            processes.start(server, programs.server(server), programs.cluster());
        }
    }

    @Override
    public void kill(Collection<String> servers) throws IOException, InterruptedException {
        processes.kill(List.copyOf(servers));
    }

    @Override
    public Optional<String> ended() {
        return processes.ended(processes.names());
    }

    @Override
    public List<String> tail(String server) {
        List<String> lines = new ArrayList<>(processes.tail(server, TAIL));
        lines.add(processes.ending(server));
        return lines;
    }

    @Override
    public void close() {
        processes.close();
    }
}
