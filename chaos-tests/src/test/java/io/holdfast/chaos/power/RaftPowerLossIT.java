package io.holdfast.chaos.power;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.pki.CertificateAuthority;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.chaos.fault.PowerLoss;
import io.holdfast.chaos.fault.Required;
import io.holdfast.replication.raft.LineageSpec;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.raft.RaftSettings;
import io.holdfast.replication.raft.StorageIncarnation;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An entry that Raft has acknowledged is in the state after a power loss. */
class RaftPowerLossIT {
    private static final UUID CLUSTER = new UUID(9, 9);
    private static final UUID LINEAGE = new UUID(0x4000L, 1);
    private static final Epoch EPOCH = new Epoch(1, Site.LOCAL);
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir Path folder;

    private static RaftHost start(Path data, Path tls, int port) throws Exception {
        return RaftHost.start(
                "l1",
                StorageIncarnation.readOrCreate(data, UUID::randomUUID),
                data,
                Endpoint.of("127.0.0.1", port),
                TlsMaterial.load(tls),
                RaftSettings.LOOPBACK,
                InstantSource.system(),
                fatal -> System.err.println("fatal: " + fatal));
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    private static void awaitLeader(RaftHost host) throws Exception {
        for (int i = 0; !host.isLeader(LINEAGE); i++) {
            if (i > 600) {
                throw new IllegalStateException("no leader within 30 s");
            }
            Thread.sleep(50);
        }
    }

    private static Resource resource(long n) {
        return new Resource(
                new UUID(0x7000L, n),
                "",
                "",
                "schedule-" + n,
                Resource.Type.SCHEDULE,
                Map.of("cron", "0 2 * * *"),
                Optional.empty(),
                Map.of());
    }

    /** Writes one resource after the other. */
    static final class Writer {
        public static void main(String[] args) throws Exception {
            try (RaftHost host =
                    start(Path.of(args[0], "raft"), Path.of(args[1]), Integer.parseInt(args[2]))) {
                host.createLineage(new LineageSpec(LINEAGE, List.of(host.self(true, 1))));
                awaitLeader(host);
                RaftHost.await(
                                host.submit(
                                        LINEAGE,
                                        EPOCH,
                                        Command.EpochChange.first(EPOCH, LINEAGE, "test"),
                                        new UUID(0x7001L, 0)))
                        .requireDone();
                for (long n = 1; ; n++) {
                    RaftHost.await(
                                    host.submit(
                                            LINEAGE,
                                            EPOCH,
                                            new Command.PutResource(resource(n), -1),
                                            new UUID(0x7001L, n)))
                            .requireDone();
                    Acknowledging.acknowledge(n);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyAcknowledgedEntryIsThere(PowerLoss.FileSystem type) throws Exception {
        Path tls = folder.resolve("tls");
        CertificateAuthority.createRoot(CLUSTER, DAY, InstantSource.system(), new SecureRandom())
                .createIssuing("local", DAY)
                .enrol("node", "l1", DAY, List.of("127.0.0.1"))
                .save(tls);
        int port = freePort();
        try (PowerLoss disk = Required.orSkip(() -> PowerLoss.mount(folder, type, 400))) {
            List<String> written =
                    Acknowledging.untilPowerLoss(
                            disk, Writer.class, 60, tls.toString(), Integer.toString(port));
            try (RaftHost host = start(disk.folder().resolve("raft"), tls, freePort())) {
                awaitLeader(host);
                ClusterState state = RaftHost.await(host.readLinearizable(LINEAGE));
                for (String n : written) {
                    assertThat(state.resource(new UUID(0x7000L, Long.parseLong(n))))
                            .as("resource %s of %s acknowledged ones", n, written.size())
                            .isPresent();
                }
            }
        }
    }
}
