package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Expiry;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What is lost with a storage of the active site. */
class StorageMovesTest {
    private final TestCluster local = TestCluster.create();
    private final JobRecord job =
            local.markProtected(local.complete(local.backup(TestCluster.CRIT, 1)));

    private static Map<UUID, ?> atStake(
            TestCluster cluster, Function<Expiry, Optional<String>> located) {
        DeviceResource device = cluster.lookup().devices().getFirst();
        return StorageMoves.atStake(cluster.state(), device, located);
    }

    private Optional<String> location(Expiry expiry) {
        return Optional.of(job.row().orElseThrow().location());
    }

    @Test
    void whatTheActiveSiteAloneKeepsGoesWithItsStorage() {
        assertThat(atStake(local, this::location)).isEmpty();
        local.expireAt(Site.LOCAL, job);
        assertThat(atStake(local, this::location)).as("DR keeps it").isEmpty();
        TestCluster dr = local.switchover(new Epoch(2, Site.DR));
        assertThat(atStake(dr, this::location))
                .isEqualTo(Map.of(job.id(), job.pieceHeader().orElseThrow()));
        assertThat(atStake(dr, _ -> Optional.empty())).as("another storage's").isEmpty();
    }

    @Test
    void aLostPieceOfAForgottenJobIsKnownByItsExpiry() {
        JobRecord forgotten = local.complete(local.backup(TestCluster.CRIT, 2));
        UUID unknown = new UUID(0x10b, 77);
        local.apply(
                new Command.Expire(
                        List.of(
                                new Command.Expiring(
                                        new UUID(0x91ece, 77),
                                        TestCluster.chunkId(77),
                                        TestCluster.CRIT,
                                        Optional.of(unknown),
                                        "old")),
                        "retention",
                        Optional.of(Site.LOCAL)));
        assertThat(StorageMoves.frames(local.state(), List.of(forgotten.id(), unknown)))
                .isEqualTo(
                        Map.of(
                                forgotten.id(),
                                forgotten.pieceHeader().orElseThrow(),
                                unknown,
                                TestCluster.chunkId(77)));
        assertThat(StorageMoves.isLost(local.state(), TestCluster.chunkId(77))).isFalse();
        local.apply(
                new Command.StorageFailover(
                        Endpoint.parse(TestCluster.STORAGE), Site.DR, List.of(unknown), "a", "r"));
        assertThat(StorageMoves.isLost(local.state(), TestCluster.chunkId(77))).isTrue();
    }
}
