package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.holdfast.chaos.cluster.Commands;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.workload.TreeChanges;
import io.holdfast.node.api.Level;
import io.holdfast.node.api.LossLedgerView;
import io.holdfast.node.api.PreflightView;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.StatusView;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * A lost site comes back, and both had gone on by themselves. What it had changed is reported, what the
 * operator wants is applied, and only a signature frees the way home. What was backed up meanwhile flows
 * home once: {@code ops/bench/catch-up} runs this and shows the ratio.
 */
class ReturnIT {
    private static final long MISSING_BYTES = 80L << 20;

    @Test
    void bothSitesWentOn() throws Exception {
        try (SmallCluster cluster = new SmallCluster(23)) {
            Commands holdfast = cluster.holdfast;
            String both = cluster.local(90);
            String onlyThere = cluster.local(91);
            String same = cluster.local(92);
            holdfast.addReplication(both, cluster.dr(90));
            holdfast.addReplication(same, cluster.dr(92));
            TreeDigest before = TreeDigest.of(cluster.source);
            UUID piece = cluster.backup();
            cluster.awaitStatus(s -> s.unprotectedPieces() == 0);

            // Both sites acknowledge what is written, and nothing less will do from now on.
            assertThat(cluster.says(0, "ack-policy", "protection")).endsWith("Saved. PROTECTED\n");

            // The site that is lost has acknowledged things that DR never saw. A stopped process
            // would read what waits in its sockets.
            cluster.processes.kill(List.of("d1"));
            protectionStandsInTheWay(cluster);
            TreeChanges.writeRandom(cluster.source.resolve("late"), 3_000_000, 77);
            TreeDigest late = TreeDigest.of(cluster.source);
            holdfast.addReplication(both, cluster.dr(95));
            holdfast.addReplication(onlyThere, cluster.dr(91));
            holdfast.addReplication(same, cluster.dr(96));
            UUID unseen = cluster.backup();
            assertThat(cluster.says(0, "jobs")).contains("COMPLETE, waiting for dr-data");
            cluster.processes.kill(List.of("l1", "agent-crit-local"));
            cluster.launch.server("d1");

            PreflightView preflight =
                    cluster.await(
                            holdfast::preflight, p -> p.verdict() == PreflightView.Verdict.ALLOWED);
            assertThat(preflight.replication()).isEqualTo("SYNC");
            assertThat(preflight.replicationSince()).isNotNull();
            assertThat(preflight.goOn()).containsExactly(SmallCluster.CLIENT);
            assertThat(preflight.unmapped()).isEmpty();
            holdfast.failover();
            LossLedgerView ledger = holdfast.lossLedger();
            assertThat(ledger.complete()).isFalse();

            // DR never saw that the policy was changed; yet it goes on, for nobody is there to wait
            // for.
            StatusView alone = holdfast.status();
            assertThat(alone.ackPolicy()).isEqualTo("protection");
            assertThat(alone.ackPolicyBinds()).isFalse();

            // DR goes on: other edits, and data that the lost site's store will lack.
            holdfast.addReplication(both, cluster.dr(97));
            holdfast.addReplication(same, cluster.dr(96));
            TreeChanges.writeRandom(cluster.source.resolve("big"), MISSING_BYTES, 78);
            TreeDigest atDr = TreeDigest.of(cluster.source);
            UUID drPiece = cluster.backup();

            long missing =
                    StoreDifference.between(cluster.launch.store("l1"), cluster.launch.store("d1"))
                            .missingAtFirst();
            cluster.launch.server("l1");
            cluster.launch.agent("crit-local");
            ReconcileView returned =
                    cluster.await(holdfast::reconcile, r -> r.state().equals("DONE"));
            System.out.printf(
                    Locale.ROOT,
                    "CATCH-UP moved %d of %d bytes missing (%.4f), %d of %d chunks%n",
                    returned.bytesMoved(),
                    returned.bytesMissing(),
                    (double) returned.bytesMoved() / returned.bytesMissing(),
                    returned.chunksMoved(),
                    returned.chunksMissing());
            assertThat(returned.bytesMissing()).isEqualTo(missing).isGreaterThan(64L << 20);
            assertThat((double) returned.bytesMoved() / returned.bytesMissing())
                    .isLessThanOrEqualTo(1.05);
            StoreDifference stores =
                    StoreDifference.between(cluster.launch.store("l1"), cluster.launch.store("d1"));
            assertThat(stores.missingAtFirst()).isZero();
            assertThat(returned.handedOver()).containsExactly("l1");
            assertThat(returned.merged())
                    .extracting(ReconcileView.Merged::piece)
                    .containsExactly(unseen);

            // The report is whole, and stands in the way.
            assertThat(returned.needsSignature()).isTrue();
            assertThat(returned.settings())
                    .extracting(
                            ReconcileView.Setting::resource, ReconcileView.Setting::classification)
                    .containsExactlyInAnyOrder(
                            tuple(both, "CONFLICT"),
                            tuple(onlyThere, "ADDITIVE"),
                            tuple(same, "IDENTICAL"));
            assertThat(holdfast.lossLedger().complete()).isTrue();
            assertThat(holdfast.lossLedger().entries())
                    .extracting(LossLedgerView.Entry::piece, LossLedgerView.Entry::resolution)
                    .contains(tuple(unseen, "MERGED"));
            StatusView status =
                    cluster.awaitStatus(
                            s -> s.replication().equals("SYNC") && s.unprotectedPieces() == 0);
            assertThat(status.warnings()).anyMatch(w -> w.contains("holdfast reconcile sign"));
            assertThat(status.ackPolicyBinds()).as("both sites are there again").isTrue();
            assertThat(cluster.says(0, "ack-policy", "availability"))
                    .endsWith("Saved. PROTECTED\n");
            assertThat(SmallCluster.refused(() -> holdfast.switchover("local")).getMessage())
                    .contains("not signed", "holdfast reconcile");

            // Nothing was applied by itself; what is wanted is applied by hand.
            assertThat(remote(holdfast, both)).isEqualTo(cluster.dr(97));
            holdfast.applyAdditive();
            assertThat(remote(holdfast, onlyThere)).isEqualTo(cluster.dr(91));
            assertThat(remote(holdfast, both)).isEqualTo(cluster.dr(97));
            holdfast.apply("replication/" + both);
            assertThat(remote(holdfast, both)).isEqualTo(cluster.dr(95));
            assertThat(holdfast.reconcile().settings())
                    .extracting(ReconcileView.Setting::classification)
                    .containsOnly("IDENTICAL");
            assertThat(holdfast.signReconcile().signature()).isNotNull();

            holdfast.switchover("local");
            cluster.awaitStatus(s -> s.role().equals("ACTIVE") && s.site().equals("local"));
            assertThat(holdfast.reconcile().signature()).isNotNull();
            assertThat(remote(holdfast, both)).isEqualTo(cluster.dr(95));
            cluster.restoresTo(piece, before, "first");
            cluster.restoresTo(unseen, late, "unseen");
            cluster.restoresTo(drPiece, atDr, "dr");
        }
    }

    /** DR has just been lost: what needs it is refused or unknown, until the operator goes on alone. */
    private static void protectionStandsInTheWay(SmallCluster cluster) throws Exception {
        // In SYNC still: written here, and nobody can promise anything about it.
        String[] write = {"hold", "add", "--client", SmallCluster.CLIENT, "--reason", "case"};
        assertThat(cluster.says(4, write)).isEmpty();
        cluster.awaitStatus(s -> s.replication().equals("ASYNC"));
        assertThat(cluster.says(3, write)).isEmpty();
        assertThat(cluster.says(3, "backup", SmallCluster.CLIENT)).isEmpty();
        StatusView status = cluster.holdfast.status();
        assertThat(status.level()).isEqualTo(Level.UNPROTECTED);
        assertThat(status.warnings()).anyMatch(w -> w.contains("writes are refused"));
        assertThat(cluster.says(0, "ack-policy", "availability"))
                .contains("Saved. UNPROTECTED: RPO at risk since 20");
    }

    private static String remote(Commands holdfast, String local) throws Exception {
        return holdfast.replication().stream()
                .filter(r -> r.name().equals(local))
                .findFirst()
                .map(r -> Map.copyOf(r.info()).get("remoteIp"))
                .orElse("none");
    }
}
